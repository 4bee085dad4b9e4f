"""GitHub's answers about a forecast's statement. Every function raises GitHubError when there is no answer."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from app.github.api.client import GitHub, JsonObject
from app.github.api.errors import Forbidden, Gone, Invalid
from app.github.api.instants import read_instant
from app.github.oracle import deeds
from app.github.oracle.gone import vanished
from app.github.oracle.people import TRIAGE_OR_BETTER
from app.github.reading.advisories import advisory_from
from app.github.reading.listed import is_pull_request, label_names, milestone_issue_from, opened_issue_from
from app.market.life.facts import IssueFacts
from app.market.life.forecast_memory import (
    Known,
    MilestoneFacts,
    MilestoneIssue,
    known_issue,
    known_milestone,
    since_the_end,
)
from app.market.life.forecast_verdict import (
    NOT_TRUE,
    OpenedIssue,
    fits,
    fitting_act,
    judge_advisories,
    judge_issues,
    judge_milestone,
    true_by_issue,
)
from app.market.terms.milestone import KnownMilestone
from app.market.terms.statement import (
    Advisory,
    AnyForecast,
    IssueForecast,
    Milestone,
    PullMerged,
    ReleasePublished,
    folded_package,
)
from app.storage.people.places import Repository

NOTHING = Known()


async def facts_of(
    github: GitHub, repository: Repository, statement: AnyForecast, now: int, known: Known = NOTHING
) -> IssueFacts:
    """The statement's truth as the API gives it now; `repository` is where it is asked.

    Of what vanished after the end what is `known` counts.
    """
    match statement:
        case Advisory():
            return await _advisory_facts(github, repository, statement, known.aside_at)
        case IssueForecast():
            facts = await _issue_facts(github, repository, statement, known.aside_at)
            if not facts.closed and now > statement.by:
                facts = await _last_known(github, repository, known)
        case Milestone():
            facts = await _milestone_facts(github, repository, statement, now, known)
        case PullMerged():
            return await deeds.pull_facts(github, repository, statement, now, known)
        case ReleasePublished():
            facts = await deeds.release_facts(github, repository, statement, now, known)
    return await _with_backers(github, repository, facts)


async def _advisory_facts(github: GitHub, repository: Repository, statement: Advisory, aside_at: int) -> IssueFacts:
    """Reviewed advisories only: what is private is never in this list."""
    params = {
        "type": "reviewed",
        "ecosystem": statement.ecosystem,
        "affects": ",".join(_spellings(statement)),
        "published": f"{_iso(statement.after)}..{_iso(statement.by)}",
    }
    listed = [item async for item in github.pages(repository.installation_id, "/advisories", params)]
    found = [advisory_from(item) for item in listed]
    return judge_advisories(statement, [one for one in found if one is not None], aside_at)


def _spellings(statement: Advisory) -> list[str]:
    """The database holds some packages under names that differ in case and, for pip, in their signs."""
    name = statement.package
    folded = folded_package(statement.ecosystem, name)
    more = [re.sub("-", sign, folded) for sign in "_."] if statement.ecosystem == "pip" else []
    return list(dict.fromkeys([name, name.lower(), folded, *more]))


async def _issue_facts(github: GitHub, repository: Repository, statement: IssueForecast, aside_at: int) -> IssueFacts:
    """Only of issues that fit as they are now the timeline is asked, until none can have fitted earlier."""
    params = {"state": "all", "sort": "created", "direction": "asc", "since": _iso(statement.after)}
    # The parameter is a list, and compares letters as they are encoded; without it all issues come.
    if "," not in statement.label and statement.label.isascii():
        params["labels"] = statement.label
    where = repository.installation_id, repository.id
    found: list[OpenedIssue] = []
    earliest: int | None = None
    async for issue in github.repository_pages(*where, "/issues", params):
        created_at = read_instant(issue.get("created_at"))
        if is_pull_request(issue) or created_at is None or (earliest is not None and created_at >= earliest):
            continue
        if fits(statement, str(issue.get("title") or ""), label_names(issue), created_at):
            one = opened_issue_from(issue, await _timeline(github, repository, issue))
            act = fitting_act(statement, one) if one else None
            if one and act and act.at > aside_at:
                found.append(one)
                earliest = act.at if earliest is None else min(earliest, act.at)
    return judge_issues(statement, found, aside_at)


async def _last_known(github: GitHub, repository: Repository, known: Known) -> IssueFacts:
    """Nothing fits now. What made it true and was deleted or transferred since still does; what fits no more does not.

    When that was GitHub does not tell: it counts from when we hear of it.
    """
    found = known_issue(known)
    if found is None or not await vanished(github, repository, found[0]):
        return NOT_TRUE
    return true_by_issue(*found)


async def _milestone_facts(
    github: GitHub, repository: Repository, statement: Milestone, now: int, known: Known
) -> IssueFacts:
    where = repository.installation_id, repository.id
    try:
        milestone = await github.repository_object(*where, f"/milestones/{statement.number:d}")
    except Gone as error:
        if error.about != "resource":
            raise
        before = known_milestone(known)
        if before is not None and now > statement.by:
            return judge_milestone(statement, before, now)
        return replace(NOT_TRUE, gone="deleted", gone_at=now)
    params = {"milestone": str(statement.number), "state": "all"}
    listed = [issue async for issue in github.repository_pages(*where, "/issues", params) if not is_pull_request(issue)]
    closed_at = read_instant(milestone.get("closed_at")) if milestone.get("state") == "closed" else None
    issues = await _milestone_issues(github, repository, statement, listed, now)
    found = since_the_end(MilestoneFacts(closed_at, issues), known, statement.by)
    return judge_milestone(statement, found, now)


async def _milestone_issues(
    github: GitHub, repository: Repository, statement: Milestone, listed: list[JsonObject], now: int
) -> list[MilestoneIssue]:
    """Timelines are asked of what was closed last, to know by whom, and of what hinders, to know since when."""
    closes = [read_instant(issue.get("closed_at")) or 0 for issue in listed]
    found = []
    for issue, closed_at in zip(listed, closes, strict=True):
        hinders = now >= statement.by and not 0 < closed_at <= statement.by
        asked = hinders or closed_at == max(closes) > 0
        timeline = await _timeline(github, repository, issue) if asked else []
        found.append(milestone_issue_from(issue, timeline))
    return [one for one in found if one is not None]


async def milestones_of(github: GitHub, repository: Repository) -> list[KnownMilestone]:
    where = repository.installation_id, repository.id
    listed = [one async for one in github.repository_pages(*where, "/milestones", {"state": "all"})]
    return [
        KnownMilestone(one["id"], one["number"], str(one.get("title") or ""), one.get("state") == "closed")
        for one in listed
        if isinstance(one.get("id"), int) and isinstance(one.get("number"), int)
    ]


async def _timeline(github: GitHub, repository: Repository, issue: JsonObject) -> list[JsonObject]:
    path = f"/issues/{issue.get('number'):d}/timeline"
    return [event async for event in github.repository_pages(repository.installation_id, repository.id, path)]


async def _with_backers(github: GitHub, repository: Repository, facts: IssueFacts) -> IssueFacts:
    """Whoever made it true backs it with triage rights, unless it is a bot; rights that are not told back nothing."""
    if not facts.closed or facts.closed_by is None or facts.closer.endswith("[bot]"):
        return facts
    try:
        where = repository.installation_id, repository.id
        rights = await github.permission(*where, facts.closer, facts.closed_by)
    except (Forbidden, Invalid):
        return facts
    if not rights & TRIAGE_OR_BETTER:
        return facts
    return replace(facts, closer_may_triage=True, backers=(facts.closed_by,))


def _iso(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
