"""Looking at contracts beside news, beside each other and beside ones that cannot be looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from app.market.life.facts import Cause, IssueFacts
from app.market.life.next_step import NO_ANSWER_DAYS
from app.market.terms.contract import Outcome, Status
from app.run.worker import Worker
from app.services.life import issue_checks
from app.services.life.issue_checks import LOOK_SECONDS
from app.storage.engine.db import Tx
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow
from app.storage.people.places import Place
from tests.services.desk import BY, DAY, Desk, FakeOracle, OldLaw, place_of

ADAM, BETH, CHARLES, DEV = 1, 2, 3, 4
IS_OPEN = IssueFacts(closed=False, completed=False)


def closed(at: int) -> IssueFacts:
    return IssueFacts(closed=True, completed=True, closed_at=at, closed_by=77, closer_may_triage=True)


class InterruptedOracle(FakeOracle):
    """Something happens after GitHub has answered and before the answer is used."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        found = await super().issue_facts(place)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return found


@pytest.fixture
def interrupted(desk: Desk) -> InterruptedOracle:
    desk.oracle = InterruptedOracle(IS_OPEN)
    return desk.oracle


async def base_case(desk: Desk, issue: int = 101) -> int:
    await desk.offer(ADAM, "buy unfixed 200 at 800", issue=issue)
    return (await desk.offer(BETH, "buy fixed 200 at 200", issue=issue)).contract.id


async def test_an_answer_older_than_a_close_does_not_resume_trading(desk: Desk, interrupted: InterruptedOracle) -> None:
    number = await base_case(desk)
    at = desk.clock.advance(60)

    async def it_closes() -> None:
        await desk.note(closed(at))

    interrupted.meanwhile = it_closes
    row = await desk.look(number)
    assert (row.status, row.next_look_at) == (Status.HALTED, at)
    interrupted.facts = closed(at)
    assert (await desk.look(number)).window_ends_at == at + DAY


async def test_an_answer_older_than_a_reopening_does_not_hide_it(desk: Desk, interrupted: InterruptedOracle) -> None:
    number = await base_case(desk)
    at = desk.clock.now()
    interrupted.facts = closed(at)
    await desk.look(number)
    desk.clock.advance(60)

    async def it_reopens() -> None:
        await desk.note(IS_OPEN)

    interrupted.meanwhile = it_reopens
    assert (await desk.look(number)).next_look_at == at + 60
    interrupted.facts = IS_OPEN
    assert (await desk.look(number)).status is Status.OPEN


async def test_of_two_looks_in_one_second_only_the_later_counts(desk: Desk, interrupted: InterruptedOracle) -> None:
    """The first has an answer from before the close, while the second, which knows of it, is still under way."""
    number = await base_case(desk)
    at = desk.clock.now()
    asked, answered = asyncio.Event(), asyncio.Event()
    others: list[asyncio.Task[ContractRow]] = []

    async def it_closes_and_another_looks() -> None:
        async def answer_takes_long() -> None:
            asked.set()
            await answered.wait()

        await desk.note(closed(at))
        interrupted.facts, interrupted.meanwhile = closed(at), answer_takes_long
        others.append(asyncio.create_task(desk.look(number)))
        await asked.wait()

    interrupted.meanwhile = it_closes_and_another_looks
    assert (await desk.look(number)).status is Status.HALTED
    answered.set()
    assert (await others[0]).window_ends_at == at + DAY


async def fillable_by_an_expiry(desk: Desk, until_at: int) -> int:
    """Beth wants 100 or none: once Charles's 60 have expired, Dev's 70 or none and Charles's 30 are what she wants."""
    await desk.offer(CHARLES, "buy unfixed 60 at 600", until_at=until_at)
    await desk.offer(DEV, "buy unfixed 70 at 550 whole")
    await desk.offer(CHARLES, "buy unfixed 30 at 540")
    return (await desk.offer(BETH, "buy fixed 100 at 500 whole")).contract.id


async def fills(desk: Desk) -> int:
    return len((await desk.dump())["fills"])


async def test_an_answer_that_another_look_made_old_lets_nothing_fill(
    desk: Desk, interrupted: InterruptedOracle
) -> None:
    """GitHub says that the issue is closed, but to a worker whose answer does not count any more."""
    at = desk.clock.now() + 3_600
    number = await fillable_by_an_expiry(desk, at)
    desk.clock.set(at)
    interrupted.facts = closed(at)
    asked, answered = asyncio.Event(), asyncio.Event()
    others: list[asyncio.Task[ContractRow]] = []

    async def another_worker_looks() -> None:
        async def answer_takes_long() -> None:
            asked.set()
            await answered.wait()

        interrupted.meanwhile = answer_takes_long
        others.append(asyncio.create_task(desk.look(number)))
        await asked.wait()

    interrupted.meanwhile = another_worker_looks
    await worker(desk).keep_time()
    assert await fills(desk) == 0
    answered.set()
    assert (await others[0]).status is Status.HALTED
    await worker(desk).keep_time()
    assert await fills(desk) == 0


@pytest.mark.parametrize("seconds", [60, 59])
async def test_an_answer_that_takes_beyond_maturation_lets_nothing_fill(
    desk: Desk, interrupted: InterruptedOracle, seconds: int
) -> None:
    """A second before it there is still something to be had."""
    number = await fillable_by_an_expiry(desk, BY - 60)
    desk.clock.set(BY - 60)

    async def time_goes_by() -> None:
        desk.clock.advance(seconds)

    interrupted.meanwhile = time_goes_by
    await worker(desk).keep_time()
    assert await fills(desk) == (0 if seconds == 60 else 2)
    assert (await desk.contract(number)).open is (seconds != 60)


@pytest.mark.parametrize("seconds", [30, 29])
async def test_what_ended_while_github_was_asked_expires_before_a_retry(
    desk: Desk, interrupted: InterruptedOracle, seconds: int
) -> None:
    """A fill elsewhere takes Charles's pooled offer out of the way of an all-or-none one; his other one ends soon."""
    await desk.furnish(issues=(101, 102))
    for issue in (101, 102):
        await desk.offer(CHARLES, "buy unfixed 60 at 600 pool", issue=issue)
    await desk.offer(DEV, "buy unfixed 70 at 550 whole")
    await desk.offer(CHARLES, "buy unfixed 30 at 540", until_at=desk.clock.now() + 30)
    await desk.offer(BETH, "buy fixed 100 at 500 whole")
    await desk.offer(ADAM, "buy fixed 60 at 400", issue=102)
    assert await fills(desk) == 1

    async def time_goes_by() -> None:
        desk.clock.advance(seconds)

    interrupted.meanwhile = time_goes_by
    await worker(desk).keep_time()
    assert await fills(desk) == (1 if seconds == 30 else 3)


async def test_trade_that_would_resume_only_after_maturation_does_not(
    desk: Desk, interrupted: InterruptedOracle
) -> None:
    number = await base_case(desk)
    desk.clock.set(BY - 60)
    await desk.note(closed(BY - 60))

    async def time_goes_by() -> None:
        desk.clock.set(BY)

    interrupted.meanwhile = time_goes_by
    row = await desk.look(number)
    assert (row.status, row.halt_reason) == (Status.HALTED, Cause.MATURED.value)


class BrokenOracle(FakeOracle):
    """Cannot tell of one issue, in a way that nobody has foreseen."""

    broken = 101

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        if place.issue.id == self.broken:
            raise LookupError("no such thing")
        return await super().issue_facts(place)


def worker(desk: Desk) -> Worker:
    nobody = cast(Any, None)
    return Worker(desk.db, desk.clock, nobody, nobody, desk.oracle, nobody, nobody)


async def test_a_contract_that_cannot_be_looked_at_stops_no_other(desk: Desk) -> None:
    await desk.furnish(issues=(101, 102))
    broken, other = await base_case(desk, 101), await base_case(desk, 102)
    desk.oracle = BrokenOracle(IS_OPEN)
    desk.clock.set(BY)
    await worker(desk).keep_time()
    assert (await desk.contract(broken)).next_look_at == BY + LOOK_SECONDS
    assert (await desk.contract(other)).status is Status.HALTED


async def test_a_contract_being_looked_at_is_not_due(desk: Desk, interrupted: InterruptedOracle) -> None:
    number = await base_case(desk)
    desk.clock.set(BY)
    found: list[int] = []

    async def others_look() -> None:
        async with desk.db.reading() as tx:
            found.extend(row.id for row in await contracts.due(tx, BY, 10))

    interrupted.meanwhile = others_look
    assert (await desk.look(number)).status is Status.HALTED
    assert found == []


async def test_a_wash_mint_before_a_deletion_moves_nothing(desk: Desk) -> None:
    """Example H of law 1: the void price is that of seven days before the issue went."""
    desk.config = OldLaw()
    number = await base_case(desk)
    desk.clock.advance(8 * DAY)
    await desk.offer(DEV, "buy fixed 1000 at 990")
    await desk.offer(CHARLES, "buy unfixed 1000 at 10")
    gone_at = desk.clock.advance(3_600)

    async def it_goes(tx: Tx) -> None:
        await issue_checks.note_gone(tx, place_of(101), desk.clock.now())

    await desk.run(it_goes)
    row = await desk.contract(number)
    assert (row.status, row.halt_reason, row.window_opened_at) == (Status.HALTED, Cause.GONE.value, gone_at)
    await desk.unanswered(number, NO_ANSWER_DAYS)
    row = await desk.look(number)
    assert row.outcome is Outcome.VOID
    assert await desk.free(ADAM) == 1_000_000 - 160_000 + 160_000
    assert await desk.free(BETH) == 1_000_000 - 40_000 + 40_000
    assert await desk.free(DEV) == 1_000_000 - 990_000 + 200_000


async def test_news_of_a_departure_that_the_api_denies_is_undone(desk: Desk) -> None:
    number = await base_case(desk)
    await desk.run(lambda tx: issue_checks.note_gone(tx, place_of(101), desk.clock.now()))
    desk.oracle.facts = IS_OPEN
    desk.clock.advance(DAY)
    assert (await desk.look(number)).status is Status.OPEN


async def test_a_departure_after_maturation_changes_nothing(desk: Desk) -> None:
    number = await base_case(desk)
    desk.clock.set(BY + 1)
    await desk.run(lambda tx: issue_checks.note_gone(tx, place_of(101), desk.clock.now()))
    assert (await desk.contract(number)).status is Status.OPEN
