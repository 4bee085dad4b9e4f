"""News in events that may decide forecasts."""

from __future__ import annotations

from app.github.api.clean import clean
from app.github.api.instants import read_instant
from app.github.reading.advisories import advisory_from
from app.github.reading.payloads import Payload, read_labels
from app.market.life.forecast_verdict import AdvisoryFacts
from app.services.forecasts.news import IssueNews, PullNews, ReleaseNews


def read_advisory(payload: Payload) -> AdvisoryFacts | None:
    return advisory_from(payload.get("security_advisory"))


def read_issue_news(payload: Payload) -> IssueNews:
    """Read the milestone of an `issues` or `milestone` event; a demilestoned issue has it beside the issue."""
    number = payload.get("milestone", "number") or payload.get("issue", "milestone", "number")
    return IssueNews(
        repository=payload.number("repository", "id"),
        title=clean(str(payload.get("issue", "title") or "")),
        labels=tuple(sorted(read_labels(payload))),
        created_at=read_instant(payload.get("issue", "created_at")),
        at=read_instant(payload.get("issue", "updated_at")),
        milestone=number if isinstance(number, int) else None,
    )


def read_pull_news(payload: Payload) -> PullNews:
    """Read a `pull_request` event of one that was closed, merged or not."""
    return PullNews(
        repository=payload.number("repository", "id"),
        number=payload.number("pull_request", "number"),
        merged_at=read_instant(payload.get("pull_request", "merged_at")),
    )


def read_release_news(payload: Payload) -> ReleaseNews:
    """An edited release may have had another tag before."""
    tags = payload.text("release", "tag_name"), payload.get("changes", "tag_name", "from")
    published = payload.action == "published" and not payload.get("release", "draft")
    return ReleaseNews(
        repository=payload.number("repository", "id"),
        tags=frozenset(tag for tag in tags if isinstance(tag, str)),
        published_at=read_instant(payload.get("release", "published_at")) if published else None,
    )
