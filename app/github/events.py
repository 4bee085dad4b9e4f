"""What each webhook event means to us. Events wake; what money hangs on is asked from the API."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from app.clock import Clock
from app.commands.runner import Comment, Runner
from app.github.client import GitHub
from app.github.payloads import (
    ACTIVE,
    Payload,
    Unreadable,
    clean,
    read_ids,
    read_installation,
    read_place,
    read_repository,
)
from app.oracle.issue import facts_from
from app.services import settling
from app.storage import outbox, places
from app.storage.db import Database, Tx
from app.storage.inbox import Delivery
from app.storage.places import Installation, Place, Repository

log = structlog.get_logger()

INSTALLATION_STATES = {
    "created": ACTIVE,
    "unsuspend": ACTIVE,
    "new_permissions_accepted": ACTIVE,
    "suspend": "suspended",
    "deleted": "deleted",
}

LEAVING = frozenset({"deleted", "transferred"})
"""After these the API tells nothing of the issue any more."""


@dataclass(frozen=True, slots=True)
class Events:
    """Deals with deliveries, one at a time for each issue. Raises what should be tried again."""

    db: Database
    runner: Runner
    github: GitHub
    clock: Clock

    async def deal_with(self, delivery: Delivery) -> None:
        """Unknown events and payloads that cannot be read are passed over with a log line."""
        try:
            await self._dispatch(delivery, _payload(delivery))
        except Unreadable as error:
            log.warning("delivery passed over", delivery=delivery.guid, event_name=delivery.event, why=str(error))

    async def _dispatch(self, delivery: Delivery, payload: Payload) -> None:
        match delivery.event:
            case "issue_comment":
                await self._comment(payload, delivery.received_at)
            case "issues":
                await self._issue(payload)
            case "repository":
                await self._repository(payload)
            case "installation":
                await self._installation(payload)
            case "installation_repositories":
                await self._repositories_added(payload)

    async def _comment(self, payload: Payload, received_at: int) -> None:
        """Bots are ignored, the app itself above all; so are comments on pull requests."""
        edited = payload.action == "edited"
        if not edited and payload.action != "created":
            return
        if payload.get("sender", "type") == "Bot" or payload.get("issue", "pull_request"):
            return
        old = payload.get("changes", "body", "from")
        if edited and not isinstance(old, str):
            return
        found = read_place(payload)
        comment = Comment(
            id=payload.number("comment", "id"),
            body=payload.text("comment", "body"),
            old_body=clean(old) if edited else None,
            author_id=payload.number("comment", "user", "id"),
            sender_id=payload.number("sender", "id"),
            sender_login=payload.text("sender", "login")[:255],
            created_at=payload.instant("comment", "created_at"),
            said_at=payload.instant("comment", "updated_at" if edited else "created_at"),
            received_at=received_at,
            place=found,
            facts=facts_from(payload.get("issue")),
        )
        await self.runner.run(comment, self._know_place)

    async def _issue(self, payload: Payload) -> None:
        """Keep what is shown of the issue, stop trading on a close, and have its contracts looked at."""
        if payload.get("issue", "pull_request"):
            return
        found = read_place(payload)
        async with self.db.transaction() as tx:
            await self._know_place(tx, found)
            await places.save_issue(tx, found.issue)
            if payload.action in LEAVING:
                await settling.note_gone(tx, found, self.clock.now())
            else:
                await settling.note_news(tx, found, facts_from(payload.get("issue")), self.clock.now())

    async def _repository(self, payload: Payload) -> None:
        repository = read_repository(payload)
        self.github.forget_repository(repository.installation_id, repository.id)
        async with self.db.transaction() as tx:
            await self._know_repository(tx, repository)

    async def _installation(self, payload: Payload) -> None:
        state = INSTALLATION_STATES.get(payload.action)
        if state is not None:
            installation = read_installation(payload, state, self.clock.now())
            async with self.db.transaction() as tx:
                await places.save_installation(tx, installation)
                if state == ACTIVE:
                    await _belong(tx, read_ids(payload, "repositories"), installation.id)

    async def _repositories_added(self, payload: Payload) -> None:
        installation = read_installation(payload, ACTIVE, self.clock.now())
        async with self.db.transaction() as tx:
            await places.meet_installation(tx, installation)
            await _belong(tx, read_ids(payload, "repositories_added"), installation.id)

    async def _know_place(self, tx: Tx, place: Place) -> Place:
        """Make installation, repository and issue known; an issue that is known stays as it is."""
        await self._know_repository(tx, place.repository)
        known = await places.place(tx, place.issue.id)
        if known is None:
            await places.save_issue(tx, place.issue)
        return known or place

    async def _know_repository(self, tx: Tx, repository: Repository) -> None:
        """An event may come before the one that tells of the installation."""
        if await places.installation(tx, repository.installation_id) is None:
            owner = repository.owner_id, repository.owner_login
            met = Installation(repository.installation_id, *owner, ACTIVE, self.clock.now())
            await places.meet_installation(tx, met)
        await places.save_repository(tx, repository)
        await outbox.move(tx, {repository.id}, repository.installation_id)


async def _belong(tx: Tx, repository_ids: set[int], installation_id: int) -> None:
    """The App may have been installed anew: what we know of these repositories is asked and sent as this one now."""
    await places.move_repositories(tx, repository_ids, installation_id)
    await outbox.move(tx, repository_ids, installation_id)


def _payload(delivery: Delivery) -> Payload:
    """Only reading may fail so: an error in dealing with what was read is a bug, and must not lose the delivery."""
    try:
        return Payload.from_bytes(delivery.payload)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error
