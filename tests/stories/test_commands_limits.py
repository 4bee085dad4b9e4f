"""The limits of a repository as people meet them: what is too much, when it is free again, and what works meanwhile."""

from __future__ import annotations

import re

import pytest

from tests.stories.conftest import DAY
from tests.stories.stage import Story
from tests.stories.test_config import rules, write

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


async def limit(story: Story, key: str, value: str) -> None:
    await story.say("olaf", "/bugmark balance")
    await write(story, f"limits:\n  {key}: {value}\n")
    fields = {"cooldown": "cooldown_seconds", "position": "position_units", "stake": "stake_mills"}
    await rules(story, lambda config: getattr(config.limits, fields.get(key, key)) is not None)


async def test_open_offers(story: Story) -> None:
    await limit(story, "open_offers", "2")
    by = story.day(30)
    for price in ("0.80", "0.70"):
        await story.say("adam", f"/bugmark offer unfixed 10 at {price} by {by}")
    why = "You have 2 open offers in this repository, the most is 2; you can make another when one of them is filled"
    shown = await story.mended("adam", f"/bugmark offer unfixed 10 at 0.60 by {by}", why)
    assert "| 10 of 10 |" in shown
    await story.say("adam", "/bugmark cancel all")
    assert "waits in the book" in await story.say("adam", f"/bugmark offer unfixed 10 at 0.60 by {by}")


async def test_stake_and_position(story: Story) -> None:
    by = story.day(30)
    await limit(story, "stake", "20")
    why = "With this you could have 40.00 at stake in this contract, the most is 20.00"
    await story.mended("adam", f"/bugmark offer unfixed 50 at 0.80 by {by}", why)
    await limit(story, "position", "30")
    why = "With this you could hold 50 UNFIXED units of this contract, the most is 30"
    await story.mended("adam", f"/bugmark offer unfixed 50 at 0.30 by {by}", why)


async def test_commands_an_hour(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 10 at 0.80 by {by}")
    await limit(story, "commands_per_hour", "1")
    why = "You have given 1 command here within the last hour, the most is 1; you can trade again at "
    reply = await story.refused("adam", f"/bugmark offer unfixed 10 at 0.70 by {by}", why)
    assert re.search(r"again at \d+ \w+ \d{4} \d\d:\d\d:\d\d UTC\. Try `/bugmark balance`", reply)
    assert "🚀" in await story.say("adam", "/bugmark cancel all"), "what ends something is never too much"
    story.move(3601)
    assert "waits in the book" in await story.say("adam", f"/bugmark offer unfixed 10 at 0.70 by {by}")


async def test_a_cooldown(story: Story) -> None:
    await limit(story, "cooldown", "10m")
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 10 at 0.80 by {by}")
    why = "Between two trades here 600 seconds have to pass; you can trade again at "
    await story.mended("adam", f"/bugmark offer unfixed 10 at 0.70 by {by}", why)
    story.move(600)
    assert "waits in the book" in await story.say("adam", f"/bugmark offer unfixed 10 at 0.70 by {by}")


async def test_young_accounts(story: Story) -> None:
    """GitHub is asked once how old an account is."""
    await limit(story, "account_age_days", "30")
    by = story.day(90)
    await story.mended(
        "newcomer-1", f"/bugmark offer unfixed 10 at 0.80 by {by}", "Accounts younger than 30 days do not trade here"
    )
    story.move(30 * DAY)
    assert "waits in the book" in await story.say("newcomer-1", f"/bugmark offer unfixed 10 at 0.80 by {by}")
    asked = [found for found in story.stage.sandbox.inside.requests if found.path.startswith("/users/newcomer-1")]
    assert len(asked) == 1


async def test_an_answer_about_the_account_is_waited_for(story: Story) -> None:
    await limit(story, "account_age_days", "30")
    story.stage.sandbox.inside.world.account("newcomer-3")
    story.move(30 * DAY)
    await story.fault(endpoints={"kind": "status", "status": 502, "match": "^GET /users/", "times": 2})
    comment = await story.comment_beside("newcomer-3", f"/bugmark offer unfixed 10 at 0.80 by {story.day(90)}")
    await story.calm()
    assert "waits in the book" in await story.reply_to(comment)


async def test_where_github_tells_nothing_about_the_account_nothing_is_traded(story: Story) -> None:
    await limit(story, "account_age_days", "30")
    by = story.day(90)
    await story.fault(endpoints={"kind": "status", "status": 403, "match": "^GET /users/"})
    comment = await story.comment_beside("newcomer-2", f"/bugmark offer unfixed 10 at 0.80 by {by}")
    assert "GitHub did not say how old your account is" in await story.reply_to(comment)
