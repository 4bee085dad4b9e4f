"""Backups taken while others write, read back, restored; and what is numbered after that."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from app.base.clock import SystemClock
from app.market.terms.errors import Refusal
from app.run import backups
from app.run.backups import StillRunning
from app.services.audit.audit import audit
from app.services.upkeep.pulse import WEB, WORKER, Pulse
from app.storage.engine.backups import BackupFailed
from app.storage.engine.db import Database, migrate
from tests.clocks import FakeClock
from tests.databases import apart
from tests.databases import sqlite_url as url_of
from tests.services.desk import Desk

AHEAD = 1_000_000


async def trading(desk: Desk) -> None:
    await desk.furnish()
    await desk.offer(1, "buy unfixed 20 at 800")
    await desk.offer(2, "buy fixed 20 at 200")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Where backups lie."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


async def test_after_a_restore_an_old_offer_number_finds_nothing_and_new_ones_are_ahead(
    db: Database, database_url: str, empty_database_url: str, clock: FakeClock, shelf: Path
) -> None:
    """o3 was read by everybody in the time that is lost; whoever takes it must not buy what somebody else offers."""
    desk = Desk(db, clock)
    await trading(desk)
    await backups.backup(database_url, shelf / "first")
    assert (await desk.offer(3, "buy unfixed 10 at 700")).offer.number == 3
    checked = await backups.restore(empty_database_url, shelf / "first", 1)
    assert (checked.report.wrong, checked.report.offers) == (0, 2)
    there = Database(empty_database_url)
    try:
        after = Desk(there, clock, commands=100)
        new = (await after.offer(4, "buy unfixed 10 at 600")).offer
        assert new.number > AHEAD
        with pytest.raises(Refusal):
            await after.take(2, 3)
        await after.take(2, new.number)
        assert (await after.contract(1)).amendment == AHEAD + 2
        assert (await audit(there)).problems == []
    finally:
        await there.close()


async def test_a_backup_is_for_its_owner_alone_and_nothing_else_is_left(
    db: Database, database_url: str, clock: FakeClock, shelf: Path
) -> None:
    """While it is written, too: nobody else could open it at any time."""
    await trading(Desk(db, clock))
    seen: set[int] = set()

    async def watch() -> None:
        while True:
            seen.update(stat.S_IMODE(path.stat().st_mode) for path in shelf.iterdir())
            await asyncio.sleep(0.001)

    watching = asyncio.create_task(watch())
    checked = await backups.backup(database_url, shelf / "first")
    watching.cancel()
    assert seen == {0o600}
    assert names(shelf) == ["first"] and stat.S_IMODE((shelf / "first").stat().st_mode) == 0o600
    assert (checked.report.wrong, checked.report.contracts) == (0, 1)
    again = await backups.check(database_url, shelf / "first")
    assert again.lines("x") == checked.lines("x")


async def test_a_backup_taken_beside_writers_is_one_consistent_state(
    db: Database, database_url: str, clock: FakeClock, shelf: Path
) -> None:
    desk = Desk(db, clock, audited=False)
    await trading(desk)
    stop = asyncio.Event()

    async def trade() -> None:
        while not stop.is_set():
            number = (await desk.offer(3, "buy unfixed 10 at 700")).offer.number
            await desk.take(4, number)
            await asyncio.sleep(0)

    writer = asyncio.create_task(trade())
    checked = [await backups.backup(database_url, shelf / name) for name in ("first", "second")]
    stop.set()
    await writer
    assert [found.report.problems for found in checked] == [[], []]
    assert checked[0].report.entries < checked[1].report.entries


async def test_a_backup_is_never_written_over(database_url: str, shelf: Path) -> None:
    (shelf / "first").write_text("mine")
    with pytest.raises(BackupFailed, match="nothing is written over"):
        await backups.backup(database_url, shelf / "first")
    assert (shelf / "first").read_text() == "mine"
    with pytest.raises(BackupFailed, match="No such file"):
        await backups.backup(database_url, shelf / "none" / "first")


async def test_a_backup_is_restored_into_an_empty_database_only(
    db: Database, database_url: str, clock: FakeClock, shelf: Path
) -> None:
    await backups.backup(database_url, shelf / "first")
    with pytest.raises(BackupFailed, match=r"empty|written over"):
        await backups.restore(database_url, shelf / "first", 1)


async def test_a_backup_that_was_changed_is_not_put_into_place(sqlite_url: str, clock: FakeClock, shelf: Path) -> None:
    db = Database(sqlite_url)
    await trading(Desk(db, clock))
    await db.close()
    await backups.backup(sqlite_url, shelf / "first")
    with sqlite3.connect(shelf / "first") as connection:
        connection.execute("UPDATE offers SET price = 300 WHERE id = 2")
    connection.close()
    assert (await backups.check("", shelf / "first")).report.wrong
    with pytest.raises(BackupFailed, match=r"offer o2: price is 300"):
        await backups.restore(url_of(shelf / "new.db"), shelf / "first", 1)
    assert names(shelf) == ["first"]


async def test_the_log_of_another_database_is_not_read_into_the_restored_one(sqlite_url: str, shelf: Path) -> None:
    await backups.backup(sqlite_url, shelf / "first")
    (shelf / "new.db-wal").write_text("of the one before")
    with pytest.raises(BackupFailed, match="put it aside together"):
        await backups.restore(url_of(shelf / "new.db"), shelf / "first", 1)
    assert names(shelf) == ["first", "new.db-wal"]


async def test_what_is_no_backup_is_said_in_a_sentence(sqlite_url: str, shelf: Path) -> None:
    (shelf / "text").write_text("hello")
    with pytest.raises(BackupFailed, match="is not a backup"):
        await backups.check("", shelf / "text")
    with pytest.raises(BackupFailed, match="cannot be read"):
        await backups.check("", shelf / "none")
    (shelf / "dump").write_bytes(b"PGDMP")
    with pytest.raises(BackupFailed, match="is from PostgreSQL"):
        await backups.check(sqlite_url, shelf / "dump")


async def test_a_backup_of_a_newer_version_is_said_in_a_sentence(sqlite_url: str, shelf: Path) -> None:
    await backups.backup(sqlite_url, shelf / "first")
    with sqlite3.connect(shelf / "first") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(BackupFailed, match="newer version"):
        await backups.check("", shelf / "first")


async def test_numbers_are_not_moved_while_somebody_works_on_the_database(db: Database) -> None:
    pulses = [Pulse(db, SystemClock(), name, f"host:{name}") for name in (WEB, WORKER)]
    for pulse in pulses:
        await pulse.check()

    async def beat() -> None:
        while True:
            async with db.transaction() as tx:
                await tx.execute(text("UPDATE heartbeats SET at = at + 1 WHERE name = 'worker'"))
            await asyncio.sleep(0.01)

    beating = asyncio.create_task(beat())
    with pytest.raises(StillRunning, match=r"^worker host:worker$"):
        await backups.restored(db, 1, listen_seconds=0.5)
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    assert await backups.restored(db, 1, listen_seconds=0.1)


def test_sqlite_keeps_numbers_that_were_moved_when_a_table_is_made_anew(tmp_path: Path) -> None:
    url = url_of(tmp_path / "old.db")
    apart(lambda: migrate(url, "0006"))
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('commands', 1000007)")
    connection.close()
    apart(lambda: migrate(url))
    with sqlite3.connect(tmp_path / "old.db") as connection:
        found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'commands'").fetchall()
    connection.close()
    assert found == [(1_000_007,)]
