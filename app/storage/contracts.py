"""Contracts with their books and positions: loaded under the contract's lock, saved after the calculation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select, text, update

from app.market.contract import Outcome, Side, Status, Terms
from app.market.fill import Fill, FillKind
from app.market.offer import Action, Offer, OfferState
from app.market.position import Position
from app.market.settlement import VoidPrice
from app.market.state import Changes, ContractState
from app.storage.db import Tx
from app.storage.places import insert, upsert
from app.storage.tables import amendments, contracts, fills, offers, positions


@dataclass(frozen=True, slots=True)
class ContractRow:
    """A contract as stored, without its book. Instants in seconds; `next_look_at` None: nothing to wait for."""

    id: int
    issue_id: int
    statement_text: str
    statement_hash: str
    round: int
    maturation_at: int
    currency: str
    terms_text: str
    terms_hash: str
    status: Status
    outcome: Outcome | None
    open_interest: int
    minted_mills: int
    amendment: int
    created_at: int
    halted_at: int | None
    halt_reason: str | None
    window_opened_at: int | None
    window_ends_at: int | None
    next_look_at: int | None
    settled_at: int | None

    @property
    def terms(self) -> Terms:
        return Terms.from_text(self.terms_text)

    @property
    def open(self) -> bool:
        return self.status is Status.OPEN


def contract_from(row: Row[Any]) -> ContractRow:
    values = dict(row._mapping)
    values["status"] = Status(values["status"])
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    return ContractRow(**values)


async def _rows(tx: Tx, statement: Select[Any]) -> list[ContractRow]:
    return [contract_from(row) for row in await tx.execute(statement)]


async def create(tx: Tx, **values: Any) -> ContractRow:
    """A new contract, or the one that somebody else made of this statement and maturation at the same moment."""
    statement = insert(tx, contracts).values(**values).on_conflict_do_nothing().returning(*contracts.columns)
    row = (await tx.execute(statement)).first()
    if row is not None:
        return contract_from(row)
    key = {"statement_hash": values["statement_hash"], "maturation_at": values["maturation_at"]}
    return (await _rows(tx, select(contracts).filter_by(**key)))[0]


async def get(tx: Tx, contract_id: int, lock: bool = False) -> ContractRow | None:
    """One contract; with `lock` no other transaction changes it until this one ends."""
    statement = select(contracts).where(contracts.c.id == contract_id)
    found = await _rows(tx, statement.with_for_update() if lock else statement)
    return found[0] if found else None


async def of_issue(tx: Tx, issue_id: int) -> list[ContractRow]:
    """All contracts of an issue, nearest maturation first."""
    order = contracts.c.maturation_at, contracts.c.id
    return await _rows(tx, select(contracts).where(contracts.c.issue_id == issue_id).order_by(*order))


async def due(tx: Tx, now: int, limit: int) -> list[ContractRow]:
    """Contracts whose next look is due."""
    statement = select(contracts).where(contracts.c.next_look_at <= now, contracts.c.status != Status.SETTLED.value)
    return await _rows(tx, statement.order_by(contracts.c.next_look_at, contracts.c.id).limit(limit))


async def with_due_offers(tx: Tx, now: int, limit: int) -> list[int]:
    """Ids of contracts in which live offers have come to their end."""
    statement = select(offers.c.contract_id).where(offers.c.state == OfferState.LIVE.value, offers.c.until_at <= now)
    return list((await tx.execute(statement.distinct().order_by(offers.c.contract_id).limit(limit))).scalars())


async def change(tx: Tx, contract_id: int, **values: Any) -> None:
    await tx.execute(update(contracts).where(contracts.c.id == contract_id).values(**values))


def offer_from(row: Row[Any]) -> Offer:
    return Offer(
        number=row.id,
        user=row.user_id,
        action=Action(row.action),
        side=Side(row.side),
        price=row.price,
        volume=row.volume,
        until_at=row.until_at,
        now_or_never=row.now_or_never,
        units_left=row.units_left,
        cash_left=row.cash_left,
        filled=row.filled,
        cancelled=row.cancelled,
    )


_LIVE = (
    select(offers)
    .where(offers.c.contract_id == bindparam("contract"), offers.c.state == OfferState.LIVE.value)
    .order_by(offers.c.id)
)
_HOLDERS = select(positions).where(
    positions.c.contract_id == bindparam("contract"), positions.c.free + positions.c.reserved > 0
)


async def load(tx: Tx, row: ContractRow) -> ContractState:
    """The contract's state for a calculation: its live offers in the order of their numbers and its positions."""
    state = ContractState(
        row.id, row.terms, row.maturation_at, row.status, row.open_interest, row.minted_mills, row.amendment
    )
    for found in await tx.execute(_LIVE, {"contract": row.id}):
        state.book.add(offer_from(found))
    for held in await tx.execute(_HOLDERS, {"contract": row.id}):
        state.positions[held.user_id, Side(held.side)] = Position(held.free, held.reserved, held.cost_mills)
    return state


async def save(tx: Tx, state: ContractState, changes: Changes, now: int) -> None:
    """Store what a calculation changed in a contract; the journal is stored by `journal.append`."""
    await change(
        tx,
        state.id,
        status=state.status.value,
        open_interest=state.open_interest,
        minted_mills=state.minted_mills,
        amendment=state.amendment,
    )
    if changes.offers:
        values = [_offer_values(state.id, offer, now) for offer in changes.offers.values()]
        await upsert(tx, offers, values, keep=frozenset({"created_at"}))
    if changes.amendments:
        rows = [{"contract_id": state.id, **_fields(item)} for item in changes.amendments]
        await tx.execute(insert(tx, amendments), rows)
    if changes.fills:
        rows = [{"contract_id": state.id, "at": now, **_fields(item)} for item in changes.fills]
        await tx.execute(insert(tx, fills), rows)
    if changes.positions:
        await upsert(tx, positions, [_position_values(state, *key) for key in sorted(changes.positions)])


def _fields(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__slots__}


def _offer_values(contract_id: int, offer: Offer, now: int) -> dict[str, Any]:
    return {
        "id": offer.number,
        "contract_id": contract_id,
        "user_id": offer.user,
        "action": offer.action.value,
        "side": offer.side.value,
        "price": offer.price,
        "volume": offer.volume,
        "until_at": offer.until_at,
        "now_or_never": offer.now_or_never,
        "units_left": offer.units_left,
        "cash_left": offer.cash_left,
        "filled": offer.filled,
        "cancelled": offer.cancelled,
        "state": offer.state.value,
        "created_at": now,
    }


def _position_values(state: ContractState, user: int, side: Side) -> dict[str, Any]:
    held = state.position(user, side)
    return {
        "contract_id": state.id,
        "user_id": user,
        "side": side.value,
        "free": held.free,
        "reserved": held.reserved,
        "cost_mills": held.cost_mills,
    }


async def next_offer_number(tx: Tx) -> int:
    """The next offer's number. SQLite has one writer at a time, so the highest number tells."""
    if tx.dialect.name == "sqlite":
        return ((await tx.execute(select(func.max(offers.c.id)))).scalar() or 0) + 1
    number: int = (await tx.execute(text("SELECT nextval(pg_get_serial_sequence('offers', 'id'))"))).scalar_one()
    return number


async def contract_of_offer(tx: Tx, number: int) -> ContractRow | None:
    found = select(contracts).join(offers, offers.c.contract_id == contracts.c.id).where(offers.c.id == number)
    rows = await _rows(tx, found)
    return rows[0] if rows else None


async def live_offers(tx: Tx, user_id: int, issue_id: int) -> list[tuple[int, Offer]]:
    """A user's live offers in an issue as (contract id, offer), oldest first."""
    statement = (
        select(offers)
        .join(contracts, contracts.c.id == offers.c.contract_id)
        .where(
            offers.c.user_id == user_id,
            offers.c.state == OfferState.LIVE.value,
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
        (row.contract_id, Side(row.side), Position(row.free, row.reserved, row.cost_mills))
        for row in await tx.execute(statement)
    ]


async def fills_of(tx: Tx, contract_id: int, limit: int) -> list[Fill]:
    """The newest fills of a contract, newest first."""
    statement = select(fills).where(fills.c.contract_id == contract_id)
    rows = await tx.execute(statement.order_by(fills.c.amendment.desc()).limit(limit))
    return [
        Fill(
            row.amendment,
            row.bid,
            row.ask,
            row.buyer,
            row.seller,
            row.newcomer,
            row.volume,
            row.price,
            FillKind(row.kind),
        )
        for row in rows
    ]


async def traded_units(tx: Tx, contract_id: int) -> int:
    """Units that changed hands since the contract was made."""
    total = (await tx.execute(select(func.sum(fills.c.volume)).where(fills.c.contract_id == contract_id))).scalar()
    return int(total or 0)


async def void_price(tx: Tx, contract_id: int, until_at: int) -> VoidPrice:
    """The last pair with open interest at or before `until_at`, else the one after the first fill."""
    some = select(amendments).where(amendments.c.contract_id == contract_id, amendments.c.open_interest > 0)
    before = some.where(amendments.c.at <= until_at).order_by(amendments.c.number.desc()).limit(1)
    row = (await tx.execute(before)).first()
    if row is None:
        row = (await tx.execute(some.order_by(amendments.c.number).limit(1))).first()
    return VoidPrice(row.minted_mills, row.open_interest) if row else VoidPrice(0, 0)
