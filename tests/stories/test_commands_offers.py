"""Offers with conditions, ranges, funding and changes, as the thread tells them."""

from __future__ import annotations

import re

import pytest

from app.storage.engine.tables import offers
from tests.stories.stage import Story
from tests.stories.test_thread import mentions

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


def number_in(reply: str) -> int:
    found = re.search(r"\*\*o(\d+)\*\* waits", reply)
    assert found, reply
    return int(found[1])


async def test_a_crowd_is_filled_by_one_offer_that_wants_all_or_nothing(story: Story) -> None:
    by = story.day(30)
    for fan in ("ann", "ben", "cid", "dan"):
        await story.say(fan, f"/bugmark offer unfixed 20 at 0.90 by {by}")
    waits = await story.say("dev", f"/bugmark offer fixed 100 at 0.10 by {by} all-or-none")
    assert "waits until all of it can be had: buy 100 FIXED at 0.10." in waits
    assert mentions(waits) == set()
    fifth = await story.say("eve", f"/bugmark offer unfixed 20 at 0.90 by {by}")
    assert "**Bought 20 UNFIXED** for 18.00 (0.90 each), with @dev." in fifth
    assert "That let all-or-none offers fill: 80 units more, of " in fifth
    assert mentions(fifth) == {"dev", "ann", "ben", "cid", "dan"}
    assert fifth.count("@dev") == 1
    assert "positions: 100 FIXED" in await story.say("ann", "/bugmark positions @dev")


async def test_a_cancel_may_let_others_fill(story: Story) -> None:
    """Carl's own offer stood in the way of nothing: the all-or-none offers are tried after any change of the book."""
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 60 at 0.80 by {by}")
    await story.say("dev", f"/bugmark offer fixed 100 at 0.20 by {by} all-or-none")
    again = await story.say("carl", f"/bugmark offer unfixed 40 at 0.80 by {by}")
    assert mentions(again) == {"dev", "adam"}
    assert "**Bought 40 UNFIXED**" in again


async def test_all_or_none_now_or_never(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 60 at 0.80 by {by}")
    reply = await story.say("dev", f"/bugmark offer fixed 100 at 0.20 by {by} all-or-none now-or-never")
    assert "**Nothing was bought**: not all of it can be had at that price now" in reply
    assert mentions(reply) == set()


async def test_part_of_an_all_or_none_offer_is_refused(story: Story) -> None:
    by = story.day(30)
    resting = number_in(await story.say("adam", f"/bugmark offer unfixed 60 at 0.80 by {by} all-or-none"))
    why = f"Offer o{resting} is all-or-none: take all of it"
    mended = await story.mended("beth", f"/bugmark take o{resting} 20", why)
    assert "**Bought 60 FIXED** for 12.00" in mended


async def test_post_only(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 60 at 0.80 by {by}")
    await story.mended("beth", f"/bugmark offer fixed 60 at 0.20 by {by} post-only", "post-only")
    waits = await story.say("beth", f"/bugmark offer fixed 60 at 0.10 by {by} post-only")
    assert "waits in the book: buy 60 FIXED at 0.10." in waits
    assert "It is cancelled if trading halts." in waits
    await story.close()
    await story.calm()
    assert "open offers: none" in await story.say("beth", "/bugmark positions")


async def test_a_pool_serves_several_issues_with_the_same_money(story: Story) -> None:
    near, far = story.day(30), story.day(60)
    first = await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {near} pool")
    assert "You put up 80.00, out of the 80.00 that all your pooled offers share." in first
    second = await story.say("adam", f"/bugmark offer unfixed 100 at 0.90 by {far} pool")
    assert "You put up 90.00, out of the 90.00 that all your pooled offers share." in second
    assert "· 910.00 free ·" in second
    await story.say("beth", f"/bugmark offer fixed 50 at 0.20 by {near}")
    shown = await story.say("adam", "/bugmark offers")
    assert re.search(
        r"\| o\d+ \| buy UNFIXED at 0\.90 .* \*\*suspended\*\* \(its pool has too little left\), pool \|", shown
    )
    assert re.search(
        r"\| o\d+ \| buy UNFIXED at 0\.80 \(40\.00\) \| 50 of 100 \| .* \| with the contract \| pool \|", shown
    )


async def test_a_range_takes_the_best_of_every_date(story: Story) -> None:
    near, middle, far = story.day(30), story.day(45), story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 20 at 0.80 by {near}")
    await story.say("carl", f"/bugmark offer unfixed 20 at 0.90 by {far}")
    reply = await story.say("beth", f"/bugmark offer fixed 50 at 0.25 by {near}..{middle}")
    assert f"**Bought 20 FIXED by {near}** for 4.00 (0.20 each), with @adam." in reply
    assert "waits in the book: buy 30 FIXED at 0.25." in reply
    assert mentions(reply) == {"adam"}
    both = await story.say("dora", f"/bugmark offer fixed 20 at 0.20 by {near}..{far} now-or-never")
    assert f"**Bought 20 FIXED by {far}** for 2.00 (0.10 each), with @carl." in both


async def test_a_sale_has_no_range(story: Story) -> None:
    near, far = story.day(30), story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 20 at 0.80 by {near}")
    await story.say("beth", f"/bugmark offer fixed 20 at 0.20 by {near}")
    why = "A range of dates is for offers that buy"
    assert "sell 20 FIXED" in await story.mended("beth", f"/bugmark sell fixed 20 at 0.40 by {near}..{far}", why)
    await story.mended("carl", f"/bugmark sell fixed 20 at 0.40 by {near}..{far}", why)


async def test_an_expiry_is_told_as_an_instant(story: Story) -> None:
    by = story.day(30)
    reply = await story.say("adam", f"/bugmark offer fixed 20 by {by} until tomorrow")
    assert re.search(r"It expires \d+ \w+ \d{4} 23:59:59 UTC\.", reply)
    shown = await story.say("adam", "/bugmark offers")
    assert re.search(r"\| 20 of 20 \| by [\d-]+ \| \d+ \w+ \d{4} 23:59:59 UTC \| – \|", shown)
    assert "You have no open offers in this thread." in await story.say("beth", "/bugmark offers")


async def test_funding(story: Story) -> None:
    by = story.day(30)
    reply = await story.say("adam", f"/bugmark fund 50 by {by}")
    assert "waits in the book: buy 55 UNFIXED at 0.90. You put up 49.50." in reply
    assert "0.50 of the 50.00 is not enough for a unit and stays free." in reply
    even = await story.say("adam", f"/bugmark fund 40 by {by} at 0.80")
    assert "buy 50 UNFIXED at 0.80. You put up 40.00." in even and "stays free" not in even


async def test_funding_with_too_little(story: Story) -> None:
    by = story.day(30)
    mended = await story.mended("adam", f"/bugmark fund 0.5 by {by}", "0.50 does not buy a single unit at 0.90.")
    assert "`AMOUNT` is no amount" in mended
    await story.mended("adam", f"/bugmark fund 2000 by {by}", "This needs 1,999.80 and you have ")


async def test_taking_part_of_an_offer(story: Story) -> None:
    by = story.day(30)
    resting = number_in(await story.say("adam", f"/bugmark offer unfixed 60 at 0.80 by {by}"))
    assert "**Bought 20 FIXED** for 4.00" in await story.say("beth", f"/bugmark take o{resting} 20")
    assert "| 40 of 60 |" in await story.say("adam", "/bugmark offers")


async def test_a_smaller_volume_keeps_its_place(story: Story) -> None:
    by = story.day(30)
    first = number_in(await story.say("adam", f"/bugmark offer unfixed 60 at 0.80 by {by}"))
    await story.say("carl", f"/bugmark offer unfixed 60 at 0.80 by {by}")
    reply = await story.say("adam", f"/bugmark change o{first} 20")
    assert f"**o{first}** keeps its place and is open for 20 units now, at 0.80." in reply
    assert "· 984.00 free ·" in reply
    assert mentions(await story.say("beth", f"/bugmark offer fixed 20 at 0.20 by {by}")) == {"adam"}


async def test_anything_else_is_cancel_and_new(story: Story) -> None:
    by = story.day(30)
    first = number_in(await story.say("adam", f"/bugmark offer unfixed 60 at 0.80 by {by}"))
    reply = await story.say("adam", f"/bugmark change o{first} 70 at 0.70 until {story.day(10)}")
    assert f"**o{first}** is cancelled, and this is in its place: **o" in reply
    assert "buy 70 UNFIXED at 0.70" in reply and "It expires " in reply
    assert await story.count(offers) == 2


async def test_changes_that_cannot_be(story: Story) -> None:
    by = story.day(30)
    own = number_in(await story.say("adam", f"/bugmark offer unfixed 60 at 0.80 by {by}"))
    await story.mended("beth", f"/bugmark change o{own} 20", f"You have no open offer o{own} in this thread")
    await story.mended("adam", "/bugmark change o999999 20", "There is no offer o999999 in this thread")
    await story.mended("adam", f"/bugmark change o{own}", "something is missing")
    await story.mended("adam", f"/bugmark change o{own} 20.5", "`20.5` is no volume")
    await story.mended("adam", f"/bugmark change o{own} 4", "At least 5 units must stay open")


async def test_units_that_were_asked_for_by_money(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 30 at 0.50 by {by}")
    reply = await story.say("beth", f"/bugmark offer fixed for 25 at 0.60 by {by} now-or-never")
    assert "**Bought 30 FIXED** for 15.00" in reply
    assert "11 of 41 units were not to be had" in reply
    assert "You put up 40.00." in await story.say("carl", f"/bugmark offer fixed 100 deposit 40 by {by}")
    assert "buy 100 FIXED at 0.875" in await story.say("dora", f"/bugmark offer fixed 100 profit 12.5 by {by}")


async def test_every_notation_of_a_date_is_told_as_an_instant(story: Story) -> None:
    dates = "tomorrow", "friday", "in 2 weeks", "2w", "3d", "in 2 months", "36h", f"{story.day(40)}T18:00+02:00"
    for at, date in enumerate(dates):
        reply = await story.say(("adam", "beth", "carl")[at % 3], f"/bugmark offer fixed 5 by {date}")
        assert re.search(r"by \d+ \w+ \d{4} \d\d:\d\d:\d\d UTC", reply), date
