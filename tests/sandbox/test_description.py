"""The cut of GitHub's description is what the package says, and covers what the sandbox serves and sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.endpoints import ENDPOINTS
from sandbox.server import API
from sandbox.validation import webhook, webhook_problems
from scripts import cut_openapi

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "node_modules" / "@octokit" / "openapi" / "generated" / "api.github.com.json"
EXAMPLES = ROOT / "node_modules" / "@octokit" / "webhooks-examples" / "api.github.com" / "index.json"


def package(path: Path) -> Any:
    assert path.exists(), f"{path.relative_to(ROOT)} is missing: run `npm ci` first"
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_committed_cut_is_cut_from_the_package() -> None:
    again = cut_openapi.cut(package(PACKAGE), cut_openapi.USED.read_text(encoding="utf-8"))
    assert cut_openapi.CUT.read_text(encoding="utf-8") == cut_openapi.as_text(again)


def test_the_table_of_endpoints_is_the_list_of_what_is_used() -> None:
    assert API
    paths, _ = cut_openapi.read_used(cut_openapi.USED.read_text(encoding="utf-8"))
    used = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert {known.name for known in ENDPOINTS} == used
    assert len(ENDPOINTS) == len(used)


def real(event: str, action: str) -> list[Any]:
    examples = next(entry["examples"] for entry in package(EXAMPLES) if entry["name"] == event)
    return [example for example in examples if example["action"] == action]


@pytest.mark.parametrize(
    ("event", "action"), [("issue_comment", "created"), ("issue_comment", "edited"), ("issues", "reopened")]
)
def test_real_payloads_pass_the_same_validator(event: str, action: str) -> None:
    """Some of the examples are older than the description; one that is not is enough to trust the validator."""
    name = f"{event.replace('_', '-')}-{action}"
    assert webhook(name)
    assert any(not webhook_problems(name, json.dumps(example).encode()) for example in real(event, action))


def test_a_payload_with_a_hole_does_not_pass() -> None:
    valid = next(e for e in real("issue_comment", "created") if not said(e))
    del valid["comment"]["user"]["login"]
    assert said(valid) == ["comment/user: 'login' is a required property"]


def said(example: Any) -> list[str]:
    return webhook_problems("issue-comment-created", json.dumps(example).encode())
