"""Sending beside the sandbox, which counts by itself: GitHub's limits are kept, and obeyed where they are met."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from app.github.api.errors import RateLimited
from app.github.oracle.presence import know_place
from app.github.outbound.reward_label import Rewards
from app.github.outbound.sender import Sender
from app.github.rules.checks import Checks
from app.github.rules.rules_file import Configs
from app.replies.market_comment import board
from app.replies.unposted import elsewhere
from app.services.rules.config import SameEverywhere
from app.services.views.contract_views import IssueView
from app.storage.engine.db import Database
from app.storage.people.places import Place, open_user
from app.storage.queues import outbox, told
from app.storage.queues.budgets import GITHUB, Limits
from tests.github.ground import Ground, ground_of

PAGE = "https://bugmark.example"


@pytest.fixture
async def ground(sqlite_url: str) -> AsyncIterator[Ground]:
    db = Database(sqlite_url)
    async with ground_of(db) as found:
        yield found
    await db.close()


def sender_on(ground: Ground) -> Sender:
    checks = Checks(ground.github, Configs(ground.db, ground.github, ground.clock))
    rewards = Rewards(ground.db, ground.github, ground.clock, SameEverywhere())
    return Sender(ground.db, ground.github, ground.clock, checks, rewards, GITHUB, PAGE)


async def place(ground: Ground) -> Place:
    await ground.open_issue()
    found = ground.place_of("ann/pump", 1)
    async with ground.db.transaction() as tx:
        await open_user(tx, 3, "adam", ground.clock.now())
        return await know_place(tx, found, ground.clock.now())


async def put(ground: Ground, where: Place, *keys: str, kind: str = "reply") -> None:
    async with ground.db.transaction() as tx:
        for key in keys:
            await outbox.put(tx, key=key, kind=kind, place=where, body="x", now=ground.clock.now(), user_id=3)
            await told.share(tx, key, 0)  # so that a later one makes it needless


async def send_all(sender: Sender) -> int:
    """Everything that may leave at this instant."""
    count = 0
    while message := await sender.claim(60):
        await sender.send(message)
        count += 1
    return count


async def used(ground: Ground) -> Any:
    callers = await ground.control("GET", "/budgets")
    return next(one for one in callers if one["caller"] == f"installation:{ground.installation_id}")


async def test_a_flood_leaves_at_the_pace_that_github_wants(ground: Ground) -> None:
    """Two senders beside each other, and reads that nobody queues; GitHub never has to refuse."""
    where = await place(ground)
    await ground.control("PUT", "/limits", {"enforced": True})
    await put(ground, where, *(f"reply:{number}" for number in range(40)))
    workers, sent = [sender_on(ground), sender_on(ground)], 0
    for second in range(40):
        sent += await send_all(workers[second % 2])
        await ground.github.issue(ground.installation_id, where.repository.id, 1)
        ground.clock.advance(1)
    found = await used(ground)
    assert sent > 40  # the replies, and the older ones are folded
    assert (found["refused"], found["early"]) == (0, 0)
    assert found["most"]["writes_5s"] <= 10 and found["most"]["writes_60s"] <= 45
    assert found["most"]["at_once"] == 1


@pytest.mark.parametrize("seconds", [90, None])
async def test_a_limit_that_is_met_all_the_same_is_waited_out_without_a_single_request(
    ground: Ground, seconds: int | None
) -> None:
    where = await place(ground)
    await ground.control("PUT", "/limits", {"enforced": True, "creations_per_minute": 2, "retry_after": seconds})
    await put(ground, where, *(f"edit:{number}" for number in range(5)))
    sender = sender_on(ground)
    for _ in range(60):
        await send_all(sender)
        with suppress(RateLimited):
            await ground.github.issue(ground.installation_id, where.repository.id, 1)
        ground.clock.advance(5)
    found = await used(ground)
    assert found["refused"] > 0 and found["early"] == 0
    async with ground.db.reading() as tx:
        assert await outbox.waiting(tx) == 0


async def test_with_little_left_of_the_hour_answers_are_found_on_the_page(ground: Ground) -> None:
    where = await place(ground)
    sender = sender_on(ground)
    sender.limits = Limits(burst=100, creations_per_minute=80, creations_per_hour=5, points_per_minute=900)
    await put(ground, where, *(f"reply:{number}" for number in range(4)))
    await send_all(sender)
    await put(ground, where, "reply:7", "reply:8")
    assert await send_all(sender) == 0
    async with ground.db.reading() as tx:
        line = await elsewhere(tx, where.issue.id, ground.clock.now(), PAGE)
    assert line.endswith(f": [adam]({PAGE}/replies/8), [adam]({PAGE}/replies/7)")
    assert line in board(IssueView(ground.clock.now(), [], []), line)
    ground.clock.advance(3700)
    await put(ground, where, "reply:7")
    assert await send_all(sender) == 2  # and the reply before it is folded
