"""News that may decide forecasts: it stops their trade at once, or has GitHub asked. It never gives a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.base.clock import Clock
from app.market.life.forecast_verdict import AdvisoryFacts, counts, fits, true_since
from app.market.terms.statement import (
    ADVISORY,
    ISSUE_FIXED,
    ISSUE_FORECAST,
    MILESTONE,
    PULL,
    RELEASE,
    Advisory,
    AnyForecast,
    IssueForecast,
    Milestone,
    PullMerged,
    ReleasePublished,
    folded_package,
    read_forecast,
)
from app.services.life import issue_checks
from app.storage.engine.db import Database
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow


@dataclass(frozen=True, slots=True)
class IssueNews:
    """An issue, or a milestone alone, as an event shows it; `at` is when it became so. `milestone` is its number."""

    repository: int
    title: str = ""
    labels: tuple[str, ...] = ()
    created_at: int | None = None
    at: int | None = None
    milestone: int | None = None


@dataclass(frozen=True, slots=True)
class PullNews:
    """A pull request that was closed; `merged_at` None: without a merge."""

    repository: int
    number: int
    merged_at: int | None


@dataclass(frozen=True, slots=True)
class ReleaseNews:
    """A release; `tags` are its own and the one that it had before, `published_at` None: it was not published now."""

    repository: int
    tags: frozenset[str]
    published_at: int | None


Effect = Callable[[AnyForecast], tuple[bool, int | None]]
"""Tell if news concerns a forecast, and since which instant it is true by it; None: only GitHub can tell."""


async def note_advisory(db: Database, advisory: AdvisoryFacts, now: int) -> None:
    """An advisory was published, changed or withdrawn."""

    def effect(forecast: AnyForecast) -> tuple[bool, int | None]:
        if not isinstance(forecast, Advisory) or not _affects(advisory, forecast):
            return False, None
        return True, true_since(forecast, advisory) if counts(forecast, advisory) else None

    for ecosystem in sorted({ecosystem for ecosystem, _ in advisory.packages}):
        await _note(db, ADVISORY, f'"ecosystem":"{ecosystem}"', effect, now)


async def note_issue(db: Database, news: IssueNews, now: int) -> None:
    """Something happened to an issue or a milestone."""
    holding = f'"repository":{news.repository},'
    if news.created_at is not None:
        await _note(db, ISSUE_FORECAST, holding, lambda forecast: _of_issue(forecast, news), now)
    if news.milestone is not None:
        await _note(db, MILESTONE, holding, lambda forecast: _of_milestone(forecast, news), now)


async def note_pull(db: Database, news: PullNews, now: int) -> None:
    """A pull request was closed. Without a merge it may be opened again: nothing follows before the end."""

    def effect(forecast: AnyForecast) -> tuple[bool, int | None]:
        concerned = isinstance(forecast, PullMerged) and news.merged_at is not None
        return concerned, _in_time(forecast, news.merged_at)

    await _note(db, PULL, f'"number":{news.number},"repository":{news.repository},', effect, now)


async def note_release(db: Database, news: ReleaseNews, now: int) -> None:
    """A release was published, changed, made a draft again, or deleted."""

    def effect(forecast: AnyForecast) -> tuple[bool, int | None]:
        concerned = isinstance(forecast, ReleasePublished) and forecast.tag in news.tags
        return concerned, _in_time(forecast, news.published_at)

    await _note(db, RELEASE, f'"repository":{news.repository},', effect, now)


def _in_time(forecast: AnyForecast, at: int | None) -> int | None:
    return at if at is not None and forecast.after < at <= forecast.by else None


async def ask_again(db: Database, oracle: issue_checks.Oracle, issue_id: int, clock: Clock) -> bool:
    """Look at the open forecasts of a thread before old commands run in it; False where GitHub gives no answer."""
    async with db.reading() as tx:
        rows = [
            row for row in await contracts.of_thread(tx, issue_id, clock.now()) if row.kind != ISSUE_FIXED and row.open
        ]
    answers = [await issue_checks.look_at(db, oracle, row.id, clock) for row in rows]
    return all(answers)


def _affects(advisory: AdvisoryFacts, forecast: Advisory) -> bool:
    wanted = forecast.ecosystem, folded_package(forecast.ecosystem, forecast.package)
    return wanted in {(ecosystem, folded_package(ecosystem, name)) for ecosystem, name in advisory.packages}


def _of_issue(forecast: AnyForecast, news: IssueNews) -> tuple[bool, int | None]:
    """An issue that no longer fits may be the one that made the forecast true."""
    if not isinstance(forecast, IssueForecast) or news.created_at is None:
        return False, None
    in_time = forecast.after < news.created_at <= forecast.by
    fitting = in_time and fits(forecast, news.title, news.labels, news.created_at)
    return in_time, news.at if fitting and news.at is not None and news.at <= forecast.by else None


def _of_milestone(forecast: AnyForecast, news: IssueNews) -> tuple[bool, int | None]:
    return isinstance(forecast, Milestone) and forecast.number == news.milestone, None


async def _note(db: Database, kind: str, holding: str, effect: Effect, now: int) -> None:
    """Each contract in a transaction of its own: one piece of news may concern many threads."""
    async with db.reading() as tx:
        rows = await contracts.unsettled_forecasts(tx, kind, now, holding)
    for row in rows:
        forecast = read_forecast(row.statement_text)
        concerned, true_at = effect(forecast) if forecast is not None else (False, None)
        if concerned:
            await _note_one(db, row, true_at, now)


async def _note_one(db: Database, row: ContractRow, true_at: int | None, now: int) -> None:
    async with db.transaction() as tx:
        if true_at is not None and row.halt_reason is None:
            await issue_checks.note_true(tx, row.id, true_at, now)
        else:
            await contracts.schedule(tx, row.id, next_look_at=now)
