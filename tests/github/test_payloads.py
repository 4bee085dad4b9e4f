"""What is read of an issue in a payload."""

from __future__ import annotations

from typing import Any

import pytest

from app.github.reading.payloads import Payload, read_issue

ISSUE = {"id": 101, "number": 5, "title": "A bug", "state": "closed", "closed_at": "2026-01-01T00:00:00Z"}


def payload(action: str = "", sender: int | None = 8, **issue: object) -> Payload:
    tree: dict[str, Any] = {"action": action, "issue": {**ISSUE, **issue}, "repository": {"id": 7}}
    return Payload({**tree, "sender": {"id": sender}} if sender else tree)


@pytest.mark.parametrize(
    ("told", "closer"),
    [
        (payload("closed"), 8),
        (payload("closed", closed_by={"id": 9}), 9),
        (payload("", closed_by={"id": 9}, sender=None), 9),
        (payload("edited"), None),
        (payload("created"), None),
        (payload("closed", sender=None), None),
        (payload("closed", closed_by={"id": "9"}), 8),
        (payload("reopened", state="open", closed_by={"id": 9}), None),
    ],
)
def test_the_closer_is_named_by_the_api_or_sends_the_close(told: Payload, closer: int | None) -> None:
    assert read_issue(told).closed_by == closer


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        ([{"name": "ui"}, {"name": "bug"}, "x", {"name": 5}], '["bug","ui"]'),
        ([], "[]"),
        (None, None),
        ("bug", None),
    ],
)
def test_labels_are_kept_as_canonical_json(labels: object, read: str | None) -> None:
    assert read_issue(payload(labels=labels)).labels == read
