"""Requests that trade: what `trading` does for them, and what their result needs beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.language.requests import (
    CancelRequest,
    ChangeRequest,
    FundRequest,
    OfferRequest,
    TakeRequest,
    WorkRequest,
)
from app.market.exchange.fill import Fill
from app.market.exchange.offer import Action, NewOffer
from app.market.exchange.spoken import Blank, HandOut, Unclear
from app.market.terms.contract import Side
from app.market.terms.errors import InvalidOffer
from app.market.terms.money import format_mills, format_price
from app.services.mentions import mutes
from app.services.mentions.notices import tell_others
from app.services.rules.context import CommandContext
from app.services.trading import funding, offers, working
from app.services.trading.offers import Traded
from app.services.uses.again import again, forecast_meant
from app.services.uses.pricing import priced
from app.services.uses.results import Changed, Funded, Listed, Neighbour, TakenBack, Trade, Unlisted
from app.storage.engine.db import Tx
from app.storage.market import books, contracts, market_data, usage

MOST_NEIGHBOURS = 3


async def trade(tx: Tx, context: CommandContext, request: OfferRequest) -> Trade:
    """Offer to buy, or to sell."""
    if request.action is Action.SELL:
        return await _sell(tx, context, request)
    contract = await forecast_meant(tx, context, request)
    new = priced(replace(request, contract=contract), context.config)
    made = await offers.offer(tx, context, new, request.by_at, request.from_at, contract)
    return await result_of(tx, context, made, dated=request.from_at is not None)


async def _sell(tx: Tx, context: CommandContext, request: OfferRequest) -> Trade:
    if request.from_at is not None:
        sentence = "A range of dates is for offers that buy; a sale says in which contract it is made."
        raise Unclear(sentence, await _in_one(tx, context, request))
    made = await offers.sell(
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
    return await result_of(tx, context, made)


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


async def take(tx: Tx, context: CommandContext, request: TakeRequest) -> Trade:
    return await result_of(tx, context, await offers.take(tx, context, request.offer, request.volume))


async def cancel(tx: Tx, context: CommandContext, request: CancelRequest) -> TakenBack:
    cancelled = await offers.cancel_offers(tx, context, request.offer)
    return TakenBack(cancelled, await _named(tx, context, [fill for each in cancelled.changes for fill in each.fills]))


async def change(tx: Tx, context: CommandContext, request: ChangeRequest) -> Changed:
    made = await offers.change(tx, context, request.offer, request.volume, request.price, request.until_at)
    return Changed(request.offer, await result_of(tx, context, made))


async def fund(tx: Tx, context: CommandContext, request: FundRequest) -> Funded:
    price = request.price or context.config.fund_price
    volume = request.amount_mills // price
    if not volume:
        raise InvalidOffer(
            f"{format_mills(request.amount_mills)} does not buy a single unit at {format_price(price)}.",
            f"/bugmark {_with_more(request).text}",
        )
    by_at = request.by_at or await funding.date_for(tx, context)
    made = await offers.offer(tx, context, NewOffer(Action.BUY, Side.UNFIXED, volume, price), by_at)
    chosen_at = None if request.by_at else by_at
    rest = request.amount_mills - volume * price
    return Funded(await result_of(tx, context, made), chosen_at, request.amount_mills, rest)


def _with_more(request: FundRequest) -> HandOut:
    """Leave the amount to the user: nobody else may choose it."""
    given = {"at": request.price, "by": request.by_at}
    return HandOut(
        "fund", {"amount": Blank.AMOUNT, **{part: value for part, value in given.items() if value is not None}}
    )


async def work(tx: Tx, context: CommandContext, request: WorkRequest) -> Listed | Unlisted:
    if request.stop:
        await working.stop(tx, context)
        return Unlisted()
    _check_enough(context, request.amount_mills)
    until_at = await working.start(tx, context)
    if request.amount_mills is None:
        return Listed(until_at, False, None)
    made = await working.back(tx, context, request.amount_mills)
    return Listed(until_at, True, None if made is None else await result_of(tx, context, made))


def _check_enough(context: CommandContext, amount_mills: int | None) -> None:
    price = context.config.default_price
    if amount_mills is not None and amount_mills < price:
        why = f"{format_mills(amount_mills)} does not buy a single unit at {format_price(price)}."
        raise InvalidOffer(why, f"/bugmark {HandOut('work', {'amount': Blank.AMOUNT}).text}")


async def result_of(tx: Tx, context: CommandContext, made: Traded, dated: bool = False) -> Trade:
    """Result of an offer, with all that telling it takes."""
    named = await _named(tx, context, [*made.changes.fills, *(made.before.fills if made.before else [])])
    left = await usage.pool_left(tx, context.user_id, made.contract.currency) if made.offer.pooled else 0
    return Trade(made, named, left, await _beside(tx, made, context.now), dated)


async def _named(tx: Tx, context: CommandContext, fills: Sequence[Fill]) -> dict[int, str]:
    """Name the other parties of these fills, by a mention if they want one. Whose offers were filled is mentioned once.

    Who is muted gets no reply that could mention anybody: then they are told in a comment of its own.
    """
    parties = {user for fill in fills for user in (fill.buyer, fill.seller)} - {context.user_id}
    repository = context.place.repository.id
    if parties and not context.config.reactions_only and await mutes.silent(tx, context.user_id, repository):
        await tell_others(tx, context.place, fills, context.user_id, context.now)
        return await mutes.named(tx, repository, parties, but=parties)
    return await mutes.addressed(tx, repository, parties, context.now)


async def _beside(tx: Tx, made: Traded, now: int) -> tuple[Neighbour, ...]:
    """The open contracts nearest to one that was just made."""
    at = made.contract.maturation_at
    rows = sorted(made.neighbours, key=lambda row: abs(row.maturation_at - at))[:MOST_NEIGHBOURS]
    ids = [row.id for row in rows]
    levels, last = await market_data.levels(tx, ids, now), await market_data.prices_at(tx, ids, now)
    found = []
    for row in sorted(rows, key=lambda row: row.maturation_at):
        bids, asks = levels[row.id].bids, levels[row.id].asks
        found.append(Neighbour(row, bids[0][0] if bids else None, asks[0][0] if asks else None, last.get(row.id)))
    return tuple(found)
