"""Under which conditions stories are played: the hour at which they begin, how slow everything is, how long to wait."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.storage.engine.db import Database, Tx

PATIENCE_SECONDS = 600
"""The last resort against hanging, and no measure of anything: a machine may be as slow as it likes."""

MONDAY = datetime(2027, 1, 11, tzinfo=UTC)
"""The day on which every story begins."""

_minute = 10 * 60


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("stories")
    group.addoption("--hour", default="10:00", metavar="HH[:MM]", help="the time of day (UTC) at which stories begin")
    group.addoption("--delay", type=float, default=0, metavar="SECONDS", help="make transactions wait up to so long")


def configure(config: pytest.Config) -> None:
    global _minute
    _minute = minute_of(config.getoption("--hour"))
    if delay := config.getoption("--delay"):
        _delay_transactions(delay)


def minute_of(hour: str) -> int:
    """Minutes since midnight."""
    found = re.fullmatch(r"([01]?\d|2[0-3])(?::([0-5]\d))?", hour)
    if found is None:
        raise pytest.UsageError(f"--hour is a time of day such as 23 or 23:30, not {hour!r}")
    return 60 * int(found[1]) + int(found[2] or 0)


def begin(clock: Path) -> None:
    """Make the file of a clock, which holds how far it is ahead of the real one: it is the stories' first instant."""
    clock.write_text(str(int(MONDAY.timestamp()) + 60 * _minute - int(time.time())))


def offset(clock: Path) -> int:
    return int(clock.read_text()) if clock.exists() else 0


def set_offset(clock: Path, seconds: int) -> None:
    """By renaming, so that nobody reads half a number."""
    new = clock.with_suffix(".new")
    new.write_text(str(seconds))
    new.rename(clock)


def _delay_transactions(seconds: float) -> None:
    """A slow machine stops anywhere: before a transaction begins, and between its end and what follows."""
    chance, at_once = random.Random(1), Database.transaction

    @asynccontextmanager
    async def late(self: Database) -> AsyncIterator[Tx]:
        await asyncio.sleep(chance.random() * seconds)
        async with at_once(self) as tx:
            yield tx
        await asyncio.sleep(chance.random() * seconds)

    setattr(Database, "transaction", late)  # noqa: B010 -- what is typed as a method is not assigned
