"""`unmute`: replies and mentions again."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import MuteRequest
from app.market.exchange.spoken import HandOut
from app.market.terms.mention import Mode


def build(parts: Parts) -> MuteRequest:
    return MuteRequest(Mode.EVERY)


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return (HandOut("unmute"),)


COMMAND = Command(
    name="unmute",
    usage="unmute",
    summary="Be answered and mentioned in this repository again.",
    who="Everybody, for themselves.",
    examples=("unmute",),
    build=build,
    mend=mend,
    stands=False,
    order=34,
)
