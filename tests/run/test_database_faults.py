"""What a database refuses for a while, and contracts with more holders than a statement takes parameters.

Whatever fails in the middle of a command leaves nothing behind, and the next attempt finds everything as it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from asyncpg.exceptions import (
    CannotConnectNowError,
    DiskFullError,
    InvalidPasswordError,
    TooManyConnectionsError,
)
from sqlalchemy import Connection, Engine, event, insert, text
from sqlalchemy.exc import DBAPIError

from app.market.exchange.offer import Action, NewOffer
from app.market.terms.contract import Side
from app.market.terms.errors import Refusal
from app.services.trading import offers
from app.storage.engine import db as storage
from app.storage.engine.db import Database, DatabaseBusy
from app.storage.engine.tables import users
from app.storage.people import places
from tests.clocks import FakeClock
from tests.services.desk import BY, Desk


@pytest.mark.parametrize("fault", [CannotConnectNowError, TooManyConnectionsError, DiskFullError])
@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_server_that_starts_or_is_full_is_a_passing_fault(
    sqlite_url: str, fault: type[Exception], wrapped: bool
) -> None:
    """While connecting such an error comes bare; SQLAlchemy wraps those of statements."""
    db = Database(sqlite_url)
    error = fault("not now")
    with pytest.raises(DatabaseBusy):
        async with db.transaction():
            raise DBAPIError("SELECT 1", {}, error) if wrapped else error
    await db.close()


@pytest.mark.parametrize("error", [InvalidPasswordError("no"), Refusal("no"), LookupError("no")])
async def test_other_errors_stay_what_they_are(sqlite_url: str, error: Exception) -> None:
    db = Database(sqlite_url)
    with pytest.raises(type(error)):
        async with db.transaction():
            raise error
    await db.close()


async def test_forty_thousand_users_are_locked_and_named(db: Database) -> None:
    everybody = range(1, 40_001)
    async with db.transaction() as tx:
        await tx.execute(insert(users), [{"id": n, "login": f"u{n}", "created_at": 0} for n in everybody])
        await places.lock_users(tx, set(everybody))
        found = await places.logins(tx, set(everybody))
    assert len(found) == 40_000
    assert found[40_000] == "u40000"


async def opened(url: str) -> Desk:
    desk = Desk(Database(url), FakeClock())
    await desk.furnish()
    await desk.offer(1, "buy unfixed 20 at 600")
    return desk


@pytest.fixture
def disk() -> Iterator[list[int]]:
    """How many pages SQLite may have: a single 1 stands for a full disk, since no database gets smaller by it."""
    pages = [2**30]

    def limit(connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages[0]}")

    event.listen(Engine, "begin", limit)
    yield pages
    event.remove(Engine, "begin", limit)


async def test_a_full_disk_stops_a_command_and_leaves_nothing_of_it(sqlite_url: str, disk: list[int]) -> None:
    desk = await opened(sqlite_url)

    async def fill_up() -> None:
        """What is free within the file may still be used."""
        for number in range(1_000):
            async with desk.db.transaction() as tx:
                await tx.execute(insert(users), {"id": 10_000 + number, "login": "x" * 200, "created_at": 0})

    disk[0] = 1
    with pytest.raises(DatabaseBusy, match="full"):
        await fill_up()
    before = await desk.dump()
    with pytest.raises(DatabaseBusy, match="full"):
        while True:
            before = await desk.dump()
            await desk.offer(2, "buy fixed 5 at 100")
    assert await desk.dump() == before
    disk[0] = 2**30
    await desk.offer(2, "buy fixed 5 at 100")
    await desk.check()
    await desk.db.close()


async def test_a_locked_file_is_waited_for_and_then_asked_again(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "BUSY_TIMEOUT_MS", 50)
    desk = await opened(sqlite_url)
    before = await desk.dump()
    with closing(sqlite3.connect(str(desk.db.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy, match="locked"):
            await desk.offer(2, "buy fixed 20 at 400")
    assert await desk.dump() == before
    await desk.offer(2, "buy fixed 20 at 400")
    await desk.check()
    await desk.db.close()


@pytest.mark.parametrize("when", ["before", "between", "at the end"])
async def test_a_connection_dropped_in_a_command_leaves_nothing_of_it(postgres_url: str, when: str) -> None:
    """Before it writes, between two of its writes, and when nothing but the commit is left to do."""
    desk, other = await opened(postgres_url), Database(postgres_url)
    context, wish = desk.context(2), NewOffer(Action.BUY, Side.FIXED, 20, 400)
    before = await desk.dump()

    async def drop(process: int) -> None:
        async with other.transaction() as tx:
            await tx.execute(text("SELECT pg_terminate_backend(:process, 60000)"), {"process": process})

    with pytest.raises(DatabaseBusy):
        async with desk.db.transaction() as tx:
            process = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            if when == "before":
                await drop(process)
            await offers.offer(tx, context, wish, BY)
            if when != "before":
                await drop(process)
            if when == "between":
                await offers.offer(tx, context, wish, BY)
    assert await desk.dump() == before
    await desk.offer(2, "buy fixed 20 at 400")
    await desk.check()
    await desk.db.close()
    await other.close()
