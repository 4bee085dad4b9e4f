"""app.yml against what GitHub documents: one event without its permission, and it refuses the manifest."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
GITHUB_DESCRIPTION = ROOT / "node_modules/@octokit/openapi/generated/api.github.com.json"
LEVELS = {"read": 1, "write": 2}

# "To subscribe to this event, a GitHub App must have at least … access" (GitHub's page "Webhook events and
# payloads"): one of the alternatives must be granted. A check_run's `rerequested` needs write.
NEEDED_FOR_EVENT: dict[str, list[tuple[str, str]]] = {
    "issues": [("issues", "read")],
    "issue_comment": [("issues", "read")],
    "label": [("metadata", "read")],
    "milestone": [("issues", "read"), ("pull_requests", "read")],
    "repository": [("metadata", "read")],
    "pull_request": [("pull_requests", "read")],
    "push": [("contents", "read")],
    "release": [("contents", "read")],
    "check_run": [("checks", "write")],
    "security_advisory": [],
}
# GitHub sends these to every App and refuses a manifest that subscribes to them.
SENT_UNASKED = {
    "github_app_authorization",
    "installation",
    "installation_repositories",
    "installation_target",
}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """What app.yml says."""
    loaded = yaml.safe_load((ROOT / "app.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture(scope="module")
def webhooks() -> dict[str, set[str]]:
    """Each event that GitHub describes, with the kinds of hook that can receive it."""
    described = json.loads(GITHUB_DESCRIPTION.read_text())["x-webhooks"].values()
    facts = [webhook["post"]["x-github"] for webhook in described]
    return {fact["subcategory"]: set(fact["supported-webhook-types"]) for fact in facts}


def test_the_events_are_those_that_the_app_understands(manifest: dict[str, Any]) -> None:
    events = manifest["default_events"]
    assert len(events) == len(set(events))
    assert set(events) == set(NEEDED_FOR_EVENT)


def test_the_permissions_are_the_least_ones(manifest: dict[str, Any]) -> None:
    assert manifest["default_permissions"] == {
        "metadata": "read",
        "issues": "write",
        "pull_requests": "read",
        "contents": "read",
        "checks": "write",
    }


@pytest.mark.parametrize("event", NEEDED_FOR_EVENT)
def test_every_event_has_a_permission_that_lets_it_through(manifest: dict[str, Any], event: str) -> None:
    granted = manifest["default_permissions"]
    alternatives = NEEDED_FOR_EVENT[event]
    enough = [LEVELS[granted.get(name, "read")] >= LEVELS[level] for name, level in alternatives if name in granted]
    assert any(enough) or not alternatives


def test_no_event_is_named_that_comes_unasked(manifest: dict[str, Any]) -> None:
    assert not SENT_UNASKED & set(manifest["default_events"])


def test_github_sends_each_event_to_apps(manifest: dict[str, Any], webhooks: dict[str, set[str]]) -> None:
    assert {event for event in manifest["default_events"] if "app" not in webhooks.get(event, set())} == set()


def test_every_permission_serves_an_event_or_a_call_of_ours(manifest: dict[str, Any]) -> None:
    for_events = {name for alternatives in NEEDED_FOR_EVENT.values() for name, _ in alternatives}
    assert set(manifest["default_permissions"]) <= for_events


def test_the_manifest_has_what_the_manifest_flow_asks_for(manifest: dict[str, Any]) -> None:
    assert manifest["name"]
    assert manifest["public"] is False
    assert manifest["hook_attributes"]["active"] is True
    for url in (manifest["url"], manifest["hook_attributes"]["url"]):
        assert url.startswith("https://bugmark.example/")
