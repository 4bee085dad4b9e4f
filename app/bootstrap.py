"""The one place that knows every part and joins them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from app.clock import Clock, clock_from
from app.commands.runner import Runner
from app.github.checks import Checks
from app.github.client import GitHub, open_session
from app.github.configs import Configs
from app.github.events import Events
from app.github.facts import GitHubOracle
from app.github.payloads import lane_of
from app.github.presence import Presence
from app.github.rewards import Rewards
from app.github.sender import Sender
from app.github.sweep import Sweep
from app.github.transfers import Transfers
from app.services import badges
from app.services.configs import StoredConfigs
from app.settings import Settings
from app.storage import inbox
from app.storage.db import Database
from app.storage.inbox import Arrival
from app.web.server import make_app
from app.worker import Worker

MOST_TOGETHER = 100
"""Deliveries stored in one transaction: a burst costs few commits, and none waits long."""


@dataclass(slots=True)
class StoredInbox:
    """What the webhook door puts deliveries into: those that wait together share a transaction."""

    db: Database
    _waiting: list[tuple[Arrival, asyncio.Future[bool]]] = field(default_factory=list)
    _storing: asyncio.Task[None] | None = None

    async def put(self, guid: str, event: str, payload: bytes, now: int) -> bool:
        """Returns once the delivery is durable."""
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((Arrival(guid, event, lane_of(payload), payload, now), stored))
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store())
        return await stored

    async def _store(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            try:
                async with self.db.transaction() as tx:
                    verdicts = await inbox.put(tx, [item for item, _ in together])
            except Exception as error:
                for _, stored in together:
                    if not stored.done():
                        stored.set_exception(error)
                continue
            for (_, stored), is_new in zip(together, verdicts, strict=True):
                if not stored.done():
                    stored.set_result(is_new)


@dataclass(frozen=True, slots=True)
class StoredPrices:
    """Where badges get their prices."""

    db: Database
    clock: Clock

    async def badge_price(self, owner: str, repo: str, number: int) -> int | str | None:
        async with self.db.reading() as tx:
            return await badges.badge_price(tx, owner, repo, number, self.clock.now())


def web_app(settings: Settings, db: Database) -> web.Application:
    clock = clock_from(settings.clock)
    return make_app(settings, clock, StoredInbox(db), StoredPrices(db, clock), db.ping)


@asynccontextmanager
async def worker(settings: Settings, db: Database) -> AsyncIterator[Worker]:
    """A worker with everything it needs; its connections close with the context."""
    clock: Clock = clock_from(settings.clock)
    async with open_session() as session:
        github = GitHub(settings, clock, session)
        presence, transfers = Presence(db, github, clock), Transfers(db, github, clock)
        oracle = GitHubOracle(github, presence, transfers)
        stored, configs = StoredConfigs(), Configs(db, github, clock)
        runner = Runner(db, oracle, clock, stored)
        events = Events(db, runner, github, clock, configs, presence, transfers)
        sender = Sender(db, github, clock, Checks(github, configs), Rewards(db, github, clock, stored))
        yield Worker(db, clock, events, sender, oracle, Sweep(db, github, clock), configs)
