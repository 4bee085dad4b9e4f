"""`price`: what the market says of the issue, over all its dates or of one contract."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.book import WHICH, mend_which
from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import PriceRequest
from app.market.exchange.spoken import HandOut
from app.replies import price_table
from app.services.rules.context import CommandContext
from app.services.trading import looking
from app.services.views import market_views
from app.storage.engine.db import Tx


def build(parts: Parts) -> PriceRequest:
    return PriceRequest(parts.get("by"), parts.get("numbered"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return mend_which("price", words, now)


async def handle(tx: Tx, context: CommandContext, request: PriceRequest) -> str:
    if request.by_at is None and request.contract is None:
        view = await market_views.issue_view(tx, context.place.issue.id, context.now)
        if len(view.trading) > 1:
            return price_table.prices(view)
    row = await looking.contract_to_show(tx, context, request.by_at, request.contract, "price")
    return price_table.price_of(await market_views.contract_view(tx, row, context.now))


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
    handle=handle,
    mend=mend,
    stands=False,
    order=21,
)
