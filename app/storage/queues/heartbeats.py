"""Signs of life of the processes that work on this database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, extract, func, null, select

from app.storage.engine.db import Tx
from app.storage.engine.sql import upsert
from app.storage.engine.tables import heartbeats

KEPT_SECONDS = 86_400
"""A process that was killed leaves its last beat behind, for so long."""


async def beat(tx: Tx, name: str, process: str, started_at: int, now: int) -> None:
    """`process`: which of those with this name, such as HOST:PID."""
    await upsert(tx, heartbeats, {"name": name, "process": process, "started_at": started_at, "at": now})


async def forget_old(tx: Tx, now: int) -> None:
    """Forget the processes that have not ended as they should, a day later."""
    await tx.execute(delete(heartbeats).where(heartbeats.c.at < now - KEPT_SECONDS))


async def end(tx: Tx, name: str, process: str) -> None:
    """The process has ended as it should."""
    await tx.execute(delete(heartbeats).where(heartbeats.c.name == name, heartbeats.c.process == process))


async def last(tx: Tx, name: str) -> int | None:
    """Last beat of any process of this name."""
    found: int | None = (await tx.execute(select(func.max(heartbeats.c.at)).where(heartbeats.c.name == name))).scalar()
    return found


@dataclass(frozen=True, slots=True)
class Crew:
    """The process that started first of those alive, and the database server's instant; None where it is our own."""

    first: str
    database_now: int | None


async def crew(tx: Tx, name: str, at: int) -> Crew:
    """`at`: whoever gave a sign since then is alive. There must be one."""
    alive = heartbeats.c.name == name, heartbeats.c.at >= at
    order = heartbeats.c.started_at, heartbeats.c.process
    statement = select(heartbeats.c.process, server_now(tx)).where(*alive).order_by(*order).limit(1)
    row = (await tx.execute(statement)).one()
    return Crew(row[0], None if row[1] is None else int(row[1]))


async def database_now(tx: Tx) -> int | None:
    """The database server's instant; None where it is our own."""
    found = (await tx.execute(select(server_now(tx)))).scalar_one()
    return None if found is None else int(found)


def server_now(tx: Tx) -> ColumnElement[Any]:
    """The server's own clock. SQLite has that of the process which uses it."""
    if tx.dialect.name == "sqlite":
        return null()
    return func.floor(extract("epoch", func.clock_timestamp()))


async def since(tx: Tx, at: int) -> dict[tuple[str, str], int]:
    """The processes that have given a sign since then, with their last one."""
    rows = await tx.execute(select(heartbeats).where(heartbeats.c.at >= at))
    return {(row.name, row.process): row.at for row in rows}


async def count(tx: Tx, name: str, at: int) -> int:
    """Count the processes of this name with a beat since then."""
    alive = heartbeats.c.name == name, heartbeats.c.at >= at
    return (await tx.execute(select(func.count()).select_from(heartbeats).where(*alive))).scalar_one()
