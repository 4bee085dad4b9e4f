"""The connection that works in place: what waits for a lock can be given up, and nothing is half done."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.storage.engine import db as storage
from app.storage.engine import sqlite
from app.storage.engine.db import Database, DatabaseBusy, migrate

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


@pytest.fixture
def new_file(tmp_path: Path) -> Path:
    """As migrating leaves it: nobody has opened it for work yet."""
    path = tmp_path / "new.db"
    migrate(f"sqlite+aiosqlite:///{path}")
    with closing(sqlite3.connect(path)) as look:
        assert look.execute("PRAGMA journal_mode").fetchone() != ("wal",)
    return path


async def test_a_new_file_is_opened_while_somebody_else_opens_it(new_file: Path) -> None:
    """SQLite fails at once here, however long it is told to wait: it is asked again."""
    db = Database(f"sqlite+aiosqlite:///{new_file}")
    with closing(sqlite3.connect(new_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(users(db))
        await asyncio.wait({opening}, timeout=0.2)
        assert not opening.done()
        other.execute("COMMIT")
        assert await opening == 0
    await db.close()


async def test_a_new_file_that_stays_locked_is_told_of(new_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "BUSY_TIMEOUT_MS", 100)
    db = Database(f"sqlite+aiosqlite:///{new_file}")
    with closing(sqlite3.connect(new_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy, match="locked"):
            await users(db)
        other.execute("COMMIT")
    assert await users(db) == 0
    await db.close()


class Recovering(sqlite3.Connection):
    """A file that another process still sets right after a crash."""

    refusals = 1

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        if self.refusals:
            self.refusals -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY_RECOVERY
            raise error
        return super().execute(*statement)


def test_a_file_that_is_being_recovered_is_waited_for(new_file: Path) -> None:
    with closing(sqlite3.connect(new_file, factory=Recovering)) as opened:
        sqlite._prepare(opened, 100)
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert opened.execute("PRAGMA busy_timeout").fetchone() == (100,)
