"""Halts in the thread: by maintainers, by the App's absence; locked threads go on (docs/market.md §5)."""

from __future__ import annotations

import pytest

from app.market.life.next_step import NO_ANSWER_DAYS
from app.market.terms.contract import Status
from app.storage.people import absences
from tests.stories.conftest import DAY, wait_for
from tests.stories.market_life import closed_window, contract, give_right, matched, settled_row, window_end
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


def installation(story: Story) -> int:
    found = story.stage.sandbox.state.installations.values()
    return next(one.id for one in found if one.covers(story.repository))


# -- by a maintainer ----------------------------------------------------------------------------------------------


async def test_a_maintainer_halts_and_resumes_the_market_of_a_thread(each_story: Story) -> None:
    story = each_story
    await give_right(story, "mary")
    by = await matched(story)
    number = (await contract(story)).id
    reply = await story.say("mary", "/bugmark market halt a fix `leaked` to @adam")
    assert f"**Trading is halted** in c{number}: `a fix 'leaked' to @adam`." in reply
    await story.board("halted")
    await story.refused("carl", f"/bugmark offer fixed 50 at 0.20 by {by}", "A maintainer has halted the market")
    await story.refused("carl", f"/bugmark offer fixed 50 by {story.day(90)}", "A maintainer has halted the market")
    assert "Cancelled **o" in await story.say("adam", "/bugmark cancel all")
    reply = await story.say("mary", "/bugmark market resume the release is out")
    assert f"**The halt is lifted** in c{number}: `the release is out`." in reply
    assert "trades again:** the halt was lifted." in await story.bot("resume:")
    assert "waits in the book" in await story.say("carl", f"/bugmark offer fixed 50 at 0.20 by {by}")


async def test_a_maintainers_halt_stops_no_clock(story: Story) -> None:
    await give_right(story, "mary")
    await matched(story)
    await story.say("mary", "/bugmark market halt something is wrong")
    await closed_window(story)
    await story.say("mary", "/bugmark market resume it is right")
    await story.calm()
    assert story.bodies("resume:") == []
    story.move(DAY + 1)
    assert "settled: FIXED" in await story.settled()


async def test_a_reopening_does_not_lift_a_maintainers_halt(story: Story) -> None:
    await give_right(story, "mary")
    await matched(story)
    await closed_window(story)
    await story.say("mary", "/bugmark market halt something is wrong")
    await story.reopen()
    await story.until(lambda row: row.window_ends_at is None)
    await story.calm()
    assert (await contract(story)).status is Status.HALTED
    await story.say("mary", "/bugmark market resume it is right")
    assert "the halt was lifted" in await story.bot("resume:")


async def test_only_a_maintainer_without_a_position_halts(story: Story) -> None:
    await story.refused("mary", "/bugmark market halt there is nothing", "There is no contract in this thread")
    await matched(story)
    await story.refused("mary", "/bugmark market halt I want to", "Only somebody with triage rights or better")
    await give_right(story, "beth", "admin")
    await story.refused("beth", "/bugmark market halt I lose", "only a maintainer without a position may")
    await give_right(story, "mary")
    await story.refused("mary", "/bugmark market stop it", "`stop` is not understood")
    await story.mended("mary", "/bugmark market halt", "something is missing")


async def test_an_offer_without_a_date_is_told_of_a_maintainers_halt(story: Story) -> None:
    await give_right(story, "mary")
    await matched(story)
    await story.say("mary", "/bugmark market halt something is wrong")
    await story.refused("carl", "/bugmark offer fixed 10 at 0.50", "A maintainer has halted the market of this thread")


async def test_rights_are_asked_before_and_no_answer_waits(story: Story) -> None:
    await give_right(story, "mary")
    await matched(story)
    await story.say("mary", "/bugmark balance")
    await story.fault(endpoints={"kind": "status", "match": r"/collaborators/mary/permission", "times": 1})
    assert "**Trading is halted**" in await story.say("mary", "/bugmark market halt something is wrong")


# -- away ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["uninstalled", "suspended", "taken out"])
async def test_30_days_after_the_app_is_gone_it_is_void(story: Story, how: str) -> None:
    await matched(story)
    row = await contract(story)
    await leave(story, how)
    assert (await story.until(lambda row: row.status is Status.HALTED)).window_ends_at is None
    await story.quiet()
    for day in range(NO_ANSWER_DAYS + 1):
        story.move(DAY + 60)
        await days_away(story, day + 1)
    settled = await settled_row(story, row.id)
    assert settled.outcome is not None and settled.outcome.value == "VOID"
    money = {owner: amount for kind, owner, _, amount in (await story.ledger())["balances"] if kind == "free"}
    assert sorted(money.values()) == [1_000_000, 1_000_000]


async def days_away(story: Story, days: int) -> None:
    """Until the app has found so often that it is still away, or has nothing to ask about any more.

    It counts a day before its look ends: a clock that was moved in between has put the next look off to the next day.
    """

    async def look() -> str | None:
        async with story.db.reading() as tx:
            found = await absences.of(tx, story.repository.id)
        row = await contract(story)
        if row.status is Status.SETTLED or (found and found.days >= days):
            return "so it is"
        story.move(max((row.next_look_at or 0) - story.now(), 0))
        return None

    await wait_for(look, lambda: f"not asked on {days} days")


async def leave(story: Story, how: str) -> None:
    path = f"/_sandbox/installations/{installation(story)}"
    if how == "uninstalled":
        await story.call("DELETE", path)
    elif how == "suspended":
        await story.call("PUT", f"{path}/suspended")
    else:
        await story.call("DELETE", f"{path}/repositories/{story.name}")


async def test_back_again_a_close_meanwhile_has_its_window_for_a_day(story: Story) -> None:
    await matched(story)
    path = f"/_sandbox/installations/{installation(story)}/suspended"
    await story.call("PUT", path)
    await story.until(lambda row: row.status is Status.HALTED)
    story.move(3600)
    await story.close()
    await story.quiet()
    story.move(5 * DAY)
    back_at = story.now()
    await story.call("DELETE", path)
    notice = await story.bot("window:")
    assert back_at + DAY <= window_end(notice) <= story.now() + DAY
    assert window_end(notice) > (story.issue.closed_at or 0) + 5 * DAY
    story.move(DAY + 60)
    assert "settled: FIXED" in await story.settled()


async def test_back_again_an_open_issue_trades_on(story: Story) -> None:
    by = await matched(story)
    path = f"/_sandbox/installations/{installation(story)}/suspended"
    await story.call("PUT", path)
    await story.until(lambda row: row.status is Status.HALTED)
    await story.call("DELETE", path)
    assert "trades again:** BugMark is installed here again." in await story.bot("resume:")
    assert "**Bought 50 FIXED**" in await story.say("carl", f"/bugmark offer fixed 50 at 0.20 by {by}")


# -- locked -------------------------------------------------------------------------------------------------------


async def test_locked_it_goes_on(story: Story) -> None:
    await matched(story)
    await story.call("PUT", f"{story.path}/lock", story.owner, {})
    await story.calm()
    assert (await contract(story)).status is Status.OPEN
    await story.close()
    row = await story.until(lambda row: row.window_ends_at is not None)
    story.move(DAY + 1)
    row = await story.until(lambda later: later.window_ends_at != row.window_ends_at)  # nobody could be told
    assert row.status is Status.HALTED
    story.move(7 * DAY)
    settled = await settled_row(story, row.id)
    assert settled.outcome is not None and settled.outcome.value == "FIXED"
