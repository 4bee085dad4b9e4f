"""A process's heartbeat. To store it is also how a process finds out that something can be stored at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from app.base.clock import Clock
from app.storage.engine.db import Database
from app.storage.queues import heartbeats

WORKER, WEB = "worker", "web"

EVERY_SECONDS = 5

STALE_SECONDS = 30
"""A process that has given no sign for so long is dead, or cannot store anything."""

FRESH_SECONDS = 2
"""Whoever asks again within this time gets the answer from before: nobody can make us write at will."""

STORE_SECONDS = 5


@dataclass(slots=True)
class Pulse:
    """`name` is WORKER or WEB, `process` tells it from others of that name."""

    db: Database
    clock: Clock
    name: str
    process: str
    _started_at: int | None = None
    _stored: float | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> bool:
        """Beat, if it is time to: a chore of the worker. Never has more to do at once."""
        await self._beat(EVERY_SECONDS)
        return False

    async def check(self) -> None:
        """Raises what goes wrong with storing something now: DatabaseBusy, TimeoutError."""
        await self._beat(FRESH_SECONDS)

    async def _beat(self, not_within_seconds: float) -> None:
        async with self._turn:
            clock = asyncio.get_running_loop().time
            if self._stored is not None and clock() - self._stored < not_within_seconds:
                return
            self.db.check_file()
            now = self.clock.now()
            self._started_at = now if self._started_at is None else self._started_at
            async with asyncio.timeout(STORE_SECONDS), self.db.transaction() as tx:
                await heartbeats.beat(tx, self.name, self.process, self._started_at, now)
            self._stored = clock()

    async def end(self) -> None:
        """This process ends; what is said of it goes. Raises DatabaseBusy."""
        async with asyncio.timeout(STORE_SECONDS), self.db.transaction() as tx:
            await heartbeats.end(tx, self.name, self.process)
