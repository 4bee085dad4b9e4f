"""Working on an issue: a name on a list, and FIXED for whoever means it."""

from __future__ import annotations

from app.market.exchange.offer import Action, NewOffer
from app.market.terms.contract import Side
from app.market.terms.errors import NotTrading, Refusal
from app.services.rules.changed import Changed, publish
from app.services.rules.context import CommandContext
from app.services.trading import offers
from app.services.trading.offers import Traded
from app.storage.engine.db import Tx
from app.storage.market import contracts, workers

LISTED_SECONDS = 14 * 86_400
CLOSED = "This issue is closed, so there is nothing to work on."


async def start(tx: Tx, context: CommandContext) -> int:
    """List the user for two weeks from now; returns until when. Raises NotTrading where the issue is closed."""
    if context.closed or context.rejected is not None:
        raise NotTrading(CLOSED, "/bugmark positions")
    until_at = context.now + LISTED_SECONDS
    await workers.put(tx, context.place.issue.id, context.user_id, context.now, until_at)
    await _show(tx, context)
    return until_at


async def stop(tx: Tx, context: CommandContext) -> None:
    """Take the user off the list. Raises a Refusal."""
    if not await workers.remove(tx, context.place.issue.id, context.user_id, context.now):
        raise Refusal("You are not listed as working on this issue.", "/bugmark work")
    await _show(tx, context)


async def back(tx: Tx, context: CommandContext, amount_mills: int) -> Traded | None:
    """Buy FIXED for that much in the contract with the most open interest: the best asks, none above the default price.

    None where no contract is open. Raises a Refusal.
    """
    rows = [row for row in await contracts.of_issue(tx, context.place.issue.id, context.now) if row.open]
    if not rows:
        return None
    best = max(rows, key=lambda row: (row.open_interest, -row.maturation_at))
    price = context.config.default_price
    new = NewOffer(Action.BUY, Side.FIXED, amount_mills // price, price, now_or_never=True)
    return await offers.offer(tx, context, new, best.maturation_at)


async def _show(tx: Tx, context: CommandContext) -> None:
    """The market comment is made by the first trade and by nothing else."""
    if await contracts.of_thread(tx, context.place.issue.id):
        await publish(tx, Changed.here(context.place), context.now, context.place)
