"""A dry run tells what a command would do, and changes nothing: no money, no numbers, no market comment."""

from __future__ import annotations

import pytest

from app.storage.engine.tables import offers
from tests.stories.stage import Story
from tests.stories.test_thread import mentions

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


async def rehearsed(story: Story, person: str, text: str) -> str:
    """Say it as a dry run; nothing changes. Returns the reply."""
    await story.say(person, "/bugmark balance")
    before = await story.ledger()
    comment, reply = await story.said(person, f"/bugmark dry-run {text}")
    assert "🚀 **Nothing was done.** The answer would be:" in reply, reply
    assert await story.verdict(comment) == ["rocket"]
    assert await story.ledger() == before
    assert mentions(reply) == set()
    return reply


async def test_an_offer_that_would_wait(each_story: Story) -> None:
    story = each_story
    by = story.day(30)
    reply = await rehearsed(story, "adam", f"offer fixed 50 at 0.40 by {by}")
    assert "> **Your offer** waits in the book: buy 50 FIXED at 0.40. You put up 20.00." in reply
    assert "you can cancel" not in reply and "/bugmark cancel" not in reply
    await story.calm()
    assert story.bodies("board:") == [], "no contract was made"
    first = await story.say("adam", f"/bugmark offer fixed 50 at 0.40 by {by}")
    await rehearsed(story, "adam", f"offer fixed 50 at 0.30 by {by}")
    second = await story.say("adam", f"/bugmark offer fixed 50 at 0.40 by {by}")
    numbers = [int(reply.partition("🚀 **o")[2].partition("**")[0]) for reply in (first, second)]
    assert numbers[1] == numbers[0] + 1


async def test_an_offer_that_would_fill_mentions_nobody(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    reply = await rehearsed(story, "beth", f"offer fixed 20 at 0.20 by {by}")
    assert "> **Bought 20 FIXED** for 4.00 (0.20 each), with **adam**." in reply
    assert "**Bought 20 FIXED** for 4.00" in await story.say("beth", f"/bugmark offer fixed 20 at 0.20 by {by}")


async def test_every_command_that_changes_something(story: Story) -> None:
    by = story.day(30)
    waits = await story.say("adam", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    number = waits.partition("🚀 **")[2].partition("*")[0]
    await story.say("beth", f"/bugmark offer fixed 20 at 0.20 by {by}")
    assert f"> Cancelled **{number}**." in await rehearsed(story, "adam", "cancel all")
    assert f"> **{number}** keeps its place" in await rehearsed(story, "adam", f"change {number} 10")
    assert "buy 30 UNFIXED at 0.70" in await rehearsed(story, "adam", f"change {number} at 0.70")
    assert "> **Bought 10 FIXED**" in await rehearsed(story, "carl", f"take {number} 10")
    assert "sell 20 FIXED at 0.40" in await rehearsed(story, "beth", "sell fixed all at 0.40")
    assert "buy 55 UNFIXED at 0.90" in await rehearsed(story, "carl", f"fund 50 by {by}")
    assert "> From now on you get only reactions" in await rehearsed(story, "carl", "mute")
    assert "> You have 1,000.00 play tokens" in await rehearsed(story, "carl", "balance")
    assert await story.count(offers) == 2


async def test_a_refusal_is_told_as_such(story: Story) -> None:
    by = story.day(30)
    mended = await story.mended(
        "adam", f"/bugmark dry-run offer fixed 5000 by {by}", "This would be refused: This needs 2,500.00 and you have"
    )
    assert "Nothing was done." in mended and "buy 2,000 FIXED" in mended
    await story.mended("adam", "/bugmark dry-run take o999999", "This would be refused: There is no offer o999999")
    await story.mended("adam", "/bugmark dry-run dry-run balance", "A dry run of a dry run does nothing twice.")
    await story.mended("adam", "/bugmark dry-run", "something is missing: a command")
    await story.mended("adam", "/bugmark dry-run offr fixed 50 by friday", "did you mean `offer`?")
    assert await story.count(offers) == 0
