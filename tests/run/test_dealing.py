"""The worker and its deliveries: given up in the end, not held longer than the lease, one at a time by any clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from app.github.api.errors import Unavailable
from app.run import worker as working
from app.run.worker import BUG_ATTEMPTS, LEASE_SECONDS, MOST_ATTEMPTS, Worker
from app.services.orders.order import NoAnswer
from app.storage.engine.db import Database, DatabaseBusy
from app.storage.queues import inbox
from app.storage.queues.inbox import Arrival, Delivery
from tests.clocks import START_AT, FakeClock


class Dealing:
    """What deals with deliveries, as the test has it."""

    def __init__(self, work: Callable[[Delivery], Awaitable[None]]) -> None:
        self.deal_with = work


def worker(db: Database, clock: FakeClock, work: Callable[[Delivery], Awaitable[None]]) -> Worker:
    nobody = cast(Any, None)
    return Worker(db, clock, cast(Any, Dealing(work)), nobody, nobody)


async def put(db: Database, guid: str = "a", lane: str = "issue:1") -> None:
    async with db.transaction() as tx:
        await inbox.put(tx, [Arrival(guid, "issues", lane, b"{}", START_AT)])


async def step(found: Worker) -> bool:
    """Deal with one delivery if one is due."""
    delivery = await found._claim_delivery()
    if delivery is not None:
        await found._deal_with(delivery)
    return delivery is not None


async def dead(db: Database) -> list[str]:
    async with db.reading() as tx:
        return [one.error for one in await inbox.dead(tx)]


@pytest.mark.parametrize("error", [NoAnswer(), Unavailable(502, "down"), DatabaseBusy("full"), TimeoutError()])
async def test_what_fails_is_tried_less_and_less_often_and_then_given_up(
    db: Database, clock: FakeClock, error: Exception
) -> None:
    waits = []

    async def fail(_delivery: Delivery) -> None:
        raise error

    found = worker(db, clock, fail)
    await put(db)
    with capture_logs() as lines:
        for _ in range(MOST_ATTEMPTS):
            since = clock.now()
            while not await step(found):
                clock.advance(1 if clock.now() - since < 64 else 256)
            waits.append(clock.now() - since)
    assert waits[:7] == [0, 2, 4, 8, 16, 32, 64]
    assert waits[-1] >= 3_600
    assert len(await dead(db)) == 1
    assert [line["event"] for line in lines].count("delivery given up") == 1
    clock.advance(10**6)
    assert not await step(found)


async def test_a_bug_holds_its_lane_for_some_minutes_and_not_for_hours(db: Database, clock: FakeClock) -> None:
    """What GitHub or the database refuses may be given later; a bug will be the same then."""
    dealt = []

    async def fail_for_one(delivery: Delivery) -> None:
        dealt.append(delivery.guid)
        if delivery.guid == "a1":
            raise KeyError("x\0\ud800")

    found, since = worker(db, clock, fail_for_one), clock.now()
    for guid in ("a1", "a2"):
        await put(db, guid)
    while "a2" not in dealt:
        if not await step(found):
            clock.advance(1)
    assert dealt == ["a1"] * BUG_ATTEMPTS + ["a2"]
    assert clock.now() - since < 10 * 60
    assert len(await dead(db)) == 1


async def test_a_delivery_that_kills_its_worker_each_time_is_given_up(db: Database, clock: FakeClock) -> None:
    """It would keep its lane waiting for ever: nobody is left who could say that it failed."""

    async def never(_delivery: Delivery) -> None:
        pytest.fail("it is not dealt with any more")

    await put(db)
    for _ in range(MOST_ATTEMPTS):
        async with db.transaction() as tx:
            assert await inbox.claim(tx, clock.now(), LEASE_SECONDS) is not None
        clock.advance(LEASE_SECONDS)
    assert await step(worker(db, clock, never))
    assert await dead(db) == ["whoever dealt with it never came back"]


async def test_one_that_hangs_is_left_before_its_lease_ends(
    db: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_delivery: Delivery) -> None:
        await asyncio.Event().wait()

    assert working.DEALING_SECONDS < LEASE_SECONDS
    monkeypatch.setattr(working, "DEALING_SECONDS", 0.01)
    found = worker(db, clock, hang)
    await put(db)
    assert await step(found)
    clock.advance(2)
    async with db.transaction() as tx:
        again = await inbox.claim(tx, clock.now(), LEASE_SECONDS)
    assert again is not None
    assert again.attempts == 2


async def test_a_clock_that_jumps_over_a_lease_deals_with_nothing_twice_at_once(db: Database, clock: FakeClock) -> None:
    going, go_on, times = asyncio.Event(), asyncio.Event(), 0

    async def slowly(_delivery: Delivery) -> None:
        nonlocal times
        times += 1
        going.set()
        await go_on.wait()

    found = worker(db, clock, slowly)
    await put(db)
    first = asyncio.create_task(step(found))
    await going.wait()
    clock.advance(10 * LEASE_SECONDS)
    assert not await step(found)
    go_on.set()
    assert await first
    clock.advance(10 * LEASE_SECONDS)
    assert not await step(found)
    assert times == 1


async def test_one_that_fails_holds_its_lane_and_no_other(db: Database, clock: FakeClock) -> None:
    dealt = []

    async def fail_for_one(delivery: Delivery) -> None:
        dealt.append(delivery.guid)
        if delivery.guid == "a1":
            raise KeyError("x")

    found = worker(db, clock, fail_for_one)
    for guid, lane in (("a1", "issue:1"), ("a2", "issue:1"), ("b1", "issue:2")):
        await put(db, guid, lane)
    assert [await step(found) for _ in range(3)] == [True, True, False]
    assert dealt == ["a1", "b1"]
