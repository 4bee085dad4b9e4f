"""Sealing: entries are closed into a chain of hashes within seconds, in the order they were committed."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from app.base.clock import Clock
from app.storage.engine.db import Database, Tx
from app.storage.proof import seals

AGAIN_SECONDS = 5
"""Interval of rounds while entries with lower ids may still be committed."""

SETTLED_SECONDS = 300
"""An entry with a lower id than one seen so long ago has been committed by now: statements end after 30 seconds."""

WHOLE_SECONDS = 600
"""Interval of looking back the whole way all the same, for an entry whose transaction took longer."""


async def seal(tx: Tx, now: int, above: int = 0) -> bool:
    """Close what is not sealed yet, above that id, with one seal. Returns whether there may be more."""
    await seals.only_sealer(tx)
    run = await seals.unsealed(tx, above=above)
    if run:
        await seals.add_seal(tx, run, now)
    return len(run) == seals.RUN


@dataclass(slots=True)
class Sealing:
    """Rounds of one process. A quiet journal costs nothing, and a long one is not read again at every round."""

    db: Database
    clock: Clock
    _newest: int = 0
    _next_at: float = float("-inf")
    _quiet_at: float = float("-inf")  # from then on nothing can be unsealed but what a very long transaction wrote
    _whole_at: float = float("-inf")
    _above: int = 0
    _seen: deque[tuple[float, int]] = field(default_factory=deque)  # (instant, newest entry), oldest first

    def note(self, newest: int) -> None:
        """Note the id of the journal's newest entry."""
        if newest != self._newest:
            self._newest, self._next_at, self._quiet_at = newest, _passed(), _passed() + SETTLED_SECONDS

    async def run(self) -> bool:
        """Close the entries that came since with a seal. Returns whether there may be more."""
        at = _passed()
        if at < self._whole_at and (at >= self._quiet_at or at < self._next_at):
            return False
        newest = self._newest
        whole = at >= self._whole_at
        async with self.db.transaction() as tx:
            more = await seal(tx, self.clock.now(), 0 if whole else self._above)
        if not more:
            self._next_at = at + AGAIN_SECONDS if newest == self._newest else at
            self._whole_at = at + WHOLE_SECONDS if whole else self._whole_at
            self._move_on(at, newest)
        return more

    def _move_on(self, at: float, newest: int) -> None:
        """Raise the bound: what was the newest entry SETTLED_SECONDS ago has nothing below it to be sealed."""
        if not self._seen or self._seen[-1][1] != newest:
            self._seen.append((at, newest))
        while self._seen and self._seen[0][0] <= at - SETTLED_SECONDS:
            self._above = self._seen.popleft()[1]


def _passed() -> float:
    return asyncio.get_running_loop().time()
