"""Several floors in one transaction: what they will lock is locked before the first is opened, in everybody's order."""

from __future__ import annotations

from collections.abc import Collection

from app.storage import contracts, places, pools
from app.storage.contracts import ContractRow
from app.storage.db import Tx


async def hold_all(tx: Tx, rows: Collection[ContractRow], user: int | None = None) -> None:
    """These contracts and those that pools tie to them, in id order; then everybody in them, in id order.

    `user`: whose pool counts wherever it has offers. A pool that comes to other contracts meanwhile may still have them
    locked out of order; of two that then wait for each other the database ends one, which is DatabaseBusy.
    """
    ids = {row.id for row in rows}
    wanted = set(ids)
    for currency in sorted({row.currency for row in rows}):
        here = {row.id for row in rows if row.currency == currency}
        tied = await pools.concerned(tx, currency, here, user)
        wanted |= await pools.contracts_of(tx, currency, tied)
    await contracts.hold(tx, wanted)
    await places.lock_users(tx, await pools.people(tx, ids) | ({user} if user is not None else set()))
