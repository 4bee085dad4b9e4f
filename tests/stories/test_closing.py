"""Closing, reopening, settling: what the thread is told and who is paid."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.market.terms.contract import Status
from app.market.terms.instants import format_instant
from app.storage.engine.tables import contracts, offers
from app.storage.market.contracts import ContractRow, of_issue
from tests.stories.conftest import DAY
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False

CLOSED = "This issue is closed as completed; nothing is traded unless it is reopened."


async def matched(story: Story, days: int = 60) -> str:
    """Adam has 100 UNFIXED at 0.80 and Beth 100 FIXED at 0.20; Adam waits for 50 more. Returns the day."""
    by = story.day(days)
    await story.say("adam", f"/bugmark offer unfixed 150 at 0.80 by {by}")
    assert "**Bought 100 FIXED**" in await story.say("beth", f"/bugmark offer fixed 100 at 0.20 by {by}")
    return by


async def contract(story: Story) -> ContractRow:
    async with story.db.reading() as tx:
        (row,) = await of_issue(tx, story.issue.id)
    return row


def window_end(notice: str) -> int:
    """The instant after which the notice says it settles."""
    (told,) = re.findall(r"after (\d+ \w+ \d+ [\d:]+) UTC", notice)
    return int(datetime.strptime(told, "%d %b %Y %H:%M:%S").replace(tzinfo=UTC).timestamp())


# -- fixed --------------------------------------------------------------------------------------------------------


async def test_closed_as_completed_by_the_owner(each_story: Story) -> None:
    story = each_story
    by = await matched(story)
    await story.close()
    notice = await story.bot("window:")
    closed_at = story.issue.closed_at
    assert closed_at is not None
    assert window_end(notice) == closed_at + DAY
    assert f"closed as completed by **{story.owner}** on {format_instant(closed_at)}" in notice
    assert "Unless it is reopened, it settles as **FIXED** after" in notice
    assert "longer" not in notice
    assert f"`/bugmark dispute on c{(await contract(story)).id} REASON`" in notice
    await story.board(f"halted until {format_instant(closed_at + DAY)}")
    await story.refused("carl", f"/bugmark offer fixed 50 at 0.30 by {by}", CLOSED)
    await story.refused("beth", "/bugmark sell fixed 50 at 0.30", CLOSED)
    assert "Cancelled **o" in await story.say("adam", "/bugmark cancel all")
    story.move(DAY - 60)
    await story.calm()
    assert story.bodies("settlement:") == []
    story.move(61)
    settled = await story.settled()
    assert "is settled: FIXED.** The issue was closed as completed by **owner-" in settled
    assert f"on {format_instant(closed_at)}" in settled
    assert "| @beth | 100.00 | 20.00 | +80.00 | 0.00 |" in settled
    assert "| @adam | 0.00 | 80.00 | −80.00 | 0.00 |" in settled
    await story.board("settled\xa0FIXED")
    assert await story.money("beth") == ("1,080.00", "0.00")
    assert await story.money("adam") == ("920.00", "0.00")
    story.move(30 * DAY)
    await story.calm()
    assert len(story.bodies("settlement:")) == len(story.bodies("window:")) == 1


async def test_settling_frees_what_offers_held(story: Story) -> None:
    await matched(story)
    assert await story.money("adam") == ("880.00", "40.00")
    await story.close()
    await story.bot("window:")
    story.move(DAY + 1)
    await story.settled()
    assert await story.money("adam") == ("920.00", "0.00")
    assert "You have no open offer" in await story.say("adam", "/bugmark cancel all")


@pytest.mark.parametrize("closer", ["dana", "tess"])
async def test_a_close_without_rights_has_a_longer_window(story: Story, closer: str) -> None:
    """Dana opened the issue and may do no more than that; Tess was given triage rights, so hers is the usual one."""
    rights = {"repository": f"{story.owner}/{story.name}", "login": "tess", "role": "triage"}
    await story.call("PUT", "/_sandbox/permissions", body=rights)
    await matched(story)
    await story.close(person=closer)
    notice = await story.bot("window:")
    backed = closer == "tess"
    assert window_end(notice) == (story.issue.closed_at or 0) + (DAY if backed else 2 * DAY)
    assert ("The window is longer, since the close is not backed" in notice) is not backed
    story.move(DAY + 1)
    if not backed:
        await story.calm()
        assert story.bodies("settlement:") == []
        story.move(DAY)
    assert "settled: FIXED" in await story.settled()


async def test_a_close_by_a_holder_has_a_longer_window(story: Story) -> None:
    by = await matched(story)
    await story.say(story.owner, f"/bugmark offer fixed 10 at 0.20 by {by}")
    await story.close()
    notice = await story.bot("window:")
    assert window_end(notice) == (story.issue.closed_at or 0) + 2 * DAY
    assert "The window is longer, since the close is not backed" in notice


# -- not fixed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["not_planned", "duplicate"])
async def test_closed_for_another_reason_trading_goes_on(story: Story, reason: str) -> None:
    by = await matched(story)
    await story.close(reason)
    await story.calm()
    assert story.bodies("window:") == []
    assert "**Bought 50 FIXED**" in await story.say("carl", f"/bugmark offer fixed 50 at 0.20 by {by}")
    maturation = (await contract(story)).maturation_at
    story.move(maturation - story.now())
    notice = await story.bot("window:")
    assert "was not closed as completed: it settles as **UNFIXED**" in notice
    assert window_end(notice) == maturation + DAY
    story.move(DAY + 1)
    settled = await story.settled()
    assert f"is settled: UNFIXED.** The issue was not closed as completed by {format_instant(maturation)}." in settled
    assert "the next contract begins the next round" not in settled
    assert await story.money("adam") == ("1,030.00", "0.00")


async def test_a_change_to_completed_is_a_close(story: Story) -> None:
    await matched(story)
    await story.close("not_planned")
    await story.calm()
    await story.close("completed")
    assert "settles as **FIXED**" in await story.bot("window:")


async def test_a_close_after_maturation_does_not_count(story: Story) -> None:
    by = await matched(story, days=10)
    story.move((await contract(story)).maturation_at - story.now() + 1)
    await story.close()
    assert "settles as **UNFIXED**" in await story.bot("window:")
    await story.refused("carl", f"/bugmark offer fixed 50 by {by}", CLOSED)
    story.move(DAY + 1)
    assert "settled: UNFIXED" in await story.settled()
    assert len(story.bodies("window:")) == 1
    assert await story.money("adam") == ("1,020.00", "0.00")


# -- reopened -----------------------------------------------------------------------------------------------------


async def test_reopened_in_time_it_trades_again_and_the_next_close_counts(story: Story) -> None:
    by = await matched(story)
    await story.close()
    await story.bot("window:")
    story.move(DAY // 2)
    await story.reopen()
    resumed = await story.bot("resume:")
    assert "trades again:** the issue is not closed as completed." in resumed
    await story.board("/bugmark fund 50")
    assert "**Bought 20 FIXED**" in await story.say("carl", f"/bugmark offer fixed 20 at 0.20 by {by}")
    story.move(DAY)
    await story.calm()
    assert story.bodies("settlement:") == []
    await story.close()
    await story.bot(f"window:issue-{story.issue.id}:{story.issue.closed_at}")
    assert len(story.bodies("window:")) == 2
    story.move(DAY + 1)
    assert "| @carl | 20.00 | 4.00 | +16.00 | 0.00 |" in await story.settled()


async def test_reopened_after_maturation_it_is_not_fixed(story: Story) -> None:
    await matched(story, days=10)
    story.move((await contract(story)).maturation_at - story.now() - 3600)
    await story.close()
    await story.bot("window:")
    story.move(7200)
    await story.reopen()
    await story.calm()
    assert story.bodies("resume:") == []
    story.move(DAY)
    assert "settled: UNFIXED" in await story.settled()


async def test_after_fixed_a_reopened_issue_starts_the_next_round(each_story: Story) -> None:
    story = each_story
    by = await matched(story)
    await story.close()
    await story.bot("window:")
    story.move(DAY + 1)
    await story.settled()
    await story.refused("carl", f"/bugmark offer fixed 50 by {by}", CLOSED)
    await story.reopen()
    await story.calm()
    reply = await story.say("carl", f"/bugmark offer fixed 50 by {by}")
    assert "waits in the book: buy 50 FIXED" in reply
    assert ", with @" not in reply
    async with story.db.reading() as tx:
        where = contracts.c.issue_id == story.issue.id
        rows = (await tx.execute(select(contracts).where(where).order_by(contracts.c.round))).all()
    assert [(row.round, row.status) for row in rows] == [(1, Status.SETTLED.value), (2, Status.OPEN.value)]
    assert "settled\xa0FIXED" in await story.board("/bugmark fund 50")
    await story.say("beth", f"/bugmark offer unfixed 50 by {by}")
    await story.close()
    await story.bot(f"window:issue-{story.issue.id}:{story.issue.closed_at}")
    story.move(DAY + 1)
    assert "| @carl | 50.00 | 25.00 | +25.00 | 0.00 |" in await story.bot("settlement:", "@carl")
    assert await story.money("carl") == ("1,025.00", "0.00")
    assert len(story.bodies("settlement:")) == 2


# -- stale news ---------------------------------------------------------------------------------------------------


async def test_a_comment_on_a_closed_issue_halts_though_the_close_was_lost(story: Story) -> None:
    by = await matched(story)
    await story.calm()
    await story.fault(deliveries={"kind": "lose"})
    await story.close()
    await story.refused("beth", f"/bugmark offer fixed 50 at 0.20 by {by}", CLOSED)
    await story.board("halted until ")
    notice = await story.bot("window:")
    assert window_end(notice) == (story.issue.closed_at or 0) + DAY
    story.move(DAY + 1)
    assert "settled: FIXED" in await story.settled()


async def test_a_close_that_overtakes_the_comment_before_it(story: Story) -> None:
    """The comment was made first, and its own words show the issue open; but the close is known."""
    by = await matched(story)
    await story.calm()
    before = await story.ledger()
    await story.fault(deliveries={"kind": "reorder"})
    comment = await story.comment("beth", f"/bugmark offer fixed 50 at 0.20 by {by}")
    await story.close()
    assert CLOSED in await story.reply_to(comment)
    await story.bot("window:")
    assert await story.ledger() == before


async def test_a_comment_that_overtakes_the_close_before_it(story: Story) -> None:
    by = await matched(story)
    await story.calm()
    await story.fault(deliveries={"kind": "reorder"})
    await story.close()
    comment = await story.comment("carl", f"/bugmark offer fixed 50 at 0.20 by {by}")
    assert CLOSED in await story.reply_to(comment)
    await story.bot("window:")
    assert await story.count(offers) == 2


async def test_a_reopening_that_is_lost_is_noticed_by_a_comment(story: Story) -> None:
    by = await matched(story)
    await story.close()
    await story.bot("window:")
    await story.calm()
    await story.fault(deliveries={"kind": "lose"})
    await story.reopen()
    await story.calm()
    await story.say("carl", "/bugmark book")
    await story.bot("resume:")
    assert "**Bought 50 FIXED**" in await story.say("carl", f"/bugmark offer fixed 50 at 0.20 by {by}")


async def test_a_late_comment_asks_github_first(story: Story) -> None:
    """Its delivery was lost for hours, and the close too: both come to light together."""
    by = await matched(story)
    await story.calm()
    await story.fault(deliveries={"kind": "lose", "next": 2})
    comment = await story.comment("carl", f"/bugmark offer fixed 50 at 0.20 by {by}")
    story.move(60)
    await story.close()
    await story.calm()
    story.move(300)
    assert CLOSED in await story.reply_to(comment)
    await story.bot("window:")
    assert await story.count(offers) == 2
