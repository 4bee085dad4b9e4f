"""Issues, comments, reactions, labels, milestones: the state that calls leave behind."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.clock import FixedClock
from sandbox.testing import running_sandbox
from tests.sandbox.conftest import Installed

ISSUE = "/repos/ann/pump/issues/1"


async def test_a_comment_is_kept_edited_and_deleted(installed: Installed, clock: FixedClock) -> None:
    await installed.issue()
    comment = await installed.comment("first")
    clock.advance(5)
    path = f"/repos/ann/pump/issues/comments/{comment['id']}"
    edited = await installed.sandbox.as_person("bob", "PATCH", path, {"body": "second"})
    assert (edited["body"], edited["created_at"]) == ("second", comment["created_at"])
    assert edited["updated_at"] == "2023-11-14T22:13:25Z"
    assert (await installed.sandbox.call("PATCH", path, {"body": "x"}, "sandbox-eve"))[0] == 403
    assert await installed.sandbox.as_person("ann", "DELETE", path) is None
    assert (await installed.bot("GET", path))[0] == 404
    assert (await installed.bot("GET", f"{ISSUE}/comments"))[1] == []


async def test_the_apps_own_comment_is_the_bots(installed: Installed) -> None:
    await installed.issue()
    status, body, headers = await installed.bot("POST", f"{ISSUE}/comments", {"body": "I am the bot"})
    assert (status, body["user"]["login"], body["user"]["type"]) == (201, "bugmark[bot]", "Bot")
    assert body["performed_via_github_app"]["id"] == installed.app["id"]
    assert headers["Location"] == body["url"]
    assert body["html_url"] == f"{installed.sandbox.url}/ann/pump/issues/1#issuecomment-{body['id']}"


async def test_bodies_end_at_65536_characters(installed: Installed) -> None:
    await installed.issue()
    longest = "é" * 65_536
    status, comment, _ = await installed.bot("POST", f"{ISSUE}/comments", {"body": longest})
    assert status == 201
    too_long = {"body": longest + "x"}
    assert (await installed.bot("POST", f"{ISSUE}/comments", too_long))[0] == 422
    assert (await installed.bot("PATCH", f"/repos/ann/pump/issues/comments/{comment['id']}", too_long))[0] == 422
    assert (await installed.bot("POST", "/repos/ann/pump/issues", {"title": "t", **too_long}))[0] == 422
    assert (await installed.bot("PATCH", ISSUE, too_long))[0] == 422
    blank = await installed.bot("POST", f"{ISSUE}/comments", {"body": "  "})
    assert blank[0] == 422


@pytest.mark.parametrize(
    ("asked", "kept"),
    [(None, "completed"), ("completed", "completed"), ("not_planned", "not_planned"), ("duplicate", "duplicate")],
)
async def test_an_issue_is_closed_with_a_reason_and_reopened(
    installed: Installed, clock: FixedClock, asked: str | None, kept: str
) -> None:
    await installed.issue()
    clock.advance(60)
    change = {"state": "closed", "state_reason": asked} if asked else {"state": "closed"}
    closed = await installed.sandbox.as_person("ann", "PATCH", ISSUE, change)
    assert (closed["state"], closed["state_reason"], closed["closed_by"]["login"]) == ("closed", kept, "ann")
    assert closed["closed_at"] == "2023-11-14T22:14:20Z"
    reopened = await installed.sandbox.as_person("ann", "PATCH", ISSUE, {"state": "open"})
    assert (reopened["state"], reopened["state_reason"], reopened["closed_at"]) == ("open", "reopened", None)


async def test_strangers_may_not_close_and_authors_reopen_only_what_they_closed(installed: Installed) -> None:
    await installed.issue(by="bob")
    assert (await installed.sandbox.call("PATCH", ISSUE, {"state": "closed"}, "sandbox-eve"))[0] == 403
    await installed.sandbox.as_person("bob", "PATCH", ISSUE, {"state": "closed"})
    await installed.sandbox.as_person("bob", "PATCH", ISSUE, {"state": "open"})
    await installed.sandbox.as_person("ann", "PATCH", ISSUE, {"state": "closed"})
    assert (await installed.sandbox.call("PATCH", ISSUE, {"state": "open"}, "sandbox-bob"))[0] == 403


async def test_the_timeline_tells_in_order_and_names_the_commit(installed: Installed, clock: FixedClock) -> None:
    await installed.issue()
    for _ in range(2):
        await installed.comment()
        clock.advance(1)
    await installed.sandbox.as_person("ann", "PATCH", ISSUE, {"title": "It pours", "labels": ["bug", "wet"]})
    clock.advance(1)
    commit = "a" * 40
    await installed.sandbox.control("POST", "/issues/ann/pump/1/close", {"as": "ann", "commit": commit})
    clock.advance(1)
    await installed.sandbox.as_person("ann", "PATCH", ISSUE, {"state": "open"})
    await installed.sandbox.as_person("ann", "PUT", f"{ISSUE}/lock", {"lock_reason": "too heated"})
    _, events, _ = await installed.bot("GET", f"{ISSUE}/timeline")
    told = [event["event"] for event in events]
    assert told == ["commented", "commented", "renamed", "labeled", "labeled", "closed", "reopened", "locked"]
    assert events[5]["commit_id"] == commit
    assert events[6]["commit_id"] is None
    assert events[2]["rename"] == {"from": "It leaks", "to": "It pours"}


async def test_a_locked_thread_is_for_people_with_write_access(installed: Installed) -> None:
    await installed.issue()
    await installed.sandbox.as_person("ann", "PUT", f"{ISSUE}/lock")
    status, body, _ = await installed.bot("POST", f"{ISSUE}/comments", {"body": "x"})
    assert (status, body["message"]) == (403, "Unable to create comment because issue is locked.")
    assert (await installed.sandbox.call("POST", f"{ISSUE}/comments", {"body": "x"}, "sandbox-bob"))[0] == 403
    assert (await installed.comment(by="ann"))["body"] == "Me too"
    await installed.sandbox.as_person("ann", "DELETE", f"{ISSUE}/lock")
    assert (await installed.bot("POST", f"{ISSUE}/comments", {"body": "x"}))[0] == 201


async def test_a_deleted_issue_is_gone(installed: Installed) -> None:
    await installed.issue()
    comment = await installed.comment()
    await installed.sandbox.control("DELETE", "/issues/ann/pump/1")
    assert (await installed.bot("GET", ISSUE))[0] == 410
    assert (await installed.bot("POST", f"{ISSUE}/comments", {"body": "x"}))[0] == 410
    assert (await installed.bot("GET", f"/repos/ann/pump/issues/comments/{comment['id']}"))[0] == 404
    assert (await installed.bot("GET", "/repos/ann/pump/issues?state=all"))[1] == []


async def test_a_reaction_is_made_once(installed: Installed) -> None:
    await installed.issue()
    path = f"/repos/ann/pump/issues/comments/{(await installed.comment())['id']}/reactions"
    first = await installed.bot("POST", path, {"content": "rocket"})
    second = await installed.bot("POST", path, {"content": "rocket"})
    assert (first[0], second[0]) == (201, 200)
    assert first[1]["id"] == second[1]["id"]
    await installed.bot("POST", path, {"content": "eyes"})
    assert [r["content"] for r in (await installed.bot("GET", path))[1]] == ["rocket", "eyes"]
    assert (await installed.bot("GET", path.removesuffix("/reactions")))[1]["reactions"]["total_count"] == 2
    mine = f"{path}/{first[1]['id']}"
    assert (await installed.sandbox.call("DELETE", mine, None, "sandbox-bob"))[0] == 403
    assert (await installed.bot("DELETE", mine))[0] == 204
    assert [r["content"] for r in (await installed.bot("GET", path))[1]] == ["eyes"]


async def test_lists_are_paged_by_links_that_can_be_followed(installed: Installed) -> None:
    await installed.issue()
    for n in range(5):
        await installed.comment(f"comment {n}")
    seen: list[str] = []
    url = f"{ISSUE}/comments?per_page=2"
    while url:
        _, body, headers = await installed.bot("GET", url)
        seen += [comment["body"] for comment in body]
        url = following(headers)
    assert seen == [f"comment {n}" for n in range(5)]
    _, _, headers = await installed.bot("GET", f"{ISSUE}/comments?per_page=2&page=2")
    assert [rel in headers["Link"] for rel in ('"next"', '"last"', '"prev"', '"first"')] == [True] * 4
    assert "Link" not in (await installed.bot("GET", f"{ISSUE}/comments"))[2]


def following(headers: Any) -> str:
    parts = [part.split("; ") for part in headers.get("Link", "").split(", ")]
    return next((address.strip("<>") for address, *rel in parts if rel == ['rel="next"']), "")


async def test_since_goes_by_the_last_change(installed: Installed, clock: FixedClock) -> None:
    await installed.issue()
    old, new = await installed.comment("old"), await installed.comment("new")
    clock.advance(10)
    path = f"/repos/ann/pump/issues/comments/{old['id']}"
    await installed.sandbox.as_person("bob", "PATCH", path, {"body": "old, edited"})
    found = (await installed.bot("GET", f"{ISSUE}/comments?since=2023-11-14T22:13:25Z"))[1]
    assert [comment["id"] for comment in found] == [old["id"]] != [new["id"]]


async def test_an_unchanged_answer_costs_nothing(installed: Installed) -> None:
    await installed.issue()
    _, _, headers = await installed.bot("GET", ISSUE)
    used = int(headers["X-RateLimit-Used"])
    status, body, again = await installed.bot("GET", ISSUE, If_None_Match=headers["ETag"])
    assert (status, body, int(again["X-RateLimit-Used"])) == (304, "", used)
    await installed.comment()
    status, _, changed = await installed.bot("GET", ISSUE, If_None_Match=headers["ETag"])
    assert (status, int(changed["X-RateLimit-Used"])) == (200, used + 1)
    assert (await installed.bot("GET", "/rate_limit"))[1]["rate"]["used"] == used + 1


async def test_labels_and_milestones(installed: Installed) -> None:
    await installed.issue()
    _, labels, _ = await installed.bot("POST", f"{ISSUE}/labels", {"labels": ["bugmark: 100"]})
    assert [label["name"] for label in labels] == ["bugmark: 100"]
    renamed = await installed.bot("PATCH", "/repos/ann/pump/labels/bugmark%3A%20100", {"new_name": "bugmark: 200"})
    assert renamed[1]["name"] == "bugmark: 200"
    assert (await installed.bot("GET", ISSUE))[1]["labels"][0]["name"] == "bugmark: 200"
    assert (await installed.bot("DELETE", f"{ISSUE}/labels/bugmark%3A%20200"))[1] == []
    assert (await installed.bot("DELETE", f"{ISSUE}/labels/bugmark%3A%20200"))[0] == 404
    twice = {"name": "BUG"}
    assert (await installed.bot("POST", "/repos/ann/pump/labels", twice))[0] == 422
    made = await installed.bot("POST", "/repos/ann/pump/milestones", {"title": "1.0", "due_on": "2024-01-01T00:00:00Z"})
    assert (made[0], made[1]["due_on"]) == (201, "2024-01-01T00:00:00Z")
    await installed.sandbox.as_person("ann", "PATCH", ISSUE, {"milestone": 1})
    closed = await installed.bot("PATCH", "/repos/ann/pump/milestones/1", {"state": "closed"})
    assert (closed[1]["state"], closed[1]["open_issues"]) == ("closed", 1)


async def test_files_are_read_with_contents(installed: Installed) -> None:
    config = {"repository": "ann/pump", "path": ".github/bugmark.yml", "content": "enabled: true\n"}
    path = "/repos/ann/pump/contents/.github/bugmark.yml"
    assert (await installed.bot("GET", path))[0] == 404
    await installed.sandbox.control("PUT", "/files", config)
    _, body, _ = await installed.bot("GET", path)
    assert (body["type"], body["encoding"], body["size"]) == ("file", "base64", 14)
    raw = await installed.bot("GET", path, Accept="application/vnd.github.raw+json")
    assert raw[1] == "enabled: true\n"
    assert [entry["name"] for entry in (await installed.bot("GET", "/repos/ann/pump/contents/.github"))[1]] == [
        "bugmark.yml"
    ]


async def test_a_request_that_github_does_not_describe_is_refused_and_recorded(installed: Installed) -> None:
    await installed.issue()
    status, body, _ = await installed.bot("POST", f"{ISSUE}/comments", {"text": "no body"})
    assert (status, body["errors"][0]["code"]) == (422, "invalid")
    violations = await installed.sandbox.control("GET", "/violations")
    assert [(v["kind"], v["problems"]) for v in violations] == [("request", ["'body' is a required property"])]
    headers = {"User-Agent": "test", "Authorization": f"Bearer {installed.token}"}
    url = f"{installed.sandbox.url}{ISSUE}/comments"
    async with installed.sandbox.session.post(url, data="{oops", headers=headers) as response:
        assert (response.status, (await response.json())["message"]) == (400, "Problems parsing JSON")
    assert (await installed.bot("GET", "/repos/ann/pump/nothing"))[0] == 404


async def test_a_violation_fails_the_test_that_caused_it() -> None:
    with pytest.raises(AssertionError, match="'title' is a required property"):
        async with running_sandbox() as sandbox:
            await sandbox.control("POST", "/repositories", {"owner": "ann", "name": "pump"})
            status, _, _ = await sandbox.call("POST", "/repos/ann/pump/issues", {"body": "x"}, "sandbox-bob")
            assert status == 422
