"""What a contract waits for, in the thread: GitHub, its clock, our return, the announcement (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from app.market.terms.contract import Status
from app.storage.engine.tables import outages, outbox
from app.storage.market.contracts import of_thread
from tests.conditions import offset, set_offset
from tests.stories.conftest import DAY, wait_for
from tests.stories.market_life import closed_window, contract, give_right, matched, settled_row, window_end
from tests.stories.stage import Story, running_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False
HOUR = 3_600


@pytest_asyncio.fixture(loop_scope="module")
async def two_clocks(sqlite_url: str, tmp_path: Path) -> AsyncIterator[tuple[Story, Path]]:
    """A story whose app has a clock of its own, in a file like the story's."""
    ours = tmp_path / "ours"
    async with running_stage(sqlite_url, tmp_path, ours=ours) as stage:
        story = await stage.story()
        yield story, ours
        await story.check()


def ahead(story: Story, ours: Path, seconds: int) -> None:
    """Put the app's clock so far before GitHub's."""
    set_offset(ours, offset(story.clock) + seconds)


async def asked_the_time(story: Story, times: int) -> None:
    log = story.stage.sandbox.inside.requests
    before = log[-1].number

    async def look() -> str | None:
        asked = [one for one in list(log) if one.number > before and one.path == "/app"]
        return "so it is" if len(asked) >= times else None

    await wait_for(look, lambda: "the time was not asked")


async def test_while_our_clock_is_ahead_nothing_that_carries_an_instant_goes_on(
    two_clocks: tuple[Story, Path],
) -> None:
    story, ours = two_clocks
    await matched(story)
    await closed_window(story)
    await story.calm()
    before = await contract(story)
    ahead(story, ours, 45 * DAY)
    await asked_the_time(story, 2)
    comment = await story.comment("carl", "/bugmark balance")
    await asked_the_time(story, 1)
    assert story.bodies(f"reply:{comment}") == []
    ahead(story, ours, 0)
    assert "1,000" in await story.reply_to(comment)
    after = await contract(story)
    assert (after.status, after.window_ends_at) == (Status.HALTED, before.window_ends_at)


async def test_down_for_42_days_and_then_no_answer_voids_nothing(each_story: Story) -> None:
    """Who could not dispute meanwhile has twelve hours to do so, and the thread is told until when."""
    story = each_story
    await matched(story)
    first = await closed_window(story)
    await story.calm()
    await story.stage.work.stop()
    story.move(42 * DAY)
    back_at = story.now()
    await story.fault(endpoints={"kind": "status", "match": r"/issues/\d+$", "status": 502, "times": 1})
    await story.stage.work.start()
    row = await story.until(lambda row: (row.window_ends_at or 0) >= back_at + 12 * HOUR)
    assert row.status is Status.HALTED
    later = await story.bot(f"window:issue-{story.issue.id}:{row.window_opened_at}:until")
    assert window_end(later) >= back_at + 12 * HOUR > window_end(first)
    await story.calm()
    assert "is disputed.**" in await story.say("adam", "/bugmark dispute it still crashes")


async def test_after_an_outage_what_was_not_delivered_is_fetched_before_anything_ends(story: Story) -> None:
    """A dispute that was made while we were down, and that nobody told us of."""
    await matched(story)
    await closed_window(story)
    await story.calm()
    await story.stage.work.stop()
    story.move(2 * HOUR)
    await story.fault(deliveries={"kind": "lose"})
    comment = await story.comment("adam", "/bugmark dispute it still crashes")
    await story.quiet()
    story.move(2 * DAY)
    await story.stage.work.start()
    await story.swept()
    story.move(150)
    assert "is disputed.**" in await story.reply_to(comment)

    async def caught_up() -> str | None:
        async with story.db.reading() as tx:
            found = list(await tx.execute(select(outages.c.caught_up_at)))
        if found and all(row[0] is not None for row in found):
            return "so it is"
        story.move(61)
        return None

    await wait_for(caught_up, lambda: "never caught up")


async def test_a_window_lasts_twelve_hours_from_its_announcement_however_late_that_leaves(story: Story) -> None:
    await matched(story)
    fault = {"kind": "status", "match": r"/issues/\d+/comments", "status": 502, "times": 30}
    await story.fault(endpoints=fault)
    await story.close()
    row = await story.until(lambda row: row.window_ends_at is not None)
    assert row.announced_at is None
    await story.stage.work.rest()
    story.move(DAY - HOUR)
    await story.stage.sandbox.control("DELETE", "/faults")
    notice = await story.bot("window:")
    row = await story.until(lambda row: row.announced_at is not None)
    assert row.window_ends_at == (row.announced_at or 0) + 12 * HOUR
    assert 0 <= row.window_ends_at - window_end(notice) <= 60
    story.move(2 * HOUR)
    assert "is disputed.**" in await story.say("adam", "/bugmark dispute it still crashes")


async def test_one_event_is_told_of_in_one_comment(story: Story) -> None:
    """Three dates with holders, and two in which nobody holds anything."""
    for days in (40, 50, 60):
        await matched(story, days)
    for days in (70, 80):
        await story.say("adam", f"/bugmark offer unfixed 5 at 0.80 by {story.day(days)}")
    await story.calm()
    await story.close()
    await story.bot("window:", "3 contracts are halted")
    await story.reopen()
    await story.bot("resume:", "3 contracts trade again")
    await story.calm()
    await story.close()
    await story.bot(f"window:issue-{story.issue.id}:{story.issue.closed_at}:", "3 contracts are halted")
    await story.calm()
    story.move(2 * DAY)
    settled = await story.bot("settlement:")
    await story.calm()
    assert settled.count("is settled: FIXED") == 3
    assert len(story.bodies("window:")) == 2
    assert len(story.bodies("resume:")) == len(story.bodies("settlement:")) == 1
    async with story.db.reading() as tx:
        assert {row.status for row in await of_thread(tx, story.issue.id)} == {Status.SETTLED}


async def test_an_account_that_github_does_not_show_holds_nobody_up(story: Story) -> None:
    """404 for its login and for its id is an answer: it has no rights."""
    await give_right(story, "mary")
    await matched(story)
    for match in (r"/collaborators/zoe/permission", r"/user/\d+"):
        await story.fault(endpoints={"kind": "status", "match": match, "status": 404, "times": 1_000})
    before = story.now()
    first = await story.comment("zoe", "/bugmark market halt x")
    second = await story.comment("mary", "/bugmark market halt something is wrong")
    assert "Only somebody with triage rights" in await story.reply_to(first)
    assert "**Trading is halted**" in await story.reply_to(second)
    assert story.now() - before < 60


async def test_after_a_backed_close_a_deletion_takes_nothing_back(story: Story) -> None:
    await matched(story)
    row = await contract(story)
    await give_right(story, "mary")
    await story.close(person="mary")
    assert "halted" in await story.bot("window:")
    assert (await contract(story)).backed
    await story.calm()
    await story.call("DELETE", f"/_sandbox/issues/{story.owner}/{story.name}/{story.number}")
    await story.quiet()
    story.move(DAY + 60)
    settled = await settled_row(story, row.id)
    assert settled.outcome is not None and settled.outcome.value == "FIXED"
    async with story.db.reading() as tx:
        kept = (await tx.execute(select(outbox.c.state).where(outbox.c.key.like("window:%")))).scalars()
        assert set(kept) == {"sent"}
