"""Signs of life of the processes that work on this database."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from app.storage.engine.db import Tx
from app.storage.engine.sql import upsert
from app.storage.engine.tables import heartbeats

KEPT_SECONDS = 86_400
"""A process that was killed leaves its last beat behind, for so long."""


async def beat(tx: Tx, name: str, process: str, started_at: int, now: int) -> None:
    """`process`: which of those with this name, such as HOST:PID."""
    await upsert(tx, heartbeats, {"name": name, "process": process, "started_at": started_at, "at": now})
    await tx.execute(delete(heartbeats).where(heartbeats.c.at < now - KEPT_SECONDS))


async def end(tx: Tx, name: str, process: str) -> None:
    """The process has ended as it should."""
    await tx.execute(delete(heartbeats).where(heartbeats.c.name == name, heartbeats.c.process == process))


async def last(tx: Tx, name: str) -> int | None:
    """Last beat of any process of this name."""
    found: int | None = (await tx.execute(select(func.max(heartbeats.c.at)).where(heartbeats.c.name == name))).scalar()
    return found


async def since(tx: Tx, at: int) -> dict[tuple[str, str], int]:
    """The processes that have given a sign since then, with their last one."""
    rows = await tx.execute(select(heartbeats).where(heartbeats.c.at >= at))
    return {(row.name, row.process): row.at for row in rows}


async def count(tx: Tx, name: str, at: int) -> int:
    """Count the processes of this name with a beat since then."""
    alive = heartbeats.c.name == name, heartbeats.c.at >= at
    return (await tx.execute(select(func.count()).select_from(heartbeats).where(*alive))).scalar_one()
