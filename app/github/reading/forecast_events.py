"""News in events that may decide forecasts."""

from __future__ import annotations

from app.github.api.clean import clean
from app.github.api.instants import read_instant
from app.github.reading.advisories import advisory_from
from app.github.reading.payloads import Payload, read_labels
from app.market.life.forecast_verdict import AdvisoryFacts
from app.services.forecasts.news import IssueNews


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
