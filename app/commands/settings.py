"""`settings`: the rules in force in this repository."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import SettingsRequest
from app.market.exchange.spoken import HandOut


def build(parts: Parts) -> SettingsRequest:
    return SettingsRequest()


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return (HandOut("settings"),)


COMMAND = Command(
    name="settings",
    usage="settings",
    summary="Show the rules in force in this repository, and where they come from.",
    who="Everybody.",
    examples=("settings",),
    build=build,
    mend=mend,
    stands=False,
    order=27,
)
