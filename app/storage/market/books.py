"""Contracts' offers, fills and positions: loaded under the contract's lock, saved after the calculation."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import BigInteger, Row, bindparam, func, select, text, update

from app.market.exchange.fill import Amendment, Fill
from app.market.exchange.offer import Action, NewOffer, Offer, OfferState
from app.market.exchange.position import Position
from app.market.exchange.state import Changes, ContractState
from app.market.ledger.entries import Difference
from app.market.terms.contract import Side
from app.storage.engine.db import FIRST_IMAGINED, Tx, rehearsing
from app.storage.engine.sql import in_parts, insert, upsert
from app.storage.engine.tables import amendments, contracts, fills, net_paid, offers, positions
from app.storage.market.contracts import ContractRow, schedule

Saved = tuple[ContractState, int | None]
"""A contract that a calculation changed, and since when nobody holds or offers anything in it."""

ACTIONS = {action.value: action for action in Action}
SIDES = {side.value: side for side in Side}
_LIVE, _SUSPENDED = OfferState.LIVE.value, OfferState.SUSPENDED.value
"""Enums are slow at finding their members, and a book has many offers."""


def offer_from(row: Row[Any]) -> Offer:
    """From all columns in the table's order: taking them apart by name would cost more than the rest."""
    (
        number,
        contract,
        user,
        action,
        side,
        price,
        volume,
        until_at,
        now_or_never,
        all_or_none,
        post_only,
        cancel_on_halt,
        pooled,
        rank,
        units_left,
        cash_left,
        filled,
        cancelled,
        state,
        created_at,
    ) = tuple(row)
    new = NewOffer(
        ACTIONS[action],
        SIDES[side],
        volume,
        price,
        until_at,
        now_or_never,
        all_or_none,
        post_only,
        pooled,
        cancel_on_halt,
    )
    offer = Offer(
        new,
        number=number,
        user=user,
        contract=contract,
        until_at=until_at,
        units_left=units_left,
        cash_left=cash_left,
        created_at=created_at,
    )
    offer.volume, offer.filled, offer.cancelled, offer.rank = volume, filled, cancelled, rank
    offer.held = state == _LIVE
    offer.suspended = state == _SUSPENDED
    return offer


OPEN_STATES = (OfferState.LIVE.value, OfferState.SUSPENDED.value)
_OPEN = (
    select(offers)
    .where(offers.c.contract_id == bindparam("contract"), offers.c.state.in_(OPEN_STATES))
    .order_by(offers.c.rank)
)
_HOLDERS = select(positions).where(
    positions.c.contract_id == bindparam("contract"), positions.c.free + positions.c.reserved > 0
)
_NET_PAID = select(net_paid.c.user_id, net_paid.c.mills).where(
    net_paid.c.contract_id == bindparam("contract"), net_paid.c.mills != 0
)


async def load(tx: Tx, row: ContractRow) -> ContractState:
    """The contract's state for a calculation: its open offers in the order of their ranks, and its positions."""
    state = ContractState(
        row.id, row.terms, row.maturation_at, row.status, row.open_interest, row.minted_mills, row.amendment
    )
    for found in await tx.execute(_OPEN, {"contract": row.id}):
        offer = offer_from(found)
        if offer.suspended:
            state.book.put_aside(offer)
        else:
            state.book.add(offer)
    for held in await tx.execute(_HOLDERS, {"contract": row.id}):
        position = Position(held.free, held.reserved, held.cost_mills, held.pool_units)
        state.holders(SIDES[held.side])[held.user_id] = position
    if row.amendment:
        for user, mills in await tx.execute(_NET_PAID, {"contract": row.id}):
            state.position(user, Side.FIXED).net_paid_mills = mills  # of both sides: only their sum counts
    return state


_NEW = ("status", "open_interest", "minted_mills", "amendment", "idle_at")
_SAVE = (
    update(contracts)
    .where(contracts.c.id == bindparam("contract"))
    .values({name: bindparam(f"new_{name}", type_=contracts.c[name].type) for name in _NEW})
    .values(traded_units=contracts.c.traded_units + bindparam("filled_units"), version=contracts.c.version + 1)
)


async def save(tx: Tx, states: Iterable[Saved], changes: Changes, differ: Difference, now: int) -> None:
    """Store what a calculation changed, with the contracts it changed; `journal.append` stores the journal.

    Nothing else writes offers, positions and net payments: the version of each contract rises here by one.
    """
    filled = changes.fills
    for state, idle_at in states:
        new = {
            "new_status": state.status.value,
            "new_open_interest": state.open_interest,
            "new_minted_mills": state.minted_mills,
            "new_amendment": state.amendment,
            "new_idle_at": idle_at,
        }
        volume = sum(fill.volume for fill in filled if fill.contract == state.id)
        await tx.execute(_SAVE, {"contract": state.id, "filled_units": volume, **new})
    if changes.offers:
        await upsert(tx, offers, [_offer_values(offer) for offer in changes.offers.values()])
    if changed := changes.all_amendments:
        await tx.execute(insert(tx, amendments), [_amendment_values(item, now) for item in changed])
    if filled:
        await tx.execute(insert(tx, fills), [_fill_values(item, now) for item in filled])
    if differ.positions:
        await upsert(tx, positions, [_position_values(*item) for item in differ.positions])
    if differ.net_paid:
        rows = [{"contract_id": contract, "user_id": user, "mills": mills} for contract, user, mills in differ.net_paid]
        await upsert(tx, net_paid, rows)
    for number in changes.to_retry:
        await schedule(tx, number, retry_due=True)


async def note_reason(tx: Tx, contract_id: int, number: int, reason: str) -> None:
    """Keep the reason of a halt or a resumption: it is for the export, nothing is reckoned by it."""
    own = amendments.c.contract_id == contract_id, amendments.c.number == number
    await tx.execute(update(amendments).where(*own).values(reason=reason))


def _amendment_values(item: Amendment, now: int) -> dict[str, Any]:
    values = item._asdict()
    return {"contract_id": values.pop("contract"), "at": now, **values}


def _fill_values(item: Fill, now: int) -> dict[str, Any]:
    values = item._asdict()
    del values["sold"]
    return {"contract_id": values.pop("contract"), "at": now, **values}


def _offer_values(offer: Offer) -> dict[str, Any]:
    return {
        "id": offer.number,
        "contract_id": offer.contract,
        "user_id": offer.user,
        "action": offer.action.value,
        "side": offer.side.value,
        "price": offer.price,
        "volume": offer.volume,
        "until_at": offer.until_at,
        "now_or_never": offer.now_or_never,
        "all_or_none": offer.all_or_none,
        "post_only": offer.post_only,
        "cancel_on_halt": offer.cancel_on_halt,
        "pooled": offer.pooled,
        "rank": offer.rank,
        "units_left": offer.units_left,
        "cash_left": offer.cash_left,
        "filled": offer.filled,
        "cancelled": offer.cancelled,
        "state": offer.state.value,
        "created_at": offer.created_at,
    }


def _position_values(contract: int, user: int, side: Side, held: Position) -> dict[str, Any]:
    return {
        "contract_id": contract,
        "user_id": user,
        "side": side.value,
        "free": held.free,
        "reserved": held.reserved,
        "cost_mills": held.cost_mills,
        "pool_units": held.pool_units,
    }


_PARTS = [select(func.max(column)).scalar_subquery() for column in (offers.c.id, offers.c.rank)]  # by index
_HIGHEST = select(*_PARTS)
_HANDED_OUT = text("SELECT seq FROM sqlite_sequence WHERE name = 'offers'").columns(seq=BigInteger).scalar_subquery()
_HIGHEST_ON_SQLITE = select(*_PARTS, _HANDED_OUT)
"""The numbers may have been moved ahead after a restore: the sequence tells."""

_DRAWN = text("SELECT nextval(pg_get_serial_sequence('offers', 'id')) FROM generate_series(1, :count)")


async def next_offer_numbers(tx: Tx, count: int) -> list[int]:
    """The next numbers (or ranks) of offers. SQLite has one writer at a time, so the highest tells.

    A rehearsal imagines them, since numbers that were drawn are gone.
    """
    on_sqlite = tx.dialect.name == "sqlite"
    if rehearsing(tx) or on_sqlite:
        highest = (await tx.execute(_HIGHEST_ON_SQLITE if on_sqlite else _HIGHEST)).one()
        least = FIRST_IMAGINED - 1 if rehearsing(tx) else 0
        first = max(least, *(number or 0 for number in highest)) + 1
        return list(range(first, first + count))
    return list((await tx.execute(_DRAWN, {"count": count})).scalars())


async def stored_offer(tx: Tx, number: int) -> Offer | None:
    """An offer as it is stored, which may be due, with its contract not locked. Its side and price never change."""
    row = (await tx.execute(select(offers).where(offers.c.id == number))).first()
    return offer_from(row) if row else None


async def with_due_offers(tx: Tx, now: int, limit: int, but: Collection[int] = ()) -> list[int]:
    """Ids of contracts in which open offers have come to their end, leaving out those in `but`."""
    ending = offers.c.state.in_(OPEN_STATES), offers.c.until_at <= now, offers.c.contract_id.not_in(list(but))
    statement = select(offers.c.contract_id).where(*ending)
    return list((await tx.execute(statement.distinct().order_by(offers.c.contract_id).limit(limit))).scalars())


async def ending_among(tx: Tx, contract_ids: set[int], now: int) -> set[int]:
    """Those of these contracts in which open offers have come to their end."""
    found: set[int] = set()
    for some in in_parts(contract_ids):
        ending = offers.c.contract_id.in_(some), offers.c.state.in_(OPEN_STATES), offers.c.until_at <= now
        found |= set((await tx.execute(select(offers.c.contract_id).where(*ending).distinct())).scalars())
    return found


async def owner_of_offer(tx: Tx, number: int, issue_id: int) -> int | None:
    """Find the owner of an offer, open or gone, in an issue's thread."""
    found = select(offers.c.user_id).join(contracts, contracts.c.id == offers.c.contract_id)
    return (await tx.execute(found.where(offers.c.id == number, contracts.c.issue_id == issue_id))).scalar()


async def live_offers(tx: Tx, user_id: int, issue_id: int) -> list[tuple[int, Offer]]:
    """A user's open offers in an issue as (contract id, offer), oldest first; suspended ones too."""
    statement = (
        select(offers)
        .join(contracts, contracts.c.id == offers.c.contract_id)
        .where(
            offers.c.user_id == user_id,
            offers.c.state.in_(OPEN_STATES),
            contracts.c.issue_id == issue_id,
        )
        .order_by(offers.c.id)
    )
    return [(row.contract_id, offer_from(row)) for row in await tx.execute(statement)]


async def positions_of(tx: Tx, user_id: int, issue_id: int) -> list[tuple[int, Side, Position]]:
    """A user's units in an issue's contracts as (contract id, side, position)."""
    statement = (
        select(positions)
        .join(contracts, contracts.c.id == positions.c.contract_id)
        .where(
            positions.c.user_id == user_id,
            positions.c.free + positions.c.reserved > 0,
            contracts.c.issue_id == issue_id,
        )
        .order_by(positions.c.contract_id, positions.c.side)
    )
    return [
        (row.contract_id, Side(row.side), Position(row.free, row.reserved, row.cost_mills, row.pool_units))
        for row in await tx.execute(statement)
    ]


async def fills_of(tx: Tx, contract_id: int, limit: int) -> list[tuple[int, int]]:
    """The newest fills of a contract as (volume, FIXED price), newest first."""
    statement = select(fills.c.volume, fills.c.price).where(fills.c.contract_id == contract_id)
    rows = await tx.execute(statement.order_by(fills.c.amendment.desc()).limit(limit))
    return [(row.volume, row.price) for row in rows]
