"""`positions`: what somebody holds, what it cost and what it is worth."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.corrections import reads
from app.language.grammar import Parts
from app.language.requests import PositionsRequest
from app.market.exchange.spoken import HandOut


def build(parts: Parts) -> PositionsRequest:
    return PositionsRequest(parts.get("login"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    named = bool(words) and reads("login", words[0], now)
    return (HandOut("positions", {"login": words[0].removeprefix("@")} if named else {}),)


COMMAND = Command(
    name="positions",
    usage="positions [@user]",
    summary="Show the units held, what they cost and are worth, and the offers waiting in this thread.",
    who="Everybody. Another user is named, not mentioned.",
    notes=(
        "What units are worth now is said by the middle of bid and ask, by the price at which holders entered, or by "
        "the last trade.",
        "A VOID gives money back: what you paid in, as far as the money in the contract goes, and never less than that "
        "or half a token a unit, whichever is less.",
    ),
    examples=("positions", "positions @adam"),
    rules="login?",
    build=build,
    mend=mend,
    stands=False,
    order=23,
)
