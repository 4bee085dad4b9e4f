"""Disputes in the thread: who, with what bond, and what a maintainer or nobody makes of them (docs/market.md §5)."""

from __future__ import annotations

import pytest

from app.market.terms.contract import Status
from app.market.terms.instants import format_instant
from app.storage.market.contracts import of_thread
from tests.stories.conftest import DAY
from tests.stories.market_life import closed_window, contract, give_right, matched
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


async def test_a_dispute_holds_settlement_until_a_maintainer_decides(each_story: Story) -> None:
    story = each_story
    await give_right(story, "mary")
    await matched(story)
    notice = await closed_window(story)
    number = (await contract(story)).id
    assert f"`/bugmark dispute on c{number} REASON`, with a bond." in notice
    reply = await story.say("adam", "/bugmark dispute The release does not have it.")
    assert f"**c{number} is disputed.** Your bond of 5.00 comes back if you are right." in reply
    assert "It does not settle before a maintainer who holds no units here decides" in await story.bot("dispute:")
    assert await story.money("adam") == ("875.00", "40.00")
    story.move(2 * DAY)
    await story.calm()
    assert story.bodies("settlement:") == []
    reply = await story.say("mary", "/bugmark resolve fixed It is in the branch of the release.")
    assert "the dispute is resolved as FIXED" in reply
    assert "The bond of 5.00 of **adam** goes to fees." in reply
    settled = await story.settled()
    assert "is settled: FIXED.** So **mary** has ruled: `It is in the branch of the release`" in settled
    assert "| @beth | 100.00 | 20.00 | +80.00 | 0.00 |" in settled
    assert await story.money("adam") == ("915.00", "0.00")


async def test_unfixed_before_maturation_sets_the_close_aside_and_trading_resumes(story: Story) -> None:
    await give_right(story, "mary")
    by = await matched(story)
    await closed_window(story)
    await story.say("adam", "/bugmark dispute it still crashes")
    reply = await story.say("mary", "/bugmark resolve unfixed it does crash")
    assert "this close is set aside and trading resumes. The bond of 5.00 goes back to **adam**." in reply
    assert "trades again:** the close was set aside by a maintainer." in await story.bot("resume:")
    assert await story.money("adam") == ("880.00", "40.00")
    assert "**Bought 50 FIXED**" in await story.say("carl", f"/bugmark offer fixed 50 at 0.20 by {by}")
    story.move(3 * DAY)
    await story.calm()
    assert (await contract(story)).status is Status.OPEN
    await story.reopen()
    await story.close()
    await story.bot(f"window:issue-{story.issue.id}:{story.issue.closed_at}")
    story.move(DAY + 1)
    assert "settled: FIXED" in await story.settled()


async def test_a_void_by_a_maintainer_may_have_its_own_price(story: Story) -> None:
    await give_right(story, "mary")
    await matched(story)
    await closed_window(story)
    await story.say("adam", "/bugmark dispute half of it is missing")
    reply = await story.say("mary", "/bugmark resolve void at 0.50 half of it is done")
    assert "resolved as VOID" in reply and "goes back to **adam**" in reply
    story.move(DAY + 1)
    settled = await story.settled()
    assert (
        "is settled: VOID.** So **mary** has ruled, counting a unit of FIXED as 0.50: `half of it is done`." in settled
    )
    assert "| @adam | 80.00 | 80.00 | 0.00 | 0.00 |" in settled
    assert "| @beth | 20.00 | 20.00 | 0.00 | 0.00 |" in settled


@pytest.mark.parametrize("backed", [True, False])
async def test_unanswered_for_seven_days(story: Story, backed: bool) -> None:
    """The issue's state counts if the close was backed, and the bond comes back; else it is void, and the bond goes."""
    await matched(story)
    await story.close(person=story.owner if backed else "dana")
    await story.bot("window:")
    await story.say("adam", "/bugmark dispute nobody has tried it")
    assert ("it is VOID, because the close is not backed" in await story.bot("dispute:")) is not backed
    story.move(7 * DAY - 60)
    await story.calm()
    assert story.bodies("settlement:") == []
    story.move(61)
    settled = await story.settled()
    assert f"is settled: {'FIXED' if backed else 'VOID'}.**" in settled
    assert await story.money("adam") == ("920.00" if backed else "995.00", "0.00")


async def test_a_reopening_before_maturation_ends_a_dispute_with_the_bond_back(story: Story) -> None:
    await matched(story)
    await closed_window(story)
    await story.say("adam", "/bugmark dispute it is not fixed")
    await story.reopen()
    assert "trades again" in await story.bot("resume:")
    assert await story.money("adam") == ("880.00", "40.00")


async def test_who_may_not_dispute_or_resolve(story: Story) -> None:
    await give_right(story, "mary")
    await matched(story)
    await story.refused("adam", "/bugmark dispute too early", "no window runs")
    await closed_window(story)
    await story.refused("beth", "/bugmark dispute I win", "You hold no units that would lose")
    await story.refused("carl", "/bugmark dispute I have nothing", "You hold no units that would lose")
    await story.refused("mary", "/bugmark resolve fixed nobody asked", "There is no dispute to resolve")
    await story.say("adam", "/bugmark dispute it is not fixed")
    await story.refused("adam", "/bugmark dispute again", "there is one dispute a window")
    await story.refused("carl", "/bugmark resolve unfixed I think so", "Only somebody with triage rights or better")
    await give_right(story, "beth", "maintain")
    await story.refused("beth", "/bugmark resolve fixed I win", "only a maintainer without a position may")
    await story.mended("mary", "/bugmark resolve fixed", "something is missing")


async def test_an_unfixed_verdict_is_disputed_by_who_loses_by_it(story: Story) -> None:
    """It was done in time, though nobody closed the issue."""
    await give_right(story, "mary")
    await matched(story, days=10)
    maturation = (await contract(story)).maturation_at
    story.move(maturation - story.now() + 1)
    notice = await story.bot("window:")
    assert "it settles as **UNFIXED** after" in notice
    await story.say("beth", "/bugmark dispute it was released last week")
    await story.say("mary", "/bugmark resolve fixed so it was")
    story.move(DAY + 1)
    assert "is settled: FIXED.** So **mary** has ruled" in await story.settled()


async def test_a_verdict_that_changes_after_maturation_is_told(story: Story) -> None:
    await matched(story, days=10)
    story.move((await contract(story)).maturation_at - story.now() - 3600)
    await closed_window(story)
    story.move(7200)
    await story.reopen()
    told = await story.bot("verdict:")
    row = await contract(story)
    assert f"it settles as **UNFIXED** after {format_instant(row.window_ends_at or 0)}" in told
    assert "is disputed" in await story.say("beth", "/bugmark dispute it was fixed in time")
    assert await story.money("beth") == ("975.00", "0.00")


async def test_two_contracts_of_one_issue_are_disputed_one_by_one(story: Story) -> None:
    await give_right(story, "mary")
    for days in (30, 60):
        by = story.day(days)
        await story.say("adam", f"/bugmark offer unfixed 10 at 0.80 by {by}")
        await story.say("beth", f"/bugmark offer fixed 10 at 0.20 by {by}")
    await story.close()
    await story.bot("window:")
    await story.calm()
    reply = await story.mended("adam", "/bugmark dispute it is not fixed", "Several verdicts are announced here")
    assert "is disputed" in reply
    await story.say("adam", "/bugmark dispute it is not fixed")
    reply = await story.mended("mary", "/bugmark resolve unfixed it is not", "Several verdicts are disputed here")
    assert "set aside" in reply
    async with story.db.reading() as tx:
        rows = await of_thread(tx, story.issue.id)
    for row in rows:
        assert f"c{row.id} " in await story.bot("resume:", "the close was set aside by a maintainer")


async def test_a_reason_cannot_run_mention_or_link(story: Story) -> None:
    await give_right(story, "mary")
    await matched(story)
    await closed_window(story)
    await story.say("adam", "/bugmark dispute it is `broken` @beth #1 /bugmark offer fixed 50")
    await story.say("mary", "/bugmark resolve void see `@adam` and #1")
    story.move(DAY + 1)
    assert "So **mary** has ruled: `see '@adam' and #1`." in await story.settled()
