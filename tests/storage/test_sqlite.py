"""The connection that works in place: what waits for a lock can be given up, and nothing is half done."""

import asyncio

import pytest
from sqlalchemy import text

from app.storage.db import Database

COUNT = text("SELECT count(*) FROM users")
ADD = text("INSERT INTO users (id, login, created_at) VALUES (:id, 'ann', 1)")


async def add(db: Database, number: int) -> None:
    async with db.transaction() as tx:
        await tx.execute(ADD, {"id": number})


async def users(db: Database) -> int:
    async with db.reading() as tx:
        return int((await tx.execute(COUNT)).scalar_one())


async def test_waiting_for_the_lock_leaves_the_loop_free_and_can_be_given_up(sqlite_url: str) -> None:
    db = Database(sqlite_url, pool_size=2)
    async with db.transaction() as tx:
        await tx.execute(ADD, {"id": 1})
        waiting = asyncio.create_task(add(db, 2))
        for _ in range(100):  # the loop turns although the other transaction waits
            await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await add(db, 3)
    assert await users(db) == 2
    await db.close()


async def test_a_closed_connection_says_so(sqlite_url: str) -> None:
    db = Database(sqlite_url, pool_size=1)
    assert await users(db) == 0
    await db.close()
    assert await users(db) == 0, "the pool opens a new one"
    await db.close()
