"""GitHub as one visit may ask it: an answer that takes too long is none, so that the visitor hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog

from app.market.life.facts import IssueFacts
from app.market.life.forecast_memory import Known
from app.market.terms.milestone import KnownMilestone
from app.market.terms.pull import PullState
from app.market.terms.statement import AnyForecast
from app.services.accounts import insiders
from app.services.forecasts import making
from app.services.life import issue_checks
from app.services.trading import limits
from app.storage.people.places import Place, Repository

ASKING_SECONDS = 30
"""For all that a visit asks: less than the worker gives a delivery, so that there is time left to answer."""

T = TypeVar("T")
log = structlog.get_logger()


class Oracle(issue_checks.Oracle, limits.People, insiders.Rights, making.Subjects, Protocol):
    """GitHub, asked about issues, people and what forecasts are about."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Implements Oracle. `until`, by the event loop's clock: from then on there is no answer to anything."""

    oracle: Oracle
    until: float

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        return await self._in_time(self.oracle.issue_facts(place))

    async def forecast_facts(self, place: Place, forecast: AnyForecast, now: int, known: Known) -> IssueFacts | None:
        return await self._in_time(self.oracle.forecast_facts(place, forecast, now, known))

    async def may_triage(self, place: Place, user_id: int, login: str) -> bool | None:
        return await self._in_time(self.oracle.may_triage(place, user_id, login))

    async def account_made_at(self, place: Place, user_id: int, login: str) -> int | None:
        return await self._in_time(self.oracle.account_made_at(place, user_id, login))

    async def holder_of(self, place: Place, login: str) -> int | None:
        return await self._in_time(self.oracle.holder_of(place, login))

    async def milestones(self, repository: Repository) -> list[KnownMilestone] | None:
        return await self._in_time(self.oracle.milestones(repository))

    async def pull_request(self, repository: Repository, number: int) -> PullState | None:
        return await self._in_time(self.oracle.pull_request(repository, number))

    async def released(self, repository: Repository, tag: str) -> bool | None:
        return await self._in_time(self.oracle.released(repository, tag))

    async def _in_time(self, answer: Awaitable[T | None]) -> T | None:
        try:
            async with asyncio.timeout_at(self.until):
                return await answer
        except TimeoutError:
            log.warning("GitHub is too slow for a visit")
            return None


def patient(oracle: Oracle) -> Patient:
    """For one visit, from now on."""
    return Patient(oracle, asyncio.get_running_loop().time() + ASKING_SECONDS)
