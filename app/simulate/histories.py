"""A repository's history as a file: its issues and what became of them, for chances, back-tests and experiments.

JSON with one issue or event a line; docs/liquidity.md describes it. A file that cannot be read is refused with a
sentence that names the place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from app.market.hazard import PastIssue

FORMAT: Final = "bugmark-history"
VERSION: Final = 1
GOOD_REASONS: Final = (None, "completed")


class BadHistory(Exception):
    """A file that is no history; the text is a sentence for whoever gave it."""


@dataclass(frozen=True, slots=True)
class IssueRow:
    """An issue as it was read. Logins may be hashed. `reason`: of the close that holds."""

    number: int
    opened_at: int
    closed_at: int | None
    reason: str | None
    labels: tuple[str, ...]
    reactions: int
    author: str

    @property
    def past(self) -> PastIssue:
        good = self.closed_at is not None and self.reason in GOOD_REASONS
        return PastIssue(self.opened_at, self.closed_at, good, frozenset(self.labels), self.reactions)


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event of an issue: closed, reopened, labeled, assigned, connected, referenced, …; `detail` is its label or
    assignee, `commit` the one that closed or named the issue."""

    issue: int
    event: str
    at: int
    actor: str
    commit: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class History:
    repository: str
    read_at: int
    issues: tuple[IssueRow, ...]
    events: tuple[EventRow, ...]

    def text(self) -> str:
        """The file: the same history makes the same bytes."""
        head = {"format": FORMAT, "read_at": self.read_at, "repository": self.repository, "version": VERSION}
        told = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in head.items())
        return f'{{{told},\n"issues":[{_lines(self.issues)}],\n"events":[{_lines(self.events)}]}}\n'

    def links_at(self, number: int) -> tuple[int, ...]:
        """Instants at which a pull request or a commit was tied to an issue, and at which somebody was assigned."""
        stirring = ("connected", "referenced", "cross-referenced", "assigned")
        return tuple(sorted(event.at for event in self.events if event.issue == number and event.event in stirring))


def _lines(rows: Sequence[IssueRow | EventRow]) -> str:
    told = (json.dumps(asdict(row), sort_keys=True, separators=(",", ":")) for row in rows)
    return "".join(("," if at else "") + "\n" + line for at, line in enumerate(told))


def read_history(path: Path) -> History:
    """Raises BadHistory."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "it is no text"
        raise BadHistory(f"{path} cannot be read: {why}.") from None
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise BadHistory(f"{path} is not JSON{line}.") from None
    return _history(path, data)


def _history(path: Path, data: object) -> History:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadHistory(f"{path} is no history: `python -m app history` writes one.")
    if data.get("version") != VERSION:
        raise BadHistory(f"{path} is of version {data.get('version')}; this program reads version {VERSION}.")
    issues = tuple(_row(path, "issue", IssueRow, item) for item in _listed(path, data, "issues"))
    events = tuple(_row(path, "event", EventRow, item) for item in _listed(path, data, "events"))
    repository, read_at = data.get("repository"), data.get("read_at")
    if not isinstance(repository, str) or not _is_instant(read_at):
        raise BadHistory(f"{path} does not say of which repository it is and when it was read.")
    for issue in issues:
        if issue.closed_at is not None and issue.closed_at < issue.opened_at:
            raise BadHistory(f"{path}: issue {issue.number} was closed before it was opened.")
    return History(repository, int(str(read_at)), issues, events)


def _listed(path: Path, data: Mapping[str, Any], name: str) -> Iterator[tuple[int, Any]]:
    found = data.get(name)
    if not isinstance(found, list):
        raise BadHistory(f"{path} has no list of {name}.")
    yield from enumerate(found, start=1)


KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("count",),
    "issue": ("count",),
    "reactions": ("count",),
    "opened_at": ("instant",),
    "at": ("instant",),
    "closed_at": ("instant", "nothing"),
    "reason": ("text", "nothing"),
    "commit": ("text", "nothing"),
    "detail": ("text", "nothing"),
    "author": ("text",),
    "actor": ("text",),
    "event": ("text",),
    "labels": ("texts",),
}
"""Values that a field may have."""


def _row(path: Path, what: str, kind: type[Any], item: tuple[int, Any]) -> Any:
    at, given = item
    names = [field.name for field in fields(kind)]
    if not isinstance(given, dict):
        raise BadHistory(f"{path}: {what} {at} of the list is no object.")
    for name in names:
        if name not in given or not any(_fits(given[name], allowed) for allowed in KINDS[name]):
            raise BadHistory(f"{path}: {what} {at} of the list has no sound `{name}`.")
    values = {name: tuple(given[name]) if name == "labels" else given[name] for name in names}
    return kind(**values)


def _fits(value: object, kind: str) -> bool:
    if kind == "nothing":
        return value is None
    if kind == "text":
        return isinstance(value, str)
    if kind == "texts":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return _is_instant(value)


def _is_instant(value: object) -> bool:
    """A whole number from 0 on that is no flag; counts have the same bounds."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
