"""Many writers at once: the books stay right, and what they did is what one alone would have done in that order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.market.life.facts import IssueFacts
from app.market.terms.contract import Status
from app.storage.engine import tables
from app.storage.engine.db import Database, DatabaseBusy
from tests.databases import SqliteDatabases
from tests.services import crowd
from tests.services.crowd import Command, Done, opened
from tests.services.desk import Desk

WRITERS, PROCESSES = 8, 4
ROOT = Path(__file__).resolve().parents[3]
SAME = (tables.offers, tables.fills, tables.amendments)
"""Tables of which every row is the same; of others rows that hold nothing may be there or not."""


@asynccontextmanager
async def closing(url: str) -> AsyncIterator[Database]:
    db = Database(url)
    try:
        yield db
    finally:
        await db.close()


async def test_at_once_is_one_after_the_other(
    db: Database, sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    desk = await opened(db)
    commands = list(crowd.random_commands("task", 1, 120))
    done = [item async for item in crowd.trade(desk, commands, WRITERS)]
    assert (await desk.check()).offers > 50
    with sqlite_databases.migrated(tmp_path_factory.mktemp("alone")) as url:
        await check_alone(desk, url, done, commands)


async def test_eight_writers_in_four_processes_are_one_after_the_other(
    postgres_url: str, sqlite_databases: SqliteDatabases, tmp_path: Path
) -> None:
    async with closing(postgres_url) as db:
        desk = await opened(db)
        told = await asyncio.gather(*(asyncio.to_thread(process, postgres_url, seed) for seed in range(PROCESSES)))
        await desk.check()
        done = [item for each in told for item in each]
        commands = [command for seed in range(PROCESSES) for command in crowd.of_process(seed)]
        assert len(done) > 100
        with sqlite_databases.migrated(tmp_path) as url:
            await check_alone(desk, url, done, commands)


def process(url: str, seed: int) -> list[Done]:
    """One process of two writers; what they did."""
    command = sys.executable, "-m", "tests.services.crowd", url, str(seed)
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    return [Done(line["cause"], tuple(line["target"]), line["entry"], tuple(line["numbers"])) for line in lines]


async def check_alone(desk: Desk, url: str, done: Iterable[Done], commands: Iterable[Command]) -> None:
    """All is done again by one writer on an empty market, in the order of entries: everything is the same."""
    by_cause = {command.cause: command for command in commands}
    async with closing(url) as db:
        alone = await opened(db)
        for item in sorted(done, key=lambda item: item.entry):
            async with db.transaction() as tx:
                await crowd.again(tx, alone, by_cause[item.cause], item)
        await alone.check()
        await compare(desk, alone)


async def compare(desk: Desk, alone: Desk) -> None:
    made, again = await entries(desk), await entries(alone)
    assert made.keys() == again.keys()
    assert {key: (made[key], again[key]) for key in made if made[key] != again[key]} == {}
    for table in SAME:
        assert await desk.dump((table,)) == await alone.dump((table,))
    for name, keys in (("positions", 3), ("balances", 3), ("pools", 2)):
        assert await holding(desk, name, keys) == await holding(alone, name, keys)


async def entries(desk: Desk) -> dict[str, tuple[Any, ...]]:
    """Every entry by its key, with its detail and its postings; in which order they were made, ids tell otherwise."""
    found = await desk.dump((tables.entries, tables.postings))
    lines: dict[int, list[tuple[Any, ...]]] = {}
    for entry_id, line, *posting in found["postings"]:
        lines.setdefault(entry_id, []).append((line, *posting))
    return {key: (cause, at, detail, lines.get(number)) for number, key, cause, at, detail in found["entries"]}


async def holding(desk: Desk, name: str, keys: int) -> list[tuple[Any, ...]]:
    rows = await desk.dump((tables.metadata.tables[name],))
    return [row for row in rows[name] if any(row[keys:])]


async def patiently(work: Callable[[], Awaitable[object]]) -> None:
    """As the worker does: a database that is busy is asked again."""
    for _ in range(crowd.MOST_TRIES):
        with contextlib.suppress(DatabaseBusy):
            await work()
            return
    pytest.fail("the database stays busy")


async def test_trading_beside_news_looks_and_sweeps(db: Database) -> None:
    """Nobody waits for each other in a circle for ever, and the books are right at the end."""
    desk = await opened(db)

    async def news() -> None:
        for _ in range(5):
            facts = IssueFacts(closed=True, completed=True, closed_at=desk.clock.now())
            for issue in (101, 102):
                await patiently(partial(desk.note, facts, issue))
            for number in (3, 1, 2):
                await patiently(partial(desk.look, number))
                await patiently(partial(desk.sweep, number))

    async def trading() -> None:
        commands = crowd.random_commands("task", 3, 120)
        assert [item async for item in crowd.trade(desk, commands, WRITERS)]

    desk.oracle.facts = IssueFacts(closed=False, completed=False)
    await asyncio.gather(trading(), news(), news())
    await desk.check()
    assert [(await desk.contract(number)).status for number in (1, 2, 3)] == [Status.OPEN] * 3
