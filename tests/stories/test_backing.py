"""Closes by pull requests that a queue, a bot or auto-merge merged: who stands behind them (docs/market.md §5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories.conftest import DAY
from tests.stories.market_life import contract, give_right, matched, window_end
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False

LONGER = "The window is longer, since the close is not backed"


async def pull(story: Story) -> str:
    """Dana's pull request that would close the issue; where it is controlled."""
    for login in ("mona", "beth", "tim"):
        await give_right(story, login, "write")
    where = f"{story.owner}/{story.name}"
    body = {
        "repository": where,
        "title": "Stop it",
        "as": "dana",
        "files": {"a": "1"},
        "body": f"Closes #{story.number}",
    }
    number = (await story.call("POST", "/_sandbox/pulls", body=body))["number"]
    story.move(60)
    return f"/_sandbox/pulls/{where}/{number}"


async def done(story: Story, path: str, method: str = "PUT", **body: Any) -> None:
    await story.call(method, path, body=body)


async def approve(story: Story, path: str, who: str) -> None:
    await done(story, f"{path}/reviews", "POST", **{"as": who})
    story.move(60)


async def push(story: Story, path: str) -> None:
    await done(story, f"{path}/files", files={"a": "2"})
    story.move(60)


async def told(story: Story) -> tuple[bool, str]:
    """Whether the window is that of a backed close, as announced and as it is; and the announcement."""
    notice = await story.bot("window:")
    backed = LONGER not in notice
    assert window_end(notice) == (story.issue.closed_at or 0) + (DAY if backed else 2 * DAY)
    row = await contract(story)
    assert (row.backed, row.by_pull) == (backed, True)
    return backed, notice


async def test_a_merge_queue_s_close_is_backed_by_an_approver_without_a_position(each_story: Story) -> None:
    story = each_story
    await matched(story)
    path = await pull(story)
    await approve(story, path, "mona")
    await done(story, f"{path}/queue", **{"as": "beth"})
    await done(story, f"{path}/queue/merge")
    backed, notice = await told(story)
    assert backed
    assert "closed as completed by **github-merge-queue[bot]**" in notice
    assert "`approved by mona`, `queued by beth`" in notice
    story.move(DAY + 1)
    assert "`approved by mona`" in await story.settled()
    assert await story.money("beth") == ("1,080.00", "0.00")


async def test_not_by_an_approver_with_a_position(story: Story) -> None:
    await matched(story)
    path = await pull(story)
    await approve(story, path, "beth")
    await done(story, f"{path}/queue", **{"as": "stale[bot]"})
    await done(story, f"{path}/queue/merge")
    assert not (await told(story))[0]


async def test_by_whoever_queued_it_after_the_last_push(story: Story) -> None:
    await matched(story)
    path = await pull(story)
    await push(story, path)
    await done(story, f"{path}/queue", **{"as": "mona"})
    await done(story, f"{path}/queue/merge")
    assert (await told(story))[0]


@pytest.mark.parametrize("what", ["approved", "queued"])
async def test_not_by_what_was_done_before_the_last_push(story: Story, what: str) -> None:
    """A push takes it out of the queue; a bot that merges it all the same stands for nobody."""
    await matched(story)
    path = await pull(story)
    if what == "approved":
        await approve(story, path, "mona")
    else:
        await done(story, f"{path}/queue", **{"as": "mona"})
        story.move(60)
    await push(story, path)
    await done(story, f"{path}/merge", **{"as": "bors[bot]"})
    assert not (await told(story))[0]


async def test_an_approval_of_the_last_commit_makes_up_for_one_of_an_older(story: Story) -> None:
    await matched(story)
    path = await pull(story)
    await approve(story, path, "mona")
    await push(story, path)
    await approve(story, path, "tim")
    await done(story, f"{path}/merge", **{"as": "bors[bot]"})
    backed, notice = await told(story)
    assert backed and "`approved by tim`" in notice


async def test_a_plain_merge_by_a_bot_is_backed_by_nobody(story: Story) -> None:
    await matched(story)
    path = await pull(story)
    await done(story, f"{path}/merge", **{"as": "bors[bot]"})
    assert not (await told(story))[0]


async def test_auto_merge_is_backed_by_nobody(story: Story) -> None:
    """It outlives a push by a writer, who may hold units: the name in which GitHub merges says nothing."""
    await matched(story)
    path = await pull(story)
    await done(story, f"{path}/auto-merge", **{"as": "mona"})
    await push(story, path)
    await done(story, f"{path}/auto-merge/merge")
    backed, notice = await told(story)
    assert not backed
    assert "by **mona**" in notice and "`merged by auto-merge for mona`" in notice


async def test_a_dispute_that_nobody_answers_takes_no_reward_for_what_a_queue_merged(story: Story) -> None:
    """The close is backed, so the state of the issue decides."""
    await matched(story)
    path = await pull(story)
    await approve(story, path, "mona")
    await done(story, f"{path}/queue", **{"as": "tim"})
    await done(story, f"{path}/queue/merge")
    assert (await told(story))[0]
    await story.say("adam", "/bugmark dispute I would lose")
    assert "the state of the issue decides, and every bond comes back" in await story.bot("dispute:")
    story.move(7 * DAY + 1)
    assert "is settled: FIXED.**" in await story.settled()
    assert (await story.money("adam"), await story.money("beth")) == (("920.00", "0.00"), ("1,080.00", "0.00"))


async def test_disputing_what_a_merged_pull_request_closed_costs_twice_as_much(story: Story) -> None:
    await matched(story)
    path = await pull(story)
    await done(story, f"{path}/merge", **{"as": "mona"})
    assert (await told(story))[0]
    assert "Your bond of 10.00 comes back if you are right" in await story.say("adam", "/bugmark dispute not in there")
