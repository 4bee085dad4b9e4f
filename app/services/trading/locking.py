"""Locking of contracts that pools tie together, and of everybody in them, in the same order for all."""

from __future__ import annotations

from collections.abc import Collection

from app.storage.engine.db import Tx
from app.storage.market import books, contracts, pools
from app.storage.market.contracts import ContractRow
from app.storage.people import places


async def tied_to(
    tx: Tx, currency: str, contract_ids: set[int], user: int | None, now: int
) -> tuple[set[int], set[int], bool]:
    """Contracts that change with these: (those that do, all to lock, whether pools may tie any), as things stand.

    Pools tie others to them; and where offers are due in such a one it changes as well, with the pools in it.
    """
    acting = set(contract_ids)
    while True:
        tied = await pools.concerned(tx, currency, acting, user)
        wanted = acting | await pools.contracts_of(tx, currency, tied)
        ending = await books.ending_among(tx, wanted - acting, now)
        if not ending:
            return acting, wanted, bool(tied)
        acting |= ending


async def hold_all(tx: Tx, rows: Collection[ContractRow], *, now: int, user: int | None = None) -> None:
    """For several floors in one transaction: all that they will lock, before the first is opened.

    `user`: whose pool counts wherever it has offers. A pool that comes to other contracts meanwhile may still have them
    locked out of order; of two that then wait for each other the database ends one, which is DatabaseBusy.
    """
    wanted: set[int] = set()
    acting: set[int] = set()
    for currency in sorted({row.currency for row in rows}):
        here = {row.id for row in rows if row.currency == currency}
        changing, locked, _ = await tied_to(tx, currency, here, user, now)
        acting |= changing
        wanted |= locked
    await contracts.hold(tx, wanted)
    await places.lock_users(tx, await pools.people(tx, acting) | ({user} if user is not None else set()))
