"""A process's heartbeat. To store it is also how a process finds out that something can be stored at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from app.base.clock import Clock
from app.storage.engine.db import Database
from app.storage.queues import heartbeats

log = structlog.get_logger()

WORKER, WEB = "worker", "web"

EVERY_SECONDS = 3

ALIVE_SECONDS = 7
"""A worker without a sign for so long leads no more: another takes over within ten seconds."""

OFF_SECONDS = 5
"""Difference from the database's clock at which a process stops: leases hold only by clocks that agree."""

STALE_SECONDS = 30
"""A process that has given no sign for so long is dead, or cannot store anything."""

FRESH_SECONDS = 2
"""Whoever asks again within this time gets the answer from before: nobody can make us write at will."""

STORE_SECONDS = 5


@dataclass(slots=True)
class Pulse:
    """`name` is WORKER or WEB, `process` tells it from others of that name.

    `compared`: whether our clock is to agree with the database's, as it must where there may be several machines.
    """

    db: Database
    clock: Clock
    name: str
    process: str
    compared: bool = False
    agrees: bool = True
    _leader: str = ""
    _compare_at: float = float("-inf")
    _started_at: int | None = None
    _stored: float | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def leads(self) -> bool:
        """Tell if this is the process of its name that does what only one has to do: the one that started first."""
        fresh = self._stored is not None and asyncio.get_running_loop().time() - self._stored < ALIVE_SECONDS
        return fresh and self._leader == self.process

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
            async with asyncio.timeout(STORE_SECONDS), self.db.transaction() as tx:
                if self._started_at is None:
                    await heartbeats.forget_old(tx, now)
                    self._started_at = now
                await heartbeats.beat(tx, self.name, self.process, self._started_at, now)
                crew = await heartbeats.crew(tx, self.name, now - ALIVE_SECONDS)
            self._leader = crew.first
            self._compare(crew.database_now, now)
            self._stored = clock()

    async def compare(self) -> bool:
        """Compare the clocks again, if it is time to. Returns whether they agree."""
        at = asyncio.get_running_loop().time()
        if not self.agrees and at >= self._compare_at:
            self._compare_at = at + EVERY_SECONDS
            async with self.db.glance() as tx:
                self._compare(await heartbeats.database_now(tx), self.clock.now())
        return self.agrees

    def _compare(self, theirs: int | None, ours: int) -> None:
        agrees = not self.compared or theirs is None or abs(ours - theirs) < OFF_SECONDS
        if agrees != self.agrees:
            log.error("our clock and the database's", agree=agrees, seconds_ahead=ours - (theirs or ours))
        self.agrees = agrees

    async def end(self) -> None:
        """This process ends; what is said of it goes. Raises DatabaseBusy."""
        async with asyncio.timeout(STORE_SECONDS), self.db.transaction() as tx:
            await heartbeats.end(tx, self.name, self.process)
