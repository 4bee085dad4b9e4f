"""The App's presence: installations, repositories and issues as they become known, come and go.

Events about that come late and out of order, so that GitHub is asked how things stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from app.base.clock import Clock
from app.github.api.client import GitHub, JsonObject
from app.github.api.errors import Forbidden, GitHubError, Gone
from app.github.api.instants import read_instant
from app.github.reading.payloads import ACTIVE, Payload, read_ids, read_installation, read_issue, read_repository
from app.market.life.next_step import ASK_AGAIN_SECONDS
from app.market.terms.contract import Status
from app.services.life import halting
from app.storage.engine.db import Database, Tx
from app.storage.market import contracts
from app.storage.people import absences, places
from app.storage.people.places import Installation, Place, Repository
from app.storage.queues import outbox, poll_schedule

log = structlog.get_logger()

SUSPENDED, DELETED = "suspended", "deleted"

MOST_ASKED = 20
"""Repositories asked about at once when an installation changes: a delivery has less than a minute."""

MOST_MOVES = 20
"""Transfers of one issue that are followed: more would be a circle in what is stored."""

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
    return await _where_it_is(tx, known)


async def _where_it_is(tx: Tx, known: Place) -> Place:
    """An issue may be transferred again and again; as far as that is known, and no further than MOST_MOVES."""
    for _ in range(MOST_MOVES):
        there = await places.place(tx, known.issue.moved_to) if known.issue.moved_to is not None else None
        if there is None:
            break
        known = there
    return known


async def know_repository(tx: Tx, repository: Repository, now: int) -> Repository:
    """As it is known then. An event may come before the one that tells of the installation."""
    if await places.installation(tx, repository.installation_id) is None:
        owner = repository.owner_id, repository.owner_login
        await places.meet_installation(tx, Installation(repository.installation_id, *owner, ACTIVE, now))
    await places.save_repository(tx, repository)
    known = await places.repository(tx, repository.id) or repository
    await outbox.move(tx, {known.id}, known.installation_id)
    return known


async def look_soon(tx: Tx, issue_id: int, now: int) -> None:
    """Late news of an earlier state decides nothing, but GitHub is asked about the contracts on the issue."""
    unsettled = [row.id for row in await contracts.of_issue(tx, issue_id, now) if row.status is not Status.SETTLED]
    for row in await contracts.hold(tx, unsettled):
        await contracts.schedule(tx, row.id, next_look_at=now)


@dataclass(frozen=True, slots=True)
class Found:
    """A repository and the installation by which the App is in it, as GitHub says."""

    installation: Installation
    repository: Repository


@dataclass(frozen=True, slots=True)
class Presence:
    db: Database
    github: GitHub
    clock: Clock

    async def installation_changed(self, payload: Payload) -> None:
        told = STATES.get(payload.action)
        if told is None:
            return
        self.github.forget_installation(payload.number("installation", "id"))
        installation = await self._as_it_stands(payload, told)
        async with self.db.transaction() as tx:
            await places.save_installation(tx, installation)
            if installation.state == ACTIVE:
                await outbox.wake(tx, self.clock.now(), installation_id=installation.id)
            ours = await absences.repositories_of(tx, installation.id)
            lost = await absences.away(tx, ours)
        if installation.state == ACTIVE:
            await self._told_of(installation, lost | read_ids(payload, "repositories"), here=True)
        else:
            await self._note_away(ours - lost)

    async def _note_away(self, repository_ids: set[int]) -> None:
        """Each in a transaction of its own: they may be thousands, and what is done stays done."""
        for number in sorted(repository_ids):
            async with self.db.transaction() as tx:
                await halting.note_away(tx, {number}, self.clock.now())

    async def _as_it_stands(self, payload: Payload, told: str) -> Installation:
        """Ask GitHub for the present state, unless its events are ahead of its API. Deleted is for ever."""
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

    async def account_changed(self, payload: Payload) -> None:
        """It has another name: so have all its repositories."""
        async with self.db.reading() as tx:
            ours = await absences.repositories_of(tx, payload.number("installation", "id"))
        await self._look_soon_at(ours)

    async def _look_soon_at(self, repository_ids: set[int]) -> None:
        async with self.db.transaction() as tx:
            for number in sorted(repository_ids):
                await poll_schedule.wake(tx, number, self.clock.now())

    async def _told_of(self, installation: Installation, repository_ids: set[int], here: bool) -> None:
        """Ask of those that we know otherwise whether the App is in them; without an answer what was told counts.

        The first few are asked about at once, so that each attempt comes further than the last; the others soon.
        """
        async with self.db.reading() as tx:
            found = [await places.repository(tx, number) for number in sorted(repository_ids)]
            away = await absences.away(tx, repository_ids)
        known = [one for one in found if one is not None]
        as_told = {one.id for one in known if (_in(installation, one, away) if here else one.id in away)}
        news = [one for one in known if one.id not in as_told]
        await self._look_soon_at(as_told | {one.id for one in news[MOST_ASKED:]})
        for repository in news[:MOST_ASKED]:
            try:
                there = await self._find(repository)
            except GitHubError as error:
                log.warning("no answer about a repository", repository=repository.id, why=str(error))
                there = Found(installation, replace(repository, installation_id=installation.id)) if here else None
            await self._note(repository, there)
            if here and there is None:
                await self._ask_again(repository)

    async def _ask_again(self, repository: Repository) -> None:
        """The news may be late, or GitHub's API behind its news: the contracts there are looked at soon."""
        async with self.db.transaction() as tx:
            for number, _ in await absences.unsettled_contracts(tx, repository.id, self.clock.now()):
                await contracts.schedule(tx, number, next_look_at=self.clock.now() + ASK_AGAIN_SECONDS)

    async def _find(self, repository: Repository) -> Found | None:
        """The repository as it is now, and the installation by which the App is in it, unless that is suspended.

        It is asked for by the name that is known, and if it is not there by the one that it has by now. Raises
        GitHubError.
        """
        name = f"{repository.owner_login}/{repository.name}"
        found = await self._find_under(name, repository.id)
        if found is not None:
            return found
        fresh = await self._name_of(repository)
        return await self._find_under(fresh, repository.id) if fresh and fresh.lower() != name.lower() else None

    async def _find_under(self, name: str, repository_id: int) -> Found | None:
        """Find a repository by id: another one may have its name by now."""
        found = await self.github.installation_of(name)
        if found is None or found.get("suspended_at") is not None:
            return None
        installation = read_installation(Payload({"installation": found}), ACTIVE, self.clock.now())
        try:
            fresh = await self.github.repository(installation.id, repository_id)
        except Gone:
            return None
        if str(fresh["full_name"]).lower() != name.lower():
            return None
        return Found(installation, read_repository(Payload({"installation": found, "repository": fresh})))

    async def _name_of(self, repository: Repository) -> str | None:
        """Its name now; None where the installation that is known may not see it."""
        try:
            fresh = await self.github.repository(repository.installation_id, repository.id)
        except (Forbidden, Gone):
            return None
        return str(fresh["full_name"])

    async def _note(self, repository: Repository, there: Found | None) -> None:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            if there is None:
                await halting.note_away(tx, {repository.id}, now)
                return
            await places.save_installation(tx, there.installation)
            await places.save_repository(tx, there.repository, asked=True)
            await places.move_repositories(tx, {repository.id}, there.installation.id)
            await outbox.move(tx, {repository.id}, there.installation.id)
            if await absences.away(tx, {repository.id}):
                await outbox.wake(tx, now, repository_id=repository.id)
            await halting.note_back(tx, {repository.id}, now)

    async def reach(self, place: Place) -> Place | None:
        """The place as GitHub is to be asked about it; None where the App was away, and still is."""
        async with self.db.reading() as tx:
            away = bool(await absences.away(tx, {place.repository.id}))
        if not away:
            return place
        there = await self._find(place.repository)
        if there is None:
            async with self.db.transaction() as tx:
                await absences.note_away_still(tx, place.repository.id, self.clock.now())
            return None
        await self._note(place.repository, there)
        async with self.db.reading() as tx:
            return await places.place(tx, place.issue.id)

    async def check_repository(self, repository: Repository) -> None:
        """Ask GitHub what has become of it: name, owner, privacy, and whether the App is in it. Raises GitHubError."""
        there = await self._find(repository)
        await self._note(repository, there)
        if there is None:
            await self.check_installation(repository.installation_id)

    async def check_installation(self, installation_id: int) -> None:
        """Ask GitHub whether it is there, and not suspended. Raises GitHubError."""
        async with self.db.reading() as tx:
            known = await places.installation(tx, installation_id)
        if known is None:
            return
        found = await self.github.installation(installation_id)
        suspended_at = read_instant(found.get("suspended_at")) if found is not None else None
        now = self.clock.now()
        state = DELETED if found is None else ACTIVE if suspended_at is None else SUSPENDED
        async with self.db.transaction() as tx:
            await places.save_installation(tx, replace(known, state=state, changed_at=suspended_at or now))
            ours = await absences.repositories_of(tx, installation_id)
        if state != ACTIVE:
            await self._note_away(ours)

    async def note_issue(self, place: Place, issue: JsonObject) -> None:
        """Keep what GitHub has told about an issue that we know, although no event may have."""
        about = Payload({"issue": issue, "repository": {"id": place.repository.id}})
        fresh = replace(read_issue(about), moved_to=place.issue.moved_to)
        if fresh == place.issue:
            return
        async with self.db.transaction() as tx:
            if await places.place(tx, fresh.id) is not None:
                await places.save_issue(tx, fresh)


def _in(installation: Installation, repository: Repository, away: set[int]) -> bool:
    """Tell if the App is known to be in the repository, by this installation."""
    return repository.installation_id == installation.id and repository.id not in away


def _updated_at(installation: object) -> int:
    found = installation.get("updated_at") if isinstance(installation, Mapping) else None
    return read_instant(found) or 0
