"""What a verdict waits for: an answer, an announcement, our own return; told of in one comment an event."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from app.base.clock import ClockDoubted
from app.market.life.facts import ANSWER_SECONDS, IssueFacts
from app.market.life.next_step import NO_ANSWER_DAYS
from app.market.terms.contract import Outcome, Status
from app.services.life import halting, issue_checks, notices
from app.services.upkeep.heart import BEAT_SECONDS, Heart
from app.storage.engine import tables
from app.storage.people import absences
from app.storage.people.places import Place
from app.storage.queues import outages, outbox
from tests.services.desk import BY, DAY, GRANT_MILLS, ISSUE, REPOSITORY, Desk, FakeOracle
from tests.services.lives import ADAM, BETH, IS_OPEN, base_case, closed, closed_now, dispute

HOUR = 3_600


# -- no answer ----------------------------------------------------------------------------------------------------


async def test_time_alone_voids_nothing_however_long_nobody_asked(desk: Desk) -> None:
    """The worker was down for 42 days, and the first ask fails."""
    number = await base_case(desk)
    at = await closed_now(desk, number)
    desk.oracle.facts = None
    desk.clock.set(at + 42 * DAY)
    row = await desk.look(number)
    assert (row.status, row.unanswered_days) == (Status.HALTED, 1)
    desk.oracle.facts = closed(at)
    assert (await desk.look(number)).outcome is Outcome.FIXED


async def test_many_asks_on_one_day_are_one_day_and_an_answer_begins_anew(desk: Desk) -> None:
    number = await base_case(desk)
    desk.oracle.facts = IS_OPEN
    desk.clock.set(BY)
    await desk.look(number)
    desk.oracle.facts = None
    await desk.unanswered(number, NO_ANSWER_DAYS - 2)
    for _ in range(40):
        row = await desk.look(number)
        desk.clock.advance(60)
    assert (row.status, row.unanswered_days) == (Status.HALTED, NO_ANSWER_DAYS - 1)
    assert row.unanswered_at == BY + DAY
    desk.oracle.facts = IS_OPEN
    row = await desk.look(number)
    assert row.outcome is Outcome.UNFIXED


async def test_an_answer_within_the_thirty_days_counts_them_from_the_beginning(desk: Desk) -> None:
    number = await base_case(desk)
    desk.oracle.facts = IS_OPEN
    desk.clock.set(BY)
    await desk.look(number)
    await dispute(desk, BETH, number)  # holds the verdict, whatever is answered
    desk.oracle.facts = None
    await desk.unanswered(number, 3)
    assert (await desk.look(number)).unanswered_days == 4
    desk.oracle.facts = IS_OPEN
    row = await desk.look(number)
    assert (row.status, row.unanswered_at, row.unanswered_days) == (Status.HALTED, None, 0)


async def test_a_clock_that_ran_ahead_for_a_minute_counts_for_one_day_at_most(desk: Desk) -> None:
    number = await base_case(desk)
    desk.oracle.facts = IS_OPEN
    desk.clock.set(BY)
    await desk.look(number)
    desk.oracle.facts = None
    desk.clock.set(BY + 45 * DAY)
    assert (await desk.look(number)).unanswered_days == 1
    desk.clock.at = BY + DAY
    row = await desk.look(number)
    assert (row.unanswered_days, row.unanswered_day_at) == (1, BY + DAY)
    desk.clock.advance(DAY)
    assert (await desk.look(number)).unanswered_days == 2


class WrongClock(FakeOracle):
    """GitHub says that it is another time."""

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        raise ClockDoubted


async def test_while_our_clock_is_in_doubt_a_look_changes_nothing(desk: Desk) -> None:
    number = await base_case(desk)
    before = await desk.contract(number)
    desk.oracle = WrongClock()
    desk.clock.set(BY + 45 * DAY)
    assert await desk.look(number) == replace(before, looks=before.looks + 1)
    assert not await issue_checks.ask(desk.db, desk.oracle, number, desk.clock)


# -- away ---------------------------------------------------------------------------------------------------------


async def test_coming_back_begins_the_thirty_days_of_an_absence_anew(desk: Desk) -> None:
    async def count(days: int) -> int:
        async with desk.db.transaction() as tx:
            for _ in range(days):
                await absences.note_away_still(tx, REPOSITORY, desk.clock.advance(DAY))
                await absences.note_away_still(tx, REPOSITORY, desk.clock.advance(60))
            found = await absences.of(tx, REPOSITORY)
        return found.days if found else 0

    await base_case(desk, BY + 300 * DAY)
    await desk.run(lambda tx: halting.note_away(tx, {REPOSITORY}, desk.clock.now()))
    assert await count(29) == 29
    await desk.run(lambda tx: halting.note_back(tx, {REPOSITORY}, desk.clock.now()))
    assert await count(3) == 29
    await desk.run(lambda tx: halting.note_away(tx, {REPOSITORY}, desk.clock.now()))
    assert await count(1) == 1


async def test_silence_about_an_absence_is_none(desk: Desk) -> None:
    """GitHub gave no answer on 99 days: nobody knows whether the App is there."""
    number = await base_case(desk, BY + 300 * DAY)
    await desk.run(lambda tx: halting.note_away(tx, {REPOSITORY}, desk.clock.now()))
    desk.oracle.facts = None
    await desk.unanswered(number, 99)
    assert (await desk.contract(number)).status is Status.HALTED


# -- announcements ------------------------------------------------------------------------------------------------


async def test_a_window_is_open_for_twelve_hours_from_when_it_was_announced(desk: Desk) -> None:
    desk.announces = False
    number = await base_case(desk)
    at = await closed_now(desk, number)
    assert (await desk.contract(number)).announced_at is None
    desk.clock.set(at + DAY - HOUR)
    desk.announces = True
    await desk.announce()
    row = await desk.contract(number)
    assert (row.announced_at, row.window_ends_at) == (at + DAY - HOUR, at + DAY + 11 * HOUR)
    desk.clock.set(at + DAY + 10 * HOUR)
    assert (await desk.look(number)).status is Status.HALTED
    assert (await dispute(desk, ADAM, number)).verdict is Outcome.FIXED


async def test_a_window_that_is_never_announced_ends_after_seven_days_more(desk: Desk) -> None:
    desk.announces = False
    number = await base_case(desk)
    at = await closed_now(desk, number)
    desk.clock.set(at + DAY)
    row = await desk.look(number)
    assert (row.status, row.window_ends_at, row.window_planned_at) == (Status.HALTED, at + DAY + HOUR, at + DAY)
    desk.clock.set(at + 8 * DAY - 1)
    assert (await desk.look(number)).status is Status.HALTED
    desk.clock.set(at + 8 * DAY)
    assert (await desk.look(number)).outcome is Outcome.FIXED


async def test_where_nobody_holds_anything_nobody_is_told_and_nobody_waited_for(desk: Desk) -> None:
    desk.announces = False
    number = (await desk.offer(ADAM, "buy unfixed 200 at 800")).contract.id
    at = await closed_now(desk, number)
    assert (await desk.contract(number)).announced_at == at
    desk.clock.set(at + DAY)
    assert (await desk.look(number)).outcome is Outcome.FIXED
    assert await texts(desk) == []


async def test_news_of_an_older_window_announces_none(desk: Desk) -> None:
    number = await base_case(desk)
    desk.announces = False
    await closed_now(desk, number)
    (old,) = await texts(desk)
    desk.oracle.facts = IS_OPEN
    await desk.look(number)
    desk.clock.advance(HOUR)
    await closed_now(desk, number)
    async with desk.db.transaction() as tx:
        await notices.note_announced(tx, old, desk.clock.now())
    assert (await desk.contract(number)).announced_at is None


async def test_an_old_database_goes_on_with_its_running_windows(desk: Desk) -> None:
    """As the migration leaves them: announced when they opened, their end as it was."""
    desk.announces = False
    number = await base_case(desk)
    at = await closed_now(desk, number)
    async with desk.db.transaction() as tx:
        await tx.execute(update(tables.contracts).values(announced_at=at, window_planned_at=None))
    desk.clock.set(at + DAY)
    assert (await desk.look(number)).outcome is Outcome.FIXED


# -- one comment an event -----------------------------------------------------------------------------------------


async def texts(desk: Desk) -> list[str]:
    async with desk.db.reading() as tx:
        told = select(tables.outbox.c.body).where(tables.outbox.c.kind == "notice").order_by(tables.outbox.c.id)
        return list((await tx.execute(told)).scalars())


async def test_what_one_event_does_to_the_contracts_of_an_issue_is_one_comment_each(desk: Desk) -> None:
    numbers = [await base_case(desk, BY + day * DAY) for day in range(3)]
    await desk.offer(ADAM, "buy unfixed 5 at 100", BY + 9 * DAY)
    at = await closed_now(desk, numbers[0])
    assert [len(notices.items(text)) for text in await texts(desk)] == [3]
    desk.oracle.facts = IS_OPEN
    desk.clock.advance(60)
    await desk.look(numbers[0])
    told = [notices.items(text) for text in await texts(desk)]
    assert [[item["contract"] for item in items] for items in told] == [numbers, numbers]
    assert {item["notice"] for item in told[1]} == {"resumed"}
    at = await closed_now(desk, numbers[0])
    desk.clock.set(at + DAY)
    await desk.look(numbers[0])
    kinds = [[item["notice"] for item in notices.items(text)] for text in await texts(desk)]
    assert kinds == [["window"] * 3, ["resumed"] * 3, ["window"] * 3, ["settled"] * 3]


async def test_forty_contracts_in_which_nobody_holds_anything_make_no_comment(desk: Desk) -> None:
    made = [(await desk.offer(ADAM, "buy unfixed 5 at 100", BY + hour * 7_200)).contract.id for hour in range(10)]
    at = await closed_now(desk, made[0])
    desk.oracle.facts = IS_OPEN
    desk.clock.advance(60)
    await desk.look(made[0])
    desk.oracle.facts = closed(at + 60)
    await desk.look(made[0])
    desk.clock.advance(2 * DAY)
    assert (await desk.look(made[0])).outcome is Outcome.FIXED
    assert await texts(desk) == []


async def test_a_contract_that_settles_later_has_a_comment_of_its_own(desk: Desk) -> None:
    """Nobody is told of an edit: whoever is paid is mentioned in a comment that is new."""
    first, second = await base_case(desk), await base_case(desk, BY + DAY)
    at = await closed_now(desk, first)
    await dispute(desk, ADAM, second)
    desk.clock.set(at + DAY)
    await desk.look(first)
    async with desk.db.transaction() as tx:
        await tx.execute(update(tables.outbox).values(state=outbox.SENT, remote_id=1, attempts=1))
    desk.clock.set(at + ANSWER_SECONDS + DAY)
    await desk.look(second)
    settled = [notices.items(text) for text in await texts(desk)][-2:]
    assert [[item["contract"] for item in items] for items in settled] == [[first], [second]]


async def test_a_market_that_resumes_twice_after_one_halt_is_told_of_twice(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    for _ in range(2):
        desk.oracle.facts = IS_OPEN
        desk.clock.advance(60)
        await desk.look(number)
        desk.oracle.facts = closed(at)
        await desk.look(number)
    kinds = [json.loads(text)["notice"] for text in await texts(desk)]
    assert kinds.count("resumed") == 2


# -- our own outages ----------------------------------------------------------------------------------------------


class Elapsed:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def known(desk: Desk) -> list[tuple[int, int]]:
    async with desk.db.reading() as tx:
        return [(one.began_at, one.ended_at) for one in await outages.known(tx)]


@pytest.mark.parametrize(("gap", "counts"), [(HOUR, False), (HOUR + 1, True), (42 * DAY, True)])
async def test_a_process_that_starts_finds_that_nobody_ran(desk: Desk, gap: int, counts: bool) -> None:
    at = desk.clock.now()
    await Heart(desk.db, desk.clock, "before").beat()
    assert await known(desk) == []
    desk.clock.advance(gap)
    await Heart(desk.db, desk.clock, "after").beat()
    assert await known(desk) == ([(at, at + gap)] if counts else [])
    await Heart(desk.db, desk.clock, "another").beat()
    assert len(await known(desk)) == int(counts)


async def test_a_process_that_was_stopped_for_hours_notices_and_one_whose_clock_was_set_does_not(desk: Desk) -> None:
    elapsed, at = Elapsed(), desk.clock.now()
    heart = Heart(desk.db, desk.clock, "one", elapsed=elapsed)
    await heart.beat()
    desk.clock.advance(45 * DAY)  # set, in a moment
    await heart.beat()
    desk.clock.at = at + 60
    await heart.beat()
    assert await known(desk) == []
    desk.clock.advance(3 * HOUR)
    elapsed.seconds += 3 * HOUR
    await heart.beat()
    assert await known(desk) == [(at + 60, at + 60 + 3 * HOUR)]


async def test_a_process_that_starts_under_a_clock_that_runs_ahead_leaves_no_outage_behind(desk: Desk) -> None:
    at = desk.clock.now()
    await Heart(desk.db, desk.clock, "before").beat()
    desk.clock.advance(45 * DAY)
    after = Heart(desk.db, desk.clock, "after")
    await after.beat()
    desk.clock.at = at + BEAT_SECONDS
    await after.beat()
    assert await known(desk) == []
    desk.clock.advance(2 * HOUR)
    await Heart(desk.db, desk.clock, "third").beat()
    assert await known(desk) == [(at + BEAT_SECONDS, at + BEAT_SECONDS + 2 * HOUR)]


async def down(desk: Desk, seconds: int, caught_up: bool = True) -> None:
    """We did not run for so long, until now."""
    began_at = desk.clock.now()
    desk.clock.advance(seconds)
    async with desk.db.transaction() as tx:
        await outages.note(tx, began_at, desk.clock.now())
        if caught_up:
            (found,) = [one for one in await outages.to_fetch(tx) if one.began_at == began_at]
            await outages.note_fetched(tx, found, desk.clock.now())
            await outages.note_caught_up(tx, desk.clock.now())


async def test_who_could_not_dispute_while_we_were_down_can_afterwards(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    desk.clock.advance(DAY - HOUR)
    await down(desk, 5 * HOUR)
    row = await desk.look(number)
    assert (row.status, row.window_ends_at) == (Status.HALTED, at + DAY + 9 * HOUR)
    assert (await dispute(desk, ADAM, number)).contract.id == number


async def test_nothing_settles_before_the_deliveries_of_an_outage_were_dealt_with(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    desk.clock.advance(2 * HOUR)
    await down(desk, 2 * HOUR, caught_up=False)
    desk.clock.set(at + DAY)
    row = await desk.look(number)
    assert (row.status, row.window_ends_at) == (Status.HALTED, at + DAY + HOUR)
    async with desk.db.transaction() as tx:
        (found,) = await outages.to_fetch(tx)
        await tx.execute(tables.deliveries.insert().values(WAITS | {"received_at": desk.clock.now()}))
        await outages.note_fetched(tx, found, desk.clock.now())
        await outages.note_caught_up(tx, desk.clock.now())
        assert [one.caught_up for one in await outages.known(tx)] == [False]
        await tx.execute(update(tables.deliveries).values(state="done"))
        await outages.note_caught_up(tx, desk.clock.now())
        assert [one.caught_up for one in await outages.known(tx)] == [True]
    desk.clock.advance(HOUR)
    assert (await desk.look(number)).outcome is Outcome.FIXED


WAITS = {
    "guid": "1",
    "event": "issues",
    "lane": f"issue:{ISSUE}",
    "payload": b"{}",
    "state": "waiting",
    "attempts": 0,
    "due_at": 0,
}


async def test_the_seven_days_of_a_dispute_are_days_in_which_we_ran(desk: Desk) -> None:
    number = await base_case(desk)
    await closed_now(desk, number, rights=False)
    await dispute(desk, ADAM, number)
    at = desk.clock.now()
    desk.clock.advance(3 * DAY)
    await down(desk, 6 * DAY)
    desk.clock.set(at + 13 * DAY - 1)
    assert (await desk.look(number)).status is Status.HALTED
    desk.clock.advance(1)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert await desk.free(BETH) == GRANT_MILLS + 10_000  # the bond of whoever disputed
