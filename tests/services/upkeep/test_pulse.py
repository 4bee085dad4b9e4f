"""Heartbeats, and how a process learns that nothing can be stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text

from app.services.upkeep.pulse import WEB, WORKER, Pulse
from app.storage.engine import tables
from app.storage.engine.db import Database, DatabaseBusy
from app.storage.queues import heartbeats
from app.storage.queues.heartbeats import KEPT_SECONDS
from tests.clocks import START_AT, FakeClock


async def rows(db: Database) -> list[tuple[object, ...]]:
    async with db.reading() as tx:
        found = await tx.execute(select(tables.heartbeats).order_by(tables.heartbeats.c.process))
        return [tuple(row) for row in found]


async def last(db: Database) -> int | None:
    async with db.reading() as tx:
        return await heartbeats.last(tx, WORKER)


async def test_a_process_beats_and_takes_its_beat_away_when_it_ends(db: Database, clock: FakeClock) -> None:
    one, other = (Pulse(db, clock, WORKER, name) for name in ("a:1", "b:2"))
    assert await last(db) is None
    await one.check()
    clock.advance(7)
    await other.check()
    assert await rows(db) == [(WORKER, "a:1", START_AT, START_AT), (WORKER, "b:2", START_AT + 7, START_AT + 7)]
    assert await last(db) == START_AT + 7
    await other.end()
    assert await last(db) == START_AT


async def test_whoever_asks_again_at_once_causes_no_write(db: Database, clock: FakeClock) -> None:
    pulse = Pulse(db, clock, WEB, "a:1")
    await pulse.check()
    clock.advance(1)
    for _ in range(5):
        await pulse.check()
        assert not await pulse.run()
    assert await rows(db) == [(WEB, "a:1", START_AT, START_AT)]


async def test_those_that_were_killed_are_forgotten_after_a_day(db: Database, clock: FakeClock) -> None:
    await Pulse(db, clock, WORKER, "killed:1").check()
    clock.advance(KEPT_SECONDS + 1)
    await Pulse(db, clock, WORKER, "b:2").check()
    assert [row[1] for row in await rows(db)] == ["b:2"]


async def test_a_table_that_takes_nothing_is_noticed(db: Database, clock: FakeClock) -> None:
    async with db.transaction() as tx:
        await tx.execute(text("DROP TABLE heartbeats"))
        await tx.execute(text("CREATE VIEW heartbeats AS SELECT 1 AS at"))
    try:
        with pytest.raises(Exception, match="heartbeats"):
            await Pulse(db, clock, WEB, "a:1").check()
    finally:
        async with db.transaction() as tx:
            await tx.execute(text("DROP VIEW heartbeats"))
            await tx.run_sync(tables.heartbeats.create)


async def test_a_file_that_is_gone_or_another_one_is_noticed(sqlite_url: str, tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "bugmark.db"
    db = Database(sqlite_url)
    try:
        db.check_file()
        path.rename(tmp_path / "moved.db")
        with pytest.raises(DatabaseBusy, match="cannot be reached"):
            await Pulse(db, clock, WEB, "a:1").check()
        path.write_bytes((tmp_path / "moved.db").read_bytes())
        with pytest.raises(DatabaseBusy, match="another file"):
            await Pulse(db, clock, WEB, "a:1").check()
    finally:
        await db.close()
