"""The watch of a worker: it tells when something may wait, so that an idle worker asks next to nothing."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from app.base.clock import Clock
from app.storage.engine.db import Database
from app.storage.queues import signs
from app.storage.queues.signs import Signs

TICK_SECONDS = 0.05
"""Delay with which a commit of another process is noticed; between two ticks nothing is asked of the database."""

POLL_SECONDS = 1.0
"""The database is asked at least so often: what falls due is told by nobody."""


@dataclass(slots=True)
class Watch:
    """`rung` is set by whoever knows of something new: a listener to PostgreSQL's notifications, or this process."""

    db: Database
    clock: Clock
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    _stamp: object = None
    _now: int = 0
    _read_at: float = float("-inf")

    async def signs(self) -> Signs | None:
        """Wait for a tick, then read the signs if it is time. Raises DatabaseBusy."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TICK_SECONDS):
                await self.rung.wait()
        return await self._read() if self._time_to_read() else None

    def _time_to_read(self) -> bool:
        """Tell if something was committed, the poll is due, or the clock was moved."""
        passed = asyncio.get_running_loop().time() - self._read_at
        return self.rung.is_set() or self.db.stamp() != self._stamp or self.clock_moved() or passed >= POLL_SECONDS

    def clock_moved(self) -> bool:
        """Tell if the clock was set since the signs were read."""
        return abs(self.clock.now() - self._now) > POLL_SECONDS

    async def _read(self) -> Signs:
        """Note what was seen before the question, so that a commit during it is seen at the next tick."""
        self.rung.clear()
        now, self._stamp, self._read_at = self.clock.now(), self.db.stamp(), asyncio.get_running_loop().time()
        try:
            async with self.db.glance() as tx:
                return await signs.read(tx, now)
        finally:
            self._now = now
