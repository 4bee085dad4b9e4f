"""Whole tables read back for the audit, in order and in constant memory. The rows may hold anything.

Statements are put together once and kept: tests audit after each step, and nothing in them changes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    not_,
    select,
)

from app.market.exchange.offer import Action, OfferState
from app.market.ledger.entry_detail import KINDS, Value
from app.market.terms.contract import UNIT_MILLS, Side
from app.storage.engine.db import Tx
from app.storage.engine.tables import (
    balances,
    contracts,
    disputes,
    joiners,
    metadata,
    net_paid,
    offers,
    pools,
    positions,
)

PAGE = 2_000
Found = tuple[Value, ...]

_O, _P = offers.c, positions.c


async def pages(tx: Tx, statement: Select[Any], **values: int) -> AsyncIterator[Sequence[Any]]:
    result = await tx.stream(statement, values, execution_options={"yield_per": PAGE})
    async for page in result.partitions():
        yield page


async def stream(tx: Tx, statement: Select[Any], **values: int) -> AsyncIterator[Any]:
    async for page in pages(tx, statement, **values):
        for row in page:
            yield row


def exactly(dialect: str, column: ColumnElement[str]) -> ColumnElement[str]:
    """The column as it is ordered by its bytes, as Python does."""
    return column.collate("BINARY" if dialect == "sqlite" else "C")


async def stored(tx: Tx, name: str) -> AsyncIterator[list[str]]:
    """The rows of a kind as details tell them (`bookkeeping.KINDS`), in the order of their keys, in pages.

    Each is canonical JSON without its brackets: the database writes it faster than it could hand the columns over.
    """
    async for page in pages(tx, _stored(tx.dialect.name, name)):
        yield [row[0] for row in page]


@cache
def _stored(dialect: str, name: str) -> Select[Any]:
    kind = KINDS[name]
    columns = [metadata.tables[kind.table].c[column] for column in kind.columns]
    order = [exactly(dialect, c) if isinstance(c.type, String) else c for c in columns[: kind.keys]]
    text = written(dialect, columns[0])
    for column in columns[1:]:
        text = text + "," + written(dialect, column)
    return select(text).order_by(*order)


def written(dialect: str, column: ColumnElement[Any]) -> ColumnElement[str]:
    """A value as JSON."""
    if isinstance(column.type, Boolean):
        return case((column, "true"), else_="false")
    if not isinstance(column.type, String):
        return cast(column, String)
    if dialect == "sqlite":
        return func.json_quote(column, type_=String)
    return func.coalesce(cast(func.to_json(column), String), "null", type_=String)


async def all_balances(tx: Tx) -> AsyncIterator[tuple[str, int, str, int]]:
    """(kind, owner, currency, amount), ordered so."""
    async for row in stream(tx, _all_balances(tx.dialect.name)):
        yield tuple(row)


@cache
def _all_balances(dialect: str) -> Select[Any]:
    c = balances.c
    order = exactly(dialect, c.kind), c.owner, exactly(dialect, c.currency)
    return select(c.kind, c.owner, c.currency, c.amount).order_by(*order)


async def all_units(tx: Tx) -> AsyncIterator[tuple[int, int, str, int, int]]:
    """(contract, user, side, free, reserved) of every position, ordered so."""
    async for row in stream(tx, _all_units(tx.dialect.name)):
        yield tuple(row)


@cache
def _all_units(dialect: str) -> Select[Any]:
    order = _P.contract_id, _P.user_id, exactly(dialect, _P.side)
    return select(_P.contract_id, _P.user_id, _P.side, _P.free, _P.reserved).order_by(*order)


async def units_held_back(tx: Tx) -> AsyncIterator[tuple[int, int, str, int]]:
    """(contract, user, side, units) that live offers are to sell, ordered so."""
    async for contract, user, side, units in stream(tx, _units_held_back(tx.dialect.name)):
        yield contract, user, side, int(units)


@cache
def _units_held_back(dialect: str) -> Select[Any]:
    gives = case((is_bid(offers), Side.UNFIXED.value), else_=Side.FIXED.value)
    return (
        select(_O.contract_id, _O.user_id, gives, func.sum(_O.units_left))
        .where(_O.state == OfferState.LIVE.value, _O.units_left != 0)
        .group_by(_O.contract_id, _O.user_id, gives)
        .order_by(_O.contract_id, _O.user_id, exactly(dialect, gives))
    )


async def standing(tx: Tx) -> AsyncIterator[tuple[int, str, int, int, bool, bool, int | None]]:
    """(user, currency, bought units, price, pooled, live, mills left of the pool), by user and currency.

    Of buy offers live or suspended.
    """
    async for row in stream(tx, _standing(tx.dialect.name)):
        yield tuple(row)


@cache
def _standing(dialect: str) -> Select[Any]:
    live = case((_O.state == OfferState.LIVE.value, 1), else_=0)
    currency = contracts.c.currency
    pool = and_(pools.c.user_id == _O.user_id, pools.c.currency == currency)
    return (
        select(_O.user_id, currency, _O.cash_left, _O.price, _O.pooled, live, pools.c.left_mills)
        .join(contracts, contracts.c.id == _O.contract_id)
        .outerjoin(pools, pool)
        .where(stands(), _O.action == Action.BUY.value)
        .order_by(_O.user_id, exactly(dialect, currency))
    )


def stands() -> ColumnElement[bool]:
    return _O.state.in_((OfferState.LIVE.value, OfferState.SUSPENDED.value))


async def open_bonds(tx: Tx) -> AsyncIterator[tuple[int, str, int]]:
    """(contract, currency, mills) of the bonds of open disputes and of those who joined them, ordered so."""
    async for contract, currency, mills in stream(tx, _open_bonds()):
        yield contract, currency, int(mills)


@cache
def _open_bonds() -> Select[Any]:
    c = disputes.c
    more = select(func.sum(joiners.c.bond_mills)).where(joiners.c.dispute_id == c.id).scalar_subquery()
    return (
        select(c.contract_id, contracts.c.currency, func.sum(c.bond_mills + func.coalesce(more, 0)))
        .join(contracts, contracts.c.id == c.contract_id)
        .where(c.state == "open")
        .group_by(c.contract_id, contracts.c.currency)
        .order_by(c.contract_id)
    )


class ContractFacts(NamedTuple):
    """A contract, and beside it what its positions and its book come to; None: nothing.

    `fixed`, `unfixed`: units held; `net_paid`: by all users, in mills; `standing`: offers live or suspended; `bid`,
    `ask`: the best, all-or-none aside.
    """

    id: int
    kind: str
    round: int
    currency: str
    status: str
    outcome: str | None
    settled_at: int | None
    open_interest: int
    minted_mills: int
    terms_text: str
    terms_hash: str
    statement_text: str
    statement_hash: str
    fixed: int | None
    unfixed: int | None
    net_paid: int | None
    standing: int | None
    bid: int | None
    ask: int | None


async def contract_facts(tx: Tx) -> AsyncIterator[ContractFacts]:
    """Every contract, in order."""
    async for row in stream(tx, _contract_facts()):
        yield ContractFacts(*row)


@cache
def _contract_facts() -> Select[Any]:
    held, paid, book = _held(), _paid(), _books()
    beside = held.c.fixed, held.c.unfixed, paid.c.net_paid, book.c.standing, book.c.bid, book.c.ask
    own = [contracts.c[name] for name in ContractFacts._fields if name in contracts.c]
    return (
        select(*own, *beside)
        .outerjoin(held, held.c.contract_id == contracts.c.id)
        .outerjoin(paid, paid.c.contract_id == contracts.c.id)
        .outerjoin(book, book.c.contract_id == contracts.c.id)
        .order_by(contracts.c.id)
    )


def _held() -> Subquery:
    units = _P.free + _P.reserved
    sums = [func.sum(case((_P.side == side.value, units), else_=0)).label(side.value.lower()) for side in Side]
    return select(_P.contract_id, *sums).group_by(_P.contract_id).subquery()


def _paid() -> Subquery:
    total = func.sum(net_paid.c.mills).label("net_paid")
    return select(net_paid.c.contract_id, total).group_by(net_paid.c.contract_id).subquery()


def _books() -> Subquery:
    quoted = and_(_O.state == OfferState.LIVE.value, not_(_O.all_or_none))
    price = fixed_price(offers)
    return (
        select(
            _O.contract_id,
            func.count().label("standing"),
            func.max(case((and_(quoted, is_bid(offers)), price))).label("bid"),
            func.min(case((and_(quoted, not_(is_bid(offers))), price))).label("ask"),
        )
        .where(stands())
        .group_by(_O.contract_id)
        .subquery()
    )


def fixed_price(offer: FromClause) -> ColumnElement[int]:
    return case((offer.c.side == Side.FIXED.value, offer.c.price), else_=UNIT_MILLS - offer.c.price)


def is_bid(offer: FromClause) -> ColumnElement[bool]:
    return (offer.c.action == Action.BUY.value) == (offer.c.side == Side.FIXED.value)
