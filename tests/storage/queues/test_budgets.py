"""GitHub's limits, kept in the database by whoever claims: a bucket of writes, creations by minute and hour, points."""

from __future__ import annotations

import asyncio

import pytest

from app.storage.engine.db import Database
from app.storage.people import absences
from app.storage.people.places import Installation, Issue, Place, Repository, open_user, save_installation, save_issue
from app.storage.people.places import save_repository as save
from app.storage.queues import budgets, commands, outbox, stored_replies, told
from app.storage.queues.budgets import GITHUB, LONGEST_LIMITED_SECONDS, MARGIN_SECONDS, Limits, Use
from app.storage.queues.commands import in_comment
from app.storage.queues.outbox import Letter, Message
from app.storage.queues.stored_replies import ON_PAGE
from tests.clocks import START_AT

WIDE = Limits(burst=1000, creations_per_minute=1000, creations_per_hour=1000, points_per_minute=100_000)
NOW = START_AT


def place(installation: int = 31, private: bool = False) -> Place:
    repository = Repository(installation + 10, installation, 7, "octo", "cat", private)
    return Place(Issue(installation + 70, repository.id, 5, "A bug", "open", None, None), repository)


async def put(db: Database, *keys: str, now: int = NOW, where: Place | None = None) -> None:
    """Keys begin with their kind."""
    async with db.transaction() as tx:
        for key in keys:
            kind = key.partition(":")[0].replace("edit", "reply")
            await outbox.put(tx, key=key, kind=kind, place=where or place(), body="x", now=now, user_id=3)


async def claim(db: Database, now: int, limits: Limits) -> Message | None:
    async with db.transaction() as tx:
        return await outbox.claim(tx, now, 60, limits)


async def leave(db: Database, now: int, limits: Limits = GITHUB) -> list[str]:
    """What leaves at this instant, one after the other."""
    found = []
    while message := await claim(db, now, limits):
        found.append(message.key)
        async with db.transaction() as tx:
            await outbox.sent(tx, message, 900, now)
    return found


def replies(first: int, last: int) -> list[str]:
    return [f"reply:{number}" for number in range(first, last + 1)]


async def test_five_at_once_and_then_one_a_second(db: Database) -> None:
    await put(db, *replies(1, 20))
    assert await leave(db, NOW) == replies(1, 5)
    assert [await leave(db, NOW + seconds) for seconds in (1, 2, 5)] == [replies(6, 6), replies(7, 7), replies(8, 10)]
    assert await leave(db, NOW + 60) == replies(11, 15)


async def test_another_installation_has_a_budget_of_its_own(db: Database) -> None:
    await put(db, *replies(1, 6))
    await put(db, "reply:7", where=place(32))
    assert sorted(await leave(db, NOW)) == [*replies(1, 5), "reply:7"]


async def test_many_workers_keep_one_budget(db: Database) -> None:
    await put(db, *replies(1, 20))
    found = await asyncio.gather(*(leave(db, NOW) for _ in range(6)))
    assert sum(len(keys) for keys in found) == 5


async def test_no_budget_where_limits_are_off(db: Database) -> None:
    await put(db, *replies(1, 20))
    async with db.transaction() as tx:
        assert await outbox.claim(tx, NOW, 60) is not None
        assert await budgets.standing(tx, NOW) == budgets.Standing({}, frozenset())


async def test_creations_end_with_the_hours_share_while_the_rest_goes_on(db: Database) -> None:
    few = Limits(1000, creations_per_minute=1000, creations_per_hour=3, points_per_minute=100_000)
    await put(db, "notice:1", "notice:2", "board:1", "board:2")
    assert await leave(db, NOW, few) == ["notice:1", "notice:2", "board:1"]
    await put(db, "board:1", "reaction:1", now=NOW + 10)
    assert await leave(db, NOW + 10, few) == ["reaction:1", "board:1"]
    assert await leave(db, NOW + 3600, few) == []
    assert await leave(db, NOW + 3600 + MARGIN_SECONDS, few) == ["board:2"]


async def test_creations_of_a_minute(db: Database) -> None:
    few = Limits(1000, creations_per_minute=2, creations_per_hour=1000, points_per_minute=100_000)
    await put(db, *replies(1, 5))
    assert await leave(db, NOW, few) == replies(1, 2)
    assert await leave(db, NOW + 59, few) == []
    assert await leave(db, NOW + 60 + MARGIN_SECONDS, few) == replies(3, 4)


async def test_in_no_window_more_is_written_than_may_be(db: Database) -> None:
    """Twenty minutes of much more than may be written: when it left."""
    few = Limits(burst=5, creations_per_minute=12, creations_per_hour=100, points_per_minute=900)
    await put(db, *replies(1, 150))
    left: list[int] = []
    async with db.transaction() as tx:
        for now in range(NOW, NOW + 1_200, 4):
            while message := await outbox.claim(tx, now, 60, few):
                left.append(now)
                await outbox.sent(tx, message, 900, now)
    for seconds, most in ((5, 10), (60, 12), (3600, 100)):
        assert max(sum(at <= other < at + seconds for other in left) for at in left) <= most
    assert len(left) == 100


async def test_reads_use_points_too_and_hold_everything_when_they_are_used_up(db: Database) -> None:
    await put(db, *replies(1, 2))
    async with db.transaction() as tx:
        await budgets.spend(tx, 31, Use(points=800), NOW, GITHUB)
        assert not (await budgets.standing(tx, NOW)).held
        await budgets.spend(tx, 31, Use(points=60), NOW + 30, GITHUB)
        assert (await budgets.standing(tx, NOW + 30)).held == {31: NOW + 60 + MARGIN_SECONDS}
    assert await leave(db, NOW + 31) == []
    assert await leave(db, NOW + 60 + MARGIN_SECONDS) == replies(1, 2)


async def test_what_was_charged_in_vain_is_given_back(db: Database) -> None:
    await put(db, *replies(1, 12))
    assert len(await leave(db, NOW)) == 5
    async with db.transaction() as tx:
        await budgets.spend(tx, 31, Use() - Use(writes=2, creations=2, points=10), NOW, GITHUB)
    assert await leave(db, NOW) == replies(6, 7)
    async with db.transaction() as tx:
        await budgets.spend(tx, 31, Use(writes=3, points=15), NOW, GITHUB)
    assert [await leave(db, NOW + seconds) for seconds in (1, 3, 4)] == [[], [], replies(8, 8)]


async def test_a_limit_without_an_end_is_waited_out_twice_as_long_each_time(db: Database) -> None:
    now, waits = NOW, []
    for _ in range(8):
        async with db.transaction() as tx:
            await budgets.limited(tx, 31, None, now)
            await budgets.limited(tx, 31, None, now)  # two were under way: it counts once
            waits.append((await budgets.hold_of(tx, 31)).until_at - now)
        now += waits[-1]
    assert waits == [60, 120, 240, 480, 960, 1920, LONGEST_LIMITED_SECONDS, LONGEST_LIMITED_SECONDS]
    async with db.transaction() as tx:
        await budgets.relieved(tx, 31)
        await budgets.limited(tx, 31, None, now)
        assert await budgets.hold_of(tx, 31) == budgets.Hold(now + 60, strikes=1)


async def test_a_limit_without_an_end_that_is_met_under_our_own_hold_is_waited_out(db: Database) -> None:
    async with db.transaction() as tx:
        await budgets.hold(tx, 31, NOW + 5)
        await budgets.limited(tx, 31, None, NOW)
        assert await budgets.hold_of(tx, 31) == budgets.Hold(NOW + 60)


async def test_an_hour_after_a_limit_the_next_one_is_the_first_again(db: Database) -> None:
    async with db.transaction() as tx:
        await budgets.limited(tx, 31, None, NOW)
        await budgets.limited(tx, 31, None, NOW + 60 + LONGEST_LIMITED_SECONDS)
        assert (await budgets.hold_of(tx, 31)).strikes == 1


async def test_the_longest_of_several_holds_counts(db: Database) -> None:
    await put(db, "reply:1")
    async with db.transaction() as tx:
        await budgets.limited(tx, 31, NOW + 500, NOW)
        await budgets.limited(tx, 31, NOW + 100, NOW)
        assert (await budgets.standing(tx, NOW)).held == {31: NOW + 500}
    assert await leave(db, NOW + 499) == []
    assert await leave(db, NOW + 500) == ["reply:1"]


# -- replies that stay on the page --------------------------------------------------------------------------------


async def known(db: Database, where: Place) -> None:
    async with db.transaction() as tx:
        installation = where.repository.installation_id
        await save_installation(tx, Installation(installation, 7, "octo", "active", NOW))
        await save(tx, where.repository)
        await save_issue(tx, where.issue)
        await open_user(tx, 3, "adam", NOW)
        number = await commands.begin(tx, in_comment(4, "balance", 1), user_id=3, issue_id=where.issue.id, at=NOW)
        assert number
        await commands.finish(tx, number, done=True, answer="x")
        await told.mark(tx, await told.untold(tx, 4), "reply:4")


async def test_where_the_app_is_not_any_more_nothing_is_shown_and_nothing_goes_to_the_page(db: Database) -> None:
    """Nobody would tell us that the repository was made private."""
    where = place()
    await known(db, where)
    await put(db, "reply:4", where=where)
    async with db.transaction() as tx:
        assert await told.public_answer(tx, 4)
        await absences.begin(tx, where.repository.id, NOW)
        await stored_replies.keep_on_page(tx, {31}, NOW)
        assert (await told.public_answer(tx, 4), await stored_replies.on_page(tx, where.issue.id, NOW)) == (
            None,
            [],
        )
        await absences.end(tx, where.repository.id, NOW)
        assert await told.public_answer(tx, 4)
        await stored_replies.keep_on_page(tx, {31}, NOW)
        assert [answer.comment_id for answer in await stored_replies.on_page(tx, where.issue.id, NOW)] == [4]


@pytest.mark.parametrize("private", [False, True])
async def test_above_four_fifths_of_the_hour_replies_stay_on_the_page(db: Database, private: bool) -> None:
    few, where = Limits(1000, 1000, creations_per_hour=5, points_per_minute=100_000), place(private=private)
    await known(db, where)
    await put(db, "board:1", *replies(1, 3), where=where)
    assert await leave(db, NOW, few) == [*replies(1, 3), "board:1"]
    await put(db, "reply:4", "edit:4", now=NOW + 10, where=where)
    async with db.transaction() as tx:
        saving = (await budgets.standing(tx, NOW + 10)).saving
        await stored_replies.keep_on_page(tx, saving, NOW + 10)
        kept = [answer.comment_id for answer in await stored_replies.on_page(tx, where.issue.id, NOW)]
        shown = await told.public_answer(tx, 4)
    assert saving == {31}
    if private:
        assert (kept, shown) == ([], None)
        assert await leave(db, NOW + 10, few) == ["reply:4"]
    else:
        assert kept == [4] and shown and (shown.login, shown.body, shown.number) == ("adam", "🚀 x", 5)
        assert await leave(db, NOW + 10, few) == ["edit:4", "board:1"]
    await put(db, "reply:4", now=NOW + 8000, where=where)
    assert "reply:4" in await leave(db, NOW + 8000, few)
    assert ON_PAGE == "page"


async def test_a_reply_with_news_for_somebody_else_is_posted_all_the_same(db: Database) -> None:
    where = place()
    await known(db, where)
    bodies = {"reply:1": "Bought 5, with @beth.", "reply:2": "Try `/bugmark give @beth 5`.", "reply:3": "x"}
    async with db.transaction() as tx:
        for key, body in bodies.items():
            await outbox.put(tx, key=key, kind="reply", place=where, body=body, now=NOW, user_id=3)
        await stored_replies.keep_on_page(tx, {31}, NOW)
        assert [answer.comment_id for answer in await stored_replies.on_page(tx, where.issue.id, NOW)] == [3, 2]
    assert await leave(db, NOW) == ["reply:1"]


# -- given up, parked, woken --------------------------------------------------------------------------------------


async def test_letters_that_were_given_up_can_be_sent_again(db: Database) -> None:
    await put(db, "reply:1", "reply:2")
    for _ in range(2):
        message = await claim(db, NOW, WIDE)
        assert message
        async with db.transaction() as tx:
            await outbox.postpone(tx, message, NOW, "422", outbox.DEAD)
    async with db.transaction() as tx:
        first, second = await outbox.dead(tx)
        assert first == Letter(first.id, "reply:1", "reply", 31, "422", 1)
        assert await outbox.revive(tx, {first.id}) == 1
        assert [letter.key for letter in await outbox.dead(tx)] == ["reply:2"]
        assert await outbox.revive(tx, None) == 1
        assert await outbox.revive(tx, {second.id}) == 0
    again = await claim(db, NOW, WIDE)
    assert again and again.key == "reply:1"
    assert again.attempts > 1  # so that its sender looks whether it was posted


async def test_what_is_parked_leaves_when_it_is_woken(db: Database) -> None:
    await put(db, "reply:1", "reply:2")
    await put(db, "reply:3", where=place(32))
    async with db.transaction() as tx:
        await outbox.park(tx, 31, NOW + 9_000, "suspended")
    assert await leave(db, NOW) == ["reply:3"]
    async with db.transaction() as tx:
        await outbox.wake(tx, NOW + 5, installation_id=32)
        await outbox.wake(tx, NOW + 5, issue_id=102)
    assert await leave(db, NOW + 5) == []
    async with db.transaction() as tx:
        await outbox.wake(tx, NOW + 5, issue_id=101)
    assert await leave(db, NOW + 5) == ["reply:1", "reply:2"]


async def test_what_is_not_needed_any_more_is_withdrawn_unless_it_is_under_way(db: Database) -> None:
    await put(db, "reaction:1", "reaction:2")
    first = await claim(db, NOW, WIDE)
    assert first and first.key == "reaction:1"
    async with db.transaction() as tx:
        await outbox.withdraw(tx, "reaction:1")
        await outbox.withdraw(tx, "reaction:2")
        assert (await outbox.knows(tx, "reaction:1"), await outbox.knows(tx, "reaction:2")) == (True, False)
