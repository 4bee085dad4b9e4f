"""Instants as people read them. An instant is whole seconds since the epoch, UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def format_instant(at: int) -> str:
    """`1 Dec 2017 23:59:59 UTC`"""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment.day} {moment:%b %Y %H:%M:%S} UTC"


def command_date(at: int) -> str:
    """The instant as a command takes it: the bare day if it is that day's last second."""
    moment = datetime.fromtimestamp(at, UTC)
    if (moment.hour, moment.minute, moment.second) == (23, 59, 59):
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def last_second(at: int) -> int:
    """The last second of the instant's UTC day."""
    return at - at % 86_400 + 86_399
