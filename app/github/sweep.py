"""GitHub never sends a failed delivery again by itself: look for those that failed and ask for them.

A redelivery keeps its GUID, so asking once too often is harmless: what is stored is not stored twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from app.clock import Clock
from app.github.client import GitHub, JsonObject
from app.github.errors import GitHubError
from app.oracle.issue import read_instant
from app.storage import inbox
from app.storage.db import Database

log = structlog.get_logger()

EVERY_SECONDS = 120
LOOK_BACK_SECONDS = 3 * 86_400
"""GitHub keeps deliveries for redelivery this long."""

IN_FLIGHT_SECONDS = 15
"""A younger delivery without an answer may still get one: GitHub waits ten seconds."""

MOST_REDELIVERIES = 200


@dataclass(slots=True)
class Sweep:
    """Asks for failed deliveries again, at start and every two minutes."""

    db: Database
    github: GitHub
    clock: Clock
    _next_at: int = 0
    _asked: dict[str, int] = field(default_factory=dict)

    async def run(self) -> bool:
        """Sweep if it is time. Returns whether there may be more to do at once: never."""
        now = self.clock.now()
        if now >= self._next_at:
            self._next_at = now + EVERY_SECONDS
            try:
                await self._sweep(now)
            except GitHubError as error:
                log.warning("sweep gave up", why=str(error))
        return False

    async def _sweep(self, now: int) -> None:
        self._asked = {guid: at for guid, at in self._asked.items() if at > now - EVERY_SECONDS}
        asked = 0
        for guid, delivery in (await self._failed(now)).items():
            if guid in self._asked or await self._known(guid):
                continue
            asked += 1
            if asked > MOST_REDELIVERIES:
                break
            self._asked[guid] = now
            log.info("delivery asked for again", guid=guid)
            await self.github.redeliver(int(delivery["id"]))

    async def _failed(self, now: int) -> dict[str, JsonObject]:
        """The newest attempt of every delivery of which no attempt succeeded, oldest first."""
        newest: dict[str, JsonObject] = {}
        good: set[str] = set()
        async for delivery in self.github.hook_deliveries():
            at = read_instant(delivery.get("delivered_at")) or now
            if at < now - LOOK_BACK_SECONDS:
                break
            guid, code = str(delivery.get("guid")), delivery.get("status_code")
            if (isinstance(code, int) and 200 <= code < 300) or (not code and at > now - IN_FLIGHT_SECONDS):
                good.add(guid)
            newest.setdefault(guid, delivery)
        return {guid: newest[guid] for guid in reversed(newest) if guid not in good}

    async def _known(self, guid: str) -> bool:
        async with self.db.reading() as tx:
            return await inbox.knows(tx, guid)
