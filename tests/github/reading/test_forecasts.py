"""Advisories, issues and timelines as GitHub's JSON gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.github.reading.advisories import advisory_from
from app.github.reading.listed import (
    is_pull_request,
    label_names,
    merge_act,
    milestone_issue_from,
    opened_issue_from,
    publication,
    pull_state,
)
from app.market.life.forecast_memory import Act
from app.market.terms.pull import PullState

EXAMPLES = Path("node_modules/@octokit/webhooks-examples/api.github.com/index.json")
DANA = {"id": 5, "login": "dana"}
TESS = {"id": 6, "login": "tess"}


def upstream(event: str, action: str) -> dict[str, Any]:
    listed = json.loads(EXAMPLES.read_text())
    examples = next(item["examples"] for item in listed if item["name"] == event)
    found: dict[str, Any] = next(one for one in examples if one["action"] == action)
    return found


def test_an_advisory_of_the_api() -> None:
    found = advisory_from(
        {
            "ghsa_id": "GHSA-a",
            "severity": "critical",
            "published_at": "2026-01-02T00:00:00Z",
            "withdrawn_at": None,
            "vulnerabilities": [
                {"package": {"ecosystem": "npm", "name": "left-pad"}},
                {"package": {"ecosystem": "pip", "name": "Left_Pad"}},
                {"package": {"ecosystem": "npm", "name": "left-pad"}},
                {"package": None},
                {"package": {"ecosystem": "other", "name": None}},
            ],
        }
    )
    assert found is not None
    assert found.packages == {("npm", "left-pad"), ("pip", "Left_Pad")}
    assert (found.ghsa, found.severity, found.withdrawn, found.published_at) == (
        "GHSA-a",
        "critical",
        False,
        1_767_312_000,
    )


def test_old_payloads_call_medium_moderate() -> None:
    found = advisory_from({"ghsa_id": "G", "severity": "MODERATE", "published_at": 5, "vulnerabilities": None})
    assert found is not None and found.severity == "medium" and found.packages == frozenset()


@pytest.mark.parametrize("broken", [None, "text", {}, {"ghsa_id": "G"}, {"ghsa_id": 7, "published_at": 5}])
def test_what_is_no_advisory(broken: object) -> None:
    assert advisory_from(broken) is None


def event(kind: str, at: str, actor: Any = None, **more: Any) -> dict[str, Any]:
    return {"event": kind, "created_at": at, "actor": actor, **more}


ISSUE = {
    "number": 12,
    "title": "It crashes",
    "state": "open",
    "created_at": "1970-01-01T00:01:00Z",
    "closed_at": None,
    "user": DANA,
    "labels": [{"name": "Bug"}, "ui", {"id": 7}],
}


def test_an_issue_with_its_history() -> None:
    timeline = [
        event("labeled", "1970-01-01T00:02:00Z", DANA, label={"name": "bug"}),
        event("unlabeled", "1970-01-01T00:03:00Z", DANA, label={"name": "bug"}),
        event("labeled", "1970-01-01T00:04:00Z", TESS, label={"name": "Bug"}),
        event("renamed", "1970-01-01T00:05:00Z", None, rename={"from": "Old", "to": "It crashes"}),
        event("labeled", "no instant", TESS, label={"name": "ui"}),
    ]
    found = opened_issue_from(ISSUE, timeline)
    assert found is not None
    assert (found.number, found.title, found.opened) == (12, "It crashes", Act(60, 5, "dana"))
    assert found.labels == {"bug": Act(240, 6, "tess"), "ui": None}
    assert found.renames == [("Old", Act(300))]
    assert opened_issue_from({**ISSUE, "created_at": "x"}, []) is None


def test_an_issue_of_a_milestone() -> None:
    closed = {**ISSUE, "state": "closed", "closed_at": "1970-01-01T00:10:00Z"}
    assert milestone_issue_from(closed, []) is not None
    timeline = [
        event("milestoned", "1970-01-01T00:02:00Z", DANA, milestone={"title": "v1"}),
        event("closed", "1970-01-01T00:06:00Z", DANA),
        event("closed", "1970-01-01T00:10:00Z", TESS),
    ]
    found = milestone_issue_from(closed, timeline)
    assert found is not None and (found.closed, found.added_at) == (Act(600, 6, "tess"), 120)
    reopened = milestone_issue_from(ISSUE, timeline)
    assert reopened is not None and reopened.closed is None
    assert milestone_issue_from({"number": 1}, []) is None


def test_a_pull_request_stands_open_closed_or_merged() -> None:
    merged = {"state": "closed", "merged_at": "1970-01-01T00:10:00Z", "merged_by": DANA}
    assert merge_act(merged) == Act(600, 5, "dana") and pull_state(merged) is PullState.MERGED
    assert merge_act({**merged, "merged_by": None}) == Act(600)
    for state in (PullState.OPEN, PullState.CLOSED):
        unmerged = {"state": state.value, "merged_at": None, "merged_by": None}
        assert merge_act(unmerged) is None and pull_state(unmerged) is state


def test_a_release_is_published_unless_it_is_a_draft() -> None:
    release = {"draft": False, "published_at": "1970-01-01T00:10:00Z", "author": DANA}
    assert publication(release) == Act(600, 5, "dana")
    assert publication({**release, "draft": True}) is None
    assert publication({**release, "published_at": None}) is None


@pytest.mark.parametrize("action", ["published", "edited"])
def test_the_release_of_a_webhook_as_github_wrote_it(action: str) -> None:
    release = upstream("release", action)["release"]
    assert (publication(release) is not None) and release["tag_name"]


def test_lists_hold_pull_requests_too() -> None:
    assert is_pull_request({"pull_request": {"url": ""}}) and not is_pull_request(ISSUE)
    assert label_names(ISSUE) == ["Bug", "ui"] and label_names({}) == []


@pytest.mark.parametrize(("action", "withdrawn"), [("published", False), ("withdrawn", True)])
def test_the_advisory_of_a_webhook_as_github_wrote_it(action: str, withdrawn: bool) -> None:
    found = advisory_from(upstream("security_advisory", action)["security_advisory"])
    assert found is not None and found.withdrawn is withdrawn and found.packages
