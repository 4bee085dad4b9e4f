"""The inbox: nothing twice, in order within a lane, lanes beside each other, leases that end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from app.storage.engine.db import Database, Tx
from app.storage.queues import inbox
from app.storage.queues.inbox import Arrival, Delivery

LEASE = 60


async def put(db: Database, guid: str, lane: str = "issue:1", now: int = 100, payload: bytes = b"{}") -> bool:
    async with db.transaction() as tx:
        return (await inbox.put(tx, [Arrival(guid, "issues", lane, payload, now)]))[0]


async def claim(db: Database, now: int = 100) -> Delivery | None:
    async with db.transaction() as tx:
        return await inbox.claim(tx, now, LEASE)


async def finish(db: Database, delivery: Delivery) -> None:
    async with db.transaction() as tx:
        await inbox.finish(tx, delivery)


async def postpone(db: Database, delivery: Delivery, due_at: int, dead: bool = False) -> None:
    async with db.transaction() as tx:
        await inbox.postpone(tx, delivery, due_at, "no answer", dead)


async def guids(db: Database, now: int = 100) -> list[str]:
    """All that can be claimed now."""
    found = []
    while delivery := await claim(db, now):
        found.append(delivery.guid)
    return found


async def test_a_delivery_comes_back_as_it_went_in(db: Database) -> None:
    payload = b'{"a":"\x00\xff"}'
    assert await put(db, "g1", payload=payload)
    delivery = await claim(db, 130)
    assert delivery is not None
    assert (delivery.guid, delivery.event, delivery.payload) == ("g1", "issues", payload)
    assert (delivery.received_at, delivery.attempts) == (100, 1)


async def test_the_same_guid_is_stored_once(db: Database) -> None:
    assert await put(db, "g1", payload=b"first")
    assert not await put(db, "g1", payload=b"second")
    delivery = await claim(db)
    assert delivery is not None
    assert delivery.payload == b"first"
    await finish(db, delivery)
    assert not await put(db, "g1")
    assert await claim(db, 10_000) is None


async def test_the_same_guid_at_the_same_time_is_stored_once(db: Database) -> None:
    assert sorted(await asyncio.gather(*(put(db, "g1") for _ in range(6)))) == [False] * 5 + [True]


async def test_of_what_arrives_together_each_guid_is_stored_once(db: Database) -> None:
    await put(db, "g2")
    batch = [Arrival(guid, "issues", guid, guid.encode(), 100) for guid in ("g1", "g2", "g3", "g1")]
    async with db.transaction() as tx:
        assert await inbox.put(tx, batch) == [True, False, True, False]
    assert await guids(db) == ["g2", "g1", "g3"]


async def test_a_lane_is_serial_and_lanes_are_parallel(db: Database) -> None:
    for guid, lane in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a"), ("b2", "b")):
        await put(db, guid, lane)
    first, second = await claim(db), await claim(db)
    assert first is not None
    assert second is not None
    assert [first.guid, second.guid] == ["a1", "b1"]
    assert await claim(db) is None
    await finish(db, first)
    assert await guids(db) == ["a2"]
    await finish(db, second)
    assert await guids(db) == ["b2"]


async def test_a_lease_that_ended_is_taken_over(db: Database) -> None:
    await put(db, "a1")
    await put(db, "a2")
    await claim(db, 100)
    assert await claim(db, 100 + LEASE - 1) is None
    again = await claim(db, 100 + LEASE)
    assert again is not None
    assert (again.guid, again.attempts) == ("a1", 2)
    assert await claim(db, 100 + LEASE) is None


async def test_what_is_postponed_holds_its_lane(db: Database) -> None:
    await put(db, "a1", "a")
    await put(db, "a2", "a")
    await put(db, "b1", "b")
    first = await claim(db)
    assert first is not None
    await postpone(db, first, 200)
    assert await guids(db, 199) == ["b1"]
    again = await claim(db, 200)
    assert again is not None
    assert (again.guid, again.attempts) == ("a1", 2)


async def test_what_is_dead_frees_its_lane(db: Database) -> None:
    await put(db, "a1")
    await put(db, "a2")
    first = await claim(db)
    assert first is not None
    await postpone(db, first, 200, dead=True)
    assert await guids(db, 10_000) == ["a2"]


async def test_what_is_not_due_yet_waits(db: Database) -> None:
    await put(db, "a1", now=500)
    assert await claim(db, 499) is None
    assert await guids(db, 500) == ["a1"]


async def test_the_backlog_counts_what_waits(db: Database) -> None:
    for guid in ("a1", "a2", "a3"):
        await put(db, guid, lane=guid)
    first, second = await claim(db), await claim(db)
    assert first is not None
    assert second is not None
    await finish(db, first)
    await postpone(db, second, 0, dead=True)
    async with db.reading() as tx:
        assert await inbox.backlog(tx, 10) == 1


async def test_two_claimers_never_get_the_same(db: Database) -> None:
    """Eight workers, four lanes: each delivery goes out once, in the order of its lane, one at a time in it."""
    lanes = {f"lane{number}": [f"{number}:{item}" for item in range(5)] for number in range(4)}
    for item in range(5):
        for lane, names in lanes.items():
            await put(db, names[item], lane)
    log: list[tuple[str, str]] = []

    async def work() -> None:
        while len(log) < 40:
            delivery = await claim(db)
            if delivery is None:
                await asyncio.sleep(0.005)
                continue
            log.append(("start", delivery.guid))
            await asyncio.sleep(0)
            log.append(("end", delivery.guid))
            await finish(db, delivery)

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(work())
    for names in lanes.values():
        steps = [(what, guid) for what, guid in log if guid in names]
        assert steps == [(what, guid) for guid in names for what in ("start", "end")]


async def test_the_backlog_is_counted_no_further_than_asked(db: Database) -> None:
    for guid in ("a1", "a2", "a3"):
        await put(db, guid)
    async with db.reading() as tx:
        assert await inbox.backlog(tx, 2) == 2


async def test_whoever_lost_the_lease_undoes_nothing(db: Database) -> None:
    """A worker that was stuck longer than its lease comes back while another deals with the delivery, or has."""
    await put(db, "a1")
    late = await claim(db, 100)
    second = await claim(db, 100 + LEASE)
    assert late is not None
    assert second is not None
    await postpone(db, late, 100_000)
    assert await claim(db, 100 + LEASE) is None
    third = await claim(db, 100 + 2 * LEASE)
    assert third is not None
    await finish(db, third)
    await postpone(db, second, 0, dead=True)
    async with db.reading() as tx:
        assert await inbox.dead(tx) == []
    assert await claim(db, 1_000_000) is None


async def dead_letter(db: Database, guid: str, lane: str = "issue:1") -> Delivery:
    await put(db, guid, lane)
    found = await claim(db)
    assert found is not None
    await postpone(db, found, 200, dead=True)
    return found


async def test_a_dead_letter_says_what_was_wrong_and_waits_for_an_operator(db: Database) -> None:
    first = await dead_letter(db, "a1")
    second = await dead_letter(db, "b1", "issue:2")
    async with db.reading() as tx:
        found = await inbox.dead(tx)
        assert await inbox.dead_payload(tx, first.id) == b"{}"
    assert [(one.id, one.guid, one.lane, one.error) for one in found] == [
        (first.id, "a1", "issue:1", "no answer"),
        (second.id, "b1", "issue:2", "no answer"),
    ]


async def test_a_revived_letter_begins_anew_and_a_dropped_one_stays_known(db: Database) -> None:
    first, second = await dead_letter(db, "a1"), await dead_letter(db, "b1", "issue:2")
    await put(db, "c1", "issue:3")
    waits = await claim(db)
    assert waits is not None
    async with db.transaction() as tx:
        assert await inbox.revive(tx, [first.id, waits.id, 10**9], 300) == 1
        assert await inbox.drop(tx, [second.id, waits.id]) == 1
    again = await claim(db, 300)
    assert again is not None
    assert (again.guid, again.attempts) == ("a1", 1)
    async with db.reading() as tx:
        assert await inbox.known(tx, ["a1", "b1", "c1", "d1"]) == {"a1", "b1", "c1"}
        assert await inbox.dead(tx) == []
    assert not await put(db, "b1")


async def test_a_revived_letter_waits_for_a_later_one_of_its_lane_that_is_under_way(db: Database) -> None:
    first = await dead_letter(db, "a1")
    await put(db, "a2")
    later = await claim(db)
    assert later is not None
    async with db.transaction() as tx:
        await inbox.revive(tx, [first.id], 100)
    await put(db, "b1", "issue:2")
    assert await guids(db) == ["b1"]
    await finish(db, later)
    assert await guids(db) == ["a1"]


async def test_a_revived_letter_does_not_wait_for_a_lease_that_has_ended(db: Database) -> None:
    first = await dead_letter(db, "a1")
    await put(db, "a2")
    assert await guids(db) == ["a2"]
    async with db.transaction() as tx:
        await inbox.revive(tx, [first.id], 100)
    assert await guids(db, 100 + LEASE) == ["a1"]


@pytest.mark.parametrize("act", [lambda tx, ids: inbox.revive(tx, ids, 300), inbox.drop])
async def test_an_outage_may_leave_more_letters_than_a_statement_takes_ids(
    db: Database, act: Callable[[Tx, Sequence[int]], Awaitable[int]]
) -> None:
    first = await dead_letter(db, "a1")
    async with db.transaction() as tx:
        assert await act(tx, range(first.id, first.id + 40_000)) == 1


async def test_what_was_dealt_with_is_forgotten_after_its_time_a_few_at_once(db: Database) -> None:
    for guid, at in (("a1", 100), ("b1", 101), ("c1", 102), ("d1", 500)):
        await put(db, guid, guid, now=at)
        delivery = await claim(db, 1_000)
        assert delivery is not None
        if guid != "b1":
            await finish(db, delivery)
    async with db.transaction() as tx:
        assert await inbox.prune(tx, before_at=500, most=1) == 1
        assert await inbox.known(tx, ["a1", "b1", "c1", "d1"]) == {"b1", "c1", "d1"}
        assert await inbox.prune(tx, before_at=500, most=10) == 1
        assert await inbox.known(tx, ["a1", "b1", "c1", "d1"]) == {"b1", "d1"}
