"""Trading: offers placed, taken, changed and cancelled, each in one transaction under the contracts' locks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from app.market.arrival import DUST_VOLUME
from app.market.contract import Side
from app.market.errors import InsufficientFunds, InvalidOffer, NotTrading, Refusal, UnknownOffer
from app.market.instants import command_date
from app.market.matching import cancel, place, place_range
from app.market.offer import Action, NewOffer, Offer, book_price, is_bid
from app.market.spoken import Blank, spoken
from app.market.state import Changes, ContractState
from app.market.statement import ISSUE_FIXED
from app.services import accounts, choosing, forecast_making, forecasting, limits, ranging
from app.services.choosing import check_trading, to_look
from app.services.floor import Floor, open_floor
from app.services.insiders import check_insider
from app.services.locking import hold_all
from app.services.scene import Scene, refresh_board
from app.storage import books, contracts, places
from app.storage.contracts import ContractRow
from app.storage.db import Tx

LOWEST_PRICE = 1


@dataclass(frozen=True, slots=True)
class Traded:
    """What an offer's arrival did in one contract. `neighbours`: open contracts beside one that was made for it.

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
    tx: Tx, scene: Scene, new: NewOffer, by_at: int | None, from_at: int | None = None, contract: int | None = None
) -> Traded:
    """Place an offer in the contract maturing at `by_at`, made if there is none, or in all maturing from `from_at` on.

    `contract` is the number of a forecast. Raises a Refusal.
    """
    if contract is not None:
        row = await forecast_making.woken(tx, scene, await forecasting.contract_of(tx, scene, contract))
        with forecasting.in_words_of(row):
            return await _place(await _floor(tx, scene, {row.id}, new), scene, row, new)
    _check_not_closed(scene)
    if from_at is not None and by_at is not None:
        return await _place_range(tx, scene, new, from_at, by_at)
    found, neighbours = await choosing.to_offer_in(tx, scene, new, by_at)
    return await _place(await _floor(tx, scene, {found.id}, new), scene, found, new, neighbours)


async def sell(
    tx: Tx,
    scene: Scene,
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
        _check_not_closed(scene)
        row = await choosing.to_sell_in(tx, scene, side, by_at, volume, price)
    else:
        row = await forecasting.contract_of(tx, scene, contract)
    with forecasting.in_words_of(row):
        return await _sell(tx, scene, row, side, volume, price, conditions)


async def _sell(
    tx: Tx,
    scene: Scene,
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
    floor = await _floor(tx, scene, {row.id}, wish)
    state = floor.state(row.id)
    free = state.free_units(scene.user_id, side)
    if not free:
        held = state.holders(side).get(scene.user_id)
        raise choosing.none_free(side, held.reserved if held else 0, "contract")
    new = replace(wish, volume=free if volume is None else volume)
    if price is None:
        _check_buyers(state, scene, row, new)
        new = replace(new, now_or_never=True)
    return await _place(floor, scene, row, new)


def _check_buyers(state: ContractState, scene: Scene, row: ContractRow, new: NewOffer) -> None:
    buyers = state.book.half(not is_bid(new.action, new.side)).all()
    if all(counter.user == scene.user_id for counter in buyers):
        free = state.holders(new.side)[scene.user_id].free
        raise Refusal("Nobody buys here now; name your price and wait.", _to_wait(row, new, free))


def _to_wait(row: ContractRow, new: NewOffer, free: int) -> str:
    """A sale that can wait in the book, at whatever price; so few units that none may: the book to look at."""
    units = min(new.volume, free)
    if units < DUST_VOLUME:
        return f"/bugmark book by {command_date(row.maturation_at)}"
    return spoken(replace(new, volume=units), row.maturation_at, at=Blank.PRICE)


async def take(tx: Tx, scene: Scene, number: int, volume: int | None) -> Traded:
    """The other side of an offer at its price, by default all that is open of it; better or older offers fill first."""
    row, known = await choosing.of_offer(tx, scene, number)
    if row.kind == ISSUE_FIXED:
        _check_not_closed(scene)
    side = Side.UNFIXED if known.bid else Side.FIXED
    new = NewOffer(Action.BUY, side, known.volume, book_price(side, known.fixed_price), now_or_never=True)
    floor = await _floor(tx, scene, {row.id}, new)
    wanted = floor.state(row.id).book.offers.get(number)
    if wanted is None:
        raise UnknownOffer(f"Offer o{number} is not open any more.", await to_look(tx, scene))
    if wanted.user == scene.user_id:
        raise UnknownOffer(f"Offer o{number} is your own.", "/bugmark offers")
    if volume is not None and volume > wanted.remaining:
        raise InvalidOffer(
            f"Only {wanted.remaining} units of o{number} are open.", f"/bugmark take o{number} {wanted.remaining}"
        )
    if wanted.all_or_none and volume not in (None, wanted.remaining):
        raise InvalidOffer(f"Offer o{number} is all-or-none: take all of it.", f"/bugmark take o{number}")
    with forecasting.in_words_of(row):
        return await _place(floor, scene, row, replace(new, volume=volume or wanted.remaining))


async def cancel_offers(tx: Tx, scene: Scene, number: int | None) -> Cancelled:
    """Cancel one of the user's offers in this thread, or all of them. Works while a contract is halted."""
    cancelled = Cancelled()
    mine = await books.live_offers(tx, scene.user_id, scene.place.issue.id)
    concerned = {contract for contract, found in mine if number in (None, found.number)}
    rows = [row for row in await contracts.of_thread(tx, scene.place.issue.id, scene.now) if row.id in concerned]
    currencies = sorted({row.currency for row in rows})
    if len(currencies) > 1:
        await hold_all(tx, rows, now=scene.now, user=scene.user_id)
    made = 0
    for currency in currencies:
        ids = {row.id for row in rows if row.currency == currency}
        made = await _cancel_in(tx, scene, ids, number, cancelled, made)
    if not cancelled.offers:
        raise await _nothing_to_cancel(tx, scene, number)
    return cancelled


async def _nothing_to_cancel(tx: Tx, scene: Scene, number: int | None) -> UnknownOffer:
    if number is None:
        return UnknownOffer("You have no open offer in this thread.", "/bugmark positions")
    if await books.owner_of_offer(tx, number, scene.place.issue.id) == scene.user_id:
        return UnknownOffer(f"Your offer o{number} is not open any more.", "/bugmark offers")
    return UnknownOffer(f"You have no open offer o{number} in this thread.", "/bugmark offers")


async def _cancel_in(tx: Tx, scene: Scene, ids: set[int], number: int | None, cancelled: Cancelled, before: int) -> int:
    """In contracts of one currency. `before`: entries the command has made already; returns how many it has then."""
    floor = await open_floor(tx, ids, cause=scene.cause, now=scene.now, user=scene.user_id)
    floor.made = before
    floor.filled = sum(len(changes.raw_fills) for changes in cancelled.changes)
    await _expire(floor, scene, ids)
    mine = [found for each in sorted(ids) for found in floor.state(each).book.open_offers()]
    wanted = [found for found in mine if found.user == scene.user_id and number in (None, found.number)]
    for found in wanted:
        if found.remaining:  # a re-try may have filled it meanwhile
            made = partial(cancel, floor.market, found.number, user=scene.user_id, now=scene.now, room=floor.room)
            cancelled.changes.append(await floor.run(made))
            cancelled.offers.append(found)
    await show(floor, scene)
    return floor.made


async def change(
    tx: Tx, scene: Scene, number: int, volume: int | None, price: int | None, until_at: int | None
) -> Traded:
    """A smaller open volume keeps the offer's place; anything else is cancel and new. None leaves as it is."""
    row, known = await choosing.of_offer(tx, scene, number)
    wish = known.as_new() if price is None else replace(known.as_new(), price=price)
    floor = await _floor(tx, scene, {row.id}, wish)
    mine = (found for found in floor.state(row.id).book.open_offers() if found.user == scene.user_id)
    found = next((found for found in mine if found.number == number), None)
    if found is None:
        raise UnknownOffer(f"You have no open offer o{number} in this thread.", "/bugmark offers")
    if volume is not None and volume < found.remaining and price in (None, found.price) and until_at is None:
        return await _shrink(floor, scene, row, found, volume)
    if row.kind == ISSUE_FIXED:
        _check_not_closed(scene)
    new = replace(
        wish,
        volume=found.remaining if volume is None else volume,
        until_at=found.until_at if until_at is None else until_at,
    )
    return await _place(floor, scene, row, new, instead_of=number)


async def _shrink(floor: Floor, scene: Scene, row: ContractRow, found: Offer, volume: int) -> Traded:
    if volume < DUST_VOLUME:
        raise InvalidOffer(
            f"At least {DUST_VOLUME} units must stay open.", f"/bugmark change o{found.number} {Blank.VOLUME}"
        )
    changes = await floor.run(
        lambda: cancel(floor.market, found.number, user=scene.user_id, now=scene.now, keep=volume)
    )
    await show(floor, scene)
    return Traded(row, changes.offers[found.number], changes)


async def _place(
    floor: Floor,
    scene: Scene,
    row: ContractRow,
    new: NewOffer,
    neighbours: list[ContractRow] | None = None,
    instead_of: int | None = None,
) -> Traded:
    await _check_open(floor, scene, {row.id})
    before = None
    if instead_of is not None:
        before = await floor.run(lambda: cancel(floor.market, instead_of, user=scene.user_id, now=scene.now))
    await limits.check(floor.tx, scene, floor.state(row.id), new)
    (number,) = await books.next_offer_numbers(floor.tx, 1)
    arrival = partial(
        place, floor.market, row.id, new, number=number, user=scene.user_id, now=scene.now, room=floor.room
    )
    changes = await _arrive(floor, scene, arrival)
    await show(floor, scene)
    return Traded(row, changes.offers[number], changes, neighbours is not None, neighbours or [], before=before)


async def _place_range(tx: Tx, scene: Scene, new: NewOffer, from_at: int, by_at: int) -> Traded:
    found = await ranging.in_range(tx, scene, new, from_at, by_at)
    ids = [row.id for row in found.rows]
    floor = await _floor(tx, scene, set(ids), new)
    await _check_open(floor, scene, set(ids))
    for each in ids:
        await limits.check(tx, scene, floor.state(each), new)
    numbers = await books.next_offer_numbers(tx, len(ids))
    held = {each: floor.state(each).open_interest for each in ids}
    arrival = partial(
        place_range, floor.market, ids, new, numbers=numbers, user=scene.user_id, now=scene.now, last=found.home
    )
    changes = await _arrive(floor, scene, arrival)
    ranging.check_rest(found, new, held, changes, numbers)
    if found.made and all(part.contract != found.home for part in changes.offers.values()):
        await contracts.forget(tx, found.home)
    await show(floor, scene)
    parts = [
        Traded(floor.rows[part.contract], part, changes) for number in numbers if (part := changes.offers.get(number))
    ]
    return replace(parts[-1], others=tuple(parts[:-1]))


async def _arrive(floor: Floor, scene: Scene, arrival: Callable[[], Changes]) -> Changes:
    """Raises a Refusal, which says in which currency money is short where that goes without saying nowhere."""
    try:
        return await floor.run(arrival)
    except InsufficientFunds as refusal:
        raise await accounts.in_currency(floor.tx, refusal, floor.currency, scene.place) from refusal


async def _floor(tx: Tx, scene: Scene, ids: set[int], new: NewOffer) -> Floor:
    """The contracts an offer goes to, as it will find them: locked, without the offers that are due before it."""
    floor = await open_floor(tx, ids, cause=scene.cause, now=scene.now, user=scene.user_id, reaching=new)
    await _expire(floor, scene, ids)
    return floor


async def _expire(floor: Floor, scene: Scene, ids: set[int]) -> None:
    """The command comes with news about its own thread. Raises StaleNews where others would have to be asked about."""
    here = {number for number, row in floor.rows.items() if row.issue_id == scene.place.issue.id}
    known = here | ids | {number for number in floor.rows if number in scene.asked}
    await floor.expire(known, asking=True)


async def _check_open(floor: Floor, scene: Scene, ids: set[int]) -> None:
    """Raises NotTrading, or a Refusal where insiders may not trade."""
    for number in sorted(ids):
        row = floor.rows.get(number)
        look = "" if row is not None and row.open else await to_look(floor.tx, scene)
        check_insider(scene, check_trading(row, look).terms)


async def show(floor: Floor, scene: Scene) -> None:
    """Have the market comments of all threads concerned brought up to date."""
    changed = {floor.rows[number].issue_id for number in floor.changed}
    for issue_id in sorted(changed | {scene.place.issue.id}):  # in one order for all writers
        mine = issue_id == scene.place.issue.id
        place_ = scene.place if mine else await places.place(floor.tx, issue_id)
        if place_ is not None:
            await refresh_board(floor.tx, place_, scene.now)


def _check_not_closed(scene: Scene) -> None:
    if scene.closed:
        why = "This issue is closed as completed; nothing is traded unless it is reopened."
        raise NotTrading(why, "/bugmark positions")
