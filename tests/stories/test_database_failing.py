"""The database fails under the running app: GitHub hears 503, nothing is lost or doubled, and it goes on by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, select

from app.storage.engine import db as storage
from app.storage.engine.tables import commands
from scripts.with_postgres import SERVER_OPTIONS, as_server_user, call, cluster, programs
from tests.conftest import migrate
from tests.databases import PostgresDatabases
from tests.stories.conftest import wait_for
from tests.stories.stage import Story, running_stage

SWEPT_SECONDS = 130
"""What was answered 503 is asked for again by then."""


async def refused(story: Story) -> None:
    """Until GitHub has seen a delivery fail."""

    async def look() -> str | None:
        attempts = await story.stage.sandbox.control("GET", "/deliveries")
        return "it failed" if any(attempt["status_code"] == 503 for attempt in attempts) else None

    await wait_for(look, lambda: "no delivery failed")


async def answered_once(story: Story, comments: list[int]) -> None:
    """Time goes by until every comment has its reply; the money is that of one offer each."""

    keys: dict[int, str] = {}

    async def look() -> str | None:
        story.move(SWEPT_SECONDS)
        await asyncio.sleep(0.5)
        async with story.db.reading() as tx:
            told = select(commands.c.comment_id, commands.c.told_in).where(commands.c.comment_id.in_(comments))
            keys.update({row.comment_id: row.told_in for row in await tx.execute(told) if row.told_in})
        return "all" if len(keys) == len(comments) and all(map(story.bodies, keys.values())) else None

    await wait_for(look, lambda: f"not all of {comments} were answered")
    assert all(len(story.bodies(f"{key} -->")) == 1 for key in keys.values())
    assert await story.money("adam") == (f"{1000 - 20 * len(comments):,}.00", f"{20 * len(comments)}.00")
    await story.check()


def offer(story: Story) -> str:
    return f"/bugmark offer fixed 50 at 0.40 by {story.day(30)}"


@pytest.fixture
def disk() -> Iterator[list[int]]:
    """How many pages SQLite may have: a single 1 stands for a full disk, since no database gets smaller by it."""
    pages = [2**30]

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages[0]}")

    event.listen(Engine, "begin", limit)
    yield pages
    event.remove(Engine, "begin", limit)


async def test_a_full_disk(sqlite_url: str, tmp_path: Path, disk: list[int]) -> None:
    async with running_stage(sqlite_url, tmp_path) as stage:
        story = await stage.story()
        comments = [await story.comment("adam", offer(story))]
        await story.reply_to(comments[0])
        disk[0] = 1
        comments += [await story.comment("adam", offer(story) + "\n\n" + "It is late. " * 1_000) for _ in range(3)]
        await refused(story)
        disk[0] = 2**30
        await answered_once(story, comments)


async def test_a_locked_file(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "BUSY_TIMEOUT_MS", 100)
    async with running_stage(sqlite_url, tmp_path) as stage:
        story = await stage.story()
        path = str(stage.db.engine.url.database)
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            # Where it waits, the app, which may have the lock, has to go on meanwhile.
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            comments = [await story.comment("adam", offer(story)) for _ in range(2)]
            await refused(story)
        await answered_once(story, comments)


async def test_postgres_restarted_in_the_middle(tmp_path: Path) -> None:
    """A server of its own, durable as in earnest: it crashes while comments come in and are being dealt with."""
    binaries, prefix = await asyncio.to_thread(programs), as_server_user()
    with cluster(binaries, SERVER_OPTIONS) as server:
        home = Path(server.partition("host=")[2])
        again = ["pg_ctl", "restart", "--mode=immediate", "--pgdata", str(home / "data"), "--log", str(home / "log")]
        databases = PostgresDatabases(server, migrate)
        with databases.migrated(tmp_path) as url:
            async with running_stage(url, tmp_path) as stage:
                story = await stage.story()
                comments = []
                for _ in range(2):
                    comments += [await story.comment("adam", offer(story)) for _ in range(2)]
                    await asyncio.to_thread(call, prefix, binaries, again, home / "log")
                await answered_once(story, comments)
        databases.drop_template()
