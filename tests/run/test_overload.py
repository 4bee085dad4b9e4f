"""A backlog that grows beyond its bound, and what of it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from app.run import bootstrap
from app.run.bootstrap import StoredInbox
from app.storage.engine.db import Database, DatabaseBusy
from app.storage.people.places import Issue, Place, Repository
from app.storage.queues import gauges, inbox, outbox
from app.storage.queues.gauges import Queue
from app.web.door import Overloaded
from tests.clocks import START_AT

BODY = b'{"issue": {"id": 1}}'


async def deal(db: Database) -> None:
    async with db.transaction() as tx:
        delivery = await inbox.claim(tx, START_AT, 60)
        assert delivery is not None
        await inbox.finish(tx, delivery)


async def test_more_than_the_bound_are_shed_until_there_is_room(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "COUNT_SECONDS", 0)
    door = StoredInbox(db, most_waiting=2)
    assert await door.put("a", "issues", BODY, START_AT)
    assert await door.put("b", "issues", BODY, START_AT)
    with pytest.raises(Overloaded):
        await door.put("c", "issues", BODY, START_AT)
    await deal(db)
    assert await door.put("c", "issues", BODY, START_AT)


async def test_a_burst_is_counted_once_and_goes_a_little_beyond_the_bound(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting before each of them would cost more than storing them."""
    monkeypatch.setattr(bootstrap, "COUNT_SECONDS", 3600)
    door = StoredInbox(db, most_waiting=2)
    assert await door.put("first", "issues", BODY, START_AT)
    assert await asyncio.gather(*(door.put(f"g{n}", "issues", BODY, START_AT) for n in range(5))) == [True] * 5
    assert await door.put("late", "issues", BODY, START_AT)


@asynccontextmanager
async def locked(db: Database) -> AsyncIterator[None]:
    """Nobody can store a delivery; reading them goes on."""
    async with db.transaction() as tx:
        await tx.execute(text("LOCK TABLE deliveries IN EXCLUSIVE MODE"))
        yield


async def blocked(db: Database) -> None:
    """Until somebody waits for that lock; in other databases of the cluster other tests wait for theirs."""
    ours = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    while True:
        async with db.reading() as tx:
            if (await tx.execute(text(f"SELECT 1 FROM pg_locks WHERE NOT granted AND {ours}"))).first():
                return


async def stored(db: Database) -> set[str]:
    async with db.reading() as tx:
        return await inbox.known(tx, ["a", "b", "c", "d"])


async def test_a_transaction_that_hangs_is_given_up_and_the_next_goes_on(postgres_url: str) -> None:
    db = Database(postgres_url)
    door = StoredInbox(db, most_waiting=10, store_seconds=0.1)
    async with locked(db):
        for guid in ("a", "b"):
            with pytest.raises(TimeoutError):
                await door.put(guid, "issues", BODY, START_AT)
    assert await door.put("c", "issues", BODY, START_AT)
    assert await stored(db) == {"c"}
    await db.close()


async def test_what_the_door_has_given_up_waits_no_more(postgres_url: str) -> None:
    """The bytes of those that wait are bounded by the door, which has forgotten these."""
    db = Database(postgres_url)
    door = StoredInbox(db, most_waiting=10, store_seconds=60)
    async with locked(db):
        first = asyncio.create_task(door.put("a", "issues", BODY, START_AT))
        await blocked(db)
        for guid in ("b", "c"):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(door.put(guid, "issues", BODY, START_AT), 0.05)
        last = asyncio.create_task(door.put("d", "issues", BODY, START_AT))
    assert await first and await last
    assert await stored(db) == {"a", "d"}
    await db.close()


async def test_a_statement_that_nobody_answers_is_a_passing_fault(postgres_url: str) -> None:
    db = Database(postgres_url, pool_size=1, statement_seconds=0.5)
    with pytest.raises(DatabaseBusy):
        async with db.transaction() as tx:
            await tx.execute(text("SELECT pg_sleep(1000)"))
    await db.ping()
    await db.close()


async def test_what_waits_is_measured(db: Database) -> None:
    door = StoredInbox(db, most_waiting=10)
    for guid, at in (("a", 10), ("b", 20), ("c", 30)):
        await door.put(guid, "issues", BODY, START_AT + at)
    async with db.transaction() as tx:
        delivery = await inbox.claim(tx, START_AT + 30, 60)
        assert delivery is not None
        await inbox.postpone(tx, delivery, 0, "broken", dead=True)
        place = Place(Issue(101, 7, 5, "A bug", "open", None, None), Repository(7, 1, 3, "ann", "tool", False))
        for key in ("reply:1", "reply:2"):
            await outbox.put(tx, key=key, kind="reply", place=place, body="x", now=START_AT)
    async with db.reading() as tx:
        found = await gauges.backlog(tx, START_AT + 60, START_AT)
    assert found.deliveries == Queue(2, START_AT + 20)
    assert (found.dead_deliveries, found.dead_messages) == (1, 0)
    assert found.messages["reply"] == Queue(2, START_AT)
    assert found.messages["board"] == Queue(0, None)
    assert (found.seals, found.unsealed, found.looks_due) == (0, 0, 0)
