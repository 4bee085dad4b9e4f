"""The web process's application with an inbox and prices that a test can look into."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request
from pytest_aiohttp.plugin import AiohttpClient

from app.base.settings import Settings
from app.market.prices.price import Price, Says
from app.services.views.badge import BadgeTold
from app.storage.queues.gauges import Backlog, Queue
from app.storage.queues.stored_replies import Answer
from app.storage.queues.told import ThreadTold
from app.web.server import make_app
from tests.clocks import FakeClock

TOKEN = "a-token-for-the-metrics"
SECRETS = ("It's a Secret to Everybody", "new")
Client = TestClient[Request, Application]


@dataclass
class MemoryInbox:
    """Knows GUIDs as a database does; `trouble` is raised instead; `gate`, while set, holds everybody up."""

    stored: dict[str, tuple[str, bytes, int]] = field(default_factory=dict)
    trouble: Exception | None = None
    gate: asyncio.Event | None = None
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, guid: str, event: str, payload: bytes, now: int) -> bool:
        if self.trouble is not None:
            raise self.trouble
        if self.gate is not None:
            self.waiting.set()
            await self.gate.wait()
        is_new = guid not in self.stored
        self.stored.setdefault(guid, (event, payload, now))
        return is_new


@dataclass
class MemoryPrices:
    """`ann/tool` issue 5 has a price; `asked` lists the queries."""

    price_mills: int = 400
    trouble: Exception | None = None
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    async def badge(self, owner: str, repo: str, number: int) -> BadgeTold | None:
        self.asked.append((owner, repo, number))
        if self.trouble is not None:
            raise self.trouble
        found = (owner.lower(), repo.lower(), number) == ("ann", "tool", 5)
        price = Price(Says.MIDDLE, self.price_mills, self.price_mills)
        return BadgeTold(price, traded=True) if found else None


@dataclass
class Database:
    trouble: Exception | None = None
    answers: dict[int, Answer] = field(default_factory=dict)
    threads: dict[int, ThreadTold] = field(default_factory=dict)
    beat_at: int | None = None

    async def worker_beat(self) -> int | None:
        return self.beat_at

    async def answer(self, comment_id: int) -> Answer | None:
        return self.answers.get(comment_id)

    async def thread(self, issue_id: int) -> ThreadTold | None:
        return self.threads.get(issue_id)

    async def ping(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    async def backlog(self, now: int) -> Backlog:
        await self.ping()
        messages = {"board": Queue(0, None), "reply": Queue(2, now - 30)}
        return Backlog(
            Queue(3, now - 90), 1, messages, 4, seals=12, unsealed=5, looks_due=6, worker_at=now - 4, workers=2
        )


@pytest.fixture
def inbox() -> MemoryInbox:
    return MemoryInbox()


@pytest.fixture
def prices() -> MemoryPrices:
    return MemoryPrices()


@pytest.fixture
def database() -> Database:
    return Database()


def settings() -> Settings:
    return Settings(
        database_url="sqlite+aiosqlite:///none.db",
        github_api_url="https://api.github.com",
        app_id="1",
        private_key="unused",
        webhook_secrets=SECRETS,
        public_url="https://bugmark.example",
        metrics_token=TOKEN,
    )


@pytest.fixture
def application(clock: FakeClock, inbox: MemoryInbox, prices: MemoryPrices, database: Database) -> Application:
    parts = database.ping, database.backlog, database
    return make_app(settings(), clock, inbox, prices, *parts, worker_beat=database.worker_beat)


@pytest.fixture
async def client(application: Application, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(application)
