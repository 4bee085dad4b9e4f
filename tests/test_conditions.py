"""Conditions under which tests run: the hour at which stories begin, and databases that are quick."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from app.base.clock import FileOffsetClock
from app.storage.engine.db import Database
from tests import conditions
from tests.engines import CompiledOnce


@pytest.mark.parametrize(("hour", "minute"), [("0", 0), ("00:30", 30), ("9", 540), ("12:00", 720), ("23:59", 1439)])
def test_an_hour_is_a_time_of_day(hour: str, minute: int) -> None:
    assert conditions.minute_of(hour) == minute


@pytest.mark.parametrize("hour", ["", "24", "12:60", "-1", "noon", "12:5", "1 pm"])
def test_what_is_no_time_of_day_is_refused(hour: str) -> None:
    with pytest.raises(pytest.UsageError, match="--hour is a time of day"):
        conditions.minute_of(hour)


@pytest.mark.parametrize(("minute", "told"), [(30, "2027-01-11 00:30"), (1410, "2027-01-11 23:30")])
def test_stories_begin_at_one_instant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minute: int, told: str) -> None:
    monkeypatch.setattr(conditions, "_minute", minute)
    started = FileOffsetClock(tmp_path / "clock", Standing(1_700_000_000))
    monkeypatch.setattr("tests.conditions.time.time", lambda: 1_700_000_000.9)
    conditions.begin(tmp_path / "clock")
    assert datetime.fromtimestamp(started.now(), UTC).strftime("%Y-%m-%d %H:%M") == told


class Standing:
    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        return self.at


async def test_databases_of_one_kind_compile_a_statement_once(sqlite_url: str) -> None:
    caches = []
    for _ in range(2):
        db = Database(sqlite_url)
        async with db.reading() as tx:
            await tx.execute(text("SELECT 1"))
            caches.append(tx.sync_connection.get_execution_options()["compiled_cache"] if tx.sync_connection else None)
        await db.close()
    first, second = caches
    assert first is second
    assert isinstance(first, CompiledOnce) and len(first) > 0


async def test_a_database_of_tests_waits_for_no_disk(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    async with db.transaction() as tx:
        assert (await tx.execute(text("PRAGMA synchronous"))).scalar_one() == 0
    await db.close()
