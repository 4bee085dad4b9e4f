"""The outbox when GitHub fails, when the clock jumps and when the App is installed anew."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app.github.api.client import GitHub
from app.github.api.errors import Forbidden, RateLimited
from app.github.oracle.presence import know_place
from app.github.outbound.minimise import MOST_AN_HOUR
from app.github.outbound.sender import DOUBT_SECONDS, Sender
from app.github.outbound.setbacks import (
    LONGEST_BARRED_SECONDS,
    LONGEST_WAIT_SECONDS,
    MOST_ATTEMPTS_BARRED,
    MOST_ATTEMPTS_GONE,
    MOST_ATTEMPTS_LIMITED,
    Setback,
    setback,
)
from app.replies.reply import marker
from app.run.worker import LEASE_SECONDS, Worker
from app.services.upkeep.restoring import restored
from app.storage.engine.db import Database, DatabaseBusy
from app.storage.engine.tables import outbox as messages
from app.storage.engine.tables import spent
from app.storage.queues import outbox, told
from app.storage.queues.budgets import GITHUB, Hold
from app.storage.queues.outbox import Message
from tests.clocks import START_AT, FakeClock
from tests.github.play import Play, reply, settings
from tests.run.senders import BOT, COMMENTS, LISTED, claim, place, put, send_next, states

DAY = 86_400
GRAPHQL = "POST /graphql"


async def test_an_outage_of_a_day_costs_no_message(db: Database, sender: Sender, clock: FakeClock, play: Play) -> None:
    await put(db, clock, "reply:1")
    play.on(COMMENTS, reply({"message": "down"}, 502))
    for _ in range(30):
        assert await send_next(sender) == "reply:1"
        clock.advance(LONGEST_WAIT_SECONDS)
    play.on(COMMENTS, reply({"id": 900}, 201))
    assert await send_next(sender) == "reply:1"
    async with db.reading() as tx:
        assert await outbox.waiting(tx) == 0
    assert await send_next(sender) is None


async def test_what_waited_in_a_restored_backup_is_looked_for_before_it_is_posted(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    await put(db, clock, "reply:1")
    await restored(db, clock.now() + DAY)
    there = {"id": 900, "user": {"id": BOT}, "body": f"{marker('reply:1')}\nhello"}
    play.on(LISTED, reply([there]))
    play.on("PATCH /repos/ann/tool/issues/comments/900", reply({"id": 900}))
    assert await send_next(sender) == "reply:1"
    assert await states(db) == {"reply:1": "sent"}
    assert COMMENTS not in play.lines()


async def test_what_is_wanted_again_after_a_restore_may_have_been_said_in_the_time_that_is_lost(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    """A settlement, say, that the backup does not know of, or the market comment."""
    await put(db, clock, "reply:1")
    play.on(COMMENTS, reply({"id": 899}, 201))
    assert await send_next(sender) == "reply:1"
    clock.advance(10 * DAY)
    await restored(db, clock.now())
    await put(db, clock, "settlement:1")
    assert await send_next(sender) == "settlement:1"
    assert (play.lines().count(COMMENTS), play.lines().count(LISTED)) == (2, 1)
    clock.advance(DOUBT_SECONDS)
    await put(db, clock, "reply:2")
    await put(db, clock, "board:101", kind="board")
    play.on(COMMENTS, reply({"id": 901}, 201))
    there = {"id": 900, "user": {"id": BOT}, "body": f"{marker('board:101')}\nold"}
    play.on(LISTED, reply([there]))
    play.on("PATCH /repos/ann/tool/issues/comments/900", reply({"id": 900}))
    assert [await send_next(sender) for _ in range(3)] == ["reply:2", "board:101", None]
    assert (play.lines().count(COMMENTS), play.lines().count(LISTED)) == (3, 2)


async def test_what_is_not_there_is_given_up(db: Database, sender: Sender, clock: FakeClock) -> None:
    await put(db, clock, "reply:1")
    for _ in range(MOST_ATTEMPTS_GONE):
        assert await send_next(sender) == "reply:1"
        clock.advance(LONGEST_WAIT_SECONDS)
    assert await send_next(sender) is None


async def test_a_limit_holds_the_whole_installation(db: Database, sender: Sender, clock: FakeClock, play: Play) -> None:
    for key in ("reply:1", "reply:2"):
        await put(db, clock, key)
    await put(db, clock, "reply:3", installation=2)
    play.on(COMMENTS, reply({"message": "slow down"}, 429, retry_after="120"), reply({"id": 900}, 201))
    assert await send_next(sender) == "reply:1"
    assert await send_next(sender) == "reply:3"
    assert await send_next(sender) is None
    clock.advance(120)
    assert [await send_next(sender) for _ in range(3)] == ["reply:1", "reply:2", None]


async def test_a_message_that_cannot_be_written_lets_others_by(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    """A notice whose body is not what it should be: our bug, and no reason to keep the installation waiting."""
    await put(db, clock, "window:1", kind="notice")
    await put(db, clock, "reply:1")
    play.on(COMMENTS, reply({"id": 900}, 201))
    assert [await send_next(sender) for _ in range(3)] == ["window:1", "reply:1", None]


async def test_words_of_github_that_no_database_holds(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    await put(db, clock, "reply:1")
    play.on(COMMENTS, reply({"message": "a\0b\ud800"}, 422))
    assert await send_next(sender) == "reply:1"
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
    worker = Worker(db, clock, nobody, sender, nobody)
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


async def test_a_comment_that_imitates_our_marker_is_not_taken_for_ours(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    """Neither by its marker nor by an author who is called like us: only the bot's id counts."""
    await put(db, clock, "reply:1")
    marked = f"{marker('reply:1')}\nhello"
    impostors = [
        {"id": 500, "body": marked, "user": {"id": 5, "login": "bugmark", "type": "User"}},
        {"id": 501, "body": marked, "user": {"id": 6, "login": "bugmark[bot]", "type": "Bot"}},
        {"id": 502, "body": marked, "user": None},
        {"id": 503, "body": f"> {marked}", "user": {"id": BOT, "login": "bugmark[bot]", "type": "Bot"}},
    ]
    play.on(LISTED, reply(impostors), reply([*impostors, {"id": 900, "body": marked, "user": {"id": BOT}}]))
    play.on(COMMENTS, reply({"message": "down"}, 502))
    for _ in range(2):
        assert await send_next(sender) == "reply:1"
        clock.advance(LONGEST_WAIT_SECONDS)
    play.on("PATCH /repos/ann/tool/issues/comments/900", reply({"id": 900}))
    assert await send_next(sender) == "reply:1"
    assert [line for line in play.lines() if line.startswith("PATCH")] == ["PATCH /repos/ann/tool/issues/comments/900"]
    async with db.reading() as tx:
        assert await outbox.waiting(tx) == 0


# -- what GitHub refuses, and for how long ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    ["Unable to create comment because issue is locked.", "Repository was archived so is read-only."],
)
async def test_what_a_lock_keeps_back_is_tried_now_and_then_and_leaves_at_once_when_it_is_gone(
    db: Database, sender: Sender, clock: FakeClock, play: Play, message: str
) -> None:
    await put(db, clock, "reply:1")
    await put(db, clock, "reply:2", installation=2)
    play.on(COMMENTS, reply({"message": message}, 403), reply({"id": 901}, 201), reply({"id": 900}, 201))
    assert [await send_next(sender) for _ in range(3)] == ["reply:1", "reply:2", None]
    clock.advance(60)
    assert await send_next(sender) is None
    async with db.transaction() as tx:
        await outbox.wake(tx, clock.now(), issue_id=101)
    assert await send_next(sender) == "reply:1"
    assert set((await states(db)).values()) == {"sent"}


def test_what_stays_locked_is_given_up_after_a_month() -> None:
    error = Forbidden(403, "issue is locked")
    message = Message(1, "reply:1", "reply", 1, 7, 101, 5, "x", 1, MOST_ATTEMPTS_BARRED - 1, None, START_AT)
    assert setback(message, error, Hold(), START_AT) == Setback(START_AT + LONGEST_BARRED_SECONDS)
    assert setback(replace(message, attempts=2), error, Hold(), START_AT) == Setback(START_AT + 240)
    last = replace(message, attempts=MOST_ATTEMPTS_BARRED)
    assert setback(last, error, Hold(), START_AT).end == outbox.DEAD
    assert MOST_ATTEMPTS_BARRED * LONGEST_BARRED_SECONDS == 30 * 86_400


async def test_a_suspended_installation_is_asked_once_for_all_that_waits(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    for number in range(5):
        await put(db, clock, f"reply:{number}")
    play.on("POST /app/installations/1/access_tokens", reply({"message": "This installation has been suspended"}, 403))
    assert [await send_next(sender) for _ in range(2)] == ["reply:0", None]
    play.on("POST /app/installations/1/access_tokens", play.token)
    play.on(COMMENTS, reply({"id": 900}, 201))
    sender.github.forget_installation(1)
    async with db.transaction() as tx:
        await outbox.wake(tx, clock.now(), installation_id=1)
    assert [await send_next(sender) for _ in range(6)] == [*(f"reply:{number}" for number in range(5)), None]


async def test_what_is_deleted_is_dropped_with_a_line_in_the_log(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    await put(db, clock, "reply:1")
    play.on(COMMENTS, reply({"message": "This issue was deleted"}, 410))
    with capture_logs() as lines:
        assert await send_next(sender) == "reply:1"
    (line,) = [line for line in lines if line["event"] == "message not sent"]
    assert (line["given_up"], line["key"], line["installation"]) == (True, "reply:1", 1)
    assert await states(db) == {"reply:1": "dropped"}
    async with db.reading() as tx:
        assert await outbox.dead(tx) == []


async def test_a_limit_without_an_end_doubles_and_at_last_the_message_is_given_up(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    await put(db, clock, "reply:1")
    play.on(COMMENTS, reply({"message": "You have exceeded a secondary rate limit."}, 403))
    tried: list[int] = []
    for _ in range(8 * 60):
        if await send_next(sender):
            tried.append(clock.now() - START_AT)
        clock.advance(60)
    assert tried[:7] == [0, 60, 180, 420, 900, 1860, 3780]
    assert len(tried) == MOST_ATTEMPTS_LIMITED
    assert await states(db) == {"reply:1": "dead"}


async def test_a_limit_with_an_end_costs_no_message_however_often_it_comes(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    await put(db, clock, "reply:1")
    play.on(COMMENTS, reply({"message": "slow down"}, 429, retry_after="3600"))
    for _ in range(2 * MOST_ATTEMPTS_LIMITED):
        assert await send_next(sender) == "reply:1"
        clock.advance(3600)
    assert await states(db) == {"reply:1": "waiting"}


async def test_while_an_installation_is_held_nothing_is_asked_in_its_name(
    db: Database, sender: Sender, github: GitHub, clock: FakeClock, play: Play
) -> None:
    """Whoever met the limit, and whichever process: the database tells."""
    used_up = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(START_AT + 900)}
    play.on("GET /repos/ann/tool/issues/5", reply({"message": "API rate limit exceeded"}, 403, **used_up))
    with pytest.raises(RateLimited):
        await github.issue(1, 7, 5)
    await put(db, clock, "reply:1")
    assert await send_next(sender) is None
    other = replace(sender, github=GitHub(settings(play.url), clock, github._transport._session))
    assert await send_next(other) is None
    asked = len(play.asked)
    for client in (github, other.github):
        with pytest.raises(RateLimited) as raised:
            await client.issue(1, 7, 5)
        assert raised.value.retry_at == START_AT + 900
    assert len(play.asked) == asked
    clock.advance(900)
    play.on(COMMENTS, reply({"id": 900}, 201))
    assert await send_next(sender) == "reply:1"


async def test_what_was_asked_is_written_down_even_if_the_database_fails_once(
    db: Database, sender: Sender, github: GitHub, play: Play, tmp_path: Path
) -> None:
    sender.limits = GITHUB
    play.on("GET /repos/ann/tool/issues/5", reply({"number": 5}))
    await github.issue(1, 7, 5)

    broken = replace(sender, db=Database(f"sqlite+aiosqlite:///{tmp_path}/none/none.db"))
    with pytest.raises(DatabaseBusy):
        await broken.claim(LEASE_SECONDS)
    await sender.claim(LEASE_SECONDS)
    async with db.reading() as tx:
        assert [tuple(row) for row in await tx.execute(select(spent))] == [(1, START_AT, 0, 2)]  # its name, and it


# -- what is outgrown ---------------------------------------------------------------------------------------------


async def answer(db: Database, sender: Sender, clock: FakeClock, number: int, body: str = "x", user: int = 3) -> None:
    """A reply to a user, sent."""
    async with db.transaction() as tx:
        await know_place(tx, place(), clock.now())
        key = f"reply:{number}"
        await outbox.put(tx, key=key, kind="reply", place=place(), body=body, now=clock.now(), user_id=user)
        await told.share(tx, key, 0)
    assert await send_next(sender) == f"reply:{number}"


def minimised(play: Play) -> list[object]:
    return [
        asked.body["variables"]["id"] for asked in play.asked if asked.line == GRAPHQL and isinstance(asked.body, dict)
    ]


async def test_a_newer_reply_to_the_same_user_folds_the_older_one(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    made = [reply({"id": 900 + number, "node_id": f"IC_{number}"}, 201) for number in range(5)]
    play.on(COMMENTS, *made)
    play.on(GRAPHQL, reply({"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}}))
    await answer(db, sender, clock, 1)
    await answer(db, sender, clock, 2, user=4)
    assert await send_next(sender) is None
    await answer(db, sender, clock, 3, body="Bought from @beth, see `x @y`")
    assert await send_next(sender) == "minimise:900"
    await answer(db, sender, clock, 4)  # the third has news for somebody else and stays
    await answer(db, sender, clock, 5)
    assert await send_next(sender) == "minimise:903"
    assert await send_next(sender) is None
    assert minimised(play) == ["IC_0", "IC_3"]


async def test_folding_that_fails_is_forgotten(db: Database, sender: Sender, clock: FakeClock, play: Play) -> None:
    play.on(COMMENTS, *[reply({"id": 900 + number, "node_id": f"IC_{number}"}, 201) for number in range(3)])
    play.on(GRAPHQL, reply({"data": {"minimizeComment": None}, "errors": [{"type": "FORBIDDEN", "message": "no"}]}))
    await answer(db, sender, clock, 1)
    await answer(db, sender, clock, 2)
    assert await send_next(sender) == "minimise:900"
    assert (await states(db))["minimise:900"] == "dropped"
    clock.advance(86_400)
    assert await send_next(sender) is None


async def test_folding_has_a_small_budget_of_its_own(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    play.on(COMMENTS, *[reply({"id": 900 + number, "node_id": f"IC_{number}"}, 201) for number in range(9)])
    play.on(GRAPHQL, reply({"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}}))
    async with db.transaction() as tx:
        for number in range(MOST_AN_HOUR - 1):
            key = f"minimise:{number}"
            await outbox.put(tx, key=key, kind="minimise", place=place(), body="{}", now=clock.now())
        await tx.execute(update(messages).values(state="sent"))
    for number in range(4):
        await answer(db, sender, clock, number)
        while await send_next(sender):
            pass
    assert minimised(play) == ["IC_0"]
    clock.advance(3601)
    await answer(db, sender, clock, 5)
    assert await send_next(sender) == "minimise:903"
