"""The outbox when GitHub fails, when the clock jumps and when the App is installed anew."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from aiohttp import web

from app.github.checks import Checks
from app.github.client import GitHub
from app.github.configs import Configs
from app.github.rewards import Rewards
from app.github.sender import LONGEST_WAIT_SECONDS, MOST_ATTEMPTS_GONE, Sender
from app.services.config import SameEverywhere
from app.storage import outbox
from app.storage.db import Database
from app.storage.outbox import Message
from app.storage.places import Issue, Place, Repository
from app.worker import LEASE_SECONDS, Worker
from tests.clocks import FakeClock
from tests.github.play import Play, reply

COMMENTS = "POST /repos/ann/tool/issues/5/comments"
LISTED = "GET /repos/ann/tool/issues/5/comments?per_page=100&since=2025-12-31T23:55:00Z"


def place(installation: int = 1) -> Place:
    repository = Repository(7, installation, 3, "ann", "tool", False)
    return Place(Issue(101, 7, 5, "A bug", "open", None, None), repository)


async def put(db: Database, clock: FakeClock, key: str, kind: str = "reply", installation: int = 1) -> None:
    async with db.transaction() as tx:
        await outbox.put(tx, key=key, kind=kind, place=place(installation), body="hello", now=clock.now())


async def claim(db: Database, clock: FakeClock) -> Message | None:
    async with db.transaction() as tx:
        return await outbox.claim(tx, clock.now(), LEASE_SECONDS)


async def send_next(db: Database, sender: Sender, clock: FakeClock) -> str | None:
    message = await claim(db, clock)
    if message is None:
        return None
    await sender.send(message)
    return message.key


@pytest.fixture
def sender(db: Database, github: GitHub, clock: FakeClock, play: Play) -> Sender:
    play.on("GET /app", reply({"slug": "bugmark"}))
    play.on(LISTED, reply([]))
    stored = SameEverywhere()
    return Sender(db, github, clock, Checks(github, Configs(db, github, clock)), Rewards(db, github, clock, stored))


async def test_an_outage_of_a_day_costs_no_message(db: Database, sender: Sender, clock: FakeClock, play: Play) -> None:
    await put(db, clock, "reply:1")
    play.on(COMMENTS, reply({"message": "down"}, 502))
    for _ in range(30):
        assert await send_next(db, sender, clock) == "reply:1"
        clock.advance(LONGEST_WAIT_SECONDS)
    play.on(COMMENTS, reply({"id": 900}, 201))
    assert await send_next(db, sender, clock) == "reply:1"
    async with db.reading() as tx:
        assert await outbox.waiting(tx) == 0
    assert await send_next(db, sender, clock) is None


async def test_what_is_not_there_is_given_up(db: Database, sender: Sender, clock: FakeClock) -> None:
    await put(db, clock, "reply:1")
    for _ in range(MOST_ATTEMPTS_GONE):
        assert await send_next(db, sender, clock) == "reply:1"
        clock.advance(LONGEST_WAIT_SECONDS)
    assert await send_next(db, sender, clock) is None


async def test_a_limit_holds_the_whole_installation(db: Database, sender: Sender, clock: FakeClock, play: Play) -> None:
    for key in ("reply:1", "reply:2"):
        await put(db, clock, key)
    await put(db, clock, "reply:3", installation=2)
    play.on(COMMENTS, reply({"message": "slow down"}, 429, retry_after="120"), reply({"id": 900}, 201))
    assert await send_next(db, sender, clock) == "reply:1"
    assert await send_next(db, sender, clock) == "reply:3"
    assert await send_next(db, sender, clock) is None
    clock.advance(120)
    assert [await send_next(db, sender, clock) for _ in range(3)] == ["reply:1", "reply:2", None]


async def test_a_message_that_cannot_be_written_lets_others_by(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    """A notice whose body is not what it should be: our bug, and no reason to keep the installation waiting."""
    await put(db, clock, "window:1", kind="notice")
    await put(db, clock, "reply:1")
    play.on(COMMENTS, reply({"id": 900}, 201))
    assert [await send_next(db, sender, clock) for _ in range(3)] == ["window:1", "reply:1", None]


async def test_words_of_github_that_no_database_holds(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    await put(db, clock, "reply:1")
    play.on(COMMENTS, reply({"message": "a\0b\ud800"}, 422))
    assert await send_next(db, sender, clock) == "reply:1"
    async with db.reading() as tx:
        assert await outbox.waiting(tx) == 0


async def test_a_clock_that_jumps_over_a_lease_posts_nothing_twice(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    going, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(_request: web.Request) -> web.Response:
        going.set()
        await go_on.wait()
        return reply({"id": 900}, 201)

    nobody = cast(Any, None)
    worker = Worker(db, clock, nobody, sender, nobody, nobody, nobody)
    await put(db, clock, "reply:1")
    play.on(COMMENTS, slowly)
    message = await worker._claim_message()
    assert message is not None
    sending = asyncio.create_task(worker._send(message))
    await going.wait()
    clock.advance(10 * LEASE_SECONDS)
    assert await worker._claim_message() is None
    go_on.set()
    await sending
    assert await worker._claim_message() is None
    assert play.lines().count(COMMENTS) == 1


async def test_installed_anew_the_market_comment_is_edited_as_the_new_installation(
    db: Database, clock: FakeClock
) -> None:
    await put(db, clock, "board:101", "board", installation=1)
    first = await claim(db, clock)
    assert first is not None
    async with db.transaction() as tx:
        await outbox.sent(tx, first, 900, clock.now())
    clock.advance(60)
    await put(db, clock, "board:101", "board", installation=2)
    again = await claim(db, clock)
    assert again is not None
    assert (again.installation_id, again.remote_id) == (2, 900)
