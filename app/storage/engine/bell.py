"""PostgreSQL's notifications: a worker hears at once that a delivery was stored."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from sqlalchemy import func, select

from app.storage.engine.db import Database, Tx

log = structlog.get_logger()

CHANNEL = "bugmark_inbox"
AGAIN_SECONDS = 5


async def ring(tx: Tx) -> None:
    """Wake the listeners once this transaction is committed. SQLite's file itself shows a commit.

    The server's lock for it makes transactions that use it commit one after the other: those of the market must not.
    """
    if tx.dialect.name == "postgresql":
        await tx.execute(select(func.pg_notify(CHANNEL, "")))


async def listen(db: Database, rung: asyncio.Event) -> None:
    """Set `rung` at each notification, until this task is cancelled. A lost connection is opened again.

    `db` has no pooler before it that takes its connections away between transactions.
    """
    while db.engine.dialect.name == "postgresql":
        try:
            await _listen(db, rung)
        except Exception as error:  # the poll goes on without us
            log.warning("notifications are not heard", why=str(error) or type(error).__name__)
        await asyncio.sleep(AGAIN_SECONDS)


async def _listen(db: Database, rung: asyncio.Event) -> None:
    async with db.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.add_listener(CHANNEL, lambda *_: rung.set())
        gone = asyncio.Event()
        driver.add_termination_listener(lambda *_: gone.set())
        rung.set()  # what came before we listened
        await gone.wait()
