"""Events that come late, in any order, again, or too late: what is known is the newest there is."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, select

from app.github.reading.payloads import lane_of
from app.services.audit.pruning import BATCH, EVERY_SECONDS, Pruning
from app.storage.engine.db import Database
from app.storage.engine.tables import commands, deliveries
from app.storage.engine.tables import outbox as messages
from app.storage.people import places
from app.storage.queues import inbox
from app.storage.queues.inbox import KEPT_SECONDS, Arrival, Delivery
from tests.clocks import START_AT, FakeClock
from tests.github.ground import DAY, Ground, ground_of


@pytest.fixture
async def ground(db: Database) -> AsyncIterator[Ground]:
    async with ground_of(db) as found:
        yield found


def moved_by(payload: Any, number: int) -> bytes:
    """The same event about another repository and issue."""
    tree = json.loads(json.dumps(payload))
    for what in ("repository", "issue"):
        if what in tree:
            tree[what]["id"] += number
    return json.dumps(tree).encode()


async def hand(ground: Ground, delivery: Any, number: int = 0) -> None:
    payload = moved_by(delivery.payload, number)
    await ground.events.deal_with(Delivery(1, "guid", delivery.event, payload, ground.clock.now(), attempts=1))


async def test_in_any_order_the_newest_name_privacy_and_state_stay(ground: Ground) -> None:
    issue = await ground.open_issue()
    opened = ground.sent()[-1]
    ground.handed |= {one.id for one in ground.sent()}
    where, pump = "/repos/ann/pump/issues/1", "/repositories/ann/pump"
    for step in (
        ground.sandbox.as_person("ann", "PATCH", where, {"state": "closed"}),
        ground.sandbox.as_person("ann", "PATCH", where, {"state": "open"}),
        ground.control("PATCH", pump, {"private": True}),
        ground.control("PATCH", pump, {"name": "valve"}),
    ):
        ground.clock.advance(60)
        await step
    news = ground.sent()
    assert [one.action for one in news] == ["closed", "reopened", "privatized", "renamed"]
    for number, order in enumerate(itertools.permutations(news), start=1):
        await hand(ground, opened, number)
        contract = await ground.contract({"id": issue["id"] + number})
        for delivery in order:
            await hand(ground, delivery, number)
        async with ground.db.reading() as tx:
            found = await places.place(tx, issue["id"] + number)
        assert found
        known = found.repository.name, found.repository.private, found.issue.state, found.issue.closed_at
        assert known == ("valve", True, "open", None), [one.action for one in order]
        row = await ground.row(contract)
        assert row.open or row.next_look_at == ground.clock.now(), [one.action for one in order]


async def test_a_close_heard_after_the_reopening_stops_no_trade_and_has_github_asked(ground: Ground) -> None:
    issue = await ground.open_issue()
    await ground.hear()
    contract = await ground.contract(issue)
    for state in ("closed", "open"):
        ground.clock.advance(60)
        await ground.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", {"state": state})
    await ground.hear(backwards=True)
    row = await ground.row(contract)
    assert (row.open, row.next_look_at) == (True, ground.clock.now())


async def test_events_of_no_lane_take_their_turn_too(db: Database) -> None:
    bodies = [b'{"a": 1}', b'{"issue": {"id": "x"}}', b'{"repository": null}', b"[]", b"\xff"]
    lanes = [lane_of(body) for body in bodies]
    assert lanes == ["global"] * 3 + ["unreadable"] * 2
    async with db.transaction() as tx:
        arrivals = zip(bodies, lanes, strict=True)
        await inbox.put(tx, [Arrival(f"g{n}", "ping", lane, body, 1) for n, (body, lane) in enumerate(arrivals)])
        found = [await inbox.claim(tx, 1, 60) for _ in range(3)]
    assert [one.guid if one else None for one in found] == ["g0", "g3", None]


async def comment_taken_in(ground: Ground) -> Arrival:
    """A comment with a command, as it is stored at the door."""
    await ground.open_issue()
    await ground.hear()
    await ground.sandbox.as_person(
        "bob", "POST", "/repos/ann/pump/issues/1/comments", {"body": "/bugmark offer fixed 50 by in 2 weeks"}
    )
    (delivery,) = ground.sent()
    return Arrival("the guid", delivery.event, "issue:1", json.dumps(delivery.payload).encode(), ground.clock.now())


async def take_in(ground: Ground, arrival: Arrival) -> bool:
    """Stored and dealt with, as the door and the worker do; whether it was new."""
    now = ground.clock.now()
    async with ground.db.transaction() as tx:
        (new,) = await inbox.put(tx, [Arrival(arrival.guid, arrival.event, arrival.lane, arrival.payload, now)])
        delivery = await inbox.claim(tx, now, 60)
    if delivery is not None:
        await ground.events.deal_with(delivery)
        async with ground.db.transaction() as tx:
            await inbox.finish(tx, delivery)
    return new


async def said(ground: Ground) -> list[Any]:
    """What was done, and what is said about it, with how often it was said."""
    async with ground.db.reading() as tx:
        done = await tx.execute(select(commands.c.id, commands.c.text, commands.c.answer).order_by(commands.c.id))
        told = await tx.execute(select(messages.c.key, messages.c.version).order_by(messages.c.key))
        return [tuple(row) for row in [*done, *told]]


async def test_a_guid_that_was_forgotten_and_comes_again_does_nothing_twice(ground: Ground) -> None:
    """GitHub cannot send it any more; whoever has kept a copy can."""
    arrival = await comment_taken_in(ground)
    assert await take_in(ground, arrival)
    before = await said(ground)
    pruning = Pruning(ground.db, ground.clock)
    await pruning.run()
    ground.clock.advance(KEPT_SECONDS)
    assert not await take_in(ground, arrival)
    ground.clock.advance(EVERY_SECONDS)
    await pruning.run()
    assert await take_in(ground, arrival)
    assert await said(ground) == before


async def test_a_comment_that_waited_here_for_long_still_runs(ground: Ground) -> None:
    """What counts is when it came, not when we get to it: the worker may have been down, or the letter dead."""
    arrival = await comment_taken_in(ground)
    async with ground.db.transaction() as tx:
        await inbox.put(tx, [arrival])
    ground.clock.advance(10 * DAY)
    async with ground.db.transaction() as tx:
        delivery = await inbox.claim(tx, ground.clock.now(), 60)
    assert delivery
    await ground.events.deal_with(delivery)
    assert len(await said(ground)) > 1


async def test_forgetting_goes_in_small_steps_and_rests_for_an_hour(sqlite_url: str, clock: FakeClock) -> None:
    db = Database(sqlite_url)
    rows = [Arrival(f"g{number}", "ping", "global", b"{}", START_AT) for number in range(BATCH + 10)]
    async with db.transaction() as tx:
        await inbox.put(tx, rows)
        await tx.execute(deliveries.update().values(state=inbox.DONE))
    clock.advance(KEPT_SECONDS + 1)
    pruning = Pruning(db, clock)
    left = []
    for _ in range(3):
        again = await pruning.run()
        async with db.reading() as tx:
            left.append((again, (await tx.execute(select(func.count()).select_from(deliveries))).scalar_one()))
    assert left == [(True, 10), (False, 0), (False, 0)]
    await db.close()
