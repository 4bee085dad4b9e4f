"""Insiders, fees, evidence, backing and rounds, as the thread shows them (docs/market.md §5)."""

from __future__ import annotations

import re

import pytest

from sandbox import owning
from tests.stories.conftest import DAY
from tests.stories.market_life import closed_window, contract, give_right, matched, set_rules, window_end
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


async def test_insiders_are_marked_wherever_their_position_is_shown(story: Story) -> None:
    """Disclosure is the default for play tokens: Dana opened the issue, Tess has triage rights, Carl has neither."""
    await give_right(story, "tess")
    by = story.day(60)
    await story.say("dana", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    for person, units in (("tess", 30), ("carl", 20)):
        await story.say(person, f"/bugmark offer fixed {units} at 0.20 by {by}")
    board = await story.board("carl")
    for person, insider in (("dana", True), ("tess", True), ("carl", False)):
        (holder,) = re.findall(rf"\*\*{person}\*\*[^,;|\n]*", board)
        assert ("(insider)" in holder) is insider, board
        positions = await story.say("eve", f"/bugmark positions @{person}")
        assert ("(insider)" in positions.split("<details>")[0]) is insider, positions


async def test_where_the_rules_forbid_it_insiders_do_not_trade(story: Story) -> None:
    await set_rules(story, "insiders: forbid\n")
    await give_right(story, "tess")
    by = await matched(story)
    for person in ("tess", "dana"):
        why = "The issue's author and those with triage rights may not trade here"
        await story.refused(person, f"/bugmark offer fixed 50 at 0.20 by {by}", why)
    assert "**Bought 50 FIXED**" in await story.say("carl", f"/bugmark offer fixed 50 at 0.20 by {by}")
    await give_right(story, "carl")
    await story.refused("carl", "/bugmark sell fixed 50 at 0.30", "may not trade here")


async def test_another_name_makes_nobody_an_outsider(story: Story) -> None:
    """Tess takes another name right after her comment: under the old one GitHub knows of no rights."""
    await set_rules(story, "insiders: forbid\n")
    by = await matched(story)
    name, world = f"tess-{story.owner}", story.stage.sandbox.inside.world
    await give_right(story, name)
    comment = await story.comment_beside(name, f"/bugmark offer fixed 50 at 0.20 by {by}")
    owning.rename_account(world, world.account(name), f"new-{name}")
    assert "may not trade here" in await story.reply_to(comment)


async def test_where_the_rules_allow_it_nobody_is_marked(story: Story) -> None:
    await set_rules(story, "insiders: allow\n")
    by = story.day(60)
    await story.say("dana", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    await story.say("carl", f"/bugmark offer fixed 100 at 0.20 by {by}")
    assert "insider" not in await story.board("dana")


async def test_a_fee_is_taken_from_the_profit(story: Story) -> None:
    """Example I."""
    await set_rules(story, "fee_bps: 1000\n")
    by = story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 200 at 0.80 by {by}")
    await story.say("beth", f"/bugmark offer fixed 200 at 0.20 by {by}")
    await closed_window(story)
    story.move(DAY + 1)
    assert "| @beth | 184.00 | 40.00 | +144.00 | 16.00 |" in await story.settled()
    assert await story.money("beth") == ("1,144.00", "0.00")


async def test_a_closers_position_counts_as_it_was_when_they_closed(story: Story) -> None:
    """The owner held units and sold them all before: the close is backed."""
    by = await matched(story)
    await story.say(story.owner, f"/bugmark offer fixed 10 at 0.20 by {by}")
    await story.say("adam", "/bugmark cancel all")
    await story.say("carl", f"/bugmark offer fixed 10 at 0.30 by {by}")
    assert "**Sold 10 FIXED**" in await story.say(story.owner, "/bugmark sell fixed all")
    await story.calm()
    story.move(5)
    notice = await closed_window(story)
    assert window_end(notice) == (story.issue.closed_at or 0) + DAY, notice


async def test_the_settlement_names_evidence_every_payout_and_where_it_could_be_disputed(story: Story) -> None:
    await matched(story)
    pull = await story.call(
        "POST",
        "/_sandbox/pulls",
        body={
            "repository": f"{story.owner}/{story.name}",
            "title": "Mend it",
            "body": f"Fixes #{story.number}",
            "files": {"mend.py": "pass\n"},
        },
    )
    await story.call("PUT", f"/_sandbox/pulls/{story.owner}/{story.name}/{pull['number']}/merge")
    notice = await story.bot("window:")
    number = (await contract(story)).id
    story.move(2 * DAY + 1)
    settled = await story.settled()
    for text in (notice, settled):
        assert "closed as completed by" in text
        assert f"{pull['number']}`" in text, text
    assert "| @adam |" in settled and "| @beth |" in settled
    assert f"It could be disputed with `/bugmark dispute on c{number} REASON` until" in settled


async def test_the_reply_in_the_next_round_says_so(story: Story) -> None:
    by = await matched(story)
    await closed_window(story)
    story.move(DAY + 1)
    assert "If the issue is reopened, the next contract begins the next round." in await story.settled()
    await story.reopen()
    await story.calm()
    reply = await story.say("carl", f"/bugmark offer fixed 50 by {by}")
    assert "This is round 2: only a close after the reopening counts." in reply
