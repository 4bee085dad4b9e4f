"""An idle worker asks next to nothing; what waits wakes it; what only one has to do one does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from sqlalchemy import event

from app.run.watch import POLL_SECONDS, Watch
from app.run.worker import Worker
from app.services.upkeep.pulse import ALIVE_SECONDS, OFF_SECONDS, WORKER, Pulse
from app.storage.engine import bell
from app.storage.engine.db import Database
from app.storage.queues import inbox, signs
from app.storage.queues.heartbeats import database_now
from app.storage.queues.inbox import Arrival, Delivery
from app.storage.queues.signs import Signs
from tests.clocks import START_AT, FakeClock

NOTHING = Signs(deliveries=False, messages=False, due=False, newest_entry=0)


class Dealt:
    """What deals with deliveries: it notes them."""

    def __init__(self) -> None:
        self.guids: list[str] = []
        self.came = asyncio.Event()

    async def deal_with(self, delivery: Delivery) -> None:
        self.guids.append(delivery.guid)
        self.came.set()


async def put(db: Database, guid: str) -> None:
    async with db.transaction() as tx:
        await inbox.put(tx, [Arrival(guid, "issues", f"issue:{guid}", b"{}", START_AT)])


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[Worker]:
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stopping.set()
        await task


class Idle:
    """A sender that has nothing to send."""

    async def claim(self, _lease_seconds: int) -> None:
        return None


def worker(db: Database, clock: FakeClock, dealt: Dealt, **more: Any) -> Worker:
    return Worker(db, clock, cast(Any, dealt), cast(Any, Idle()), cast(Any, None), **more)


async def test_an_idle_worker_sends_few_statements(db: Database, clock: FakeClock) -> None:
    counted: list[str] = []
    async with running(worker(db, clock, Dealt())):
        await asyncio.sleep(2 * POLL_SECONDS)  # its first round
        event.listen(db.engine.sync_engine, "before_cursor_execute", lambda *args: counted.append(args[2]))
        await asyncio.sleep(3 * POLL_SECONDS)
    assert len(counted) <= 5 * 3, counted


async def test_what_another_process_stores_is_dealt_with(db: Database, clock: FakeClock, database_url: str) -> None:
    dealt = Dealt()
    other = Database(database_url)
    async with running(worker(db, clock, dealt)):
        await asyncio.sleep(2 * POLL_SECONDS)
        await put(other, "a")
        await dealt.came.wait()
    assert dealt.guids == ["a"]
    await other.close()


async def test_a_notification_rings(database_url: str) -> None:
    one, other, rung = Database(database_url, pool_size=1), Database(database_url), asyncio.Event()
    listening = asyncio.create_task(bell.listen(one, rung))
    if one.engine.dialect.name == "sqlite":
        await listening  # its file shows what was committed
        before = other.stamp()
        await put(other, "a")
        assert other.stamp() != before
    else:
        await rung.wait()  # it listens
        rung.clear()
        await put(other, "a")
        await rung.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    for each in (one, other):
        await each.close()


async def test_signs_of_what_waits(db: Database, clock: FakeClock) -> None:
    async def read() -> Signs:
        async with db.glance() as tx:
            return await signs.read(tx, clock.now())

    assert await read() == NOTHING
    await put(db, "a")
    assert (await read()).deliveries
    async with db.transaction() as tx:
        assert await inbox.claim(tx, clock.now(), 60)
    assert not (await read()).deliveries
    clock.advance(61)
    assert (await read()).deliveries


async def test_a_clock_that_is_moved_is_noticed_before_the_poll(db: Database, clock: FakeClock) -> None:
    watch = Watch(db, clock)
    await db.ping()  # its first connection makes SQLite's log
    assert await watch.signs() == NOTHING
    watch._stamp, watch._read_at = db.stamp(), float("inf")  # nothing is committed, and no poll is due
    assert await watch.signs() is None
    clock.advance(3600)
    assert await watch.signs() == NOTHING


async def test_the_first_worker_leads_and_the_next_takes_over(db: Database, clock: FakeClock) -> None:
    one, other = (Pulse(db, clock, WORKER, name) for name in ("a:1", "b:2"))
    await one.run()
    clock.advance(1)
    await other.run()
    assert (one.leads(), other.leads()) == (True, False)
    await one.end()
    other._stored = None
    await other.run()
    assert other.leads()


async def test_a_worker_that_gives_no_sign_leads_no_more(db: Database, clock: FakeClock) -> None:
    one, other = (Pulse(db, clock, WORKER, name) for name in ("a:1", "b:2"))
    await one.run()
    clock.advance(ALIVE_SECONDS + 1)
    await other.run()
    assert other.leads()
    assert one._stored is not None
    one._stored -= ALIVE_SECONDS
    assert not one.leads()


@pytest.mark.parametrize("off", [OFF_SECONDS + 60, -OFF_SECONDS - 60])
async def test_a_clock_that_is_not_the_databases_stops_the_process(db: Database, off: int) -> None:
    async with db.glance() as tx:
        theirs = await database_now(tx)
    pulse = Pulse(db, FakeClock((theirs or START_AT) + off), WORKER, "a:1", compared=True)
    await pulse.run()
    assert pulse.agrees == (theirs is None)
    assert await pulse.compare() == (theirs is None)
