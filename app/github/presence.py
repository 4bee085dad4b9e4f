"""Where the App is: installations, repositories and issues made known, and what is heard of their coming and going.

Events about that come late and out of order, so that GitHub is asked how things stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from app.clock import Clock
from app.github.client import GitHub
from app.github.errors import GitHubError
from app.github.payloads import ACTIVE, Payload, read_ids, read_installation
from app.market.life import ASK_AGAIN_SECONDS
from app.oracle.issue import read_instant
from app.services import halting
from app.storage import absences, contracts, outbox, places
from app.storage.db import Database, Tx
from app.storage.places import Installation, Place, Repository

log = structlog.get_logger()

SUSPENDED, DELETED = "suspended", "deleted"

STATES: Mapping[str, str] = {
    "created": ACTIVE,
    "unsuspend": ACTIVE,
    "new_permissions_accepted": ACTIVE,
    "suspend": SUSPENDED,
    "deleted": DELETED,
}


async def know_place(tx: Tx, place: Place, now: int) -> Place:
    """Make installation, repository and issue known; an issue that is known stays as it is.

    Returns all as we know it, and of an issue that was transferred where it is now.
    """
    repository = await know_repository(tx, place.repository, now)
    known = await places.place(tx, place.issue.id)
    if known is None:
        await places.save_issue(tx, place.issue)
        return replace(place, repository=repository)
    there = await places.place(tx, known.issue.moved_to) if known.issue.moved_to is not None else None
    return there or known


async def know_repository(tx: Tx, repository: Repository, now: int) -> Repository:
    """As it is known then. An event may come before the one that tells of the installation."""
    if await places.installation(tx, repository.installation_id) is None:
        owner = repository.owner_id, repository.owner_login
        await places.meet_installation(tx, Installation(repository.installation_id, *owner, ACTIVE, now))
    await places.save_repository(tx, repository)
    known = await places.repository(tx, repository.id) or repository
    await outbox.move(tx, {known.id}, known.installation_id)
    return known


@dataclass(frozen=True, slots=True)
class Presence:
    db: Database
    github: GitHub
    clock: Clock

    async def installation_changed(self, payload: Payload) -> None:
        told = STATES.get(payload.action)
        if told is None:
            return
        installation = await self._as_it_stands(payload, told)
        async with self.db.transaction() as tx:
            await places.save_installation(tx, installation)
            ours = await absences.repositories_of(tx, installation.id)
            if installation.state != ACTIVE:
                await halting.note_away(tx, ours, self.clock.now())
            lost = await absences.away(tx, ours)
        if installation.state == ACTIVE:
            await self._told_of(installation, lost | read_ids(payload, "repositories"), here=True)

    async def _as_it_stands(self, payload: Payload, told: str) -> Installation:
        """What GitHub says now, unless it does not know yet of what it has told us. Deleted is for ever."""
        installation = read_installation(payload, told, self.clock.now())
        since = read_instant(payload.get("installation", "suspended_at"))
        if told == SUSPENDED and since is not None:
            installation = replace(installation, changed_at=since)
        if told == DELETED:
            return installation
        try:
            found = await self.github.installation(installation.id)
        except GitHubError as error:
            log.warning("no answer about an installation", installation=installation.id, why=str(error))
            return installation
        if found is None or _updated_at(found) < _updated_at(payload.get("installation")):
            return installation
        suspended_at = read_instant(found.get("suspended_at"))
        if suspended_at is not None:
            return replace(installation, state=SUSPENDED, changed_at=suspended_at)
        return replace(installation, state=ACTIVE)

    async def repositories_changed(self, payload: Payload) -> None:
        installation = read_installation(payload, ACTIVE, self.clock.now())
        async with self.db.transaction() as tx:
            await places.meet_installation(tx, installation)
        await self._told_of(installation, read_ids(payload, "repositories_added"), here=True)
        await self._told_of(installation, read_ids(payload, "repositories_removed"), here=False)

    async def _told_of(self, installation: Installation, repository_ids: set[int], here: bool) -> None:
        """Ask of those that we know whether the App is in them; without an answer what was told counts."""
        async with self.db.reading() as tx:
            found = [await places.repository(tx, number) for number in sorted(repository_ids)]
        for repository in filter(None, found):
            try:
                by = await self._find(repository)
            except GitHubError as error:
                log.warning("no answer about a repository", repository=repository.id, why=str(error))
                by = installation if here else None
            await self._note(repository, by)
            if here and by is None:
                await self._ask_again(repository)

    async def _ask_again(self, repository: Repository) -> None:
        """The news may be late, or GitHub's API behind its news: the contracts there are looked at soon."""
        async with self.db.transaction() as tx:
            for number, _ in await absences.unsettled_contracts(tx, repository.id):
                await contracts.change(tx, number, next_look_at=self.clock.now() + ASK_AGAIN_SECONDS)

    async def _find(self, repository: Repository) -> Installation | None:
        """By which installation the App is in a repository, unless that is suspended."""
        found = await self.github.installation_of(f"{repository.owner_login}/{repository.name}")
        if found is None or found.get("suspended_at") is not None:
            return None
        return read_installation(Payload({"installation": found}), ACTIVE, self.clock.now())

    async def _note(self, repository: Repository, by: Installation | None) -> None:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            if by is None:
                await halting.note_away(tx, {repository.id}, now)
                return
            await places.save_installation(tx, by)
            await places.move_repositories(tx, {repository.id}, by.id)
            await outbox.move(tx, {repository.id}, by.id)
            await halting.note_back(tx, {repository.id}, now)

    async def reach(self, place: Place) -> Place | None:
        """The place as GitHub is to be asked about it; None where the App was away, and still is."""
        async with self.db.reading() as tx:
            away = bool(await absences.away(tx, {place.repository.id}))
        if not away:
            return place
        by = await self._find(place.repository)
        if by is None:
            return None
        await self._note(place.repository, by)
        async with self.db.reading() as tx:
            return await places.place(tx, place.issue.id)


def _updated_at(installation: object) -> int:
    found = installation.get("updated_at") if isinstance(installation, Mapping) else None
    return read_instant(found) or 0
