"""The badge beside a conversation: what a README shows of a market."""

from __future__ import annotations

import pytest

from app.web.badge import FRESH_SECONDS
from tests.stories.conftest import DAY
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


async def badge(story: Story, name: str = "", known: str = "") -> tuple[int, str, str]:
    """Status, image and ETag of the issue's badge, once the last one is no longer fresh."""
    story.move(FRESH_SECONDS + 1)
    path = f"/badge/{story.owner}/{name or story.name}/{story.number}.svg"
    headers = {"If-None-Match": known} if known else {}
    async with story.session.get(story.app_url + path, headers=headers) as answer:
        return answer.status, await answer.text(), answer.headers["ETag"]


async def shows(story: Story, words: str, name: str = "") -> None:
    status, image, _ = await badge(story, name)
    assert status == 200
    assert f">{words}</text>" in image


async def test_from_no_market_to_a_price_and_back(story: Story) -> None:
    await shows(story, "no market")
    by = story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    await shows(story, "quoted at most 0.20")
    await story.say("beth", f"/bugmark offer fixed 100 at 0.405 by {by}")
    await shows(story, "entered at 0.20")
    await story.say("beth", "/bugmark sell fixed 50 at 0.405")
    await story.say("carl", f"/bugmark offer fixed 100 at 0.305 by {by}")
    await shows(story, "fixed 0.355")
    await story.say("dana", f"/bugmark offer fixed 5 at 0.40 by {by}")
    await shows(story, "fixed 0.355")
    await story.close()
    await story.bot("window:")
    await shows(story, "halted")
    story.move(DAY)
    await story.settled()
    await shows(story, "settled FIXED")


async def test_the_contract_that_most_is_held_of_is_shown(story: Story) -> None:
    by = story.day(60)
    await story.say("adam", f"/bugmark offer fixed 10 at 0.70 by {by}")
    await story.say("beth", f"/bugmark offer unfixed 10 at 0.30 by {by}")
    await story.say("carl", f"/bugmark offer fixed 50 at 0.30 by {story.day(30)}")
    await story.say("carl", f"/bugmark offer unfixed 50 at 0.30 by {story.day(90)}")
    await shows(story, "entered at 0.70")


async def test_what_is_known_already_is_not_sent_again(story: Story) -> None:
    by = story.day(60)
    await story.say("adam", f"/bugmark offer fixed 20 at 0.70 by {by}")
    _, image, tag = await badge(story)
    assert await badge(story, known=tag) == (304, "", tag)
    await story.say("beth", f"/bugmark offer unfixed 150 at 0.10 by {by}")
    status, changed, other = await badge(story, known=tag)
    assert (status, other != tag, changed != image) == (200, True, True)


async def test_a_private_repository_shows_nothing(story: Story) -> None:
    await story.say("adam", f"/bugmark offer fixed 20 at 0.70 by {story.day(60)}")
    await shows(story, "quoted at least 0.70")
    about = f"/_sandbox/repositories/{story.owner}/{story.name}"
    await story.call("PATCH", about, body={"private": True})
    await story.calm()
    await shows(story, "no market")
    assert await badge(story) == await badge(story, "nowhere")
    await story.call("PATCH", about, body={"private": False})
    await story.calm()
    await shows(story, "quoted at least 0.70")


async def test_a_repository_made_private_after_the_app_was_taken_out_shows_nothing(story: Story) -> None:
    """GitHub tells nothing of a repository that the App is not in."""
    comment, _ = await story.said("adam", f"/bugmark offer fixed 20 at 0.70 by {story.day(60)}")
    await shows(story, "quoted at least 0.70")
    (number,) = [one.id for one in story.stage.sandbox.state.installations.values() if one.covers(story.repository)]
    await story.call("DELETE", f"/_sandbox/installations/{number}")
    await story.until(lambda row: not row.open)
    about = f"/_sandbox/repositories/{story.owner}/{story.name}"
    await story.call("PATCH", about, body={"private": True})
    await shows(story, "no market")
    async with story.session.get(f"{story.app_url}/replies/{comment}") as answer:
        assert answer.status == 404


async def test_a_renamed_repository(story: Story) -> None:
    by = story.day(60)
    await story.say("adam", f"/bugmark offer fixed 20 at 0.70 by {by}")
    about = f"/_sandbox/repositories/{story.owner}/{story.name}"
    await story.call("PATCH", about, body={"name": "Unblocked"})
    story.name, story.path = "Unblocked", story.path.replace("blocked", "Unblocked")
    await story.calm()
    await shows(story, "quoted at least 0.70", name="blocked")
    await shows(story, "quoted at least 0.70", name="unblocked")
    assert "**Bought 10 UNFIXED**" in await story.say("beth", f"/bugmark offer unfixed 10 at 0.30 by {by}")
    await story.calm()
    assert len(story.bodies("board:")) == 1


async def test_a_rename_that_nobody_told_us_of(story: Story) -> None:
    """The answer finds its way under the new name all the same, and so does the settlement."""
    by = story.day(60)
    await story.say("adam", f"/bugmark offer fixed 20 at 0.70 by {by}")
    await story.calm()
    await story.fault(deliveries={"kind": "lose"})
    await story.call("PATCH", f"/_sandbox/repositories/{story.owner}/{story.name}", body={"name": "moved"})
    await story.quiet()
    story.name, story.path = "moved", story.path.replace("blocked", "moved")
    assert "**Bought 10 UNFIXED**" in await story.say("beth", f"/bugmark offer unfixed 10 at 0.30 by {by}")
    await story.close()
    await story.bot("window:")
    story.move(DAY + 1)
    assert "settled: FIXED" in await story.settled()
    await story.calm()
    assert len(story.bodies("board:")) == 1


async def test_trading_badge_and_settlement_go_on_through_a_rename_and_a_transfer(story: Story) -> None:
    by = story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    await story.say("beth", f"/bugmark offer fixed 60 at 0.20 by {by}")
    await story.call("PATCH", f"/_sandbox/repositories/{story.owner}/{story.name}", body={"name": "new-name"})
    story.name, story.path = "new-name", story.path.replace("blocked", "new-name")
    await story.calm()
    await shows(story, "entered at 0.20")
    assert "**Bought 20 FIXED**" in await story.say("carl", f"/bugmark offer fixed 20 at 0.20 by {by}")
    await story.call("POST", "/_sandbox/repositories", body={"owner": story.owner, "name": "other"})
    path = f"/_sandbox/issues/{story.owner}/{story.name}/{story.number}/transfer"
    made = await story.call("POST", path, body={"to": f"{story.owner}/other"})
    story.name, story.number = "other", made["number"]
    story.path = f"/repos/{story.owner}/other/issues/{story.number}"
    await story.calm()
    await shows(story, "entered at 0.20")
    assert "**Bought 20 FIXED**" in await story.say("dana", f"/bugmark offer fixed 20 at 0.20 by {by}")
    await story.say("beth", "/bugmark sell fixed 60 at 0.40")
    assert "**Bought 60 FIXED**" in await story.say("dana", f"/bugmark offer fixed 60 at 0.40 by {by}")
    await story.close()
    await story.bot("window:")
    await shows(story, "halted")
    story.move(DAY + 1)
    assert "settled: FIXED" in await story.settled()
    await shows(story, "settled FIXED")
    people = ("adam", "beth", "carl", "dana")
    money = {person: (await story.money(person))[0] for person in people}
    assert money == {"adam": "920.00", "beth": "1,012.00", "carl": "1,016.00", "dana": "1,052.00"}
