"""Announcements of an issue: one waits at a time and says all that is true, one leaves in ten minutes."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.storage.engine.tables import outbox
from app.storage.market.contracts import of_thread
from app.storage.queues.announcements import GAP_SECONDS, KINDS
from tests.stories.conftest import DAY, wait_for
from tests.stories.market_life import contract, matched
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


async def announced(story: Story) -> list[tuple[str, str]]:
    """Key and state of each announcement of the issue, in the order in which they came."""
    async with story.db.reading() as tx:
        wanted = select(outbox.c.key, outbox.c.state).where(outbox.c.issue_id == story.issue.id).order_by(outbox.c.id)
        return [(row.key, row.state) for row in await tx.execute(wanted) if row.key.startswith(KINDS)]


async def wanted(story: Story, kind: str) -> None:
    """Until an announcement of this kind waits."""

    async def look() -> str | None:
        found = await announced(story)
        return kind if [key for key, state in found if key.startswith(kind) and state == "waiting"] else None

    await wait_for(look, lambda: f"no {kind} waits")


async def test_of_a_quarrel_about_the_state_one_comment_in_ten_minutes_tells_the_newest(each_story: Story) -> None:
    story = each_story
    await matched(story)
    await story.close()
    await story.bot("window:")
    for _ in range(3):
        await story.reopen()
        await wanted(story, "resume:")
        await story.close()
        await wanted(story, "window:")
        story.move(5)
    assert [state for _, state in await announced(story)] == ["sent", "waiting"]
    assert len(story.bodies("window:")) == 1 and story.bodies("resume:") == []
    row = await contract(story)
    assert row.announced_at is None, "the window that runs waits for its announcement"
    await story.calm()
    _, second = story.bodies("window:")
    assert "is halted" in second and story.bodies("resume:") == []
    row = await contract(story)
    assert row.announced_at is not None
    assert row.window_ends_at is not None and row.window_ends_at >= row.announced_at + DAY // 2
    times = sorted(comment.created_at for comment in story.written("window:"))
    assert times[1] - times[0] >= GAP_SECONDS
    story.move(DAY + 1)
    assert "settled: FIXED" in await story.settled()


async def test_what_waits_is_told_with_the_next_event_where_it_is_still_true(story: Story) -> None:
    """One contract settles while the thread has just heard of another: the close that follows is told beside it."""
    await matched(story, days=3)
    await story.say("adam", f"/bugmark offer unfixed 50 at 0.80 by {story.day(60)}")
    await story.say("beth", f"/bugmark offer fixed 50 at 0.20 by {story.day(60)}")
    story.move(4 * DAY)
    await story.bot("window:")
    await story.calm()
    async with story.db.reading() as tx:
        row = min(await of_thread(tx, story.issue.id), key=lambda row: row.maturation_at)
    assert row.window_ends_at is not None
    story.move(row.window_ends_at - story.now() - 60)
    await story.close()
    await story.bot(f"window:issue-{story.issue.id}:{story.issue.closed_at}")
    story.move(61)
    await wanted(story, "settlement:")
    await story.reopen()
    await wanted(story, "resume:")
    assert [key.partition(":")[0] for key, state in await announced(story) if state == "waiting"] == ["resume"]
    both = await story.bot("resume:")
    assert "is settled: UNFIXED." in both and "trades again:" in both and "@adam" in both
    assert both.index("is settled") < both.index("trades again")
