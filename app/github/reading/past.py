"""A repository's issues and events as GitHub's JSON gives them, read into the rows of a history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from app.github.api.instants import read_instant
from app.github.reading.listed import is_pull_request, label_names
from app.simulate.histories import EventRow, IssueRow

Json = Mapping[str, Any]
Naming = Callable[[str], str]
"""The name under which a login is written down."""

KEPT: Final = frozenset(
    {
        "closed",
        "reopened",
        "labeled",
        "unlabeled",
        "assigned",
        "unassigned",
        "connected",
        "disconnected",
        "referenced",
        "marked_as_duplicate",
        "transferred",
        "converted_to_discussion",
    }
)
"""Events that say what became of an issue, and who worked on it."""


def issue_row(issue: Json, naming: Naming) -> IssueRow | None:
    """None for a pull request, and for what cannot be read."""
    opened_at, number = read_instant(issue.get("created_at")), issue.get("number")
    if is_pull_request(issue) or opened_at is None or not isinstance(number, int):
        return None
    closed_at = read_instant(issue.get("closed_at")) if issue.get("state") == "closed" else None
    return IssueRow(
        number,
        opened_at,
        None if closed_at is None else max(closed_at, opened_at),
        _text(issue.get("state_reason")) if closed_at is not None else None,
        tuple(sorted(label_names(issue))),
        _reactions(issue),
        _login(issue.get("user"), naming),
    )


def event_row(event: Json, naming: Naming) -> EventRow | None:
    """None for what is of no kind that is kept, of a pull request, or cannot be read."""
    issue, at, kind = event.get("issue"), read_instant(event.get("created_at")), event.get("event")
    if not isinstance(issue, Mapping) or is_pull_request(issue) or at is None or kind not in KEPT:
        return None
    number = issue.get("number")
    if not isinstance(number, int):
        return None
    assignee, label = event.get("assignee"), event.get("label")
    detail = _login(assignee, naming) if isinstance(assignee, Mapping) else _name(label)
    actor = _login(event.get("actor"), naming)
    return EventRow(number, str(kind), at, actor, _text(event.get("commit_id")), detail or None)


def _login(user: object, naming: Naming) -> str:
    found = user.get("login") if isinstance(user, Mapping) else None
    return naming(found) if isinstance(found, str) and found else ""


def _name(label: object) -> str | None:
    return _text(label.get("name")) if isinstance(label, Mapping) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _reactions(issue: Json) -> int:
    rollup = issue.get("reactions")
    found = rollup.get("total_count") if isinstance(rollup, Mapping) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else 0
