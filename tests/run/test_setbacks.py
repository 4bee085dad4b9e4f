"""What GitHub refuses or loses track of: nothing is given up that could still be said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiohttp import web

from app.github.api.client import GitHub
from app.github.api.errors import Forbidden, RateLimited
from app.github.api.usage_meter import THE_APP
from app.github.outbound.sender import Sender
from app.github.outbound.setbacks import LONGEST_WAIT_SECONDS, MOST_ATTEMPTS_BARRED, Setback, setback
from app.replies.reply import marker
from app.storage.engine.db import Database
from app.storage.people.places import Issue, Place, Repository
from app.storage.queues import outbox
from app.storage.queues.budgets import GITHUB, Hold
from app.storage.queues.outbox import Message
from tests.clocks import START_AT, FakeClock
from tests.github.play import Play, reply, settings
from tests.run.senders import BOT, COMMENTS, LISTED, claim, put, send_next, states

TOKENS = "POST /app/installations/1/access_tokens"
ALL_COMMENTS = "GET /repos/ann/tool/issues/5/comments?per_page=100"
THERE = Place(Issue(202, 8, 9, "A bug", "open", None, None), Repository(8, 1, 3, "ann", "other", False))
GONE = {"message": "Not Found"}


async def board_was_sent(db: Database, clock: FakeClock, remote_id: int) -> None:
    await put(db, clock, "board:101", "board")
    first = await claim(db, clock)
    assert first is not None
    async with db.transaction() as tx:
        await outbox.sent(tx, first, remote_id, clock.now())
    clock.advance(60)
    await put(db, clock, "board:101", "board")


async def test_a_market_comment_made_again_without_our_hearing_so_goes_on(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    """Somebody deleted it, and of the attempt to make another only GitHub knows how it ended."""
    await board_was_sent(db, clock, 900)
    again = {"id": 901, "body": f"{marker('board:101')}\nhello", "user": {"id": BOT}}
    play.on("PATCH /repos/ann/tool/issues/comments/900", reply(GONE, 404))
    play.on(ALL_COMMENTS, reply([]), reply([again]))
    play.on(COMMENTS, reply({"message": "made, but you will not hear of it"}, 502))
    play.on("PATCH /repos/ann/tool/issues/comments/901", reply({"id": 901}))
    for _ in range(3):
        await send_next(sender)
        clock.advance(60)
    assert await states(db) == {"board:101": "sent"}
    assert [play.lines().count(line) for line in (COMMENTS, "PATCH /repos/ann/tool/issues/comments/901")] == [1, 1]


# -- a transfer that we have not heard of -------------------------------------------------------------------------


async def transfer(db: Database, clock: FakeClock) -> None:
    async with db.transaction() as tx:
        await outbox.follow(tx, 101, THERE)


async def test_what_is_refused_for_a_transfer_is_said_in_the_new_thread(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    await put(db, clock, "reply:1")
    away = reply({"message": "Moved Permanently"}, 307, location=f"{play.url}/repositories/8/issues/9/comments")
    play.on(COMMENTS, away)
    for _ in range(3):
        assert await send_next(sender) == "reply:1"
        clock.advance(60)
    await transfer(db, clock)
    play.on("GET /repositories/8", reply({"id": 8, "full_name": "ann/other"}))
    play.on("GET /repos/ann/other/issues/9/comments?per_page=100&since=2025-12-31T23:55:00Z", reply([]))
    play.on("POST /repos/ann/other/issues/9/comments", reply({"id": 900}, 201))
    assert await send_next(sender) == "reply:1"
    assert await states(db) == {"reply:1": "sent"}


async def test_an_end_in_the_old_thread_is_none_in_the_new_one(db: Database, clock: FakeClock) -> None:
    """The transfer is heard of while the message is under way, and what was dropped with it stays so."""
    for key, kind in (("reply:1", "reply"), ("reaction:1:rocket", "reaction")):
        await put(db, clock, key, kind)
        message = await claim(db, clock)
        assert message is not None
        await transfer(db, clock)
        async with db.transaction() as tx:
            end = outbox.DEAD if kind == "reply" else None
            await outbox.postpone(tx, message, clock.now() + 1000, "no", end)
    assert await states(db) == {"reply:1": "waiting", "reaction:1:rocket": "dropped"}


# -- what somebody may take back ----------------------------------------------------------------------------------


def waiting(attempts: int) -> Message:
    return Message(1, "reply:1", "reply", 1, 7, 101, 5, "x", 1, attempts, None, START_AT)


@pytest.mark.parametrize("words", ["Although you appear to be authorized, an IP allow list is on", "Access blocked"])
def test_a_refusal_whose_end_nobody_tells_is_tried_every_hour(words: str) -> None:
    error = Forbidden(403, words)
    assert setback(waiting(1), error, Hold(), START_AT) == Setback(START_AT + 120)
    assert setback(waiting(50), error, Hold(), START_AT) == Setback(START_AT + LONGEST_WAIT_SECONDS)
    assert setback(waiting(MOST_ATTEMPTS_BARRED), error, Hold(), START_AT).end == outbox.DEAD


def test_a_refused_token_stops_the_whole_installation() -> None:
    error = Forbidden(403, "an IP allow list is on")
    error.while_asking_for("installation")
    assert setback(waiting(1), error, Hold(), START_AT) == Setback(START_AT + 120, parks=True)


async def test_what_is_said_where_the_app_was_taken_out_leaves_when_it_is_back(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    """A repository taken out of the installation cannot be seen, for days; nor can issues that are switched off."""
    await put(db, clock, "reply:1")
    play.on("GET /repositories/7", reply(GONE, 404))
    for _ in range(40):
        assert await send_next(sender) == "reply:1"
        clock.advance(6 * 3600)
    play.on("GET /repositories/7", reply({"id": 7, "full_name": "ann/tool"}))
    play.on(COMMENTS, reply({"message": "Issues are disabled for this repo"}, 410))
    assert await send_next(sender) == "reply:1"
    async with db.transaction() as tx:
        await outbox.wake(tx, clock.now(), repository_id=7)
    play.on(COMMENTS, reply({"id": 900}, 201))
    assert await send_next(sender) == "reply:1"
    assert await states(db) == {"reply:1": "sent"}


async def test_one_late_answer_after_a_lock_costs_minutes_and_not_hours(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    await put(db, clock, "reply:1")
    play.on(COMMENTS, reply({"message": "issue is locked"}, 403))
    for _ in range(9):
        assert await send_next(sender) == "reply:1"
        clock.advance(6 * 3600)
    assert await send_next(sender) == "reply:1"
    async with db.transaction() as tx:
        await outbox.wake(tx, clock.now(), issue_id=101)
    assert await send_next(sender) == "reply:1"
    play.on(COMMENTS, reply({"id": 900}, 201))
    clock.advance(240)
    assert await send_next(sender) == "reply:1"
    assert await states(db) == {"reply:1": "sent"}


# -- limits of the App, and of an hour ----------------------------------------------------------------------------


async def test_a_limit_met_as_the_app_holds_whatever_is_asked_as_the_app(
    db: Database, sender: Sender, github: GitHub, clock: FakeClock, play: Play
) -> None:
    play.on("GET /app", reply({"message": "slow down"}, 429, retry_after="300"))
    play.on(COMMENTS, reply({"message": "down"}, 502))
    await put(db, clock, "reply:1")
    assert await send_next(sender) == "reply:1"
    clock.advance(60)
    assert await send_next(sender) == "reply:1"  # it looks first, and does not know who it is
    other = GitHub(settings(play.url), clock, github._transport._session)
    assert await send_next(replace(sender, github=other)) is None
    for client in (github, other):
        with pytest.raises(RateLimited):
            await client.app()
    clock.advance(299)
    assert await send_next(sender) is None
    assert play.lines().count("GET /app") == 1


async def test_a_limit_without_an_end_met_as_the_app_is_asked_less_and_less_often(
    db: Database, sender: Sender, clock: FakeClock, play: Play
) -> None:
    await put(db, clock, "reply:1")
    play.on(TOKENS, reply({"message": "You have exceeded a secondary rate limit."}, 403))
    for _ in range(60):
        await send_next(sender)
        clock.advance(60)
    assert [asked.line for asked in play.asked].count(TOKENS) == 6  # at 0, 1, 3, 7, 15 and 31 minutes
    assert sender.github.meter._held[THE_APP] > clock.now()


async def test_the_last_requests_of_an_hour_are_kept(
    db: Database, sender: Sender, github: GitHub, clock: FakeClock, play: Play
) -> None:
    """Below a fifth replies stay on the page; below a fiftieth nothing is asked until the hour is over."""

    def answer(left: int) -> web.Response:
        told = {"x_ratelimit_limit": "5000", "x_ratelimit_reset": str(START_AT + 1800), "x_ratelimit_resource": "core"}
        return reply({"number": 5}, 200, x_ratelimit_remaining=str(left), **told)

    play.on("GET /repos/ann/tool/issues/5", *map(answer, (1000, 999, 100, 99)))
    saving, held = [], []
    for _ in range(4):
        await github.issue(1, 7, 5)
        saving.append(github.meter.saving())
        await sender.claim(60)
        held.append(dict(github.meter._held))
    assert saving == [frozenset(), {1}, {1}, {1}]
    assert held == [{}, {}, {}, {1: START_AT + 1800}]
    with pytest.raises(RateLimited):
        await github.issue(1, 7, 5)
    clock.advance(1800)
    assert await github.issue(1, 7, 5) == {"number": 5}
    assert github.meter.saving() == frozenset()


async def test_a_refusal_that_comes_while_another_is_written_down_counts(
    sender: Sender, github: GitHub, clock: FakeClock
) -> None:
    sender.limits = GITHUB
    async with sender._written_down(clock.now()):
        github.meter.refused(1, RateLimited(403, "slow down", 60, clock.now(), named=False))
    github.meter.hold({})
    with pytest.raises(RateLimited):
        github.meter.check(1)


async def test_with_issues_listed_whole(play: Play, github: GitHub) -> None:
    """A page that is full and the last is read anew: when another follows, the page itself stays the same."""
    full = [{"id": number, "user": {"id": BOT}, "body": "x"} for number in range(100)]
    link = f'<{play.url}/repos/ann/tool/issues/5/comments?page=2>; rel="next"'
    play.on(LISTED, reply(full, etag='"a"'), reply(full, etag='"a"', link=link))
    play.on("GET /repos/ann/tool/issues/5/comments?page=2", reply([{"id": 100}]))
    found = [[item["id"] async for item in github.list_comments(1, 7, 5, START_AT - 300)] for _ in range(2)]
    assert [len(each) for each in found] == [100, 101]
    assert "if-none-match" not in play.last(LISTED).headers
