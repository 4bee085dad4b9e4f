"""What GitHub's last answer told of a contract: after maturation nothing that vanishes changes it."""

from __future__ import annotations

from sqlalchemy import select

from app.market.life.forecast_memory import Known
from app.storage.engine.db import Tx
from app.storage.engine.sql import upsert
from app.storage.engine.tables import last_known


async def of(tx: Tx, contract_id: int) -> Known:
    statement = select(last_known.c.at, last_known.c.told).where(last_known.c.contract_id == contract_id)
    row = (await tx.execute(statement)).first()
    return Known(row.at, row.told) if row else Known()


async def keep(tx: Tx, contract_id: int, at: int, told: str) -> None:
    await upsert(tx, last_known, {"contract_id": contract_id, "at": at, "told": told})
