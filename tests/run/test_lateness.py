"""Commands that come to their turn late: GitHub is asked about the issue before each, however late it became so."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from app.market.life.facts import IssueFacts
from app.market.terms.contract import Status
from app.market.terms.milestone import KnownMilestone
from app.services.orders.guards import GIVE_UP_SECONDS, LATE_SECONDS
from app.services.orders.order import NoAnswer
from app.services.rules.config import SameEverywhere
from app.storage.engine.db import Tx
from app.storage.people.places import Place, Repository
from app.storage.queues import commands
from app.storage.queues.commands import CommandRecord
from app.thread.comment import Comment
from tests.clocks import FakeClock
from tests.runners import runner_of
from tests.services.desk import ISSUE, Desk, FakeOracle, place_of
from tests.services.lives import DEV, IS_OPEN, closed

COMMENT, OTHER = 900, 102
TAKING = "/bugmark offer unfixed 12 at 0.50"
OFFER = "/bugmark offer fixed 20 at 0.50 by in 2 weeks"
MILESTONE = "/bugmark forecast milestone v1 closed by in 2 weeks"


@dataclass
class SlowOracle(FakeOracle):
    """GitHub, which takes some seconds to tell of rights and of milestones."""

    clock: FakeClock = field(default_factory=FakeClock)
    rights_seconds: int = 0
    milestones_seconds: int = 0

    async def may_triage(self, place: Place, user_id: int, login: str) -> bool | None:
        self.clock.advance(self.rights_seconds)
        return False

    async def milestones(self, repository: Repository) -> list[KnownMilestone] | None:
        self.clock.advance(self.milestones_seconds)
        return []


@dataclass
class OnlyHere(FakeOracle):
    """GitHub, which tells nothing of the other issue."""

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        return IS_OPEN if place.issue.id == ISSUE else None


@pytest.fixture
def slow(desk: Desk) -> SlowOracle:
    desk.oracle = found = SlowOracle(clock=desk.clock)
    return found


async def say(desk: Desk, *lines: str) -> list[CommandRecord]:
    """A comment made now, of which its event says that the issue is open; what became of its commands."""
    at = desk.clock.now()
    comment = Comment(COMMENT, "\n".join(lines), None, DEV, DEV, "user4", at, at, at, place_of(ISSUE), IS_OPEN)
    await run(desk, comment)
    async with desk.db.reading() as tx:
        return await commands.of_comment(tx, COMMENT)


async def run(desk: Desk, comment: Comment) -> None:
    async def known(tx: Tx, place: Place) -> Place:
        return place

    await runner_of(desk.db, desk.oracle, desk.clock, SameEverywhere()).run(comment, known)


@pytest.mark.parametrize("seconds", [LATE_SECONDS, LATE_SECONDS + 1])
async def test_one_that_became_late_while_github_told_of_rights(desk: Desk, slow: SlowOracle, seconds: int) -> None:
    desk.commands = 100  # the runner counts its own
    number = (await desk.offer(1, "buy unfixed 10 at 300")).contract.id
    slow.rights_seconds, slow.facts = seconds, closed(desk.clock.now())
    (told,) = await say(desk, OFFER)
    late = seconds > LATE_SECONDS
    assert (told.done, slow.asked) == (not late, int(late))
    assert ((await desk.contract(number)).status is Status.HALTED) is late


async def test_one_that_an_earlier_one_made_late(desk: Desk, slow: SlowOracle) -> None:
    slow.milestones_seconds, slow.facts = LATE_SECONDS + 1, closed(desk.clock.now())
    told = await say(desk, OFFER, MILESTONE, f"{OFFER} until in 3 days")
    assert [one.done for one in told] == [True, False, False]
    assert "closed as completed" in told[2].answer
    assert slow.asked == 1, "once is enough for all that follow"


async def test_one_that_became_late_waits_for_an_answer(desk: Desk, slow: SlowOracle) -> None:
    slow.milestones_seconds = LATE_SECONDS + 1
    at = desk.clock.now()
    with pytest.raises(NoAnswer):
        await say(desk, OFFER, MILESTONE, f"{OFFER} until in 3 days")
    slow.facts = IS_OPEN
    lines = "\n".join([OFFER, MILESTONE, f"{OFFER} until in 3 days"])
    await run(desk, Comment(COMMENT, lines, None, DEV, DEV, "user4", at, at, at, place_of(ISSUE), IS_OPEN))
    async with desk.db.reading() as tx:
        told = await commands.of_comment(tx, COMMENT)
    assert [one.done for one in told] == [True, False, True]
    assert len((await desk.dump())["offers"]) == 2


async def tied(desk: Desk) -> None:
    """In another issue, where user 1's pool has offers, too, an offer is due, and what waits behind it would fill."""
    desk.commands = 100  # the runner counts its own
    await desk.furnish(issues=(ISSUE, OTHER))
    soon = desk.clock.now() + 60
    await desk.offer(2, "buy unfixed 8 at 600 whole", until_at=soon, issue=OTHER)
    await desk.offer(3, "buy unfixed 7 at 550 whole", issue=OTHER)
    await desk.offer(2, "buy unfixed 5 at 540 whole", issue=OTHER)
    await desk.offer(1, "buy fixed 12 at 500 whole pool", issue=OTHER)
    await desk.offer(1, "buy fixed 12 at 500 pool")
    desk.clock.advance(70)


async def test_one_that_would_fill_something_about_another_issue_has_github_asked_about_that_one(desk: Desk) -> None:
    await tied(desk)
    at = desk.clock.now()
    comment = Comment(COMMENT, TAKING, None, DEV, DEV, "user4", at, at, at, place_of(ISSUE), IS_OPEN)
    with pytest.raises(NoAnswer):
        await run(desk, comment)
    desk.oracle.facts, desk.oracle.asked = IS_OPEN, 0
    await run(desk, comment)
    await run(desk, comment)
    async with desk.db.reading() as tx:
        (told,) = await commands.of_comment(tx, COMMENT)
    assert (told.done, desk.oracle.asked) == (True, 1)
    assert "waits in the book" in told.answer, "what it came for was spent in the other issue by then"


async def test_without_an_answer_about_the_other_issue_it_is_refused_after_an_hour(desk: Desk) -> None:
    await tied(desk)
    desk.oracle = OnlyHere()
    at, heard_at = desk.clock.now(), desk.clock.now() - GIVE_UP_SECONDS
    await run(desk, Comment(COMMENT, TAKING, None, DEV, DEV, "user4", at, at, heard_at, place_of(ISSUE), IS_OPEN))
    async with desk.db.reading() as tx:
        (told,) = await commands.of_comment(tx, COMMENT)
    assert not told.done
    assert "no answer about another issue whose offers share a pool with offers here" in told.answer
