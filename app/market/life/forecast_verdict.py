"""Verdict on a forecast (docs/market.md §7). Pure: facts in, the same kind of facts out as an issue gives.

So one life serves all contracts: `closed` means that the statement is true as things stand, `closed_at` since when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.market.life.facts import IssueFacts
from app.market.life.forecast_memory import (
    Act,
    MilestoneFacts,
    MilestoneIssue,
    told_of_act,
    told_of_issue,
    told_of_milestone,
)
from app.market.terms.names import folded
from app.market.terms.statement import (
    Advisory,
    IssueForecast,
    Milestone,
    PullMerged,
    ReleasePublished,
    at_least,
    folded_package,
)

NOBODY = 0
"""A user's id that nobody has: who stands behind what GitHub itself does."""

NOT_TRUE = IssueFacts(closed=False, completed=False)


@dataclass(frozen=True, slots=True)
class AdvisoryFacts:
    """An advisory of GitHub's database. `packages` are (ecosystem, name), as many as it affects.

    `changed_at` is when it became as it is now: published, reviewed, or corrected.
    """

    ghsa: str
    severity: str
    packages: frozenset[tuple[str, str]]
    published_at: int
    changed_at: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class OpenedIssue:
    """An issue as it is now, and how it came to be so.

    `labels` by their folded names, each with the act that put it on, None where that is not told. `renames`: the
    title before and the act, oldest first.
    """

    number: int
    title: str
    opened: Act
    labels: Mapping[str, Act | None]
    renames: Sequence[tuple[str, Act]] = ()


# -- advisories ---------------------------------------------------------------------------------------------------


def counts(statement: Advisory, advisory: AdvisoryFacts) -> bool:
    """Tell if this advisory alone makes the statement true."""
    wanted = folded_package(statement.ecosystem, statement.package)
    affected = {
        folded_package(ecosystem, name) for ecosystem, name in advisory.packages if ecosystem == statement.ecosystem
    }
    return (
        wanted in affected
        and not advisory.withdrawn
        and at_least(advisory.severity, statement.severity)
        and statement.after < advisory.published_at <= statement.by
    )


def judge_advisories(statement: Advisory, advisories: Iterable[AdvisoryFacts], aside_at: int = 0) -> IssueFacts:
    """True by the first one that counts. What GitHub publishes is backed: no trader did it.

    A correction may have made it count, so the window opens at the last change; one that runs is not moved by another.
    What made it true until `aside_at` a maintainer has set aside.
    """
    counting = [one for one in advisories if counts(statement, one) and true_since(statement, one) > aside_at]
    if not counting:
        return NOT_TRUE
    first = min(counting, key=lambda one: (true_since(statement, one), one.ghsa))
    return IssueFacts(
        closed=True,
        completed=True,
        closed_at=true_since(statement, first),
        closed_since=first.published_at,
        backers=(NOBODY,),
        evidence=(first.ghsa,),
    )


def true_since(statement: Advisory, advisory: AdvisoryFacts) -> int:
    """Instant of an advisory that counts. A correction after the end still says what was published before it."""
    return min(max(advisory.published_at, advisory.changed_at), statement.by)


# -- issues -------------------------------------------------------------------------------------------------------


def fits(statement: IssueForecast, title: str, labels: Iterable[str], created_at: int) -> bool:
    """Tell if an issue fits as it is now."""
    return (
        statement.after < created_at <= statement.by
        and folded(statement.label) in {folded(label) for label in labels}
        and _holds(title, statement.title)
    )


def _holds(title: str, text: str) -> bool:
    return folded(text) in folded(title)


def fitting_act(statement: IssueForecast, issue: OpenedIssue) -> Act | None:
    """The last act needed for the issue to fit: it was opened, labelled or renamed so; None if not in time."""
    if not fits(statement, issue.title, issue.labels, issue.opened.at):
        return None
    labelled = issue.labels[folded(statement.label)] or issue.opened
    last = max(issue.opened, labelled, _titled(statement, issue), key=lambda act: act.at)
    return last if last.at <= statement.by else None


def _titled(statement: IssueForecast, issue: OpenedIssue) -> Act:
    """Since when, without a break, the title has held the text."""
    for before, act in reversed(issue.renames):
        if not _holds(before, statement.title):
            return act
    return issue.opened


def judge_issues(statement: IssueForecast, issues: Iterable[OpenedIssue], aside_at: int = 0) -> IssueFacts:
    """True since the first issue fitted; what fitted until `aside_at` a maintainer has set aside."""
    acts = [
        (act, issue.number)
        for issue in issues
        if (act := fitting_act(statement, issue)) is not None and act.at > aside_at
    ]
    if not acts:
        return NOT_TRUE
    act, number = min(acts, key=lambda item: (item[0].at, item[1]))
    return true_by_issue(number, act)


def true_by_issue(number: int, act: Act) -> IssueFacts:
    """True since this act made the issue fit."""
    return replace(_true(act.at, act, f"issue {number}"), told=told_of_issue(number, act))


# -- milestones ---------------------------------------------------------------------------------------------------


def judge_milestone(statement: Milestone, facts: MilestoneFacts, now: int) -> IssueFacts:
    """True once it is closed with all its issues closed; where it stays open, at the end of the time.

    Issues opened or added after that are not counted. A milestone in which none counts is not true.
    """
    counted = [one for one in facts.issues if max(one.created_at, one.added_at or 0) <= statement.by]
    found = _judge_counted(statement, facts.closed_at, counted, now)
    return replace(found, told=told_of_milestone(facts.closed_at, counted))


def _judge_counted(
    statement: Milestone, closed_at: int | None, counted: Sequence[MilestoneIssue], now: int
) -> IssueFacts:
    closes = [one.closed for one in counted if one.closed is not None]
    if not closes or len(closes) < len(counted):
        return NOT_TRUE
    last = max(closes, key=lambda act: act.at)
    done_at = None if closed_at is None else max(last.at, closed_at)
    if done_at is None or done_at > statement.by:
        if now < statement.by:
            return NOT_TRUE
        done_at = max(last.at, statement.by)
    return _true(done_at, last, f"milestone {statement.number}")


# -- pull requests and releases -----------------------------------------------------------------------------------


def judge_pull(statement: PullMerged, merged: Act | None) -> IssueFacts:
    """True since the merge, which nothing takes back."""
    return _judge_act(statement, merged, f"pull request {statement.number}")


def judge_release(statement: ReleasePublished, published: Act | None) -> IssueFacts:
    """True since the publication of the release that is on the tag."""
    return _judge_act(statement, published, f"release {statement.tag}")


def _judge_act(statement: PullMerged | ReleasePublished, act: Act | None, evidence: str) -> IssueFacts:
    """Nothing was so when the contract was made: an older act became one on this statement later, nobody knows by whom.

    So a release may have got its tag from another one.
    """
    told = told_of_act(act)
    if act is None or act.at > statement.by:
        return replace(NOT_TRUE, told=told)
    counted = act if act.at > statement.after else Act(statement.after)
    return replace(_true(counted.at, counted, evidence), told=told)


def _true(since_at: int, act: Act, evidence: str) -> IssueFacts:
    return IssueFacts(True, True, closed_at=since_at, closed_by=act.user, closer=act.login, evidence=(evidence,))
