"""`offers`: one's own open offers in this thread."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import OffersRequest
from app.market.exchange.spoken import HandOut


def build(parts: Parts) -> OffersRequest:
    return OffersRequest()


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return (HandOut("offers"),)


COMMAND = Command(
    name="offers",
    usage="offers",
    summary="Show your open offers in this thread, with their ends and conditions.",
    who="Everybody, about themselves.",
    examples=("offers",),
    build=build,
    mend=mend,
    stands=False,
    order=24,
)
