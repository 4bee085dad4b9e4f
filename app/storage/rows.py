"""Whole tables read back for the audit, in constant memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlalchemy import ColumnElement, FromClause, String, and_, case, cast, func, literal, not_, select

from app.market.contract import UNIT_MILLS, Side
from app.market.journal import AccountKey, Kind
from app.market.offer import Action, Offer, OfferState
from app.market.position import Position
from app.storage.contracts import ContractRow, contract_from, offer_from
from app.storage.db import Tx
from app.storage.tables import amendments, balances, contracts, entries, fills, offers, positions


async def all_balances(tx: Tx) -> AsyncIterator[tuple[AccountKey, int]]:
    async for row in await tx.stream(select(balances)):
        yield AccountKey(Kind(row.kind), row.owner, row.currency), row.amount


async def all_contracts(tx: Tx) -> AsyncIterator[ContractRow]:
    async for row in await tx.stream(select(contracts).order_by(contracts.c.id)):
        yield contract_from(row)


async def all_positions(tx: Tx) -> AsyncIterator[tuple[int, int, Side, Position]]:
    """(contract, user, side, position)"""
    order = positions.c.contract_id, positions.c.user_id, positions.c.side
    async for row in await tx.stream(select(positions).order_by(*order)):
        held = Position(row.free, row.reserved, row.cost_mills)
        yield row.contract_id, row.user_id, Side(row.side), held


async def all_offers(tx: Tx) -> AsyncIterator[tuple[int, OfferState, Offer]]:
    """(contract, stored state, offer)"""
    async for row in await tx.stream(select(offers).order_by(offers.c.id)):
        yield row.contract_id, OfferState(row.state), offer_from(row)


async def unfit_fills(tx: Tx) -> AsyncIterator[tuple[int, int]]:
    """(contract, amendment) of fills that do not fit their two offers, their amendment or their entry."""
    bid, ask = offers.alias("bid_offer"), offers.alias("ask_offer")
    older = case((fills.c.newcomer == fills.c.bid, _fixed_price(ask)), else_=_fixed_price(bid))
    fits = and_(
        bid.c.contract_id == fills.c.contract_id,
        ask.c.contract_id == fills.c.contract_id,
        bid.c.user_id == fills.c.buyer,
        ask.c.user_id == fills.c.seller,
        _is_bid(bid),
        not_(_is_bid(ask)),
        fills.c.newcomer == case((bid.c.id > ask.c.id, bid.c.id), else_=ask.c.id),
        fills.c.price == older,
        fills.c.price.between(_fixed_price(ask), _fixed_price(bid)),
        amendments.c.kind == "fill",
        amendments.c.at == fills.c.at,
        entries.c.at == fills.c.at,
    )
    number = and_(amendments.c.contract_id == fills.c.contract_id, amendments.c.number == fills.c.amendment)
    statement = (
        select(fills.c.contract_id, fills.c.amendment)
        .outerjoin(bid, bid.c.id == fills.c.bid)
        .outerjoin(ask, ask.c.id == fills.c.ask)
        .outerjoin(amendments, number)
        .outerjoin(entries, entries.c.key == _fill_key())
        .where(case((fits, 1), else_=0) == 0)
    )
    async for row in await tx.stream(statement):
        yield row.contract_id, row.amendment


def _fixed_price(offer: FromClause) -> ColumnElement[int]:
    return case((offer.c.side == Side.FIXED.value, offer.c.price), else_=UNIT_MILLS - offer.c.price)


def _is_bid(offer: FromClause) -> ColumnElement[bool]:
    return (offer.c.action == Action.BUY.value) == (offer.c.side == Side.FIXED.value)


def _fill_key() -> ColumnElement[str]:
    contract, amendment = cast(fills.c.contract_id, String), cast(fills.c.amendment, String)
    return literal("fill:") + contract + literal(":") + amendment


async def unfit_offers(tx: Tx) -> AsyncIterator[int]:
    """Offers that count other volumes as filled than their fills say."""
    parts = (
        select(fills.c.bid.label("number"), fills.c.volume).union_all(select(fills.c.ask, fills.c.volume)).subquery()
    )
    sums = select(parts.c.number, func.sum(parts.c.volume).label("volume")).group_by(parts.c.number).subquery()
    statement = select(offers.c.id).outerjoin(sums, sums.c.number == offers.c.id)
    async for row in await tx.stream(statement.where(offers.c.filled != func.coalesce(sums.c.volume, 0))):
        yield row.id


async def unfit_contracts(tx: Tx) -> AsyncIterator[int]:
    """Contracts that are not as their last amendment left them, or miss one of their amendments."""
    of_contract = amendments.c.contract_id
    counted = select(of_contract, func.count().label("count"), func.max(amendments.c.number).label("last"))
    counts = counted.group_by(of_contract).subquery()
    fits = and_(
        counts.c.count == contracts.c.amendment,
        counts.c.last == contracts.c.amendment,
        amendments.c.open_interest == contracts.c.open_interest,
        amendments.c.minted_mills == contracts.c.minted_mills,
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
    async for row in await tx.stream(statement.where(case((fits, 1), (untouched, 1), else_=0) == 0)):
        yield row.id
