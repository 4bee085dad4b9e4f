"""Forecasts through the thread: asked in a comment, traded, decided by what GitHub tells (docs/market.md §7)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from app.market.life.next_step import NO_ANSWER_DAYS
from app.market.terms.contract import Status, digest
from app.storage.market.contracts import ContractRow, get
from tests.stories.conftest import DAY, wait_for
from tests.stories.stage import CORRECTION, Story

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def asked(story: Story, question: str, person: str = "dana") -> int:
    """The number of the forecast that the question gives."""
    reply = await story.say(person, f"/bugmark forecast {question}")
    found = re.search(r"\*\*F(\d+)\*\*", reply)
    assert "🚀" in reply and found, reply
    return int(found[1])


async def matched(story: Story, number: int) -> None:
    """Adam has 100 FALSE at 0.70 and Beth 100 TRUE at 0.30."""
    await story.say("adam", f"/bugmark offer false 100 at 0.70 on F{number}")
    assert "**Bought 100 TRUE**" in await story.say("beth", f"/bugmark offer true 100 at 0.30 on F{number}")


async def until(story: Story, number: int, holds: Callable[[ContractRow], bool]) -> ContractRow:
    """Waits for something of a contract."""
    row: ContractRow | None = None

    async def look() -> str | None:
        nonlocal row
        async with story.db.reading() as tx:
            row = await get(tx, number)
        return "so it is" if row is not None and holds(row) else None

    await wait_for(look, lambda: f"the contract stays {row}")
    assert row is not None
    return row


async def halted(story: Story, number: int) -> ContractRow:
    """Halted, and GitHub has been asked: the end of the window is known."""
    return await until(story, number, lambda row: row.status is Status.HALTED and row.window_ends_at is not None)


async def settled(story: Story, number: int, days: int = 2) -> str:
    """Its outcome, when the window is over that was announced."""
    await story.calm()
    story.move(days * DAY)
    row = await until(story, number, lambda row: _over(row) or _told(row, story.now()))
    if not _over(row):
        story.move(DAY // 2 + 60)  # told so late that it is still open for those who read of it
    row = await until(story, number, _over)
    return str(row.outcome)


def _over(row: ContractRow) -> bool:
    return row.status is Status.SETTLED


def _told(row: ContractRow, now: int) -> bool:
    return row.announced_at is not None and (row.next_look_at or 0) > now + 300


async def asked_on(story: Story, number: int, days: int) -> None:
    """Until asking about it has failed on so many days."""
    await until(story, number, lambda row: row.unanswered_days >= days)


async def trades(story: Story, number: int) -> None:
    await until(story, number, lambda row: row.open)


async def publish(story: Story, package: str, severity: str = "high", **more: Any) -> str:
    """An advisory of GitHub's database, new or changed, a moment after what was asked before; returns its id."""
    story.move(2)
    ghsa = more.pop("ghsa", None) or advisory_id(package)
    ecosystem, _, name = package.partition(":")
    affected = [{"ecosystem": "npm", "package": "another"}, {"ecosystem": ecosystem, "package": name}]
    body = {"summary": f"{name} is vulnerable", "severity": severity, "vulnerabilities": affected, **more}
    await story.call("PUT", f"/_sandbox/advisories/{ghsa}", body=body)
    return str(ghsa)


def advisory_id(package: str) -> str:
    letters = "23456789cfghjmpqrvwx"
    digits = int(digest(package), 16)
    text = "".join(letters[digits // 20**place % 20] for place in range(12))
    return f"ghsa-{text[:4]}-{text[4:8]}-{text[8:]}"


# -- asking -------------------------------------------------------------------------------------------------------


async def test_the_answer_shows_the_exact_predicate_and_its_hash(story: Story) -> None:
    by = story.day(60)
    reply = await story.say("dana", f"/bugmark forecast advisory pip:Requests severity high by {by}")
    predicate = re.search(r"Predicate `([^`]+)`", reply)
    sha = re.search(r"SHA-256 `([0-9a-f]{64})`", reply)
    assert predicate and sha and digest(predicate[1]) == sha[1]
    told = json.loads(predicate[1])
    assert (told["kind"], told["ecosystem"], told["package"], told["severity"]) == (
        "advisory",
        "pip",
        "Requests",
        "high",
    )
    assert told["thread"] == story.issue.id
    assert "an advisory of severity high or worse affecting `pip:Requests` is published" in reply
    number = int(re.findall(r"\*\*F(\d+)\*\*", reply)[0])
    assert f"`/bugmark offer true 50 at 0.30 on F{number}`" in reply
    again = await story.say("adam", f"/bugmark forecast advisory pip:requests severity high by {by}")
    assert f"**F{number}** asks this already" in again and predicate[1] in again


async def test_a_forecast_is_traded_by_its_number_beside_the_issues_own_contract(story: Story) -> None:
    by = story.day(60)
    number = await asked(story, f"issue label regression by {by}")
    await story.say("adam", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    await matched(story, number)
    assert f"/bugmark book F{number}" in await story.refused(
        "carl", "/bugmark offer true 50 on F999999", "no forecast F999999"
    )
    assert "**Sold 100 TRUE**" not in await story.say("beth", f"/bugmark sell true all at 0.40 on F{number}")
    reply = await story.say("carl", "/bugmark offer true 40 at 0.40")
    assert "**Bought 40 TRUE**" in reply
    book = await story.say("carl", f"/bugmark book F{number}")
    assert "TRUE" in book and "60" in book
    assert "Cancelled **o" in await story.say("beth", "/bugmark cancel all")
    await story.board(f"F{number}")


@pytest.mark.parametrize(
    ("command", "holds"),
    [
        ("forecast advisory requests by {by}", "ecosystems are actions, composer,"),
        ("forecast advisory foo:requests severity high by {by}", "ecosystems are actions, composer,"),
        ("forecast advisory pip:requests severity awful by {by}", "a severity is low, medium, high or critical"),
        ("forecast advisory pip:requests by 2017-12-01", "is in the past"),
        ("forecast issue label bug", "something is missing"),
        ('forecast issue label "a"b" by {by}', "quotes only around the whole of it"),
        ("forecast", "something is missing"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_refused_with_what_is_left_to_say(
    story: Story, command: str, holds: str
) -> None:
    again = await story.mended("dana", f"/bugmark {command.format(by=story.day(60))}", holds)
    assert re.search(r"\*\*F\d+\*\*|`(?:PACKAGE|SEVERITY|DATE)` is no|Open a contract on an advisory", again)


async def test_only_open_milestones_of_the_repository_can_be_asked_about(story: Story) -> None:
    by = story.day(60)
    reply = await story.refused("dana", f"/bugmark forecast milestone v1 closed by {by}", "no milestone of that name")
    assert "`/bugmark help forecast`" in reply
    await milestone(story, "Release `1` @all")
    reply = await story.refused("dana", f"/bugmark forecast milestone v1 closed by {by}", "open are `Release '1' @all`")
    await milestone(story, "Release 2")
    reply = await story.mended("dana", f"/bugmark forecast milestone v1 closed by {by}", "open are")
    assert "`NAME` stands for something that you fill in" in reply


async def test_true_needs_a_forecast_to_be_meant(story: Story) -> None:
    reply = await story.refused("carl", "/bugmark offer true 50 at 0.30", "no forecast is open here")
    assert CORRECTION.search(reply)
    await asked(story, f"issue label bug by {story.day(60)}")
    await asked(story, f"issue label ui by {story.day(60)}")
    await story.refused("carl", "/bugmark offer true 50 at 0.30", "say which, as in `on F12`; here live F")


async def test_open_offers_are_told_in_the_words_of_the_forecast(story: Story) -> None:
    number = await asked(story, f"issue label bug by {story.day(60)}")
    await story.say("adam", f"/bugmark offer false 20 at 0.80 on F{number}")
    shown = await story.say("adam", "/bugmark offers")
    assert f"buy FALSE at 0.80 (16.00) | 20 of 20 | on F{number} |" in shown


async def test_what_a_dry_run_would_make_is_not_made(story: Story) -> None:
    reply = await story.say("dana", f"/bugmark dry-run forecast issue label bug by {story.day(60)}")
    assert "Nothing was done" in reply and "Predicate" in reply
    assert (await story.ledger())["contracts"] == []


# -- advisories ---------------------------------------------------------------------------------------------------


async def test_an_advisory_that_is_published_comes_true(each_story: Story) -> None:
    story = each_story
    number = await asked(story, f"advisory npm:left-pad severity high by {story.day(60)}")
    await matched(story, number)
    story.move(DAY)
    await publish(story, "npm:left-pad", "critical")
    row = await halted(story, number)
    assert row.window_ends_at == (row.window_opened_at or 0) + DAY
    await story.refused("carl", f"/bugmark offer true 10 at 0.50 on F{number}", "halted")
    notice = await story.bot(f"window:{number}:")
    assert f"F{number}" in notice and "TRUE" in notice
    assert await settled(story, number, 1) == "FIXED"
    comment = await story.bot(f"settlement:{number}:")
    assert f"F{number}" in comment and "TRUE" in comment and "FIXED" not in comment
    assert advisory_id("npm:left-pad")[5:] in comment.lower()
    assert await story.money("beth") == ("1,070.00", "0.00")
    assert await story.money("adam") == ("930.00", "0.00")


async def test_withdrawn_inside_the_window_it_is_undone(story: Story) -> None:
    number = await asked(story, f"advisory pip:withdrawn by {story.day(20)}")
    await matched(story, number)
    await publish(story, "pip:withdrawn")
    await halted(story, number)
    story.move(3600)
    await publish(story, "pip:withdrawn", withdrawn=True)
    await trades(story, number)
    assert "waits in the book" in await story.say("carl", f"/bugmark offer true 10 at 0.10 on F{number}")
    assert await settled(story, number, 25) == "UNFIXED"
    assert await story.money("adam") == ("1,030.00", "0.00")


async def test_a_severity_that_is_too_low_does_not_count_until_it_is_raised(story: Story) -> None:
    number = await asked(story, f"advisory pip:graded severity high by {story.day(20)}")
    await publish(story, "pip:graded", "medium")
    await publish(story, "pip:gradedness", "critical")
    await story.calm()
    assert "waits in the book" in await story.say("carl", f"/bugmark offer true 10 at 0.10 on F{number}")
    await publish(story, "pip:graded", "high")
    await halted(story, number)


async def test_one_advisory_may_decide_several_forecasts(story: Story) -> None:
    first = await asked(story, f"advisory pip:Some_Thing severity low by {story.day(20)}")
    second = await asked(story, f"advisory npm:another severity low by {story.day(20)}")
    third = await asked(story, f"advisory npm:some-thing severity low by {story.day(20)}")
    await publish(story, "pip:some-thing", "low")
    await halted(story, first)
    await halted(story, second)
    await trades(story, third)
    assert await settled(story, first, 3) == "FIXED"


async def test_an_advisory_whose_event_is_lost_is_found_at_maturation(story: Story) -> None:
    number = await asked(story, f"advisory pip:unheard by {story.day(3)}")
    await matched(story, number)
    story.move(DAY)
    await publish(story, "pip:unheard", silent=True)
    story.move(3 * DAY)
    assert await settled(story, number, 3) == "FIXED"


async def test_a_late_offer_on_a_forecast_asks_github_first(story: Story) -> None:
    number = await asked(story, f"advisory pip:stale by {story.day(20)}")
    await story.say("adam", f"/bugmark offer false 100 at 0.70 on F{number}")
    await story.say("beth", "/bugmark balance")
    await story.calm()
    await story.fault(deliveries={"kind": "lose"})
    comment = await story.comment("beth", f"/bugmark offer true 100 at 0.30 on F{number}")
    await publish(story, "pip:stale", silent=True)
    story.move(300)
    assert "halted" in await story.reply_to(comment)
    await halted(story, number)


async def test_without_an_answer_for_thirty_days_a_forecast_is_void(story: Story) -> None:
    number = await asked(story, f"advisory pip:silence by {story.day(3)}")
    await matched(story, number)
    await story.calm()
    await story.fault(endpoints={"kind": "status", "status": 500, "match": "GET /advisories", "times": 100_000})
    story.move(5 * DAY)
    await until(story, number, lambda row: row.status is Status.HALTED)
    for day in range(1, NO_ANSWER_DAYS):
        await story.calm()
        story.move(DAY + 60)
        await asked_on(story, number, day)
    assert await settled(story, number) == "VOID"
    await story.stage.sandbox.control("DELETE", "/faults")
    assert await story.money("adam") == ("1,000.00", "0.00")


# -- issues to come -----------------------------------------------------------------------------------------------


async def open_issue(story: Story, title: str, labels: list[str] | None = None, **more: Any) -> int:
    body = {"title": title, "labels": labels or [], **more}
    return int((await story.call("POST", f"{repository(story)}/issues", story.owner, body))["number"])


def repository(story: Story) -> str:
    return f"/repos/{story.owner}/{story.name}"


async def change(story: Story, number: int, **body: Any) -> None:
    await story.call("PATCH", f"{repository(story)}/issues/{number}", story.owner, body)


async def test_an_issue_opened_with_label_and_title_comes_true(story: Story) -> None:
    number = await asked(story, f'issue label Regression title "safe mode" by {story.day(20)}')
    await matched(story, number)
    story.move(60)
    await open_issue(story, "It crashes", ["regression"])
    await open_issue(story, "In safe mode it crashes", ["bug"])
    await story.calm()
    await trades(story, number)
    await open_issue(story, "In SAFE MODE it crashes", ["regression"])
    row = await halted(story, number)
    assert row.window_ends_at == (row.window_opened_at or 0) + DAY
    assert await settled(story, number, 1) == "FIXED"
    assert await story.money("beth") == ("1,070.00", "0.00")


async def test_a_label_added_later_counts_from_then_and_taken_off_is_undone(story: Story) -> None:
    number = await asked(story, f"issue label regression by {story.day(20)}")
    story.move(60)
    issue = await open_issue(story, "It crashes")
    await story.calm()
    await trades(story, number)
    story.move(DAY)
    await change(story, issue, labels=["regression"])
    row = await halted(story, number)
    assert (row.window_opened_at or 0) >= story.now() - 3600
    await change(story, issue, labels=[])
    await trades(story, number)
    assert await settled(story, number, 25) == "UNFIXED"


async def test_a_label_put_on_after_the_end_does_not_count(story: Story) -> None:
    number = await asked(story, f"issue label regression by {story.day(3)}")
    story.move(60)
    issue = await open_issue(story, "It crashes")
    await story.calm()
    story.move(4 * DAY)
    await halted(story, number)
    await change(story, issue, labels=["regression"])
    assert await settled(story, number, 3) == "UNFIXED"


# -- milestones ---------------------------------------------------------------------------------------------------


async def milestone(story: Story, title: str) -> int:
    made = await story.call("POST", f"{repository(story)}/milestones", story.owner, {"title": title})
    return int(made["number"])


async def set_milestone(story: Story, number: int, **body: Any) -> None:
    await story.call("PATCH", f"{repository(story)}/milestones/{number}", story.owner, body)


async def test_a_milestone_closed_with_all_its_issues_comes_true_and_reopened_is_undone(story: Story) -> None:
    release = await milestone(story, "Version 1.0")
    first = await open_issue(story, "One", milestone=release)
    second = await open_issue(story, "Two", milestone=release)
    number = await asked(story, f"milestone version 1.0 closed by {story.day(20)}")
    await matched(story, number)
    await change(story, first, state="closed")
    await change(story, second, state="closed", state_reason="not_planned")
    await story.calm()
    await trades(story, number)  # an open milestone may still grow
    await set_milestone(story, release, state="closed", title="Renamed")
    await halted(story, number)
    story.move(3600)
    await change(story, second, state="open")
    await trades(story, number)
    await change(story, second, state="closed")
    await halted(story, number)
    assert await settled(story, number, 2) == "FIXED"


async def test_a_milestone_left_open_is_judged_at_its_end(story: Story) -> None:
    release = await milestone(story, "v1")
    issue = await open_issue(story, "One", milestone=release)
    number = await asked(story, f"milestone v1 closed by {story.day(3)}")
    await matched(story, number)
    await change(story, issue, state="closed")
    story.move(4 * DAY)
    await halted(story, number)
    late = await open_issue(story, "Late", milestone=release)
    assert late
    assert await settled(story, number, 2) == "FIXED"


async def test_what_is_done_to_a_milestone_after_its_end_does_not_turn_the_verdict(story: Story) -> None:
    """Neither taking its open issue out, nor deleting it all."""
    late, done = await milestone(story, "late"), await milestone(story, "done")
    hinders = await open_issue(story, "Open", milestone=late)
    for release in (late, done):
        await change(story, await open_issue(story, "Closed", milestone=release), state="closed")
    first = await asked(story, f"milestone late closed by {story.day(3)}")
    second = await asked(story, f"milestone done closed by {story.day(3)}")
    await matched(story, first)
    story.move(4 * DAY)
    for number in (first, second):
        await halted(story, number)
    await change(story, hinders, milestone=None)
    await story.call("DELETE", f"{repository(story)}/milestones/{done}", story.owner)
    assert await settled(story, first, 1) == "UNFIXED"
    assert await settled(story, second, 0) == "FIXED"


async def test_an_issue_deleted_after_the_end_has_made_the_forecast_true_all_the_same(story: Story) -> None:
    number = await asked(story, f"issue label omega by {story.day(3)}")
    await matched(story, number)
    story.move(2 * DAY)
    made = await open_issue(story, "It broke", labels=["omega"])
    await halted(story, number)
    await story.calm()  # the window runs from its announcement
    story.move(30 * 3600)
    await story.calm()
    await story.call("DELETE", f"/_sandbox/issues/{story.owner}/{story.name}/{made}")
    await story.calm()
    assert await settled(story, number, 1) == "FIXED"


async def test_a_milestone_with_an_open_issue_or_none_is_not_done(story: Story) -> None:
    full, empty = await milestone(story, "full"), await milestone(story, "empty")
    await open_issue(story, "One", milestone=full)
    first = await asked(story, f"milestone full closed by {story.day(3)}")
    second = await asked(story, f"milestone empty closed by {story.day(3)}")
    await set_milestone(story, full, state="closed")
    await set_milestone(story, empty, state="closed")
    await story.calm()
    story.move(4 * DAY)
    assert await settled(story, first, 2) == "UNFIXED"
    assert await settled(story, second, 0) == "UNFIXED"


async def test_a_deleted_milestone_is_void(story: Story) -> None:
    release = await milestone(story, "gone")
    number = await asked(story, f"milestone gone closed by {story.day(20)}")
    await matched(story, number)
    await story.call("DELETE", f"{repository(story)}/milestones/{release}", story.owner)
    await halted(story, number)
    assert await settled(story, number, 2) == "VOID"
    assert await story.money("adam") == ("1,000.00", "0.00")


# -- pull requests ------------------------------------------------------------------------------------------------


async def open_pull(story: Story, title: str = "Mend it", person: str = "dana") -> int:
    body = {"repository": f"{story.owner}/{story.name}", "title": title, "as": person}
    return int(
        (await story.call("POST", "/_sandbox/pulls", body={**body, "files": {f"{title}.py": "pass\n"}}))["number"]
    )


async def merge(story: Story, pull: int, person: str = "mara") -> None:
    await story.call("PUT", f"/_sandbox/pulls/{story.owner}/{story.name}/{pull}/merge", body={"as": person})


async def test_a_pull_request_that_is_merged_comes_true(each_story: Story) -> None:
    story = each_story
    pull = await open_pull(story)
    number = await asked(story, f"pull #{pull} merged by {story.day(20)}")
    again = await story.say("carl", f"/bugmark forecast pull {pull} by {story.day(20)}")
    assert f"**F{number}** asks this already" in again and f"pull request {pull} is merged by" in again
    await matched(story, number)
    story.move(DAY)
    await merge(story, pull)
    row = await halted(story, number)
    assert row.window_ends_at == (row.window_opened_at or 0) + DAY, "whoever merged holds no units"
    await story.refused("carl", f"/bugmark offer true 10 at 0.50 on F{number}", "halted")
    await story.refused("carl", f"/bugmark forecast pull {pull} merged by {story.day(30)}", "is merged already")
    assert await settled(story, number, 1) == "FIXED"
    comment = await story.bot(f"settlement:{number}:")
    assert "TRUE" in comment and f"`pull request {pull}`, `merged by mara`" in comment
    assert await story.money("beth") == ("1,070.00", "0.00")
    assert await story.money("adam") == ("930.00", "0.00")


async def test_a_merge_by_somebody_who_holds_units_is_not_backed(story: Story) -> None:
    pull = await open_pull(story)
    number = await asked(story, f"pull {pull} merged by {story.day(20)}")
    await matched(story, number)
    await merge(story, pull, "beth")
    row = await halted(story, number)
    assert row.window_ends_at == (row.window_opened_at or 0) + 2 * DAY
    assert await settled(story, number, 2) == "FIXED"


async def test_what_the_queue_merged_is_backed_by_whoever_approved_it(story: Story) -> None:
    pull = await open_pull(story)
    number = await asked(story, f"pull {pull} merged by {story.day(20)}")
    await matched(story, number)
    path = f"/_sandbox/pulls/{story.owner}/{story.name}/{pull}"
    role = {"repository": f"{story.owner}/{story.name}", "login": "mara", "role": "maintain"}
    await story.call("PUT", "/_sandbox/permissions", body=role)
    await story.call("POST", f"{path}/reviews", body={"as": "mara"})
    await story.call("PUT", f"{path}/queue", body={"as": "beth"})
    await story.call("PUT", f"{path}/queue/merge", body={})
    row = await halted(story, number)
    assert row.window_ends_at == (row.window_opened_at or 0) + DAY
    assert "approved by mara" in await story.bot(f"window:{number}:")


async def test_a_pull_request_that_is_closed_or_merged_too_late_does_not_come_true(story: Story) -> None:
    closed, late = await open_pull(story, "One"), await open_pull(story, "Two")
    first = await asked(story, f"pull {closed} merged by {story.day(3)}")
    second = await asked(story, f"pull {late} merged by {story.day(3)}")
    await matched(story, first)
    await change(story, closed, state="closed")
    await story.calm()
    await trades(story, first)  # it may be opened again
    await story.refused("carl", f"/bugmark forecast pull {closed} merged by {story.day(9)}", "is closed")
    story.move(4 * DAY)
    await halted(story, second)
    await merge(story, late)
    assert await settled(story, first, 2) == "UNFIXED"
    assert await settled(story, second, 0) == "UNFIXED"
    assert await story.money("adam") == ("1,030.00", "0.00")


async def test_only_a_pull_request_of_the_repository_can_be_asked_about(story: Story) -> None:
    by = story.day(20)
    await story.refused("dana", f"/bugmark forecast pull 999 merged by {by}", "There is no pull request 999")
    issue = story.issue.number
    reply = await story.mended("dana", f"/bugmark forecast pull {issue} merged by {by}", f"no pull request {issue} in")
    assert "`NUMBER` stands for something that you fill in" in reply


# -- releases -----------------------------------------------------------------------------------------------------


async def publish_release(story: Story, tag: str, person: str = "", **more: Any) -> int:
    body = {"repository": f"{story.owner}/{story.name}", "tag": tag, "as": person or story.owner, **more}
    return int((await story.call("POST", "/_sandbox/releases", body=body))["id"])


async def change_release(story: Story, release: int, **new: Any) -> None:
    path = f"/_sandbox/releases/{story.owner}/{story.name}/{release}"
    await story.call("PATCH" if new else "DELETE", path, body=new)


async def test_a_release_that_is_published_comes_true(each_story: Story) -> None:
    story = each_story
    number = await asked(story, f"release v2.0 published by {story.day(20)}")
    await matched(story, number)
    story.move(DAY)
    await publish_release(story, "v2.0-rc1")
    await publish_release(story, "V2.0")
    draft = await publish_release(story, "v2.0", draft=True)
    await story.calm()
    await trades(story, number)
    await change_release(story, draft, draft=False)
    row = await halted(story, number)
    assert row.window_ends_at == (row.window_opened_at or 0) + DAY, "its author holds no units"
    await story.refused("carl", f"/bugmark forecast release v2.0 published by {story.day(30)}", "published already")
    assert await settled(story, number, 1) == "FIXED"
    comment = await story.bot(f"settlement:{number}:")
    assert "TRUE" in comment and "release v2.0" in comment
    assert await story.money("beth") == ("1,070.00", "0.00")
    assert await story.money("adam") == ("930.00", "0.00")


async def test_a_release_deleted_in_time_is_undone(story: Story) -> None:
    number = await asked(story, f"release app/v1 published by {story.day(20)}")
    await matched(story, number)
    release = await publish_release(story, "app/v1", prerelease=True)
    await halted(story, number)
    story.move(3600)
    await change_release(story, release)
    await trades(story, number)
    release = await publish_release(story, "app/v2")
    await change_release(story, release, tag="app/v1")
    await halted(story, number)
    await change_release(story, release, draft=True)
    await trades(story, number)
    assert await settled(story, number, 25) == "UNFIXED"
    assert await story.money("adam") == ("1,030.00", "0.00")


async def test_what_is_done_to_a_release_after_its_end_does_not_turn_the_verdict(story: Story) -> None:
    """Neither deleting it, nor giving its tag to an older one."""
    first = await asked(story, f"release v1 published by {story.day(3)}")
    second = await asked(story, f"release v2 published by {story.day(3)}")
    await matched(story, first)
    story.move(2 * DAY)
    other = await publish_release(story, "v0")
    story.move(DAY - 3600)
    await story.calm()
    done = await publish_release(story, "v1")
    await halted(story, first)
    story.move(3600 + DAY)
    await halted(story, second)
    await change_release(story, done)
    await change_release(story, other, tag="v2")
    await story.calm()
    assert await settled(story, first, 2) == "FIXED"
    assert await settled(story, second, 2) == "UNFIXED"
