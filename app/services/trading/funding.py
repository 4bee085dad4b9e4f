"""Choice of the contract for money that names no date: the one where it is best put."""

from __future__ import annotations

from app.market.terms.contract import UNIT_MILLS
from app.market.terms.instants import last_second
from app.services.rules.context import CommandContext
from app.services.trading import contract_lookup
from app.storage.engine.db import Tx
from app.storage.market import contracts, market_data
from app.storage.market.market_data import Levels

DAY_SECONDS = 86_400
SOONEST_SECONDS, LATEST_SECONDS = 14 * DAY_SECONDS, 365 * DAY_SECONDS


async def date_for(tx: Tx, context: CommandContext) -> int:
    """The maturation of the contract that such money goes to.

    The open one with the most open interest, else with the most put up, of those that mature in 14 to 365 days; else a
    new one in 90 days, or as near to that as the repository allows.
    """
    rows = [row for row in await contracts.of_issue(tx, context.place.issue.id, context.now) if row.open]
    near = [row for row in rows if SOONEST_SECONDS <= row.maturation_at - context.now <= LATEST_SECONDS]
    if not near:
        return new_date(context)
    levels = await market_data.levels(tx, [row.id for row in near], context.now)
    best = max(near, key=lambda row: (row.open_interest, put_up_mills(levels[row.id]), -row.maturation_at))
    return best.maturation_at


def new_date(context: CommandContext) -> int:
    least, most = context.config.least_maturation_seconds, context.config.most_maturation_seconds
    return last_second(context.now + min(max(contract_lookup.SUGGESTED_SPAN_SECONDS, least), most - DAY_SECONDS))


def put_up_mills(levels: Levels) -> int:
    """Stake of the offers in a book, each side at its own price."""
    bids = sum(price * units for price, units in levels.bids)
    asks = sum((UNIT_MILLS - price) * units for price, units in [*levels.asks, *levels.whole_asks])
    return bids + asks
