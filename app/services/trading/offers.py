"""Trading: offers placed, taken, changed and cancelled, each in one transaction under the contracts' locks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from app.market.exchange.arrival import DUST_VOLUME
from app.market.exchange.matching import cancel, place, place_range
from app.market.exchange.offer import Action, NewOffer, Offer, book_price, is_bid
from app.market.exchange.spoken import Blank, spoken
from app.market.exchange.state import Changes, ContractState
from app.market.terms.contract import Side
from app.market.terms.errors import InsufficientFunds, InvalidOffer, NotTrading, Refusal, UnknownOffer
from app.market.terms.instants import command_date
from app.market.terms.statement import ISSUE_FIXED
from app.services.accounts import accounts
from app.services.accounts.insiders import check_insider
from app.services.rules.context import CommandContext
from app.services.trading import contract_lookup, forecasting, limits, range_offers
from app.services.trading.contract_lookup import check_trading, to_look
from app.services.trading.locked_market import LockedMarket, lock_market
from app.services.trading.locking import hold_all
from app.storage.engine.db import DatabaseBusy, Tx
from app.storage.market import books, contracts
from app.storage.market.contracts import ContractRow

LOWEST_PRICE = 1


@dataclass(frozen=True, slots=True)
class Traded:
    """Result of an offer's arrival in one contract. `neighbours`: open contracts beside one that was made for it.

    `others`: what the same command did in the other contracts of a range. `before`: what came of cancelling the offer
    that it replaces.
    """

    contract: ContractRow
    offer: Offer
    changes: Changes
    made: bool = False
    neighbours: list[ContractRow] = field(default_factory=list)
    others: tuple[Traded, ...] = ()
    before: Changes | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Offers taken back, and what came of it: others' all-or-none offers may have filled then."""

    offers: list[Offer] = field(default_factory=list)
    changes: list[Changes] = field(default_factory=list)


async def offer(
    tx: Tx,
    context: CommandContext,
    new: NewOffer,
    by_at: int | None,
    from_at: int | None = None,
    contract: int | None = None,
) -> Traded:
    """Place an offer in the contract maturing at `by_at`, made if there is none, or in all maturing from `from_at` on.

    `contract` is the number of a forecast. Raises a Refusal.
    """
    if contract is not None:
        row = await forecasting.woken(tx, context, await forecasting.contract_of(tx, context, contract))
        with forecasting.in_words_of(row):
            return await _place(await _floor(tx, context, {row.id}, new), context, row, new)
    _check_not_closed(context)
    if from_at is not None and by_at is not None:
        return await _place_range(tx, context, new, from_at, by_at)
    found, neighbours = await contract_lookup.to_offer_in(tx, context, new, by_at)
    return await _place(await _floor(tx, context, {found.id}, new), context, found, new, neighbours)


async def sell(
    tx: Tx,
    context: CommandContext,
    side: Side,
    volume: int | None,
    price: int | None,
    *,
    by_at: int | None = None,
    contract: int | None = None,
    conditions: NewOffer | None = None,
) -> Traded:
    """Sell units. `volume` None: all free ones. `price` None: what the book gives now, best counter-offers first.

    `conditions` are those of an offer; its volume and price do not count. Raises a Refusal.
    """
    if contract is None:
        _check_not_closed(context)
        row = await contract_lookup.to_sell_in(tx, context, side, by_at, volume, price)
    else:
        row = await forecasting.contract_of(tx, context, contract)
    with forecasting.in_words_of(row):
        return await _sell(tx, context, row, side, volume, price, conditions)


async def _sell(
    tx: Tx,
    context: CommandContext,
    row: ContractRow,
    side: Side,
    volume: int | None,
    price: int | None,
    conditions: NewOffer | None,
) -> Traded:
    wish = replace(
        conditions or NewOffer(Action.SELL, side, 1, LOWEST_PRICE),
        action=Action.SELL,
        side=side,
        price=LOWEST_PRICE if price is None else price,
    )
    locked = await _floor(tx, context, {row.id}, wish)
    state = locked.state(row.id)
    free = state.free_units(context.user_id, side)
    if not free:
        held = state.holders(side).get(context.user_id)
        raise contract_lookup.none_free(side, held.reserved if held else 0, "contract")
    new = replace(wish, volume=free if volume is None else volume)
    if price is None:
        _check_buyers(state, context, row, new)
        new = replace(new, now_or_never=True)
    return await _place(locked, context, row, new)


def _check_buyers(state: ContractState, context: CommandContext, row: ContractRow, new: NewOffer) -> None:
    buyers = state.book.half(not is_bid(new.action, new.side)).all()
    if all(counter.user == context.user_id for counter in buyers):
        free = state.holders(new.side)[context.user_id].free
        raise Refusal("Nobody buys here now; name your price and wait.", _to_wait(row, new, free))


def _to_wait(row: ContractRow, new: NewOffer, free: int) -> str:
    """A sale that can wait in the book, at whatever price; so few units that none may: the book to look at."""
    units = min(new.volume, free)
    if units < DUST_VOLUME:
        return f"/bugmark book by {command_date(row.maturation_at)}"
    return spoken(replace(new, volume=units), row.maturation_at, at=Blank.PRICE)


async def take(tx: Tx, context: CommandContext, number: int, volume: int | None) -> Traded:
    """The other side of an offer at its price, by default all that is open of it; better or older offers fill first."""
    row, known = await contract_lookup.of_offer(tx, context, number)
    if row.kind == ISSUE_FIXED:
        _check_not_closed(context)
    side = Side.UNFIXED if known.bid else Side.FIXED
    new = NewOffer(Action.BUY, side, known.volume, book_price(side, known.fixed_price), now_or_never=True)
    locked = await _floor(tx, context, {row.id}, new)
    wanted = locked.state(row.id).book.offers.get(number)
    if wanted is None:
        raise UnknownOffer(f"Offer o{number} is not open any more.", await to_look(tx, context))
    if wanted.user == context.user_id:
        raise UnknownOffer(f"Offer o{number} is your own.", "/bugmark offers")
    if volume is not None and volume > wanted.remaining:
        raise InvalidOffer(
            f"Only {wanted.remaining} units of o{number} are open.", f"/bugmark take o{number} {wanted.remaining}"
        )
    if wanted.all_or_none and volume not in (None, wanted.remaining):
        raise InvalidOffer(f"Offer o{number} is all-or-none: take all of it.", f"/bugmark take o{number}")
    with forecasting.in_words_of(row):
        return await _place(locked, context, row, replace(new, volume=volume or wanted.remaining))


async def cancel_offers(tx: Tx, context: CommandContext, number: int | None) -> Cancelled:
    """Cancel one of the user's offers in this thread, or all of them. Works while a contract is halted."""
    cancelled = Cancelled()
    mine = await books.live_offers(tx, context.user_id, context.place.issue.id)
    concerned = {contract for contract, found in mine if number in (None, found.number)}
    rows = [row for row in await contracts.of_thread(tx, context.place.issue.id, context.now) if row.id in concerned]
    currencies = sorted({row.currency for row in rows})
    if len(currencies) > 1:
        await hold_all(tx, rows, now=context.now, user=context.user_id)
    made = 0
    for currency in currencies:
        ids = {row.id for row in rows if row.currency == currency}
        made = await _cancel_in(tx, context, ids, number, cancelled, made)
    if rows and tx.dialect.name != "sqlite":  # where one writes at a time nothing comes in between
        await _check_all_cancelled(tx, context, number)
    if not cancelled.offers:
        raise await _nothing_to_cancel(tx, context, number)
    return cancelled


async def _check_all_cancelled(tx: Tx, context: CommandContext, number: int | None) -> None:
    """Raise DatabaseBusy if the user made an offer in another contract before these were locked: all of it again.

    From the lock on nobody but this command touches the user's offers, so what is read here is the truth.
    """
    left = await books.live_offers(tx, context.user_id, context.place.issue.id)
    if any(number in (None, found.number) for _, found in left):
        raise DatabaseBusy("an offer came to another contract while these were being locked")


async def _nothing_to_cancel(tx: Tx, context: CommandContext, number: int | None) -> UnknownOffer:
    if number is None:
        return UnknownOffer("You have no open offer in this thread.", "/bugmark positions")
    if await books.owner_of_offer(tx, number, context.place.issue.id) == context.user_id:
        return UnknownOffer(f"Your offer o{number} is not open any more.", "/bugmark offers")
    return UnknownOffer(f"You have no open offer o{number} in this thread.", "/bugmark offers")


async def _cancel_in(
    tx: Tx, context: CommandContext, ids: set[int], number: int | None, cancelled: Cancelled, before: int
) -> int:
    """In contracts of one currency. `before`: entries the command has made already; returns how many it has then."""
    locked = await lock_market(tx, ids, cause=context.cause, now=context.now, user=context.user_id)
    locked.made = before
    locked.filled = sum(len(changes.raw_fills) for changes in cancelled.changes)
    await _expire(locked, context, ids)
    mine = [found for each in sorted(ids) for found in locked.state(each).book.open_offers()]
    wanted = [found for found in mine if found.user == context.user_id and number in (None, found.number)]
    for found in wanted:
        if found.remaining:  # a re-try may have filled it meanwhile
            made = partial(cancel, locked.market, found.number, user=context.user_id, now=context.now, room=locked.room)
            cancelled.changes.append(await locked.run(made))
            cancelled.offers.append(found)
    await locked.publish(context.place)
    return locked.made


async def change(
    tx: Tx, context: CommandContext, number: int, volume: int | None, price: int | None, until_at: int | None
) -> Traded:
    """A smaller open volume keeps the offer's place; anything else is cancel and new. None leaves as it is."""
    row, known = await contract_lookup.of_offer(tx, context, number)
    wish = known.as_new() if price is None else replace(known.as_new(), price=price)
    locked = await _floor(tx, context, {row.id}, wish)
    mine = locked.state(row.id).book.owned_by(context.user_id)
    found = next((found for found in mine if found.number == number), None)
    if found is None:
        raise UnknownOffer(f"You have no open offer o{number} in this thread.", "/bugmark offers")
    if volume is not None and volume < found.remaining and price in (None, found.price) and until_at is None:
        return await _shrink(locked, context, row, found, volume)
    if row.kind == ISSUE_FIXED:
        _check_not_closed(context)
    new = replace(
        wish,
        volume=found.remaining if volume is None else volume,
        until_at=found.until_at if until_at is None else until_at,
    )
    return await _place(locked, context, row, new, instead_of=number)


async def _shrink(locked: LockedMarket, context: CommandContext, row: ContractRow, found: Offer, volume: int) -> Traded:
    if volume < DUST_VOLUME:
        raise InvalidOffer(
            f"At least {DUST_VOLUME} units must stay open.", f"/bugmark change o{found.number} {Blank.VOLUME}"
        )
    changes = await locked.run(
        lambda: cancel(locked.market, found.number, user=context.user_id, now=context.now, keep=volume)
    )
    await locked.publish(context.place)
    return Traded(row, changes.offers[found.number], changes)


async def _place(
    locked: LockedMarket,
    context: CommandContext,
    row: ContractRow,
    new: NewOffer,
    neighbours: list[ContractRow] | None = None,
    instead_of: int | None = None,
) -> Traded:
    await _check_open(locked, context, {row.id})
    before = None
    if instead_of is not None:
        before = await locked.run(lambda: cancel(locked.market, instead_of, user=context.user_id, now=context.now))
    await limits.check(locked.tx, context, locked.state(row.id), new)
    (number,) = await books.next_offer_numbers(locked.tx, 1)
    arrival = partial(
        place, locked.market, row.id, new, number=number, user=context.user_id, now=context.now, room=locked.room
    )
    changes = await _arrive(locked, context, arrival)
    await locked.publish(context.place)
    return Traded(row, changes.offers[number], changes, neighbours is not None, neighbours or [], before=before)


async def _place_range(tx: Tx, context: CommandContext, new: NewOffer, from_at: int, by_at: int) -> Traded:
    found = await range_offers.in_range(tx, context, new, from_at, by_at)
    ids = [row.id for row in found.rows]
    locked = await _floor(tx, context, set(ids), new)
    await _check_open(locked, context, set(ids))
    for each in ids:
        await limits.check(tx, context, locked.state(each), new)
    numbers = await books.next_offer_numbers(tx, len(ids))
    held = {each: locked.state(each).open_interest for each in ids}
    arrival = partial(
        place_range, locked.market, ids, new, numbers=numbers, user=context.user_id, now=context.now, last=found.home
    )
    changes = await _arrive(locked, context, arrival)
    range_offers.check_rest(found, new, held, changes, numbers)
    if found.made and all(part.contract != found.home for part in changes.offers.values()):
        await contracts.forget(tx, found.home)
    await locked.publish(context.place)
    parts = [
        Traded(locked.rows[part.contract], part, changes) for number in numbers if (part := changes.offers.get(number))
    ]
    return replace(parts[-1], others=tuple(parts[:-1]))


async def _arrive(locked: LockedMarket, context: CommandContext, arrival: Callable[[], Changes]) -> Changes:
    """Raises a Refusal, which says in which currency money is short where that goes without saying nowhere."""
    try:
        return await locked.run(arrival)
    except InsufficientFunds as refusal:
        raise await accounts.in_currency(locked.tx, refusal, locked.currency, context.place) from refusal


async def _floor(tx: Tx, context: CommandContext, ids: set[int], new: NewOffer) -> LockedMarket:
    """The contracts an offer goes to, as it will find them: locked, without the offers that are due before it."""
    locked = await lock_market(tx, ids, cause=context.cause, now=context.now, user=context.user_id, reaching=new)
    await _expire(locked, context, ids)
    return locked


async def _expire(locked: LockedMarket, context: CommandContext, ids: set[int]) -> None:
    """The command comes with news about its own thread. Raises StaleNews where others would have to be asked about."""
    here = {number for number, row in locked.rows.items() if row.issue_id == context.place.issue.id}
    known = here | ids | {number for number in locked.rows if number in context.asked}
    await locked.expire(known, asking=True)


async def _check_open(locked: LockedMarket, context: CommandContext, ids: set[int]) -> None:
    """Raises NotTrading, or a Refusal where insiders may not trade."""
    for number in sorted(ids):
        row = locked.rows.get(number)
        look = "" if row is not None and row.open else await to_look(locked.tx, context)
        check_insider(context, check_trading(row, look).terms)


def _check_not_closed(context: CommandContext) -> None:
    if context.closed:
        why = "This issue is closed as completed; nothing is traded unless it is reopened."
        raise NotTrading(why, "/bugmark positions")
