"""A process says again and again that it runs, so that it is known afterwards when none did (docs/market.md §5)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from app.base.clock import Clock
from app.market.life.outages import OUTAGE_SECONDS
from app.storage.engine.db import Database
from app.storage.queues import outages

log = structlog.get_logger()

BEAT_SECONDS = 30

RAN = "ran"
"""The name of beats that stay when a process ends: they tell how long nobody has run."""


def running_seconds() -> float:
    """Seconds that pass however the clock is set, while the machine sleeps too, where it can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(slots=True)
class Heart:
    """Heartbeat of one process. A gap of more than an hour since any beat is noted as an outage before work goes on.

    A gap that only the clock tells of, and not the time that has really passed, is none: the clock was set.
    """

    db: Database
    clock: Clock
    process: str
    name: str = RAN
    elapsed: Callable[[], float] = running_seconds
    _started_at: int | None = None
    _beaten_at: int = 0
    _elapsed_then: float = 0

    async def beat(self) -> None:
        """To be called before any work; mostly there is nothing to do."""
        now, passed = self.clock.now(), self.elapsed() - self._elapsed_then
        if self._started_at is not None and abs(now - self._beaten_at) < BEAT_SECONDS and passed < BEAT_SECONDS:
            return
        first, started_at = self._started_at is None, now if self._started_at is None else self._started_at
        async with self.db.transaction() as tx:
            last_at = await outages.last_beat(tx, self.name, now)
            slept = first or passed > OUTAGE_SECONDS
            if slept and last_at is not None and now - last_at > OUTAGE_SECONDS:
                log.error("nobody ran for a while", name=self.name, began_at=last_at, ended_at=now)
                await outages.note(tx, last_at, now)
            await outages.beat(tx, self.name, self.process, started_at, now)
            await outages.set_right(tx, now)
            await outages.note_caught_up(tx, now)
        self._started_at, self._beaten_at, self._elapsed_then = started_at, now, self.elapsed()
