"""`sell`: give up units that one holds."""

from __future__ import annotations

from app.commands.command import Command
from app.commands.forecast_hint import again, forecast_meant
from app.commands.offer import CLAUSES, CONDITION_NOTES, CONDITIONS, forecast_of
from app.language.corrections import OfferMender
from app.language.grammar import BadCommand, Parts
from app.language.requests import OfferRequest
from app.market.exchange.offer import Action, NewOffer
from app.market.exchange.spoken import HandOut
from app.replies import trade_results
from app.services.rules.context import CommandContext
from app.services.trading import offers
from app.storage.engine.db import Tx
from app.storage.market import books, contracts


def build(parts: Parts) -> OfferRequest:
    if "pool" in parts:
        raise BadCommand("`pool` is for offers that buy: a sale needs no money.")
    if "post_only" in parts and "at" not in parts:
        raise BadCommand("`post-only` needs a price: without one you get at once what the book gives.")
    from_at, by_at = parts.get("by_range", (None, None))
    return OfferRequest(
        action=Action.SELL,
        side=parts["truth"] if "truth" in parts else parts["side"],
        volume=parts.get("volume"),
        amount_mills=None,
        price=parts.get("at"),
        deposit_mills=None,
        profit_mills=None,
        by_at=by_at,
        until_at=parts.get("until"),
        now_or_never="now_or_never" in parts,
        all_or_none="all_or_none" in parts,
        post_only="post_only" in parts,
        cancel_on_halt="cancel_on_halt" in parts or "post_only" in parts,
        from_at=from_at,
        contract=forecast_of(parts),
        truth="truth" in parts,
    )


async def handle(tx: Tx, context: CommandContext, request: OfferRequest) -> str:
    if request.from_at is not None:
        sentence = "A range of dates is for offers that buy; a sale says in which contract it is made."
        raise BadCommand(sentence, await _in_one(tx, context, request))
    result = await offers.sell(
        tx,
        context,
        request.side,
        request.volume,
        request.price,
        by_at=request.by_at,
        contract=await forecast_meant(tx, context, request),
        conditions=NewOffer(
            Action.SELL,
            request.side,
            request.volume or 1,
            request.price or 1,
            request.until_at,
            now_or_never=request.now_or_never,
            all_or_none=request.all_or_none,
            post_only=request.post_only,
            cancel_on_halt=request.cancel_on_halt,
        ),
    )
    return await trade_results.told(tx, context, result)


async def _in_one(tx: Tx, context: CommandContext, request: OfferRequest) -> HandOut:
    """Suggest a sale of units that the user holds, if possible within the range, at the named price, if any."""
    found = await books.positions_of(tx, context.user_id, context.place.issue.id)
    held = {contract: position for contract, side, position in found if side is request.side and position.free}
    rows = [
        row for row in await contracts.of_issue(tx, context.place.issue.id, context.now) if row.id in held and row.open
    ]
    if not rows:
        return HandOut("positions")
    within = [row for row in rows if (request.from_at or 0) <= row.maturation_at <= (request.by_at or 0)]
    row = (within or rows)[0]
    units = None if request.volume is None else min(request.volume, held[row.id].free)
    return again(request, volume=units, by_range=(None, row.maturation_at))


COMMAND = Command(
    name="sell",
    usage=f"sell (fixed|unfixed|true|false) (VOLUME|all) [at PRICE] [by DATE | on F12] {CONDITIONS}",
    summary="Sell units that you hold.",
    who="Everybody who holds that many free units.",
    notes=(
        "Without a price you get at once what the book gives, and nothing waits.",
        "`all` is all your free units. Without `by` the only contract in which you hold such units is meant.",
        *CONDITION_NOTES,
    ),
    examples=(
        "sell fixed 20 at 0.40",
        "sell fixed all at 0.40 all-or-none",
        "sell unfixed all by end of month",
        "sell true all on F12",
    ),
    rules=f"(side | truth) (volume | everything) (at | by_range | on | {CLAUSES})*",
    build=build,
    handle=handle,
    mend=OfferMender(
        "sell",
        quantities=("all",),
        prices=("at",),
        conditions=("all-or-none", "now-or-never", "post-only", "cancel-on-halt"),
    ),
    risks=True,
    order=11,
)
