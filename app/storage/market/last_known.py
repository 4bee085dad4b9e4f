"""GitHub's last answer about each contract: evidence that vanishes after maturation changes nothing."""

from __future__ import annotations

from sqlalchemy import select

from app.market.life.forecast_memory import Known
from app.storage.engine.db import Tx
from app.storage.engine.sql import in_parts, upsert
from app.storage.engine.tables import last_known


async def of(tx: Tx, contract_id: int) -> Known:
    return (await of_all(tx, {contract_id})).get(contract_id, Known())


async def of_all(tx: Tx, contract_ids: set[int]) -> dict[int, Known]:
    """Those of these contracts about which GitHub has answered."""
    found: dict[int, Known] = {}
    for some in in_parts(contract_ids):
        for row in await tx.execute(select(last_known).where(last_known.c.contract_id.in_(some))):
            found[row.contract_id] = Known(row.at, row.told)
    return found


async def keep(tx: Tx, contract_id: int, at: int, told: str) -> None:
    await upsert(tx, last_known, {"contract_id": contract_id, "at": at, "told": told})
