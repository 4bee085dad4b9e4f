"""The one place that knows every part and joins them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from app.clock import Clock, clock_from
from app.commands.runner import Runner
from app.github.client import GitHub, open_session
from app.github.events import Events
from app.github.facts import GitHubOracle
from app.github.payloads import lane_of
from app.github.sender import Sender
from app.github.sweep import Sweep
from app.services import views
from app.services.config import Config
from app.settings import Settings
from app.storage import inbox
from app.storage.db import Database
from app.web.server import make_app
from app.worker import Worker


@dataclass(frozen=True, slots=True)
class StoredInbox:
    """What the webhook door puts deliveries into."""

    db: Database

    async def put(self, guid: str, event: str, payload: bytes, now: int) -> bool:
        lane = lane_of(payload)
        async with self.db.transaction() as tx:
            return await inbox.put(tx, guid=guid, event=event, lane=lane, payload=payload, now=now)


@dataclass(frozen=True, slots=True)
class StoredPrices:
    """Where badges get their prices."""

    db: Database

    async def badge_price(self, owner: str, repo: str, number: int) -> int | None:
        async with self.db.reading() as tx:
            return await views.badge_price(tx, owner, repo, number)


def web_app(settings: Settings, db: Database) -> web.Application:
    return make_app(settings, clock_from(settings.clock), StoredInbox(db), StoredPrices(db), db.ping)


@asynccontextmanager
async def worker(settings: Settings, db: Database) -> AsyncIterator[Worker]:
    """A worker with everything it needs; its connections close with the context."""
    clock: Clock = clock_from(settings.clock)
    async with open_session() as session:
        github = GitHub(settings, clock, session)
        oracle = GitHubOracle(github)
        events = Events(db, Runner(db, oracle, clock, Config()), github, clock)
        yield Worker(db, clock, events, Sender(db, github, clock), oracle, Sweep(db, github, clock))
