"""Rows that do not fit what stands beside them: the databases find them, and in a sound one there are none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, case, cast, func, literal, not_, or_, select

from app.market.exchange.fill import AmendmentKind
from app.market.terms.contract import Status
from app.storage.engine.db import Tx
from app.storage.engine.tables import (
    amendments,
    contracts,
    disputes,
    entries,
    fills,
    joiners,
    offers,
    pools,
    positions,
    postings,
    sealed_entries,
)
from app.storage.proof.audit_reader import fixed_price, is_bid, stands, stream
from app.storage.proof.numbers import AHEAD

_O, _P = offers.c, positions.c


async def odd_offers(tx: Tx) -> AsyncIterator[int]:
    """Offers whose parts do not add up, or whose state is not what is open of them."""
    async for row in stream(tx, _odd_offers()):
        yield row.id


@cache
def _odd_offers() -> Select[Any]:
    parts = _O.filled, _O.units_left, _O.cash_left, _O.cancelled
    state = case((_O.units_left + _O.cash_left == 0, literal("DONE")), (_O.pooled, literal("SUSPENDED")), else_="LIVE")
    fits = and_(
        _O.volume == _O.filled + _O.units_left + _O.cash_left + _O.cancelled,
        *(part >= 0 for part in parts),
        or_(_O.state == state, and_(_O.state == "LIVE", _O.pooled, _O.units_left + _O.cash_left > 0)),
    )
    return select(_O.id).where(_not(fits)).order_by(_O.id)


async def odd_positions(tx: Tx) -> AsyncIterator[tuple[int, int, str]]:
    """(contract, user, side) of positions with a cost, units of a pool or parts that cannot be."""
    async for row in stream(tx, _odd_positions()):
        yield tuple(row)


@cache
def _odd_positions() -> Select[Any]:
    units = _P.free + _P.reserved
    fits = and_(
        _P.free >= 0,
        _P.reserved >= 0,
        _P.cost_mills >= 0,
        or_(units > 0, _P.cost_mills == 0),
        _P.pool_units.between(0, units),
    )
    return select(_P.contract_id, _P.user_id, _P.side).where(_not(fits))


async def idle_pools(tx: Tx) -> AsyncIterator[tuple[int, str, int]]:
    """(user, currency, mills left) of pools that hold money for no offer."""
    async for row in stream(tx, _idle_pools()):
        yield tuple(row)


@cache
def _idle_pools() -> Select[Any]:
    offered = (
        select(_O.id)
        .join(contracts, contracts.c.id == _O.contract_id)
        .where(stands(), _O.pooled, _O.user_id == pools.c.user_id, contracts.c.currency == pools.c.currency)
    )
    statement = select(pools.c.user_id, pools.c.currency, pools.c.left_mills)
    return statement.where(pools.c.left_mills != 0, not_(offered.exists()))


async def both_sides_free(tx: Tx) -> AsyncIterator[tuple[int, int]]:
    """(contract, user) of users who have free units of both sides."""
    async for row in stream(tx, _both_sides_free()):
        yield tuple(row)


@cache
def _both_sides_free() -> Select[Any]:
    group = _P.contract_id, _P.user_id
    return select(*group).where(_P.free > 0).group_by(*group).having(func.count() > 1)


async def unfit_fills(tx: Tx) -> AsyncIterator[tuple[int, int]]:
    """(contract, amendment) of fills that do not fit their two offers or their amendment."""
    async for row in stream(tx, _unfit_fills()):
        yield row.contract_id, row.amendment


@cache
def _unfit_fills() -> Select[Any]:
    bid, ask = offers.alias("bid_offer"), offers.alias("ask_offer")
    bid_price, ask_price = fixed_price(bid), fixed_price(ask)
    fits = and_(
        bid.c.contract_id == fills.c.contract_id,
        ask.c.contract_id == fills.c.contract_id,
        bid.c.user_id == fills.c.buyer,
        ask.c.user_id == fills.c.seller,
        fills.c.buyer != fills.c.seller,
        is_bid(bid),
        not_(is_bid(ask)),
        fills.c.newcomer.in_((fills.c.bid, fills.c.ask)),
        fills.c.price.in_((bid_price, ask_price)),
        fills.c.price.between(ask_price, bid_price),
        amendments.c.kind == "fill",
        amendments.c.at == fills.c.at,
    )
    number = and_(amendments.c.contract_id == fills.c.contract_id, amendments.c.number == fills.c.amendment)
    return (
        select(fills.c.contract_id, fills.c.amendment)
        .outerjoin(bid, bid.c.id == fills.c.bid)
        .outerjoin(ask, ask.c.id == fills.c.ask)
        .outerjoin(amendments, number)
        .where(_not(fits))
    )


async def unfit_early_fills(tx: Tx, early_at: int) -> AsyncIterator[tuple[int, int]]:
    """The same of fills up to `early_at`, of which no detail tells: each had an entry, and the later offer arrived."""
    async for row in stream(tx, _unfit_early_fills(), early_at=early_at):
        yield row.contract_id, row.amendment


@cache
def _unfit_early_fills() -> Select[Any]:
    bid, ask = offers.alias("bid_offer"), offers.alias("ask_offer")
    newcomer = fills.c.newcomer
    fits = and_(
        newcomer == case((fills.c.bid > fills.c.ask, fills.c.bid), else_=fills.c.ask),
        fills.c.price == case((newcomer == fills.c.bid, fixed_price(ask)), else_=fixed_price(bid)),
        entries.c.at == fills.c.at,
    )
    contract, amendment = cast(fills.c.contract_id, String), cast(fills.c.amendment, String)
    return (
        select(fills.c.contract_id, fills.c.amendment)
        .outerjoin(bid, bid.c.id == fills.c.bid)
        .outerjoin(ask, ask.c.id == fills.c.ask)
        .outerjoin(entries, entries.c.key == literal("fill:") + contract + literal(":") + amendment)
        .where(fills.c.at <= bindparam("early_at"), _not(fits))
    )


def _not(fits: ColumnElement[bool]) -> ColumnElement[bool]:
    """Treat rows that are not known to fit as misfits."""
    return case((fits, 1), else_=0) == 0


async def unfit_offers(tx: Tx) -> AsyncIterator[int]:
    """Offers that count other volumes as filled than their fills say."""
    async for row in stream(tx, _unfit_offers()):
        yield row.id


@cache
def _unfit_offers() -> Select[Any]:
    parts = (
        select(fills.c.bid.label("number"), fills.c.volume).union_all(select(fills.c.ask, fills.c.volume)).subquery()
    )
    sums = select(parts.c.number, func.sum(parts.c.volume).label("volume")).group_by(parts.c.number).subquery()
    statement = select(_O.id).outerjoin(sums, sums.c.number == _O.id)
    return statement.where(_O.filled != func.coalesce(sums.c.volume, 0))


async def unfit_contracts(tx: Tx) -> AsyncIterator[int]:
    """Contracts that are not as their last amendment left them, or miss one of their amendments."""
    async for row in stream(tx, _unfit_contracts()):
        yield row.id


@cache
def _unfit_contracts() -> Select[Any]:
    of_contract = amendments.c.contract_id
    leaps = func.sum(case((amendments.c.kind == AmendmentKind.RESTORED.value, AHEAD - 1), else_=0))
    counted = select(of_contract, (func.count() + leaps).label("count"), func.max(amendments.c.number).label("last"))
    counts = counted.group_by(of_contract).subquery()
    settlement = and_(amendments.c.kind == "settlement", amendments.c.at == contracts.c.settled_at)
    fits = and_(
        counts.c.count == contracts.c.amendment,
        counts.c.last == contracts.c.amendment,
        amendments.c.open_interest == contracts.c.open_interest,
        amendments.c.minted_mills == contracts.c.minted_mills,
        or_(contracts.c.status != Status.SETTLED.value, settlement),
    )
    untouched = and_(
        contracts.c.amendment == 0,
        counts.c.last.is_(None),
        contracts.c.open_interest == 0,
        contracts.c.minted_mills == 0,
    )
    last = and_(of_contract == contracts.c.id, amendments.c.number == counts.c.last)
    statement = (
        select(contracts.c.id).outerjoin(counts, counts.c.contract_id == contracts.c.id).outerjoin(amendments, last)
    )
    return statement.where(case((fits, 1), (untouched, 1), else_=0) == 0)


async def unfit_volumes(tx: Tx) -> AsyncIterator[int]:
    """Contracts that count another volume than their fills come to."""
    async for row in stream(tx, _unfit_volumes()):
        yield row.id


@cache
def _unfit_volumes() -> Select[Any]:
    of_contract = fills.c.contract_id
    sums = select(of_contract, func.sum(fills.c.volume).label("volume")).group_by(of_contract).subquery()
    statement = select(contracts.c.id).outerjoin(sums, sums.c.contract_id == contracts.c.id)
    return statement.where(contracts.c.traded_units != func.coalesce(sums.c.volume, 0))


async def bonds_of_disputes(tx: Tx) -> AsyncIterator[tuple[int, int, int, int, int]]:
    """(dispute, contract, user, bond in mills, instant) of every dispute."""
    c = disputes.c
    async for row in stream(tx, select(c.id, c.contract_id, c.user_id, c.bond_mills, c.at).order_by(c.id)):
        yield tuple(row)


async def reasons_of_joiners(tx: Tx) -> AsyncIterator[tuple[int, int, str, str]]:
    """(dispute, user, reason, hash of the reason) of everybody who joined a dispute."""
    c = joiners.c
    async for row in stream(tx, select(c.dispute_id, c.user_id, c.reason, c.reason_hash)):
        yield tuple(row)


async def postings_of_nothing(tx: Tx) -> AsyncIterator[int]:
    """Ids of which there are postings and no entry."""
    async for row in stream(tx, _postings_of_nothing()):
        yield row.entry_id


@cache
def _postings_of_nothing() -> Select[Any]:
    mine = postings.c.entry_id
    statement = select(mine).distinct().outerjoin(entries, entries.c.id == mine).where(entries.c.id.is_(None))
    return statement.order_by(mine)


async def sealed_and_gone(tx: Tx) -> AsyncIterator[int]:
    """Ids that a seal closes and no entry has."""
    async for row in stream(tx, _sealed_and_gone()):
        yield row.entry_id


@cache
def _sealed_and_gone() -> Select[Any]:
    mine = sealed_entries.c.entry_id
    statement = select(mine).outerjoin(entries, entries.c.id == mine).where(entries.c.id.is_(None)).order_by(mine)
    return statement
