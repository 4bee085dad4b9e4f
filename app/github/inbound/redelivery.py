"""GitHub never sends a failed delivery again by itself: look for those that failed and ask for them.

One that is stored here although GitHub noted a failure (our answer came too late) is left alone. A redelivery keeps its
GUID, so asking once too often is harmless: what is stored is not stored twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from app.base.clock import Clock
from app.github.api.client import GitHub, JsonObject
from app.github.api.errors import Endless, GitHubError, Gone, Invalid
from app.github.api.instants import read_instant
from app.storage.engine.db import Database
from app.storage.queues import inbox, outages

log = structlog.get_logger()

EVERY_SECONDS = 120
LOOK_BACK_SECONDS = 3 * 86_400
"""GitHub keeps deliveries for redelivery this long."""

WHOLE_SECONDS = 6 * 3600
"""Interval of reading the whole list; in between only its new part is read."""

OVERLAP_SECONDS = 600
"""Overlap with the part seen before: an attempt is listed when it ends, not when it begins."""

IN_FLIGHT_SECONDS = 15
"""A younger delivery without an answer may still get one: GitHub waits ten seconds."""

MOST_REDELIVERIES = 100
"""At once: what an outage has left over comes back at 3,000 an hour, and the rest of our calls have room beside it."""

LONGEST_WAIT_SECONDS = 3600

MOST_ASKED = 4
"""Failures after which a delivery holds up no contract's window after our outage: half an hour."""


@dataclass(slots=True)
class _Missing:
    """A delivery of which no attempt succeeded: its newest attempt, and how often it was asked for."""

    attempt_id: int
    at: int
    asked: int = 0
    next_at: int = 0

    def note_asked(self, now: int) -> None:
        """Double the wait of a delivery that fails again and again, so that it delays no other."""
        self.next_at = now + min(EVERY_SECONDS * 2**self.asked, LONGEST_WAIT_SECONDS)
        self.asked += 1


@dataclass(slots=True)
class Sweep:
    """Asks for failed deliveries again, at start and every two minutes; not while the backlog has no room for them."""

    db: Database
    github: GitHub
    clock: Clock
    most_waiting: int
    _next_at: int = 0
    _whole_at: int = 0
    _read_until: int = 0
    _missing: dict[str, _Missing] = field(default_factory=dict)

    async def run(self) -> bool:
        """Sweep if it is time. Returns whether there may be more to do at once: never."""
        now = self.clock.now()
        if now >= self._next_at:
            self._next_at = now + EVERY_SECONDS
            read = False
            try:
                await self._read(now)
                read = True
            except GitHubError as error:
                log.warning("list of deliveries not read to its end", why=str(error))
                self._wait_for(error)
                if error.retry_at is not None:
                    return False
            await self._ask(now)
            await self._note_fetched(read, now)
        return False

    async def _note_fetched(self, read: bool, now: int) -> None:
        """Note each outage whose deliveries are here, as far as GitHub can send them again."""
        async with self.db.transaction() as tx:
            for outage in await outages.to_fetch(tx):
                lost = outage.ended_at < now - LOOK_BACK_SECONDS
                if lost or (read and not self._misses(outage.ended_at + OVERLAP_SECONDS)):
                    await outages.note_fetched(tx, outage, now)

    def _misses(self, until_at: int) -> bool:
        """Tell if a delivery of that time may still come; one requested in vain often enough will not."""
        return any(item.at <= until_at and item.asked < MOST_ASKED for item in self._missing.values())

    def _wait_for(self, error: GitHubError) -> None:
        """Pause until the instant that GitHub names, if it names one."""
        self._next_at = max(self._next_at, error.retry_at or 0)

    async def _read(self, now: int) -> None:
        """Note what has failed since the last time. Raises GitHubError; what was read until then is noted."""
        whole = now >= self._whole_at
        since = now - LOOK_BACK_SECONDS
        until = since if whole else max(since, self._read_until - OVERLAP_SECONDS)
        good: set[str] = set()
        try:
            async for delivery in self.github.hook_deliveries():
                if not self._note(delivery, until, good, now):
                    break
        except Endless as error:
            log.warning("list of deliveries too long, only its newest part was read", why=str(error))
        self._read_until = now
        self._missing = {guid: item for guid, item in self._missing.items() if item.at > since}
        if whole:
            self._whole_at = now + WHOLE_SECONDS

    def _note(self, delivery: JsonObject, until: int, good: set[str], now: int) -> bool:
        """Tell if the next page is needed; the list begins with the newest attempt."""
        guid, code, number = str(delivery.get("guid")), delivery.get("status_code"), delivery.get("id")
        at = read_instant(delivery.get("delivered_at")) or now
        if at < until or not isinstance(number, int):
            return at >= until
        if (isinstance(code, int) and 200 <= code < 300) or (not code and at > now - IN_FLIGHT_SECONDS):
            good.add(guid)
        if guid in good:
            self._missing.pop(guid, None)
        else:
            known = self._missing.setdefault(guid, _Missing(number, at))
            known.attempt_id, known.at = max(known.attempt_id, number), min(known.at, at)
        return True

    async def _ask(self, now: int) -> None:
        """For the oldest first, as many as there is room for."""
        async with self.db.reading() as tx:
            room = (self.most_waiting + 1) // 2 - await inbox.backlog(tx, self.most_waiting)
        due = sorted((item.at, guid) for guid, item in self._missing.items() if item.next_at <= now)
        if due and room <= 0:
            log.warning("failed deliveries not asked for: too many wait", failed=len(due))
            return
        wanted = [guid for _, guid in due]
        left = min(room, MOST_REDELIVERIES)
        while wanted and left > 0:
            some, wanted = wanted[:MOST_REDELIVERIES], wanted[MOST_REDELIVERIES:]
            unknown = (await self._unknown(some))[:left]
            left -= len(unknown)
            if not await self._redeliver(unknown, now):
                return

    async def _unknown(self, guids: list[str]) -> list[str]:
        """Those that are not stored; the others are missing no more."""
        async with self.db.reading() as tx:
            stored = await inbox.known(tx, guids)
        for guid in stored:
            del self._missing[guid]
        return [guid for guid in guids if guid not in stored]

    async def _redeliver(self, guids: list[str], now: int) -> bool:
        """Request a redelivery; returns False when no more may be requested now. A refused one hinders no other."""
        for guid in guids:
            missing = self._missing[guid]
            try:
                await self.github.redeliver(missing.attempt_id)
            except (Gone, Invalid) as error:
                log.warning("delivery cannot be sent again", guid=guid, why=str(error))
            except GitHubError as error:
                log.warning("sweep gave up", why=str(error))
                self._wait_for(error)
                return False
            else:
                log.info("delivery asked for again", guid=guid, times=missing.asked + 1)
            missing.note_asked(now)
        return True
