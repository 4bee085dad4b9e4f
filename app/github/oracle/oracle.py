"""GitHub as the oracle: the issue and its closer, asked from the API."""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from app.base.clock import ClockDoubted
from app.github.api.client import GitHub
from app.github.api.errors import GitHubError, Gone, Moved
from app.github.oracle import deeds, forecasts, people
from app.github.oracle.close_evidence import closed_facts
from app.github.oracle.gone import deleted
from app.github.oracle.presence import Presence
from app.github.oracle.transfers import Transfers
from app.market.life.facts import IssueFacts, as_known
from app.market.life.forecast_memory import Known
from app.market.terms.milestone import KnownMilestone
from app.market.terms.pull import PullState
from app.market.terms.statement import Advisory, AnyForecast
from app.storage.market import contracts
from app.storage.people.places import Place, Repository

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class GitHubOracle:
    """Implements services.settling.Oracle."""

    github: GitHub
    presence: Presence
    transfers: Transfers

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        """None where GitHub gives no answer about this very issue (by id), whatever the reason.

        Also when it turns out that the issue was transferred to where the App is installed: its contracts are there
        now, and whoever asks again is told of it there. Raises ClockDoubted.
        """
        try:
            return await self._timely(await self._issue_facts(place))
        except GitHubError as error:
            log.warning("no answer about an issue", issue=place.issue.id, why=str(error))
            return await self._timely(None)

    async def _timely(self, facts: IssueFacts | None) -> IssueFacts | None:
        """Pass on the answer if our clock can be believed. Raises ClockDoubted."""
        if await self.github.clock_holds():
            return facts
        raise ClockDoubted

    async def _issue_facts(self, known: Place) -> IssueFacts | None:
        place = await self.presence.reach(known)
        if place is None:
            return None
        repository = place.repository
        try:
            issue = await self.github.issue(repository.installation_id, repository.id, place.issue.number)
        except Moved as moved:
            return None if await self.transfers.follow_to(place, moved) else _gone(place, "transferred")
        except Gone as error:
            if not deleted(error):
                raise
            return _gone(place, "deleted")
        if issue.get("id") != place.issue.id:
            return None
        await self.presence.note_issue(place, issue)
        return await closed_facts(self.github, place, issue, await self._judged_at(place))

    async def _judged_at(self, place: Place) -> list[int]:
        async with self.presence.db.reading() as tx:
            return await contracts.judged_at(tx, place.issue.id, self.presence.clock.now())

    async def may_triage(self, place: Place, user_id: int, login: str) -> bool | None:
        """Ask if a user has triage access or better; None when GitHub gives no answer."""
        return await people.may_triage(self.github, place, user_id, login)

    async def account_made_at(self, place: Place, user_id: int, login: str) -> int | None:
        return await people.account_made_at(self.github, place.repository.installation_id, user_id, login)

    async def holder_of(self, place: Place, login: str) -> int | None:
        return await people.holder_of(self.github, place.repository.installation_id, login)

    async def forecast_facts(self, place: Place, forecast: AnyForecast, now: int, known: Known) -> IssueFacts | None:
        """Ask if a forecast's statement is true as things stand; None when GitHub gives no answer."""
        try:
            there = await self.presence.reach(place)
            if there is None:
                return await self._timely(None)
            repository = there.repository
            if not isinstance(forecast, Advisory):  # about the repository that it names, wherever its thread is now
                repository = replace(repository, id=forecast.repository)
            return await self._timely(await forecasts.facts_of(self.github, repository, forecast, now, known))
        except GitHubError as error:
            log.warning("no answer about a forecast", issue=place.issue.id, why=str(error))
            return await self._timely(None)

    async def milestones(self, repository: Repository) -> list[KnownMilestone] | None:
        """All of a repository; None where GitHub gives no answer."""
        try:
            return await forecasts.milestones_of(self.github, repository)
        except GitHubError as error:
            log.warning("milestones not told", repository=repository.id, why=str(error))
            return None

    async def pull_request(self, repository: Repository, number: int) -> PullState | None:
        """State of a pull request; None where GitHub gives no answer."""
        try:
            return await deeds.state_of_pull(self.github, repository, number)
        except GitHubError as error:
            log.warning("pull request not told", repository=repository.id, pull=number, why=str(error))
            return None

    async def released(self, repository: Repository, tag: str) -> bool | None:
        """Tell if a release on that tag is published; None where GitHub gives no answer."""
        try:
            return await deeds.is_published(self.github, repository, tag)
        except GitHubError as error:
            log.warning("release not told", repository=repository.id, why=str(error))
            return None


def _gone(place: Place, how: str) -> IssueFacts:
    issue = place.issue
    return replace(as_known(issue.state, issue.state_reason, issue.closed_at), gone=how)
