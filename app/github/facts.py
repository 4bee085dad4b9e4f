"""GitHub as the oracle: the issue and its closer, asked from the API."""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from app.github.client import GitHub, JsonObject
from app.github.errors import Forbidden, GitHubError, Invalid
from app.market.life import IssueFacts
from app.oracle.issue import facts_from, reopenings_from, spell_from
from app.storage.places import Place

log = structlog.get_logger()

TRIAGE_OR_BETTER = frozenset({"triage", "push", "maintain", "admin"})


@dataclass(frozen=True, slots=True)
class GitHubOracle:
    """Implements services.settling.Oracle."""

    github: GitHub

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        """None where GitHub gives no answer about this very issue (by id), whatever the reason."""
        repository = place.repository
        try:
            issue = await self.github.issue(repository.installation_id, repository.id, place.issue.number)
            if issue.get("id") != place.issue.id:
                return None
            facts = facts_from(issue, await self._closer_may_triage(place, issue))
            return await self._dated(place, facts) if facts.closed and facts.completed else facts
        except GitHubError as error:
            log.warning("no answer about an issue", issue=place.issue.id, why=str(error))
            return None

    async def _dated(self, place: Place, facts: IssueFacts) -> IssueFacts | None:
        """When it was closed for this reason: the issue itself keeps the first date when the reason changes.

        An issue that became a discussion is closed too, but never was fixed: there is no answer about it any more.
        """
        repository, number = place.repository, place.issue.number
        events = self.github.repository_pages(repository.installation_id, repository.id, f"/issues/{number:d}/timeline")
        timeline = [event async for event in events]
        if any(event.get("event") == "converted_to_discussion" for event in timeline):
            return None
        facts = replace(facts, reopenings=reopenings_from(timeline))
        spell = spell_from(timeline)
        return facts if spell is None else replace(facts, closed_at=spell.as_now_at, closed_since=spell.since)

    async def _closer_may_triage(self, place: Place, issue: JsonObject) -> bool:
        """Where GitHub refuses to tell, the close is not backed: that costs time, no answer would cost the verdict."""
        closer = issue.get("closed_by")
        if issue.get("state") != "closed" or not isinstance(closer, dict) or closer.get("type") != "User":
            return False
        repository = place.repository
        closer_id = closer.get("id")
        if not isinstance(closer_id, int):
            return False
        where = repository.installation_id, repository.id
        try:
            rights = await self.github.permission(*where, str(closer.get("login")), closer_id)
        except (Forbidden, Invalid) as error:
            log.warning("rights not told", issue=place.issue.id, why=str(error))
            return False
        return bool(rights & TRIAGE_OR_BETTER)
