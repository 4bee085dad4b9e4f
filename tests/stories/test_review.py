"""Answers that must not lie: rehearsals, pools and what is free again."""

from __future__ import annotations

import pytest

from tests.stories.market_life import matched
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


async def test_a_maintainer_rehearses_what_only_a_maintainer_may(story: Story) -> None:
    await matched(story)
    await story.say(story.owner, "/bugmark balance")
    reply = await story.say(story.owner, "/bugmark dry-run market halt a fix may have leaked")
    assert "The answer would be" in reply and "> **Trading is halted**" in reply
    await story.refused("beth", "/bugmark dry-run market halt I say so", "Only somebody with triage rights or better")


async def test_a_rehearsed_forecast_has_no_number_that_another_may_get(story: Story) -> None:
    asked = f"forecast issue label bug by {story.day(60)}"
    assert "offer true 50 at 0.30 on F…" in await story.say("adam", f"/bugmark dry-run {asked}")
    first = await story.say("beth", f"/bugmark forecast issue label docs by {story.day(60)}")
    second = await story.say("adam", f"/bugmark {asked}")
    numbers = [int(reply.partition("🚀 **F")[2].partition("*")[0]) for reply in (first, second)]
    assert numbers[1] == numbers[0] + 1


async def test_what_a_pool_still_needs_is_not_called_free(story: Story) -> None:
    for days in (30, 40):
        reply = await story.say("adam", f"/bugmark offer fixed 100 at 0.50 by {story.day(days)} pool")
    assert "· 950.00 free ·" in reply
    second = reply.partition("🚀 **")[2].partition("*")[0]
    reply = await story.say("adam", f"/bugmark change {second} 20")
    assert "is free again, but for what your other pooled offers need." in reply and "950.00 free" in reply
    await story.say("beth", f"/bugmark offer unfixed 95 at 0.50 by {story.day(30)}")
    assert f"**{second}** is still suspended" in await story.say("adam", f"/bugmark change {second} 10")
    assert "is free again, but for" in await story.say("adam", f"/bugmark cancel {second}")
