"""Pushes, pull requests and check runs: what they change, what they close, what is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Installed

CONFIG = "/repos/ann/pump/contents/.github/bugmark.yml"


async def push(installed: Installed, message: str = "Work", **more: Any) -> Any:
    return await installed.sandbox.control("POST", "/pushes", {"repository": "ann/pump", "message": message, **more})


async def open_pull(installed: Installed, **more: Any) -> Any:
    body = {"repository": "ann/pump", "title": "Stop the leak", "as": "bob", "files": {"fix.c": "int x;\n"}, **more}
    return await installed.sandbox.control("POST", "/pulls", body)


async def merge(installed: Installed, number: int, **more: Any) -> Any:
    return await installed.sandbox.control("PUT", f"/pulls/ann/pump/{number}/merge", more)


async def closed_events(installed: Installed, number: int) -> list[Any]:
    _, events, _ = await installed.bot("GET", f"/repos/ann/pump/issues/{number}/timeline")
    return [event for event in events if event["event"] == "closed"]


async def test_a_push_tells_what_it_changed(installed: Installed) -> None:
    await push(installed, files={"a": "1", "b": "1"})
    await installed.sandbox.control(
        "PUT", "/files", {"repository": "ann/pump", "path": "a", "content": "2", "as": "bob"}
    )
    await push(installed, files={"b": None})
    await installed.sandbox.idle()
    pushes = [one.payload for one in installed.hook.received if one.event == "push"]
    told = [tuple(push["head_commit"][how] for how in ("added", "modified", "removed")) for push in pushes]
    assert told == [(["a", "b"], [], []), ([], ["a"], []), ([], [], ["b"])]
    assert {push["ref"] for push in pushes} == {"refs/heads/main"}
    assert [push["before"] for push in pushes[1:]] == [push["after"] for push in pushes[:2]]
    assert (pushes[1]["pusher"]["name"], pushes[1]["sender"]["login"]) == ("bob", "bob")


async def test_a_commit_that_says_so_closes_an_issue(installed: Installed) -> None:
    await installed.issue()
    made = await push(installed, "Plug it. Fixes #1", **{"as": "carol", "author": "dora"})
    (closed,) = await closed_events(installed, 1)
    assert (closed["commit_id"], closed["actor"]["login"]) == (made["sha"], "carol")
    issue = (await installed.bot("GET", "/repos/ann/pump/issues/1"))[1]
    assert (issue["state"], issue["state_reason"], issue["closed_by"]["login"]) == ("closed", "completed", "carol")
    commit = (await installed.bot("GET", f"/repos/ann/pump/commits/{made['sha']}"))[1]
    assert (commit["author"]["login"], commit["commit"]["message"]) == ("dora", "Plug it. Fixes #1")
    assert (await installed.bot("GET", f"/repos/ann/pump/commits/{'f' * 40}"))[0] == 422


@pytest.mark.parametrize(
    ("message", "closes"),
    [
        ("closes #1", True),
        ("Resolved: #1", True),
        ("fix ann/pump#1", True),
        ("fix eve/pump#1", False),
        ("see #1", False),
        ("prefixes #1", False),
    ],
)
async def test_closing_words(installed: Installed, message: str, closes: bool) -> None:
    await installed.issue()
    await push(installed, message)
    assert bool(await closed_events(installed, 1)) == closes


async def test_a_commit_closes_elsewhere_only_where_its_pusher_may_write(installed: Installed) -> None:
    await installed.issue()
    await installed.sandbox.control("POST", "/repositories", {"owner": "bob", "name": "other"})
    work = {"repository": "bob/other", "message": "fixes ann/pump#1"}
    await installed.sandbox.control("POST", "/pushes", work)
    assert await closed_events(installed, 1) == []
    await installed.sandbox.control("PUT", "/permissions", {"repository": "ann/pump", "login": "bob", "role": "write"})
    made = await installed.sandbox.control("POST", "/pushes", work)
    assert [event["commit_id"] for event in await closed_events(installed, 1)] == [made["sha"]]


async def test_a_pull_request_is_an_issue_with_a_mark_of_its_own(installed: Installed) -> None:
    made = await open_pull(installed)
    await installed.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", {"labels": ["bug"]})
    await installed.comment()
    await installed.sandbox.idle()
    names = installed.hook.names()[1:]
    assert names == ["push", "pull_request.opened", "pull_request.labeled", "issue_comment.created"]
    assert installed.hook.last("issue_comment.created")["issue"]["pull_request"]["merged_at"] is None
    listed = (await installed.bot("GET", "/repos/ann/pump/pulls"))[1]
    assert [(pull["number"], pull["head"]["sha"]) for pull in listed] == [(1, made["head"]["sha"])]
    files = (await installed.bot("GET", "/repos/ann/pump/pulls/1/files"))[1]
    assert [(file["filename"], file["status"], file["additions"]) for file in files] == [("fix.c", "added", 1)]
    assert (await installed.bot("GET", "/repos/ann/pump/pulls/2"))[0] == 404
    refused = await installed.bot("POST", "/repos/ann/pump/issues/1/comments", {"body": "x"})
    assert (refused[0], refused[1]["message"]) == (403, "Resource not accessible by integration")


async def test_files_are_read_at_a_ref(installed: Installed) -> None:
    before = await push(installed, files={".github/bugmark.yml": "old"})
    pull = await open_pull(installed, files={".github/bugmark.yml": "new"}, branch="config")
    number, sha = pull["number"], pull["head"]["sha"]
    raw = {"Accept": "application/vnd.github.raw+json"}
    for ref in ("config", f"refs/pull/{number}/head", f"pull/{number}/head", sha, sha[:8]):
        assert (await installed.bot("GET", f"{CONFIG}?ref={ref}", **raw))[1] == "new"
    for ref in ("main", "HEAD", "refs/heads/main", before["sha"]):
        assert (await installed.bot("GET", f"{CONFIG}?ref={ref}", **raw))[1] == "old"
    missing = await installed.bot("GET", f"{CONFIG}?ref=nothing")
    assert (missing[0], missing[1]["message"]) == (404, "No commit found for the ref nothing")
    await installed.sandbox.control(
        "PUT", f"/pulls/ann/pump/{number}/files", {"files": {".github/bugmark.yml": "newer"}}
    )
    assert (await installed.bot("GET", f"{CONFIG}?ref=refs/pull/{number}/head", **raw))[1] == "newer"
    await installed.sandbox.idle()
    assert installed.hook.last("pull_request.synchronize")["before"] == sha


@pytest.mark.parametrize("method", ["merge", "squash"])
async def test_a_merge_closes_what_the_pull_request_names(installed: Installed, method: str) -> None:
    await installed.issue()
    pull = await open_pull(installed, body="Closes #1, I hope.")
    merged = await merge(installed, pull["number"], method=method, **{"as": "carol"})
    assert (merged["merged"], merged["merged_by"]["login"], merged["state"]) == (True, "carol", "closed")
    (closed,) = await closed_events(installed, 1)
    assert (closed["commit_id"], closed["actor"]["login"]) == (None, "carol")
    assert "fix.c" in installed.sandbox.state.repositories[700_000_001].files
    brought = (await installed.bot("GET", f"/repos/ann/pump/commits/{merged['merge_commit_sha']}/pulls"))[1]
    assert [one["number"] for one in brought] == [pull["number"]]
    await installed.sandbox.idle()
    assert installed.hook.names()[-3:] == ["push", "pull_request.closed", "issues.closed"]
    with pytest.raises(AssertionError, match="the pull request is closed"):
        await merge(installed, pull["number"])


async def test_a_commit_of_a_pull_request_closes_by_itself(installed: Installed) -> None:
    await installed.issue()
    pull = await open_pull(installed, title="Stop it, fixes #1")
    await merge(installed, pull["number"])
    (closed,) = await closed_events(installed, 1)
    assert closed["commit_id"] == pull["head"]["sha"]
    brought = (await installed.bot("GET", f"/repos/ann/pump/commits/{closed['commit_id']}/pulls"))[1]
    assert [one["number"] for one in brought] == [pull["number"]]


async def run_check(installed: Installed, sha: str, **more: Any) -> Any:
    return await installed.bot("POST", "/repos/ann/pump/check-runs", {"name": "config", "head_sha": sha, **more})


async def test_a_check_run_is_made_completed_and_asked_for_again(installed: Installed) -> None:
    sha = (await open_pull(installed))["head"]["sha"]
    status, run, _ = await run_check(installed, sha)
    assert (status, run["status"], run["pull_requests"][0]["number"]) == (201, "queued", 1)
    note = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "no"}
    verdict = {"conclusion": "failure", "output": {"title": "Bad", "summary": "line 3", "annotations": [note]}}
    path = f"/repos/ann/pump/check-runs/{run['id']}"
    done = (await installed.bot("PATCH", path, verdict))[1]
    assert (done["status"], done["conclusion"], done["output"]["annotations_count"]) == ("completed", "failure", 1)
    assert (await installed.bot("GET", f"{path}/annotations"))[1][0]["message"] == "no"
    listed = (await installed.bot("GET", f"/repos/ann/pump/commits/{sha}/check-runs?check_name=config"))[1]
    assert (listed["total_count"], listed["check_runs"][0]["id"]) == (1, run["id"])
    await installed.sandbox.as_person("ann", "POST", f"{path}/rerequest")
    await installed.sandbox.idle()
    assert installed.hook.names()[-3:] == ["check_run.created", "check_run.completed", "check_run.rerequested"]
    assert (await installed.bot("GET", path))[1]["status"] == "queued"


async def test_what_a_check_run_may_not_be(installed: Installed) -> None:
    sha = (await push(installed))["sha"]
    assert (await run_check(installed, "f" * 40))[0] == 422
    assert (await run_check(installed, sha, output={"title": "t", "summary": "x" * 65_536}))[0] == 422
    person = await installed.sandbox.call(
        "POST", "/repos/ann/pump/check-runs", {"name": "config", "head_sha": sha}, "sandbox-ann"
    )
    assert person[0] == 403
    run = (await run_check(installed, sha))[1]
    again = await installed.sandbox.call(
        "POST", f"/repos/ann/pump/check-runs/{run['id']}/rerequest", None, "sandbox-eve"
    )
    assert again[0] == 403


async def test_a_milestone_goes_with_its_issues_left_behind(installed: Installed) -> None:
    await installed.issue()
    await installed.bot("POST", "/repos/ann/pump/milestones", {"title": "1.0"})
    await installed.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", {"milestone": 1})
    assert (await installed.bot("DELETE", "/repos/ann/pump/milestones/1"))[0] == 204
    assert (await installed.bot("GET", "/repos/ann/pump/issues/1"))[1]["milestone"] is None
    await installed.sandbox.idle()
    assert installed.hook.names()[-1] == "milestone.deleted"
