"""Forgetting webhooks that were dealt with long ago."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from app.base.clock import Clock
from app.storage.engine.db import Database
from app.storage.queues import inbox

log = structlog.get_logger()

EVERY_SECONDS = 3600
BATCH = 500
"""In one transaction: nobody waits long for it."""


@dataclass(slots=True)
class Pruning:
    """Every hour, in small steps."""

    db: Database
    clock: Clock
    _next_at: int = 0

    async def run(self) -> bool:
        """Take one step if it is time. Returns whether there is more to forget at once."""
        now = self.clock.now()
        if now < self._next_at:
            return False
        async with self.db.transaction() as tx:
            gone = await inbox.prune(tx, now - inbox.KEPT_SECONDS, BATCH)
        if gone:
            log.info("deliveries forgotten", count=gone)
        if gone < BATCH:
            self._next_at = now + EVERY_SECONDS
        return gone == BATCH
