"""`balance`: one's own money."""

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import BalanceRequest
from app.market.exchange.spoken import HandOut


def build(parts: Parts) -> BalanceRequest:
    return BalanceRequest()


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return (HandOut("balance"),)


COMMAND = Command(
    name="balance",
    usage="balance",
    summary="Show your money: what is free and what your offers hold back.",
    who="Everybody, about themselves.",
    examples=("balance",),
    build=build,
    mend=mend,
    stands=False,
    order=25,
)
