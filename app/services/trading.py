"""Trading: offers placed, taken and cancelled, each in one transaction under the contract's lock."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.market.contract import Outcome, Side, Status, canonical, digest
from app.market.errors import InsufficientUnits, InvalidOffer, NotTrading, Refusal, UnknownOffer
from app.market.instants import command_date, format_instant, last_second
from app.market.journal import Kind
from app.market.matching import DUST_VOLUME, cancel, expire, place
from app.market.money import format_price
from app.market.offer import Action, NewOffer, Offer, book_price, is_bid
from app.market.spoken import spoken
from app.market.state import Changes, ContractState
from app.services.config import Config
from app.storage import contracts, journal, outbox, places
from app.storage.contracts import ContractRow
from app.storage.db import Tx
from app.storage.places import Place

SUGGESTED_SPAN_SECONDS = 90 * 86_400
LOWEST_PRICE = 1
BOARD_DELAY_SECONDS = 1
"""The market comment lets the reply to the same command go before it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and when a command happens.

    `cause` names it in the journal, `now` is the instant it carries; `closed`: the issue is closed as completed.
    """

    place: Place
    config: Config
    user_id: int
    cause: str
    now: int
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Traded:
    """What an offer's arrival did. `neighbours`: open contracts beside one that was made for this offer."""

    contract: ContractRow
    offer: Offer
    changes: Changes
    made: bool
    neighbours: list[ContractRow]


async def offer(tx: Tx, scene: Scene, new: NewOffer, by_at: int | None) -> Traded:
    """Place an offer in the issue's contract maturing at `by_at`, made if there is none. Raises a Refusal."""
    _check_not_closed(scene)
    rows = await contracts.of_issue(tx, scene.place.issue.id)
    if by_at is None:
        return await _place(tx, scene, _only_open(rows, scene, new), new)
    now_open = [row for row in rows if row.open and row.maturation_at != by_at]
    number = _round(rows)
    for row in rows:
        if row.maturation_at == by_at and (row.round == number or row.status is not Status.SETTLED):
            return await _place(tx, scene, row, new)
    made = await _make_contract(tx, scene, by_at, number, new)
    return await _place(tx, scene, made, new, made=True, neighbours=now_open)


async def sell(
    tx: Tx,
    scene: Scene,
    side: Side,
    volume: int | None,
    price: int | None,
    *,
    by_at: int | None = None,
    until_at: int | None = None,
    now_or_never: bool = False,
) -> Traded:
    """Sell units. `volume` None: all free ones. `price` None: what the book gives now, best counter-offers first."""
    _check_not_closed(scene)
    row = await _contract_to_sell_in(tx, scene, side, by_at, volume, price)
    state = await _as_it_will_be(tx, row, scene.now)
    free = state.free_units(scene.user_id, side)
    wanted = free if volume is None else volume
    if not free:
        raise InsufficientUnits(
            wanted, 0, f"You have no free {side.value} units in this contract.", "/bugmark positions"
        )
    if price is None:
        buyers = state.book.half(not is_bid(Action.SELL, side)).all()
        if all(counter.user == scene.user_id for counter in buyers):
            raise Refusal("Nobody buys here now; name your price and wait.", _to_wait(row, side, min(wanted, free)))
    new = NewOffer(
        Action.SELL,
        side,
        wanted,
        LOWEST_PRICE if price is None else price,
        until_at,
        now_or_never or price is None,
    )
    return await _place(tx, scene, row, new)


async def take(tx: Tx, scene: Scene, number: int, volume: int | None) -> Traded:
    """The other side of an offer at its price, by default all that is open of it; better or older offers fill first."""
    _check_not_closed(scene)
    row = await _contract_here(tx, scene, number)
    state = await _as_it_will_be(tx, row, scene.now)
    wanted = state.book.offers.get(number)
    if wanted is None:
        raise UnknownOffer(f"Offer o{number} is not open any more.", await _to_look(tx, scene))
    if wanted.user == scene.user_id:
        raise UnknownOffer(f"Offer o{number} is your own.", f"/bugmark cancel o{number}")
    if volume is not None and volume > wanted.remaining:
        raise InvalidOffer(
            f"Only {wanted.remaining} units of o{number} are open.",
            f"/bugmark take o{number} {wanted.remaining}",
        )
    side = Side.UNFIXED if wanted.bid else Side.FIXED
    price = book_price(side, wanted.fixed_price)
    new = NewOffer(Action.BUY, side, volume or wanted.remaining, price, now_or_never=True)
    return await _place(tx, scene, row, new)


async def cancel_offers(tx: Tx, scene: Scene, number: int | None) -> list[Offer]:
    """Cancel one of the user's offers in this thread, or all of them. Works while a contract is halted."""
    states = await _locked_states(tx, scene.place.issue.id)
    mine = [found for state in states for found in state.book.offers.values() if found.user == scene.user_id]
    wanted = {found.number for found in mine if number in (None, found.number)}
    if not wanted:
        which = "open offer" if number is None else f"open offer o{number}"
        raise UnknownOffer(f"You have no {which} in this thread.", "/bugmark positions")
    await _lock_parties(tx, states, {scene.user_id}, scene.now)
    cancelled = []
    for state in states:
        cancelled += await _cancel_in(tx, scene, state, wanted)
    if not cancelled:
        raise UnknownOffer("That offer is not open any more.", "/bugmark positions")
    await refresh_board(tx, scene.place, scene.now)
    return cancelled


async def contract_to_show(tx: Tx, scene: Scene, by_at: int | None) -> ContractRow:
    """The contract whose book is asked for: the one that is not settled yet. Raises a Refusal."""
    rows = [row for row in await contracts.of_issue(tx, scene.place.issue.id) if row.status is not Status.SETTLED]
    if not rows:
        date = command_date(last_second(scene.now + SUGGESTED_SPAN_SECONDS))
        instead = "/bugmark positions" if scene.closed else f"/bugmark offer fixed 50 by {date}"
        raise Refusal("No contract is open on this issue.", instead)
    return _single(rows, by_at, "/bugmark book by")


def _only_open(rows: list[ContractRow], scene: Scene, new: NewOffer) -> ContractRow:
    """The issue's only open contract. Raises a Refusal that hands out the same offer with a date."""
    now_open = [row for row in rows if row.open]
    if not now_open:
        date = last_second(scene.now + SUGGESTED_SPAN_SECONDS)
        raise Refusal("No contract is open on this issue; say by when.", spoken(new, date))
    if len(now_open) > 1:
        raise Refusal(_several(now_open), spoken(new, now_open[0].maturation_at))
    return now_open[0]


def _single(rows: list[ContractRow], by_at: int | None, again: str) -> ContractRow:
    """The one contract that is meant. `again` is the command to copy, up to its date."""
    named = [row for row in rows if by_at in (None, row.maturation_at)]
    if len(named) == 1:
        return named[0]
    example = f"{again} {command_date(rows[0].maturation_at)}"
    if by_at is None:
        raise Refusal(_several(rows), example)
    raise Refusal(f"No contract here matures at {format_instant(by_at)}; open here: {_known(rows)}.", example)


def _several(rows: list[ContractRow]) -> str:
    return f"Several contracts are open here: {_known(rows)}; add `by DATE`."


def _known(rows: list[ContractRow]) -> str:
    return "; ".join(f"by {format_instant(row.maturation_at)}" for row in rows)


async def _to_look(tx: Tx, scene: Scene) -> str:
    """The command that shows what there is to trade in this thread."""
    rows = [row for row in await contracts.of_issue(tx, scene.place.issue.id) if row.status is not Status.SETTLED]
    if not rows:
        return "/bugmark positions"
    return "/bugmark book" if len(rows) == 1 else f"/bugmark book by {command_date(rows[0].maturation_at)}"


def _to_wait(row: ContractRow, side: Side, units: int) -> str:
    """A sale that can wait in the book; so few units that none may: the book to look at."""
    by = f"by {command_date(row.maturation_at)}"
    return f"/bugmark sell {side.value.lower()} {units} at 0.50 {by}" if units >= DUST_VOLUME else f"/bugmark book {by}"


async def sweep_expired(tx: Tx, contract_id: int, now: int) -> bool:
    """Let the offers of a contract that are due expire. Returns whether there were any."""
    row = await contracts.get(tx, contract_id, lock=True)
    if row is None or row.status is Status.SETTLED:
        return False
    state = await contracts.load(tx, row)
    await _lock_parties(tx, [state], set(), now)
    return await _expire(tx, state, now)


async def store(tx: Tx, state: ContractState, changes: Changes, now: int) -> None:
    """Store what a calculation did: contract, offers, positions, fills and journal."""
    await contracts.save(tx, state, changes, now)
    await journal.append(tx, changes.entries)


async def refresh_board(tx: Tx, place_: Place, now: int) -> None:
    """Have the issue's market comment made or brought up to date."""
    due_at = now + BOARD_DELAY_SECONDS
    await outbox.put(tx, key=f"board:{place_.issue.id}", kind="board", place=place_, body="", now=due_at)


async def _place(
    tx: Tx,
    scene: Scene,
    found: ContractRow,
    new: NewOffer,
    made: bool = False,
    neighbours: list[ContractRow] | None = None,
) -> Traded:
    row = await contracts.get(tx, found.id, lock=True)
    if row is None or not row.open:
        raise NotTrading(_why_closed(found if row is None else row), await _to_look(tx, scene))
    state = await contracts.load(tx, row)
    await _lock_parties(tx, [state], _reached(state, new) | {scene.user_id}, scene.now)
    await _expire(tx, state, scene.now)
    number = await contracts.next_offer_number(tx)
    changes = place(
        state,
        new,
        number=number,
        user=scene.user_id,
        free_mills=await journal.balance(tx, Kind.FREE, scene.user_id, row.currency),
        cause=scene.cause,
        now=scene.now,
    )
    await store(tx, state, changes, scene.now)
    await refresh_board(tx, scene.place, scene.now)
    return Traded(row, changes.offers[number], changes, made, neighbours or [])


def _check_not_closed(scene: Scene) -> None:
    if scene.closed:
        why = "This issue is closed as completed; nothing is traded unless it is reopened."
        raise NotTrading(why, "/bugmark positions")


async def _lock_parties(tx: Tx, states: list[ContractState], parties: set[int], now: int) -> None:
    """Lock all whose accounts a command may change, at once: its contracts are locked before, users in id order."""
    due = {found.user for state in states for found in state.book.offers.values() if found.until_at <= now}
    await places.lock_users(tx, parties | due)


async def _expire(tx: Tx, state: ContractState, now: int) -> bool:
    """Let due offers go; their owners are locked."""
    expired = expire(state, now)
    if expired.offers:
        await store(tx, state, expired, now)
    return bool(expired.offers)


def _reached(state: ContractState, new: NewOffer) -> set[int]:
    limit = book_price(new.side, new.price)
    return {found.user for found in state.book.half(not is_bid(new.action, new.side)).reached(limit)}


async def _as_it_will_be(tx: Tx, row: ContractRow, now: int) -> ContractState:
    """The contract as the command will find it: locked, without the offers that are due before it."""
    state = await contracts.load(tx, await contracts.get(tx, row.id, lock=True) or row)
    expire(state, now)
    return state


async def _locked_states(tx: Tx, issue_id: int) -> list[ContractState]:
    """The contracts of an issue that are not settled, in id order."""
    rows = [row for row in await contracts.of_issue(tx, issue_id) if row.status is not Status.SETTLED]
    locked = [await contracts.get(tx, number, lock=True) for number in sorted(row.id for row in rows)]
    return [await contracts.load(tx, row) for row in locked if row is not None]


async def _cancel_in(tx: Tx, scene: Scene, state: ContractState, numbers: set[int]) -> list[Offer]:
    """Cancel those of the offers that stand when the due ones have expired."""
    await _expire(tx, state, scene.now)
    cancelled = []
    for number in sorted(numbers & set(state.book.offers)):
        changes = cancel(state, number, user=scene.user_id, cause=scene.cause, now=scene.now)
        await store(tx, state, changes, scene.now)
        cancelled.append(changes.offers[number])
    return cancelled


async def _contract_here(tx: Tx, scene: Scene, number: int) -> ContractRow:
    row = await contracts.contract_of_offer(tx, number)
    if row is None or row.issue_id != scene.place.issue.id:
        raise UnknownOffer(f"There is no offer o{number} in this thread.", await _to_look(tx, scene))
    return row


async def _contract_to_sell_in(
    tx: Tx, scene: Scene, side: Side, by_at: int | None, volume: int | None, price: int | None
) -> ContractRow:
    """Without a date the only contract in which the user has such units. Raises a Refusal."""
    rows = [row for row in await contracts.of_issue(tx, scene.place.issue.id) if row.status is not Status.SETTLED]
    if by_at is None:
        held = await contracts.positions_of(tx, scene.user_id, scene.place.issue.id)
        ids = {contract for contract, of_side, position in held if of_side is side and position.free}
        rows = [row for row in rows if row.id in ids]
    if not rows:
        raise InsufficientUnits(1, 0, f"You have no free {side.value} units in this thread.", "/bugmark positions")
    at = "" if price is None else f" at {format_price(price)}"
    again = f"/bugmark sell {side.value.lower()} {volume or 'all'}{at} by"
    return _single(rows, by_at, again if by_at is None else "/bugmark book by")


def _round(rows: list[ContractRow]) -> int:
    """The round that trades now: once a contract settled as FIXED, only a reopened issue trades, in the next one."""
    newest = max((row.round for row in rows), default=1)
    return newest + any(row.round == newest and row.outcome is Outcome.FIXED for row in rows)


async def _make_contract(tx: Tx, scene: Scene, maturation_at: int, number: int, new: NewOffer) -> ContractRow:
    span = maturation_at - scene.now
    config, issue = scene.config, scene.place.issue
    if not config.least_maturation_seconds <= span <= config.most_maturation_seconds:
        raise _unfit_maturation(span, scene, maturation_at, new)
    statement = canonical({"kind": "issue_fixed", "issue": issue.id, "round": number})
    terms = config.terms(scene.place.repository.owner_id)
    return await contracts.create(
        tx,
        issue_id=issue.id,
        statement_text=statement,
        statement_hash=digest(statement),
        round=number,
        maturation_at=maturation_at,
        currency=terms.currency,
        terms_text=terms.text(),
        terms_hash=digest(terms.text()),
        status=Status.OPEN.value,
        created_at=scene.now,
        next_look_at=maturation_at,
    )


def _unfit_maturation(span: int, scene: Scene, maturation_at: int, new: NewOffer) -> Refusal:
    config = scene.config
    if span <= 0:
        what = "is in the past"
    elif span < config.least_maturation_seconds:
        what = f"is too near: a contract runs at least {config.least_maturation_seconds // 60} minutes"
    else:
        what = f"is too far: a contract runs at most {config.most_maturation_seconds // 86_400} days"
    suggested = replace(new, until_at=None), last_second(scene.now + SUGGESTED_SPAN_SECONDS)
    return InvalidOffer(f"{format_instant(maturation_at)} {what}.", spoken(*suggested))


def _why_closed(row: ContractRow) -> str:
    if row.status is Status.SETTLED:
        return f"That contract is settled ({row.outcome.value if row.outcome else ''}); settled is final."
    return "That contract is halted: the issue was closed or its maturation has come."
