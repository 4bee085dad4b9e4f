"""`price`: what the market says of the issue, over all its dates or of one contract."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.book import WHICH, mend_which
from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import PriceRequest
from app.market.exchange.spoken import HandOut


def build(parts: Parts) -> PriceRequest:
    return PriceRequest(parts.get("by"), parts.get("numbered"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return mend_which("price", words, now)


COMMAND = Command(
    name="price",
    usage="price [by DATE | F12]",
    summary="Show prices, volume, open interest, the reward on offer and the chance of a fix by each date.",
    who="Everybody.",
    notes=(
        "Without a date every contract that is not settled is shown, with the chance of a fix by each date.",
        "The price is the middle of the bid and the ask behind which at least 10 tokens stand. Where one of them is "
        "missing, it is the price at which the holders of both sides entered, or what the other quote says: at least, "
        "at most.",
        "What moving the price by 0.10 takes is what somebody would have to put up for it: the more, the firmer it is.",
        "The last trade is the last fill of at least 5 units; the change is against what its price was 24 hours ago.",
        "A contract that was made under law 1 has a void price: what a VOID would pay now for a unit of FIXED.",
    ),
    examples=("price", "price by end of month", "price F12"),
    rules=WHICH,
    build=build,
    mend=mend,
    stands=False,
    order=21,
)
