"""The one place that knows every part and joins them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import structlog
from aiohttp import web

from app.base.clock import Clock, clock_from
from app.base.settings import Settings
from app.github.api.client import GitHub, open_session
from app.github.api.transport import Timeouts
from app.github.inbound.events import Events
from app.github.inbound.reconcile import Reconcile
from app.github.inbound.redelivery import Sweep
from app.github.oracle.oracle import GitHubOracle
from app.github.oracle.presence import Presence
from app.github.oracle.transfers import Transfers
from app.github.outbound.reward_label import Rewards
from app.github.outbound.sender import Sender
from app.github.reading.payloads import lane_of
from app.github.reading.purchases import read_purchase
from app.github.rules.checks import Checks
from app.github.rules.rules_file import Configs
from app.run.history import Reader
from app.run.worker import Worker
from app.services.accounts import marketplace
from app.services.audit.pruning import Pruning
from app.services.orders.gate import Gate
from app.services.rules.in_force import StoredConfigs
from app.services.upkeep.heart import Heart
from app.services.upkeep.pulse import EVERY_SECONDS, STALE_SECONDS, WEB, WORKER, Pulse
from app.services.views import badge as badges
from app.services.views.badge import BadgeTold
from app.storage.engine import bell
from app.storage.engine.db import Database, DatabaseBusy
from app.storage.queues import gauges, heartbeats, inbox, told
from app.storage.queues.budgets import GITHUB
from app.storage.queues.gauges import Backlog
from app.storage.queues.inbox import Arrival
from app.storage.queues.stored_replies import Answer
from app.storage.queues.told import ThreadTold
from app.thread.runner import Runner
from app.web.door import Overloaded
from app.web.server import make_app

log = structlog.get_logger()

MOST_TOGETHER = 100
"""Deliveries stored in one transaction: a burst costs few commits, and none waits long."""

STORE_SECONDS = 5
"""A transaction that takes longer is given up, so that it holds up no other; the door waits no longer either."""

COUNT_SECONDS = 2
"""Greatest age of a queue count: a burst goes that much beyond the bound."""


@dataclass(slots=True)
class StoredInbox:
    """Inbox behind the webhook door: deliveries that wait together share a transaction.

    One whose sender was told no meanwhile waits no more: the door has let go of its bytes.
    """

    db: Database
    most_waiting: int
    store_seconds: float = STORE_SECONDS
    _waiting: dict[asyncio.Future[bool], Arrival] = field(default_factory=dict)
    _storing: asyncio.Task[None] | None = None
    _full: bool = False
    _counted_at: float | None = None

    async def put(self, guid: str, event: str, payload: bytes, now: int) -> bool:
        """Returns once the delivery is durable. Raises Overloaded while too many wait to be dealt with.

        TimeoutError, and what else a database may run into, where it was not stored.
        """
        await self._count()
        if self._full:
            raise Overloaded
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[stored] = Arrival(guid, event, lane_of(payload), payload, now)
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store())
        try:
            return await stored
        finally:
            self._waiting.pop(stored, None)

    async def _count(self) -> None:
        """One asks at a time; the others go by what was counted before."""
        now = asyncio.get_running_loop().time()
        if self._counted_at is not None and now - self._counted_at < COUNT_SECONDS:
            return
        self._counted_at = now
        async with self.db.reading() as tx:
            self._full = await inbox.backlog(tx, self.most_waiting) >= self.most_waiting

    async def _store(self) -> None:
        while self._waiting:
            together = {stored: self._waiting.pop(stored) for stored in list(self._waiting)[:MOST_TOGETHER]}
            try:
                async with asyncio.timeout(self.store_seconds), self.db.transaction() as tx:
                    verdicts = await inbox.put(tx, list(together.values()))
            except Exception as error:
                for stored in together:
                    if not stored.done():
                        stored.set_exception(error)
                continue
            for stored, is_new in zip(together, verdicts, strict=True):
                if not stored.done():
                    stored.set_result(is_new)


@dataclass(frozen=True, slots=True)
class StoredPurchases:
    """Inbox for the Marketplace's webhooks: read at once, since they are few and change one row."""

    db: Database

    async def put(self, guid: str, event: str, payload: bytes, now: int) -> bool:
        found = read_purchase(event, payload)
        if found is None:
            return True
        async with self.db.transaction() as tx:
            return await marketplace.note(tx, guid, found, now)


@dataclass(frozen=True, slots=True)
class StoredPrices:
    """Prices for badges."""

    db: Database
    clock: Clock

    async def badge(self, owner: str, repo: str, number: int) -> BadgeTold | None:
        async with self.db.reading() as tx:
            return await badges.badge(tx, owner, repo, number, self.clock.now())


@dataclass(frozen=True, slots=True)
class StoredAnswers:
    """Stored replies for their pages."""

    db: Database

    async def answer(self, comment_id: int) -> Answer | None:
        async with self.db.reading() as tx:
            return await told.public_answer(tx, comment_id)

    async def thread(self, issue_id: int) -> ThreadTold | None:
        async with self.db.reading() as tx:
            return await told.public_thread(tx, issue_id)


@dataclass(frozen=True, slots=True)
class Measured:
    """Source of the metrics."""

    db: Database

    async def backlog(self, now: int) -> Backlog:
        async with self.db.reading() as tx:
            return await gauges.backlog(tx, now, now - STALE_SECONDS)

    async def worker_beat(self) -> int | None:
        async with self.db.reading() as tx:
            return await heartbeats.last(tx, WORKER)


def _process() -> str:
    """This process as no other is called."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}"


async def _ended(pulse: Pulse) -> None:
    with contextlib.suppress(DatabaseBusy, TimeoutError):  # nobody waits for it: it would go stale
        await pulse.end()


def web_app(settings: Settings, db: Database) -> web.Application:
    clock = clock_from(settings.clock)
    stored = StoredInbox(db, settings.most_waiting)
    prices, purchases = StoredPrices(db, clock), StoredPurchases(db)
    pulse, measured = Pulse(db, clock, WEB, _process()), Measured(db)
    parts = pulse.check, measured.backlog, StoredAnswers(db), purchases, measured.worker_beat
    app = make_app(settings, clock, stored, prices, *parts)
    app.cleanup_ctx.append(_beating(pulse))
    return app


def _beating(pulse: Pulse) -> Callable[[web.Application], AsyncIterator[None]]:
    """The web process's heart, as long as it serves."""

    async def beat() -> None:
        while True:
            try:
                await pulse.run()
            except Exception as error:
                log.warning("heartbeat not stored", why=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def beating(_app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(beat())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await _ended(pulse)

    return beating


@asynccontextmanager
async def worker(settings: Settings, db: Database, timeouts: Timeouts | None = None) -> AsyncIterator[Worker]:
    """A worker with everything it needs; its connections close with the context."""
    clock: Clock = clock_from(settings.clock)
    async with open_session() as session:
        github = GitHub(settings, clock, session, timeouts)
        presence, transfers = Presence(db, github, clock), Transfers(db, github, clock)
        oracle = GitHubOracle(github, presence, transfers)
        stored, configs = StoredConfigs(), Configs(db, github, clock)
        gate = Gate(db, oracle, clock, stored, configs.meet)
        runner = Runner(db, gate, clock, stored, settings.public_url)
        events = Events(db, runner, github, clock, configs, presence, transfers)
        carried = Checks(github, configs), Rewards(db, github, clock, stored)
        limits = GITHUB if settings.budgets == "github" else None
        sender = Sender(db, github, clock, *carried, limits, settings.public_url)
        sweep = Sweep(db, github, clock, settings.most_waiting)
        reconcile = Reconcile(db, github, clock, presence, oracle)
        pulse = Pulse(db, clock, WORKER, _process(), compared=settings.clock == "system")
        chores = pulse.run, reconcile.check_refused
        shared = sweep.run, configs.refresh, reconcile.run, Pruning(db, clock).run

        async def clock_holds() -> bool:
            return await pulse.compare() and await github.clock_holds()

        direct = Database(settings.database_url, pool_size=1)
        heart, bells = Heart(db, clock, _process()), [partial(bell.listen, direct)]
        yield Worker(
            db,
            clock,
            events,
            sender,
            oracle,
            chores,
            clock_holds,
            heart,
            shared=shared,
            leads=pulse.leads,
            bells=bells,
        )
        await _ended(pulse)
        await direct.close()


@asynccontextmanager
async def history_reader(settings: Settings, db: Database, say: Callable[[str], None]) -> AsyncIterator[Reader]:
    """A reader of a repository's history, with a client of its own; its connections close with the context."""
    clock = clock_from(settings.clock)
    limits = GITHUB if settings.budgets == "github" else None
    async with open_session() as session:
        yield Reader(db, GitHub(settings, clock, session), clock, limits, asyncio.sleep, say)
