"""What the app still has to do, read from its database: one look serves everybody who waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import func, select

from app.market.terms.contract import Status
from app.services.life.issue_checks import LOOK_SECONDS
from app.services.upkeep.heart import RAN
from app.storage.engine.db import Database, DatabaseBusy, Tx
from app.storage.engine.tables import commands, contracts, deliveries, heartbeats, issues, offers, outbox
from app.storage.market import books, pools
from tests.chaos.place import Stuck, Timepiece

EVERY_SECONDS = 0.1
PATIENCE_SECONDS = 600
LOOKING_SECONDS = LOOK_SECONDS + 30
"""A contract that is being looked at seems to be due that much later."""

UNFIT_SECONDS = 3.0
"""A suspended offer that seems to fit may not, and is then left alone: nobody waits longer for one."""


@dataclass(frozen=True, slots=True)
class Known:
    """An issue as the app knows it."""

    state: str
    moved_to: int | None


@dataclass(slots=True)
class Watch:
    db: Database
    clock: Timepiece
    wanted: set[int] = field(default_factory=set)  # comments whose commands are waited for
    done: dict[int, int] = field(default_factory=dict)
    lanes: set[str] = field(default_factory=set)
    due: set[str] = field(default_factory=set)  # currencies
    fitting: set[str] = field(default_factory=set)  # currencies
    known: dict[int, Known] = field(default_factory=dict)
    unsent: int = 0
    beaten_at: int = 0
    looks: int = 0
    _looked: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self) -> None:
        while True:
            try:
                async with self.db.reading() as tx:
                    await self._look(tx)
            except DatabaseBusy:
                continue
            finally:
                await asyncio.sleep(EVERY_SECONDS)
            self.looks += 1
            async with self._looked:
                self._looked.notify_all()

    async def _look(self, tx: Tx) -> None:
        now = self.clock.now()
        waiting = select(deliveries.c.lane).where(deliveries.c.state == "waiting").distinct()
        self.lanes = set((await tx.execute(waiting)).scalars())
        ran = commands.c.comment_id.in_(list(self.wanted))
        counts = select(commands.c.comment_id, func.count()).where(ran).group_by(commands.c.comment_id)
        self.done = {row[0]: row[1] for row in await tx.execute(counts)}
        self.due = await self._due(tx, now)
        self.fitting = await self._fitting(tx)
        columns = issues.c.id, issues.c.state, issues.c.moved_to
        self.known = {row.id: Known(row.state, row.moved_to) for row in await tx.execute(select(*columns))}
        beat = select(func.max(heartbeats.c.at)).where(heartbeats.c.name == RAN)
        self.beaten_at = (await tx.execute(beat)).scalar() or 0
        unsent = select(func.count()).where(outbox.c.state == "waiting", outbox.c.due_at <= now)
        self.unsent = (await tx.execute(unsent)).scalar_one()

    async def _due(self, tx: Tx, now: int) -> set[str]:
        c = contracts.c
        look = (c.next_look_at <= now + LOOKING_SECONDS) & (c.status != Status.SETTLED.value)
        retry = c.retry_due & (c.status == Status.OPEN.value)
        found = set((await tx.execute(select(c.currency).where(look | retry).distinct())).scalars())
        ended = offers.c.state.in_(books.OPEN_STATES), offers.c.until_at <= now
        ending = select(c.currency).join(offers, offers.c.contract_id == c.id).where(*ended).distinct()
        return found | set((await tx.execute(ending)).scalars())

    async def _fitting(self, tx: Tx) -> set[str]:
        numbers = {contract for _, contract in await pools.with_suspended(tx, 1_000)}
        rows = await tx.execute(select(contracts.c.currency).where(contracts.c.id.in_(list(numbers))).distinct())
        return set(rows.scalars())

    async def until(self, right: Callable[[], bool], what: str, patience: float = PATIENCE_SECONDS) -> None:
        """Until a look that began after this call finds it so."""
        first, deadline = self.looks + 2, time.monotonic() + patience
        async with self._looked:
            while self.looks < first or not right():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._looked.wait(), 5)
                if time.monotonic() > deadline:
                    raise Stuck(f"{what} did not come to pass in {patience:g} s: {self.told()}")

    async def until_fits_are_tried(self, currencies: set[str]) -> None:
        with suppress(Stuck):
            await self.until(lambda: not currencies & self.fitting, "fits", UNFIT_SECONDS)

    def told(self) -> str:
        return f"lanes {sorted(self.lanes)[:6]}, due {sorted(self.due)[:6]}, {self.unsent} messages unsent"
