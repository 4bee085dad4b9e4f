"""Whole tables read back for the audit, in constant memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlalchemy import select

from app.market.contract import Side
from app.market.journal import AccountKey, Kind
from app.market.offer import Offer, OfferState
from app.market.position import Position
from app.storage.contracts import ContractRow, contract_from, offer_from
from app.storage.db import Tx
from app.storage.tables import balances, contracts, offers, positions


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
