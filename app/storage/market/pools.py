"""Pools: what is left of each user's budget, and where the offers that share it stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import BigInteger, BindParameter, bindparam, case, exists, func, select, union

from app.market.exchange.offer import OfferState
from app.market.exchange.pool import Pool
from app.market.terms.contract import Side, Status
from app.storage.engine.db import Tx
from app.storage.engine.sql import in_parts, upsert
from app.storage.engine.tables import contracts, offers, pools, positions
from app.storage.market.books import OPEN_STATES

_ANY = select(pools.c.user_id).where(pools.c.currency == bindparam("currency")).limit(1)
_HERE: BindParameter[Any] = bindparam("contracts", expanding=True)
_THERE = union(
    select(offers.c.user_id).where(offers.c.contract_id.in_(_HERE), offers.c.state.in_(OPEN_STATES)),
    select(positions.c.user_id).where(positions.c.contract_id.in_(_HERE), positions.c.free + positions.c.reserved > 0),
)
_CONCERNED = select(pools.c.user_id).where(
    pools.c.currency == bindparam("currency"),
    (pools.c.user_id == bindparam("user", type_=BigInteger)) | pools.c.user_id.in_(_THERE),
)


_CURRENCIES = (
    select(contracts.c.currency, exists().where(pools.c.currency == contracts.c.currency))
    .where(contracts.c.id.in_(_HERE))
    .distinct()
)


async def currencies(tx: Tx, contract_ids: set[int]) -> dict[str, bool]:
    """In what these contracts trade, and whether anybody has a pool of it."""
    found: dict[str, bool] = {}
    for some in in_parts(contract_ids):
        found |= {currency: bool(any_pool) for currency, any_pool in await tx.execute(_CURRENCIES, {"contracts": some})}
    return found


async def concerned(tx: Tx, currency: str, contract_ids: set[int], user: int | None) -> set[int]:
    """Those whose pools a change of these contracts may concern: the user, who has offers there, who holds units."""
    if (await tx.execute(_ANY, {"currency": currency})).first() is None:
        return set()
    found: set[int] = set()
    for some in in_parts(contract_ids):
        given = {"currency": currency, "user": user, "contracts": some}
        found |= set((await tx.execute(_CONCERNED, given)).scalars())
    return found


async def people(tx: Tx, contract_ids: set[int]) -> set[int]:
    """Find everybody who has an open offer or holds units in these contracts."""
    found: set[int] = set()
    for some in in_parts(contract_ids):
        found |= set((await tx.execute(_THERE, {"contracts": some})).scalars())
    return found


async def contracts_of(tx: Tx, currency: str, user_ids: set[int]) -> set[int]:
    """The contracts in which these users' pools have open offers."""
    found: set[int] = set()
    for some in in_parts(user_ids):
        statement = (
            select(offers.c.contract_id)
            .join(contracts, contracts.c.id == offers.c.contract_id)
            .where(offers.c.user_id.in_(some), offers.c.pooled, offers.c.state.in_(OPEN_STATES))
            .where(contracts.c.currency == currency)
        )
        found |= set((await tx.execute(statement)).scalars())
    return found


_OF_USERS = select(pools).where(
    pools.c.currency == bindparam("currency"), pools.c.user_id.in_(bindparam("users", expanding=True))
)


async def load(tx: Tx, currency: str, user_ids: set[int]) -> dict[int, Pool]:
    """The pools of these users, without their offers."""
    found: dict[int, Pool] = {}
    for some in in_parts(user_ids):
        rows = await tx.execute(_OF_USERS, {"currency": currency, "users": some})
        found |= {row.user_id: Pool(row.user_id, row.left_mills) for row in rows}
    return found


async def save(tx: Tx, currency: str, changed: Iterable[Pool]) -> None:
    rows = [{"user_id": pool.user, "currency": currency, "left_mills": pool.left_mills} for pool in changed]
    if rows:
        await upsert(tx, pools, rows)


async def with_suspended(tx: Tx, limit: int, but: Collection[int] = ()) -> list[tuple[int, int]]:
    """(number, contract) of suspended offers in open contracts that fit what is left of their pools, lowest first.

    `but`: leave these out. What does not fit is asked by a quotient, since a product could be too large for the
    database; pooled offers buy, so that free units of the other side pay for the rest.
    """
    gives = case((offers.c.side == Side.FIXED.value, Side.UNFIXED.value), else_=Side.FIXED.value)
    units = (
        (positions.c.contract_id == offers.c.contract_id)
        & (positions.c.user_id == offers.c.user_id)
        & (positions.c.side == gives)
    )
    affordable = pools.c.left_mills // offers.c.price + func.coalesce(positions.c.free, 0)
    statement = (
        select(offers.c.id, offers.c.contract_id)
        .join(contracts, contracts.c.id == offers.c.contract_id)
        .join(pools, (pools.c.user_id == offers.c.user_id) & (pools.c.currency == contracts.c.currency))
        .outerjoin(positions, units)
        .where(offers.c.state == OfferState.SUSPENDED.value, contracts.c.status == Status.OPEN.value)
        .where(offers.c.units_left + offers.c.cash_left <= affordable, offers.c.id.not_in(list(but)))
        .order_by(offers.c.id)
    )
    return [(row.id, row.contract_id) for row in await tx.execute(statement.limit(limit))]
