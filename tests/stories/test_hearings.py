"""Disputes and rulings in the thread: everybody whom they concern hears of them, and nothing folds them away."""

from __future__ import annotations

import pytest

from tests.stories.conftest import DAY
from tests.stories.market_life import closed_window, contract, give_right, matched
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


def folded(story: Story) -> set[str]:
    """The markers of our comments that are folded away."""
    return {found.body.splitlines()[0] for found in story.written("") if found.minimized}


async def crowd(story: Story) -> None:
    """Adam has 150 UNFIXED and Carl 50; Beth 100 FIXED, Dora and Eve 50 each. Mary may decide."""
    await give_right(story, "mary")
    by = await matched(story)
    await story.say("dora", f"/bugmark offer fixed 50 at 0.20 by {by}")
    await story.say("carl", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    await story.say("eve", f"/bugmark offer fixed 50 at 0.20 by {by}")


async def test_a_dispute_is_told_to_all_holders_and_stays_after_a_typo_of_the_same_person(each_story: Story) -> None:
    story = each_story
    await matched(story)
    await closed_window(story)
    comment, _ = await story.said("adam", "/bugmark dispute The release does not have it.")
    number = (await contract(story)).id
    told = await story.bot("dispute:")
    assert f"**c{number} is disputed.** **adam** says that **FIXED** is wrong: `The release does not have it`." in told
    assert "This concerns @beth." in told and "@adam" not in told
    story.move(3601)
    typo, _ = await story.said("adam", "/bugmark disptue oops")
    story.move(3601)
    await story.said("adam", "/bugmark balance")
    await story.calm()
    assert f"<!-- bugmark:reply:{comment} -->" not in folded(story)
    assert not [marker for marker in folded(story) if "dispute:" in marker]
    assert f"<!-- bugmark:reply:{typo} -->" in folded(story)


async def test_who_joins_is_added_to_the_first_comment(story: Story) -> None:
    await crowd(story)
    await closed_window(story)
    await story.say("adam", "/bugmark dispute The release does not have it.")
    told = await story.bot("dispute:")
    assert "This concerns @beth, @dora, @carl, @eve." in told
    reply = await story.say("carl", "/bugmark dispute It crashes on Windows.")
    assert "**You have joined the dispute" in reply and "Your bond of 2.50 comes back if you are right" in reply
    told = await story.bot("dispute:", "Joined by")
    assert "Joined by **carl**: `It crashes on Windows`." in told
    assert "This concerns @beth, @dora, @eve." in told
    await story.calm()
    assert len(story.bodies("dispute:")) == 1
    await story.refused("carl", "/bugmark dispute again", "You dispute this verdict already")
    reply = await story.say("mary", "/bugmark resolve fixed It is in the branch of the release.")
    assert "The bonds of **adam** (7.50), **carl** (2.50) go to fees." in reply
    ruled = await story.bot("ruling:")
    assert "is decided: FIXED.** **mary** says: `It is in the branch of the release`." in ruled
    assert "The bonds of @adam (7.50), @carl (2.50) go to fees." in ruled
    assert "This concerns @beth, @dora, @eve." in ruled, ruled
    await story.calm()
    assert not [marker for marker in folded(story) if "ruling:" in marker or "dispute:" in marker]


async def test_whoever_never_wants_a_mention_gets_none(story: Story) -> None:
    await crowd(story)
    await story.comment("beth", "/bugmark mute")
    await story.calm()
    await closed_window(story)
    await story.say("adam", "/bugmark dispute The release does not have it.")
    told = await story.bot("dispute:")
    assert "This concerns **beth**, @dora, @carl, @eve." in told


async def test_a_close_set_aside_is_told_to_all_holders(story: Story) -> None:
    await crowd(story)
    await closed_window(story)
    await story.say("adam", "/bugmark dispute it still crashes")
    await story.say("mary", "/bugmark resolve unfixed it does crash")
    ruled = await story.bot("ruling:")
    assert "This close is set aside, and trading resumes. The bond of @adam (7.50) goes back." in ruled
    assert "This concerns @beth, @dora, @carl, @eve." in ruled


async def test_silence_about_a_close_that_nobody_backs_costs_whoever_disputed_it(story: Story) -> None:
    """Beth and Eve, who did the work, get the bonds of those who made it VOID."""
    await matched(story)
    await story.close(person="dana")
    await story.bot("window:")
    reply = await story.say("adam", "/bugmark dispute nobody has tried it")
    assert "is disputed.** Your bond of 5.00 comes back if you are right." in reply
    assert "every bond goes to those whom FIXED would have paid" in await story.bot("dispute:")
    story.move(7 * DAY + 1)
    settled = await story.settled()
    assert "The bonds of the dispute, 5.00, went to the other side by units." in settled
    assert (await story.money("adam"), await story.money("beth")) == (("995.00", "0.00"), ("1,005.00", "0.00"))


async def test_a_fill_that_others_hear_of_is_not_folded_though_it_mentions_nobody(story: Story) -> None:
    by = story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    await story.comment("adam", "/bugmark mute")
    await story.calm()
    comment, reply = await story.said("beth", f"/bugmark offer fixed 100 at 0.20 by {by}")
    assert "with **adam**" in reply
    await story.say("beth", "/bugmark offers")
    story.move(3601)
    await story.say("beth", "/bugmark balance")
    await story.calm()
    assert f"<!-- bugmark:reply:{comment} -->" not in folded(story)


async def test_a_maintainer_s_halt_stays_in_sight(story: Story) -> None:
    await give_right(story, "mary")
    await matched(story)
    comment, _ = await story.said("mary", "/bugmark market halt a fix may have leaked")
    await story.say("mary", "/bugmark balance")
    story.move(3601)
    await story.say("mary", "/bugmark balance")
    await story.calm()
    assert f"<!-- bugmark:reply:{comment} -->" not in folded(story)
    assert len(folded(story)) == 1
