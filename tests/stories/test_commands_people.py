"""Giving and muting, through the thread."""

from __future__ import annotations

import re

import pytest

from sandbox import owning
from tests.stories.stage import Story
from tests.stories.test_thread import mentions

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


async def trade(story: Story) -> str:
    """Adam pays 80 tokens of his grant for UNFIXED and sells it again for 70; returns the day."""
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    await story.say("beth", f"/bugmark offer fixed 100 at 0.20 by {by}")
    await story.say("adam", "/bugmark sell unfixed all at 0.70")
    await story.say("carl", f"/bugmark offer unfixed 100 at 0.70 by {by}")
    return by


async def test_traded_money_can_be_given(each_story: Story) -> None:
    story = each_story
    await trade(story)
    reply = await story.say("adam", "/bugmark give @Beth 20")
    assert "**adam** gave @beth 20.00. You have 970.00 free left." in reply
    assert mentions(reply) == {"beth"}
    assert await story.money("beth") == ("1,000.00", "0.00")


async def test_granted_tokens_cannot_be_given_before_they_were_traded(story: Story) -> None:
    await story.say("beth", "/bugmark balance")
    await story.mended("adam", "/bugmark give @beth 20", "granted tokens have to be traded before they can be given")
    await trade(story)
    mended = await story.mended("adam", "/bugmark give @beth 200", "You can give 70.00")
    assert "gave @beth 70.00" in mended
    await story.mended("adam", "/bugmark give @beth 2000", "You have 920.00 free.")


async def test_whom_one_cannot_give(story: Story) -> None:
    await trade(story)
    await story.mended("adam", "/bugmark give @adam 20", "That is you.")
    await story.mended("adam", "/bugmark give @nobody-at-all 20", "Nobody called `nobody-at-all` has an account here.")
    await story.mended("adam", "/bugmark give @bugmark[bot] 20", "is no user")
    assert "gave @beth 20.00" in await story.mended("adam", "/bugmark give 20 to @beth", "`to` is no amount")
    await story.mended("adam", "/bugmark give @beth", "something is missing: an amount")
    await story.mended("adam", "/bugmark give @beth 0", "`0` is no amount")


async def test_a_gift_does_not_go_to_whoever_had_the_name_before(story: Story) -> None:
    """Beth takes another name and never acts again; somebody else takes hers."""
    await trade(story)
    world, name = story.stage.sandbox.inside.world, f"beth-{story.owner}"
    await story.say(name, "/bugmark balance")
    owning.rename_account(world, world.account(name), f"former-{name}")
    world.account(name)
    await story.refused("adam", f"/bugmark give @{name} 20", f"Who was known here as `{name}` does not have that name")
    await story.say(name, "/bugmark balance")
    assert f"gave @{name} 20.00" in await story.say("adam", f"/bugmark give @{name} 20")
    assert await story.money(name) == ("1,020.00", "0.00")


async def reacted(story: Story, person: str, text: str) -> list[str]:
    """Say it; the app's reactions when everything is dealt with."""
    comment = await story.comment(person, text)
    await story.calm()
    assert story.bodies(f"reply:{comment}") == []
    return await story.verdict(comment)


async def test_who_is_muted_gets_only_reactions_and_is_not_mentioned(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", "/bugmark balance")
    refused = await story.refused("adam", "/bugmark mute weekly", "here may stand `daily`")
    assert "Try `/bugmark mute`." in refused
    assert await reacted(story, "adam", "/bugmark mute") == ["rocket"]
    assert await reacted(story, "adam", f"/bugmark offer unfixed 100 at 0.80 by {by}") == ["rocket"]
    assert await reacted(story, "adam", "/bugmark offer fixed fifty") == ["confused"]
    bought = await story.say("beth", f"/bugmark offer fixed 50 at 0.20 by {by}")
    assert "with **adam**." in bought and mentions(bought) == set()
    back = await story.say("adam", "/bugmark unmute")
    assert "are answered again" in back
    again = await story.say("beth", f"/bugmark offer fixed 50 at 0.20 by {by}")
    assert mentions(again) == {"adam"}


async def test_whose_offer_a_muted_user_fills_is_told_in_a_short_comment(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    await reacted(story, "beth", "/bugmark mute")
    assert await reacted(story, "beth", f"/bugmark offer fixed 60 at 0.20 by {by}") == ["rocket"]
    (told,) = story.bodies("fills:")
    assert re.search(r"🤝 \*\*Filled in contract c\d+ \(by .*\)\*\*: ", told), told
    assert "**beth** and @adam: 60 units at 0.20" in told and mentions(told) == {"adam"}
    assert "since offers that waited" not in told and "tokens:" not in told
    await story.say("adam", "/bugmark mute daily")
    for _ in range(2):
        await reacted(story, "beth", f"/bugmark offer fixed 10 at 0.20 by {by}")
    assert [mentions(body) for body in story.bodies("fills:")] == [{"adam"}, {"adam"}]
    await reacted(story, "adam", "/bugmark mute")
    await reacted(story, "beth", f"/bugmark offer fixed 10 at 0.20 by {by}")
    assert len(story.bodies("fills:")) == 2


async def test_a_comment_that_fills_an_offer_and_mutes_is_answered_once(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    comment, reply = await story.said("beth", f"/bugmark offer fixed 60 at 0.20 by {by}\n/bugmark mute")
    assert mentions(reply) == {"adam"}
    await story.edit("beth", comment, f"/bugmark offer fixed 60 at 0.20 by {by}\n/bugmark mute\n/bugmark balance")
    await story.calm()
    assert story.bodies(f"reply:{comment}") == [reply] and story.bodies("fills:") == []


async def test_whom_a_muted_user_gives_something_is_told_by_the_reply(story: Story) -> None:
    await trade(story)
    assert await reacted(story, "adam", "/bugmark mute") == ["rocket"]
    assert mentions(await story.say("adam", "/bugmark give @beth 20")) == {"beth"}


async def test_who_is_muted_is_not_mentioned_at_settlement(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    await story.say("beth", f"/bugmark offer fixed 100 at 0.20 by {by}")
    assert await reacted(story, "adam", "/bugmark mute") == ["rocket"]
    await story.close()
    await story.bot("window:")
    story.move(3 * 86_400)
    settled = await story.settled()
    assert mentions(settled) == {"beth"} and "**adam**" in settled


async def test_muted_by_the_day(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    assert "mention you at most once a day (UTC)" in await story.say("adam", "/bugmark mute daily")
    seen = [mentions(await story.say("beth", f"/bugmark offer fixed 10 at 0.20 by {by}")) for _ in range(2)]
    assert seen[0] == {"adam"} and seen[1] == set()
    story.move(86_400)
    assert mentions(await story.say("beth", f"/bugmark offer fixed 10 at 0.20 by {by}")) == {"adam"}
