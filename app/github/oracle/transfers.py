"""Issues that are transferred: where the App is installed their contracts follow (docs/market.md §5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import structlog

from app.base.clock import Clock
from app.github.api.client import GitHub, JsonObject
from app.github.api.errors import Gone, Moved
from app.github.oracle import presence
from app.github.reading.payloads import Payload, read_place
from app.services.life import issue_checks
from app.storage.engine.db import Database, Tx
from app.storage.people import places
from app.storage.people.places import Place
from app.storage.queues import outbox

log = structlog.get_logger()

_LOCATION = re.compile(r"/repositories/(\d{1,18})/issues/(\d{1,9})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Transfers:
    db: Database
    github: GitHub
    clock: Clock

    async def follow_to(self, old: Place, moved: Moved) -> bool:
        """Follow a redirect that GitHub answered for an issue. False where the App is not installed there."""
        match = _LOCATION.search(moved.location)
        if match is None:
            raise moved
        return await self.follow(old, int(match[1]), int(match[2]))

    async def follow(self, old: Place, repository_id: int, number: int) -> bool:
        """Have the contracts of an issue follow it to this place. Raises GitHubError."""
        new = await self._place(old.repository.installation_id, repository_id, number)
        if new is None:
            return False
        async with self.db.transaction() as tx:
            await move(tx, old.issue.id, new, self.clock.now())
        return True

    async def _place(self, installation_id: int, repository_id: int, number: int) -> Place | None:
        """The issue's new place; None where the App is not installed, whether or not the repository can be seen."""
        try:
            repository = await self.github.repository(installation_id, repository_id)
        except Gone:
            return None
        installed = await self.github.installation_of(repository["full_name"])
        if installed is None:
            return None
        issue = await self.github.issue(int(installed["id"]), repository_id, number)
        return read_place(_payload(issue, repository, installed))


def _payload(issue: JsonObject, repository: JsonObject, installation: JsonObject) -> Payload:
    return Payload({"issue": issue, "repository": repository, "installation": installation})


async def move(tx: Tx, old_issue_id: int, new: Place, now: int) -> None:
    """The issue goes on here: contracts with their terms, and what waits to be said. Running it again changes nothing.

    The old thread gets nothing more.
    """
    await presence.know_place(tx, new, now)
    await places.note_moved(tx, old_issue_id, new.issue.id)
    await issue_checks.follow(tx, old_issue_id, new, now)
    await outbox.follow(tx, old_issue_id, new)
    log.info("issue followed", old=old_issue_id, new=new.issue.id)
