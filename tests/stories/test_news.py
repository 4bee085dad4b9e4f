"""What nobody's command did is told in the thread: offers that expired, fills that came by themselves."""

from __future__ import annotations

import pytest

from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_who_made_an_offer_hears_that_it_expired(each_story: Story) -> None:
    story = each_story
    by, until = story.day(60), story.day(5)
    await story.say("adam", f"/bugmark offer unfixed 20 at 0.80 by {by} until {until}")
    await story.say("beth", f"/bugmark offer fixed 20 at 0.10 by {by} until {until}")
    await story.say("carl", f"/bugmark offer fixed 20 at 0.10 by {by}")
    story.move(6 * 86_400)
    news = await story.bot("expired:")
    assert "of @adam: buy 20 UNFIXED at 0.80; " in news
    assert "of @beth: buy 20 FIXED at 0.10." in news
    assert "carl" not in news
    await story.calm()
    assert len(story.bodies("expired:")) == 1


async def test_who_is_muted_is_not_mentioned_when_an_offer_expires(story: Story) -> None:
    await story.say("adam", f"/bugmark offer unfixed 20 at 0.80 by {story.day(60)} until {story.day(5)}")
    await story.comment("adam", "/bugmark mute")
    await story.calm()
    story.move(6 * 86_400)
    news = await story.bot("expired:")
    assert "**adam**: buy 20 UNFIXED at 0.80" in news
    assert "@adam" not in news


async def test_an_expiry_that_lets_an_all_or_none_offer_fill_is_told_to_both(story: Story) -> None:
    """13 are wanted; the whole 12 stood first, beside which neither the whole 5 nor the whole 8 fits."""
    by = story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 12 at 0.60 by {by} all-or-none until {story.day(5)}")
    await story.say("beth", f"/bugmark offer unfixed 5 at 0.60 by {by} all-or-none")
    await story.say("carl", f"/bugmark offer unfixed 8 at 0.60 by {by} all-or-none")
    await story.say("dev", f"/bugmark offer fixed 13 at 0.40 by {by} all-or-none")
    story.move(6 * 86_400)
    news = await story.bot("expired:")
    assert "of @adam: buy 12 UNFIXED at 0.60" in news
    assert news.count("@dev") == news.count("@beth") == news.count("@carl") == 1
    assert await story.money("dev") == ("994.80", "0.00")
    await story.check()


async def test_who_loses_a_place_to_a_better_all_or_none_offer_is_told(each_story: Story) -> None:
    """Fifty wait; the worst price is 0.10, and of the two who bid it fan-9 came last."""
    story, by = each_story, each_story.day(60)
    for number in range(10):
        prices = ["0.10" if number in (3, 9) else "0.20", *["0.20"] * 4]
        lines = [f"/bugmark offer fixed 5 at {price} by {by} all-or-none" for price in prices]
        await story.say(f"fan-{number}", "\n".join(lines))
    assert "5 all-or-none offers waiting here already" in await story.say("fan-0", lines[1])
    assert "would take the place of the last" in await story.say("zoe", lines[0])
    dry = await story.say("zoe", f"/bugmark dry-run offer fixed 5 at 0.30 by {by} all-or-none")
    assert "was cancelled to make room for it" in dry
    told = await story.say("zoe", f"/bugmark offer fixed 5 at 0.30 by {by} all-or-none")
    assert "was cancelled to make room for it" in told and "fan-9" not in told
    news = await story.bot("displaced:")
    assert "of @fan-9: buy 5 FIXED at 0.10. An all-or-none offer at a better price took its place" in news
    await story.calm()
    assert len(story.bodies("displaced:")) == 1
    assert await story.money("fan-9") == ("996.00", "4.00")
    await story.check()


async def test_pooled_offers_come_back_by_themselves_when_there_is_money_again(story: Story) -> None:
    """A pool over two maturations of one issue."""
    near, far = story.day(40), story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {near} pool")
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {far} pool")
    assert await story.money("adam") == ("920.00", "80.00")
    filled = await story.say("beth", f"/bugmark offer fixed 50 at 0.20 by {near}")
    assert "@adam" in filled
    assert "suspended" in await story.say("adam", "/bugmark offers")
    await story.say("carl", f"/bugmark offer unfixed 50 at 0.85 by {near}")
    await story.say("adam", f"/bugmark sell unfixed 50 at 0.85 by {near}")
    await story.calm()

    for _ in range(20):
        if "suspended" not in await story.say("adam", "/bugmark offers"):
            break
    else:
        raise AssertionError("it stays suspended")
    await story.check()
