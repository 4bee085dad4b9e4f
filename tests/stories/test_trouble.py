"""GitHub and the network misbehaving: a command runs once, its answer appears once, and no trade hangs on a reply."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from app.storage.engine.tables import offers, users
from tests.stories.conftest import wait_for
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPLYING = r"^POST /repos/[^/]+/blocked/issues/\d+/comments$"
REACTING = r"^POST /repos/[^/]+/blocked/issues/comments/\d+/reactions$"
EDITING = r"^PATCH /repos/[^/]+/blocked/issues/comments/\d+$"
RATE_LIMIT = {"status": 403, "headers": {"Retry-After": "120"}}
ANSWERS: dict[str, dict[str, Any]] = {
    "an error": {"kind": "status", "status": 500},
    "an error, twice": {"kind": "status", "status": 502, "times": 2},
    "an error after it was done": {"kind": "status", "status": 500, "after": True},
    "reset before": {"kind": "reset"},
    "reset after": {"kind": "reset", "after": True},
    "cut short": {"kind": "truncate", "after": True},
    "no answer, though it was done": {"kind": "timeout", "seconds": 0.2, "after": True},
    "a rate limit": {"kind": "status", **RATE_LIMIT},
    "not there yet": {"kind": "status", "status": 404},
}


async def traded(story: Story, comment: int) -> None:
    """What every story here must come to: one offer, one answer in words, one reaction."""
    await story.calm()
    (reply,) = story.bodies(f"reply:{comment}")
    assert "waits in the book: buy 50 FIXED" in reply
    assert await story.verdict(comment) == ["rocket"]
    assert len(story.bodies("board:")) == 1
    made = select(func.count()).select_from(offers).join(users, users.c.id == offers.c.user_id)
    here = offers.c.id.in_([row[0] for row in (await story.ledger())["offers"]])
    async with story.db.reading() as tx:
        assert (await tx.execute(made.where(users.c.login == "adam", here))).scalar_one() == 1


async def market(story: Story) -> str:
    """A market with its comment, so that only replies are made anew. Returns its day."""
    by = story.day(30)
    await story.say("carl", f"/bugmark offer fixed 5 at 0.10 by {by}")
    await story.calm()
    return by


# -- answering ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ANSWERS)
async def test_github_fails_at_the_reply(story: Story, fault: str) -> None:
    by = await market(story)
    await story.fault(endpoints={"match": REPLYING, **ANSWERS[fault]})
    await traded(story, await story.comment_beside("adam", f"/bugmark offer fixed 50 by {by}"))
    assert await story.call("GET", "/_sandbox/faults") == {"deliveries": [], "endpoints": []}


@pytest.mark.parametrize("fault", ["an error", "reset after", "a rate limit"])
async def test_github_fails_at_the_reaction(story: Story, fault: str) -> None:
    await story.fault(endpoints={"match": REACTING, **ANSWERS[fault]})
    await traded(story, await story.comment_beside("adam", f"/bugmark offer fixed 50 by {story.day(30)}"))


async def test_github_fails_at_the_market_comment(story: Story) -> None:
    by = await market(story)
    await story.fault(endpoints={"match": EDITING, **ANSWERS["an error, twice"]})
    await traded(story, await story.comment_beside("adam", f"/bugmark offer fixed 50 by {by}"))
    await story.board("at least 50 %")


async def test_a_rate_limit_is_waited_out(story: Story) -> None:
    """The whole installation is silent until the instant that GitHub named, also about what is said meanwhile."""
    by = await market(story)
    limited_at = story.now()
    await story.fault(endpoints={"match": REPLYING, "kind": "status", **RATE_LIMIT})
    await story.comment_beside("adam", f"/bugmark offer fixed 50 by {by}")
    await story.requested(lambda request: request.message == "fault: status" and story.owner in request.path)
    number = story.stage.sandbox.inside.requests[-1].number
    later = await story.comment_beside("beth", f"/bugmark offer fixed 40 by {by}")
    await story.wants_to_say(f"reply:{later}")
    story.move(121)
    await story.reply_to(later)
    await story.calm()
    requests = [request for request in story.stage.sandbox.inside.requests if request.number > number]
    writes = [request for request in requests if request.method in ("POST", "PATCH") and story.owner in request.path]
    assert len(story.bodies("reply:")) == 3
    assert writes and min(request.at for request in writes) >= limited_at + 120


async def test_a_locked_issue_is_traded_in_silence_and_answered_when_it_is_unlocked(story: Story) -> None:
    await story.say("adam", "/bugmark balance")
    await story.calm()
    await story.call("PUT", f"{story.path}/lock", story.owner, {})
    with capture_logs() as lines:
        comment = await story.comment_beside(story.owner, f"/bugmark offer fixed 50 by {story.day(30)}")
        await story.calm()
    assert await story.count(offers) == 1
    assert len(story.bodies("reply:")) == 1
    waiting = [line for line in lines if line["event"] == "message not sent"]
    assert {line["key"].partition(":")[0] for line in waiting} == {"reaction", "reply", "board"}
    assert all("locked" in line["why"] and not line["given_up"] for line in waiting)
    await story.call("DELETE", f"{story.path}/lock", story.owner)
    assert "waits in the book" in await story.reply_to(comment)
    await story.calm()
    assert await story.verdict(comment) == ["rocket"]
    assert "**Bought 50 UNFIXED**" in await story.say("adam", "/bugmark offer unfixed 50")
    await story.board()


async def test_what_is_said_while_the_app_is_suspended_is_answered_when_it_is_not_any_more(story: Story) -> None:
    installation = next(one for one in story.stage.sandbox.state.installations.values() if one.covers(story.repository))
    control = f"/_sandbox/installations/{installation.id}/suspended"
    await story.fault(endpoints={"match": REACTING, "kind": "timeout", "seconds": 0.3})
    comment = await story.comment_beside("adam", f"/bugmark offer fixed 50 by {story.day(30)}")
    await story.wants_to_say(f"reply:{comment}")
    with capture_logs() as lines:
        await story.call("PUT", control)
        await story.calm()
    assert story.bodies("reply:") == []
    assert any("suspended" in line.get("why", "") for line in lines)
    await story.call("DELETE", control)
    assert "waits in the book" in await story.reply_to(comment)
    await story.calm()


async def test_what_the_owner_has_not_granted_yet_is_written_once_it_is_accepted(story: Story) -> None:
    """The App asks for more than when it was installed: it can read, and what it has to say waits."""
    installation = next(one for one in story.stage.sandbox.state.installations.values() if one.covers(story.repository))
    granted, control = dict(installation.permissions), f"/_sandbox/installations/{installation.id}/permissions"
    await story.call("PUT", control, body={"permissions": {**granted, "issues": "read"}})
    await story.call("DELETE", f"/_sandbox/tokens?installation={installation.id}")
    with capture_logs() as lines:
        comment = await story.comment_beside("adam", f"/bugmark offer fixed 50 by {story.day(30)}")
        await story.calm()
    assert await story.count(offers) == 1
    assert story.bodies("") == []
    waiting = [line for line in lines if line["event"] == "message not sent"]
    assert {line["key"].partition(":")[0] for line in waiting} == {"reaction", "reply", "board"}
    assert all("not accessible" in line["why"] and not line["given_up"] for line in waiting)
    await story.call("PUT", control, body={"permissions": granted})
    assert "waits in the book" in await story.reply_to(comment)
    await story.calm()
    assert await story.verdict(comment) == ["rocket"]
    await story.board()


async def test_an_archived_repository_is_answered_when_it_is_not_any_more(story: Story) -> None:
    where = f"/_sandbox/repositories/{story.owner}/blocked"
    await story.fault(endpoints={"match": REACTING, "kind": "timeout", "seconds": 0.3})
    comment = await story.comment_beside("adam", f"/bugmark offer fixed 50 by {story.day(30)}")
    await story.wants_to_say(f"reply:{comment}")
    await story.call("PATCH", where, body={"archived": True})
    await story.calm()
    assert story.bodies("reply:") == []
    await story.call("PATCH", where, body={"archived": False})
    assert "waits in the book" in await story.reply_to(comment)
    await story.calm()


async def test_a_deleted_issue_is_answered_no_more(story: Story) -> None:
    await story.say("adam", "/bugmark balance")
    await story.calm()
    await story.fault(endpoints={"match": REACTING, "kind": "status", "status": 404, "times": 50})
    await story.fault(endpoints={"match": REPLYING, "kind": "status", "status": 410, "times": 50})
    with capture_logs() as lines:
        await story.comment_beside("beth", f"/bugmark offer fixed 50 by {story.day(30)}")
        await story.calm()
    assert await story.count(offers) == 1
    given_up = {line["key"].partition(":")[0] for line in lines if line.get("given_up")}
    assert given_up == {"reaction", "reply", "board"}


async def test_github_fails_where_the_issue_is_asked_for(story: Story) -> None:
    """A comment that comes late waits for GitHub's answer, and says so with eyes."""
    await story.calm()
    await story.fault(deliveries={"kind": "lose"})
    comment = await story.comment_beside("adam", f"/bugmark offer fixed 50 by {story.day(30)}")
    await story.quiet()
    await story.fault(endpoints={"match": r"^GET /repos/[^/]+/blocked/issues/\d+$", "kind": "status", "times": 2})
    story.move(300)
    await story.reply_to(comment)
    await story.calm()
    assert sorted(await story.reactions(comment)) == ["eyes", "rocket"]
    assert len(story.bodies("reply:")) == 1


async def test_eyes_tell_that_an_answer_takes_a_while(story: Story) -> None:
    """GitHub lets the app wait for what a forecast is about."""
    await story.call("POST", f"/repos/{story.owner}/blocked/milestones", story.owner, {"title": "v1"})
    await story.fault(endpoints={"match": "/milestones", "kind": "timeout", "seconds": 2.5, "after": True})
    by = story.day(30)
    comment, reply = await story.said("adam", f"/bugmark forecast milestone v1 closed by {by}")
    assert "🚀" in reply
    await story.calm()
    assert sorted(await story.reactions(comment)) == ["eyes", "rocket"]


async def test_the_thread_shows_each_user_the_newest_reply(story: Story) -> None:
    first, second = await story.comment("adam", "/bugmark balance"), await story.comment("beth", "/bugmark balance")
    await story.reply_to(second)
    story.move(3601)
    await story.say("adam", f"/bugmark offer fixed 50 by {story.day(30)}")
    await story.calm()
    folded = {found.body.splitlines()[0]: found.minimized for found in story.written("")}
    assert folded.pop(f"<!-- bugmark:reply:{first} -->") == "outdated"
    assert len(folded) == 3 and set(folded.values()) == {None}


async def test_every_reply_has_a_page_while_the_repository_is_public(story: Story) -> None:
    comment = await story.comment("adam", "/bugmark balance")
    await story.reply_to(comment)
    page = f"{story.app_url}/replies/{comment}"
    async with story.session.get(page) as answer:
        assert answer.status == 200 and "1,000.00" in await answer.text()
    await story.call("PATCH", f"/_sandbox/repositories/{story.owner}/blocked", body={"private": True})
    await story.quiet()

    async def hidden() -> str | None:
        async with story.session.get(page) as answer:
            return "hidden" if answer.status == 404 else None

    await wait_for(hidden, lambda: "the page is still there")


# -- being told ---------------------------------------------------------------------------------------------------


async def test_a_lost_delivery_is_asked_for_again(story: Story) -> None:
    await story.fault(deliveries={"kind": "lose"})
    comment = await story.comment("adam", f"/bugmark offer fixed 50 by {story.day(30)}")
    await story.quiet()
    assert story.bodies("") == []
    story.move(150)
    await story.bot("reply:")
    await traded(story, comment)


async def test_a_delivery_lost_twice(story: Story) -> None:
    await story.fault(deliveries={"kind": "lose", "next": 2})
    comment = await story.comment("adam", f"/bugmark offer fixed 50 by {story.day(30)}")
    while not story.bodies("reply:"):
        await story.quiet()
        story.move(150)
        await story.swept()
    await traded(story, comment)


async def test_a_delivery_that_comes_twice(story: Story) -> None:
    await story.fault(deliveries={"kind": "repeat"})
    comment = await story.comment("adam", f"/bugmark offer fixed 50 by {story.day(30)}")
    await story.bot("reply:")
    await traded(story, comment)


async def test_a_comment_under_two_guids(each_story: Story) -> None:
    """A repository's own webhook and the App's tell of the same comment."""
    story = each_story
    await story.fault(deliveries={"kind": "lose"})
    comment = await story.comment("adam", f"/bugmark offer fixed 50 by {story.day(30)}")
    await story.quiet()
    payload = story.last_payload("issue_comment", "created")
    twice = str(uuid.uuid4())
    for guid in (twice, twice, ""):
        await story.stage.deliver("issue_comment", payload, guid)
    story.move(150)
    await story.bot("reply:")
    await traded(story, comment)


async def test_a_late_delivery(story: Story) -> None:
    await story.fault(deliveries={"kind": "delay", "seconds": 0.3})
    comment = await story.comment("adam", f"/bugmark offer fixed 50 by {story.day(30)}")
    await story.bot("reply:")
    await traded(story, comment)


async def test_comments_out_of_order(story: Story) -> None:
    """The second comes first; both run, each answered by its own reply."""
    by = story.day(30)
    await story.fault(deliveries={"kind": "reorder"})
    first = await story.comment("adam", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    second = await story.comment("beth", f"/bugmark offer fixed 50 at 0.20 by {by}")
    assert "**Bought 50 UNFIXED** for 40.00" in await story.reply_to(first)
    assert "waits in the book" in await story.reply_to(second)
    await story.calm()
    assert len(story.bodies("reply:")) == 2


async def test_an_edit_before_the_comment_it_edits(story: Story) -> None:
    by = story.day(30)
    await story.fault(deliveries={"kind": "reorder"})
    comment = await story.comment("adam", f"/bugmark offer fixed 50 by {by}")
    await story.edit("adam", comment, f"/bugmark offer fixed 50 by {by}\n/bugmark balance")
    await story.reply_to(comment, "waits in the book")
    await story.reply_to(comment, "You have 1,000.00")
    await story.calm()
    assert await story.count(offers) == 1
    assert len(story.bodies("reply:")) == 1
