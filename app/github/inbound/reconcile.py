"""Reconciliation: every few hours, each repository and each unsettled contract is compared with GitHub.

What is new comes on the list within ENLIST_SECONDS, and from then on a lost event is found within CHECK_SECONDS.
Answers that have not changed cost nothing of GitHub's budget (ETag).
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from app.base.clock import Clock
from app.github.api.client import GitHub
from app.github.api.errors import GitHubError
from app.github.oracle.presence import Presence
from app.services.life import issue_checks
from app.services.life.issue_checks import Oracle
from app.storage.engine.db import Database
from app.storage.market import contracts
from app.storage.people import places
from app.storage.queues import poll_schedule
from app.storage.queues.poll_schedule import Recheck

log = structlog.get_logger()

CHECK_SECONDS = 4 * 3600
ENLIST_SECONDS = 3600
AGAIN_SECONDS = 600
"""Delay of the next try when GitHub gave no answer."""

PACE_SECONDS = 10
BATCH = 20
"""So many every PACE_SECONDS: 120 a minute, over all installations. With more than 28,800 listed it takes longer."""


@dataclass(slots=True)
class Reconcile:
    db: Database
    github: GitHub
    clock: Clock
    presence: Presence
    oracle: Oracle
    _next_at: int = 0
    _enlist_at: int = 0

    async def run(self) -> bool:
        """Check what is due if it is time. Returns whether there may be more to do at once: never."""
        now = self.clock.now()
        if now >= self._next_at:
            self._next_at = now + PACE_SECONDS
            await self._enlist(now)
            async with self.db.transaction() as tx:
                due = await poll_schedule.take(tx, now, BATCH, now + CHECK_SECONDS)
            for check in due:
                await self._try(check)
        return False

    async def check_refused(self) -> bool:
        """Check installations that refused a call of this process. Returns whether there may be more: never."""
        for installation_id in sorted(self.github.take_refused()):
            await self._check_installation(installation_id)
        return False

    async def _enlist(self, now: int) -> None:
        if now >= self._enlist_at:
            async with self.db.transaction() as tx:
                await poll_schedule.enlist(tx, now, CHECK_SECONDS)
            self._enlist_at = now + ENLIST_SECONDS

    async def _check_installation(self, installation_id: int) -> None:
        try:
            await self.presence.check_installation(installation_id)
        except GitHubError as error:
            log.warning("no answer about an installation", installation=installation_id, why=str(error))

    async def _try(self, check: Recheck) -> None:
        """One that fails hinders no other."""
        try:
            await self._check(check)
        except Exception as error:
            if isinstance(error, GitHubError):
                log.warning("not checked", what=check.kind, id=check.id, why=str(error))
            else:
                log.exception("check failed", what=check.kind, id=check.id)
            async with self.db.transaction() as tx:
                await poll_schedule.put_off(tx, check, self.clock.now() + AGAIN_SECONDS)

    async def _check(self, check: Recheck) -> None:
        if check.kind == poll_schedule.CONTRACT:
            await self._check_contract(check)
            return
        async with self.db.reading() as tx:
            repository = await places.repository(tx, check.id)
        if repository is not None:
            await self.presence.check_repository(repository)

    async def _check_contract(self, check: Recheck) -> None:
        """One that is settled, or sleeps, leaves the list; the next of its issue comes on it in time."""
        async with self.db.transaction() as tx:
            row = await contracts.get(tx, check.id)
            if row is None or row.settled_at is not None or row.asleep(self.clock.now()):
                await poll_schedule.forget(tx, check)
                return
        await issue_checks.look_at(self.db, self.oracle, check.id, self.clock)
