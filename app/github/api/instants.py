"""Instants as GitHub writes them."""

from __future__ import annotations

from datetime import UTC, datetime

LAST_INSTANT = 32_503_680_000
"""The year 3000. Nothing has happened later, and what is reckoned from it can still be told as a date."""


def read_instant(value: object) -> int | None:
    """GitHub's instants are ISO texts, in a few old payloads whole seconds. None if it is neither, or before 1970."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value <= LAST_INSTANT else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return seconds if 0 <= seconds <= LAST_INSTANT else None
