"""Transactions: no update is lost, readers see one state, passing faults have one name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.storage.engine.db import BUSY_TIMEOUT_MS, Database, DatabaseBusy
from tests import databases, engines

WRITERS, UPDATES = 8, 50


async def prepare(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(text("INSERT INTO users (id, login, created_at) VALUES (1, 'ann', 0)"))


async def count(db: Database) -> int:
    async with db.reading() as tx:
        number: int = (await tx.execute(text("SELECT created_at FROM users WHERE id = 1"))).scalar_one()
    return number


async def test_no_update_is_lost(db: Database) -> None:
    """With the SQLite driver's defaults 350 of these 400 vanish without an error."""
    await prepare(db)
    lock = "" if db.engine.dialect.name == "sqlite" else " FOR UPDATE"

    async def write() -> None:
        for _ in range(UPDATES):
            async with db.transaction() as tx:
                found = (await tx.execute(text(f"SELECT created_at FROM users WHERE id = 1{lock}"))).scalar_one()
                await tx.execute(text("UPDATE users SET created_at = :next WHERE id = 1"), {"next": found + 1})

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    assert await count(db) == WRITERS * UPDATES


async def test_no_update_is_lost_between_engines(sqlite_url: str) -> None:
    """Web and worker are processes of their own: each has its own connections to the file."""
    engines = [Database(sqlite_url, pool_size=1) for _ in range(4)]
    await prepare(engines[0])

    async def write(db: Database) -> None:
        for _ in range(20):
            async with db.transaction() as tx:
                found = (await tx.execute(text("SELECT created_at FROM users WHERE id = 1"))).scalar_one()
                await tx.execute(text("UPDATE users SET created_at = :next WHERE id = 1"), {"next": found + 1})

    await asyncio.gather(*(write(db) for db in engines))
    assert await count(engines[0]) == 80
    for db in engines:
        await db.close()


@pytest.mark.parametrize("writes", [True, False])
async def test_sqlite_is_set_as_promised(sqlite_url: str, writes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "waiting_for_the_disk", True)
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": BUSY_TIMEOUT_MS}
    db = Database(sqlite_url)
    async with db.transaction() if writes else db.reading() as tx:
        for pragma, value in expected.items():
            assert (await tx.execute(text(f"PRAGMA {pragma}"))).scalar_one() == value, pragma
    await db.close()


async def test_a_failed_transaction_leaves_nothing(db: Database) -> None:
    await prepare(db)
    with pytest.raises(LookupError):
        async with db.transaction() as tx:
            await tx.execute(text("UPDATE users SET created_at = 7 WHERE id = 1"))
            raise LookupError
    assert await count(db) == 0


async def test_what_reads_sees_one_state(db: Database) -> None:
    await prepare(db)
    async with db.reading() as reader:
        before = (await reader.execute(text("SELECT created_at FROM users"))).scalar_one()
        async with db.transaction() as writer:
            await writer.execute(text("UPDATE users SET created_at = 7"))
        after = (await reader.execute(text("SELECT created_at FROM users"))).scalar_one()
    assert (before, after) == (0, 0)
    assert await count(db) == 7


async def test_what_reads_stores_nothing(db: Database) -> None:
    await prepare(db)
    async with db.reading() as tx:
        await tx.execute(text("UPDATE users SET created_at = 7"))
    assert await count(db) == 0


async def test_a_broken_rule_stays_what_it_is(db: Database) -> None:
    await prepare(db)
    with pytest.raises(IntegrityError) as caught:
        await prepare(db)
    assert caught.value.__cause__ is not caught.value


async def test_a_deadlock_is_a_passing_fault(postgres_url: str) -> None:
    db = Database(postgres_url)
    await prepare(db)
    async with db.transaction() as tx:
        await tx.execute(text("INSERT INTO users (id, login, created_at) VALUES (2, 'bob', 0)"))
    both = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with db.transaction() as tx:
            await tx.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
            await tx.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": first})
            await both.wait()
            await tx.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": second})

    results = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
    assert {type(result) for result in results} == {DatabaseBusy, type(None)}
    await db.close()


async def test_a_database_that_cannot_be_reached_is_a_passing_fault(tmp_path: Path) -> None:
    for url in (databases.sqlite_url(tmp_path / "no" / "such.db"), "postgresql+asyncpg://nobody@127.0.0.1:1/none"):
        db = Database(url)
        with pytest.raises(DatabaseBusy):
            await db.ping()
        await db.close()


async def test_a_connection_that_is_cut_is_a_passing_fault(postgres_url: str) -> None:
    db = Database(postgres_url)
    await prepare(db)
    with pytest.raises(DatabaseBusy):
        async with db.transaction() as tx:
            await tx.execute(text("UPDATE users SET created_at = 7"))
            pid = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with db.transaction() as other:
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            await tx.execute(text("SELECT 1"))
    assert await count(db) == 0
    await db.close()
