"""Statements: the exact propositions that contracts are about (docs/market.md §7). Pure: no clock, nothing asked.

A statement's text is its machine-read predicate: canonical JSON, stored with the contract, shown and hashed. Instants
are seconds UTC; one counts if it is later than `after` and not later than `by`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import ClassVar

from app.market.terms.contract import canonical
from app.market.terms.instants import format_instant
from app.market.terms.names import folded

ISSUE_FIXED, ADVISORY, ISSUE_FORECAST, MILESTONE = "issue_fixed", "advisory", "issue_forecast", "milestone"
PULL, RELEASE = "pull", "release"

ECOSYSTEMS = (
    "actions",
    "composer",
    "erlang",
    "go",
    "maven",
    "npm",
    "nuget",
    "other",
    "pip",
    "pub",
    "rubygems",
    "rust",
    "swift",
)
"""As GitHub's advisory database names them."""

SEVERITIES = ("unknown", "low", "medium", "high", "critical")
"""From the least to the worst; `unknown` as a bound means any."""

SPOKEN = {"FIXED": "TRUE", "UNFIXED": "FALSE"}
"""Words for the sides and outcomes of forecasts."""


@dataclass(frozen=True, slots=True)
class IssueFixed:
    """The issue is closed as completed by the contract's maturation; the first statement there was."""

    kind: ClassVar[str] = ISSUE_FIXED
    issue: int
    round: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Fields of all forecasts: the thread (an issue's id) they live in, their round and the instants that count."""

    thread: int
    round: int
    after: int
    by: int


@dataclass(frozen=True, slots=True)
class Advisory(Forecast):
    """A reviewed advisory of that severity or worse, affecting the package, is published, and not withdrawn."""

    kind: ClassVar[str] = ADVISORY
    ecosystem: str
    package: str
    severity: str


@dataclass(frozen=True, slots=True)
class IssueForecast(Forecast):
    """An issue with the label, its title holding the text (letter case ignored, "" is any), is opened."""

    kind: ClassVar[str] = ISSUE_FORECAST
    repository: int
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Milestone(Forecast):
    """Every issue of the milestone is closed. `name` is what it was called when the contract was made."""

    kind: ClassVar[str] = MILESTONE
    repository: int
    milestone: int
    number: int
    name: str


@dataclass(frozen=True, slots=True)
class PullMerged(Forecast):
    """The pull request, which was open when the contract was made, is merged."""

    kind: ClassVar[str] = PULL
    repository: int
    number: int


@dataclass(frozen=True, slots=True)
class ReleasePublished(Forecast):
    """A release on the tag, of which there was none when the contract was made, is published. Letter case counts."""

    kind: ClassVar[str] = RELEASE
    repository: int
    tag: str


AnyForecast = Advisory | IssueForecast | Milestone | PullMerged | ReleasePublished
Statement = IssueFixed | AnyForecast

_KINDS: dict[str, type[Statement]] = {
    one.kind: one for one in (IssueFixed, Advisory, IssueForecast, Milestone, PullMerged, ReleasePublished)
}


def text_of(statement: Statement) -> str:
    """The predicate: canonical JSON without a backtick, so that it can be shown exactly, in a code span."""
    return canonical({"kind": statement.kind, **asdict(statement)}).replace("`", "\\u0060")


def read_statement(text: str) -> Statement:
    """The statement of a stored predicate."""
    values = json.loads(text)
    return _KINDS[values.pop("kind")](**values)


def read_forecast(text: str) -> AnyForecast | None:
    """The forecast of a stored predicate; None if it is an issue's own statement."""
    found = read_statement(text)
    return None if isinstance(found, IssueFixed) else found


def folded_package(ecosystem: str, name: str) -> str:
    """The one spelling under which a package's names are compared: case ignored, for pip `-`, `_`, `.` alike."""
    lower = name.casefold()
    return re.sub(r"[-_.]+", "-", lower) if ecosystem == "pip" else lower


def at_least(severity: str, bound: str) -> bool:
    """Tell if a severity is the bound or worse. A severity that GitHub may add some day is not worse than unknown."""
    known = severity if severity in SEVERITIES else "unknown"
    return SEVERITIES.index(known) >= SEVERITIES.index(bound)


def subject(statement: AnyForecast) -> tuple[object, ...]:
    """Two forecasts in one thread with the same subject ask the same question."""
    match statement:
        case Advisory(ecosystem=ecosystem, package=package):
            what: tuple[object, ...] = ecosystem, folded_package(ecosystem, package), statement.severity
        case IssueForecast(repository=repository, label=label, title=title):
            what = repository, folded(label), folded(title)
        case Milestone():
            what = (statement.milestone,)
        case PullMerged(repository=repository, number=number):
            what = repository, number
        case ReleasePublished(repository=repository, tag=tag):
            what = repository, tag
    return statement.kind, statement.thread, statement.by, *what


# -- for people ---------------------------------------------------------------------------------------------------


def words(text: str) -> str:
    """The statement as a plain sentence, Markdown-safe, without its first capital and full stop."""
    match read_statement(text):
        case IssueFixed():
            return "this issue is closed as completed"
        case Advisory() as found:
            return (
                f"an advisory{_of_severity(found.severity)} affecting {_package(found)} is published in GitHub's "
                f"advisory database after {format_instant(found.after)} and by {format_instant(found.by)}"
            )
        case IssueForecast() as found:
            return (
                f"an issue with label {quoted(found.label)}{_with_title(found.title)} is opened in this repository "
                f"after {format_instant(found.after)} and by {format_instant(found.by)}"
            )
        case Milestone() as found:
            return f"every issue of milestone {quoted(found.name)} is closed by {format_instant(found.by)}"
        case PullMerged() as found:
            return f"pull request {found.number} is merged by {format_instant(found.by)}"
        case ReleasePublished() as found:
            return f"a release on the tag {quoted(found.tag)} is published by {format_instant(found.by)}"


def short_words(text: str) -> str:
    """The statement in a few words, for a table; Markdown-safe."""
    match read_statement(text):
        case IssueFixed():
            return "fixed"
        case Advisory() as found:
            return f"advisory for {_package(found)}{_of_severity(found.severity)}"
        case IssueForecast() as found:
            return f"issue with label {quoted(found.label)}{_with_title(found.title)}"
        case Milestone() as found:
            return f"milestone {quoted(found.name)} closed"
        case PullMerged() as found:
            return f"pull request {found.number} merged"
        case ReleasePublished() as found:
            return f"release {quoted(found.tag)} published"


def _package(found: Advisory) -> str:
    return quoted(f"{found.ecosystem}:{found.package}")


def _of_severity(bound: str) -> str:
    if bound == SEVERITIES[0]:
        return ""
    return f" of severity {bound}" if bound == SEVERITIES[-1] else f" of severity {bound} or worse"


def _with_title(title: str) -> str:
    return f" and {quoted(title)} in its title" if title else ""


def quoted(text: str) -> str:
    """Text of users as a code span: nothing in it links, mentions or ends the span; hidden characters are dropped."""
    return f"`{''.join(char for char in text if char.isprintable()).replace('`', chr(39)).strip() or '?'}`"


def said(kind: str, word: str) -> str:
    """A side or an outcome as people read it: forecasts come TRUE or FALSE."""
    return word if kind == ISSUE_FIXED else SPOKEN.get(word, word)


def shown(kind: str, contract: int) -> str:
    """A contract's number as people read it."""
    return f"c{contract}" if kind == ISSUE_FIXED else f"F{contract}"
