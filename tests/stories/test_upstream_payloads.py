"""GitHub's own example payloads, whole and mutated, signed and posted to the running app: each is taken in and dealt
with, none breaks the worker.

The suite tries a seeded choice of mutations on each database, `make faults` more on SQLite (`PAYLOADS=all`: every one
of every field; `SEED=7`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select
from structlog.testing import capture_logs

from app.base.settings import Settings
from app.github.reading.purchases import EVENT as PURCHASE
from app.replies.results import OUR_FAULT
from app.run import bootstrap
from app.storage.engine.db import Database
from app.storage.engine.tables import commands, deliveries, marketplace_accounts
from sandbox.clock import FileClock
from sandbox.testing import running_sandbox
from tests.conditions import begin
from tests.stories.conftest import running_app, wait_for
from tests.stories.mutations import EXAMPLES, Mutation, all_mutations, some_mutations

SECRET = "the secret of the payloads"
LISTINGS = "the secret of the Marketplace listing"
MANY = os.environ.get("PAYLOADS", "500")
SEED = int(os.environ.get("SEED", "1"))
TOGETHER = 250

UNREADABLE = {"a number too long to read", "not a number", "deep"}
"""No JSON, or none that Python's reader takes: the door says 400."""

BROKEN = {"delivery failed", "worker failed", "command failed", "delivery not stored", "message not written"}
"""What the log would say of an error of ours."""


@dataclass
class Door:
    """The running app, and a GitHub that knows nobody."""

    session: aiohttp.ClientSession
    url: str
    db: Database
    clock: FileClock
    posted: int = 0

    async def post(self, event: str, body: bytes) -> int:
        """To the door that GitHub posts this event to: the Marketplace's has one of its own."""
        self.posted += 1
        path, secret = ("/webhook/marketplace", LISTINGS) if event == PURCHASE else ("/webhook", SECRET)
        async with self.session.post(self.url + path, data=body, headers=signed(body, event, secret)) as answer:
            return answer.status

    async def states(self) -> dict[str, int]:
        wanted = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        async with self.db.reading() as tx:
            return {row[0]: row[1] for row in await tx.execute(wanted)}

    async def plans(self) -> set[str]:
        """What accounts have bought."""
        async with self.db.reading() as tx:
            return set((await tx.execute(select(marketplace_accounts.c.plan_name))).scalars())

    async def drain(self) -> None:
        """Until every delivery is dealt with; hours go by for those that GitHub has to be asked about."""
        seen, looks = -1, 0

        async def nothing_waits() -> str | None:
            nonlocal seen, looks
            waiting = (await self.states()).get("waiting", 0)
            looks = looks + 1 if waiting == seen else 0
            seen = waiting
            if looks == 20:
                self.clock.advance(3700)
                looks = 0
            return None if waiting else "done"

        await wait_for(nothing_waits, lambda: f"{seen} were not dealt with")


@asynccontextmanager
async def open_door(database_url: str, folder: Path) -> AsyncIterator[Door]:
    clock = FileClock(folder / "clock")
    begin(clock.path)
    async with running_sandbox(clock, validate=False) as sandbox, aiohttp.ClientSession() as session:
        body = {"manifest": {}, "webhook_url": "http://127.0.0.1:9/hook"}
        registered = await sandbox.control("POST", "/apps", body)
        settings = Settings(
            database_url=database_url,
            github_api_url=sandbox.url,
            app_id=str(registered["id"]),
            private_key=registered["pem"],
            webhook_secrets=(SECRET,),
            marketplace_secrets=(LISTINGS,),
            public_url="http://127.0.0.1",
            clock=f"file:{clock.path}",
        )
        db = Database(database_url)
        server = TestServer(bootstrap.web_app(settings, db))
        async with running_app(settings, server):
            yield Door(session, str(server.make_url("/")).rstrip("/"), db, clock)
        await db.close()


def signed(body: bytes, event: str, secret: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={digest}",
    }


def upstream() -> Iterator[tuple[str, dict[str, Any]]]:
    """(event, payload) as the package has them; `make test` installs it."""
    for event in json.loads(EXAMPLES.read_text()):
        for payload in event["examples"]:
            yield event["name"], payload


async def test_every_upstream_payload_is_taken_in_and_dealt_with(database_url: str, tmp_path: Path) -> None:
    async with open_door(database_url, tmp_path) as door:
        for event, payload in upstream():
            assert await door.post(event, json.dumps(payload).encode()) == 202, event
        await door.drain()
        purchases = sum(event == PURCHASE for event, _ in upstream())
        assert await door.states() == {"done": 329 - purchases}
        assert await door.plans() == {"Basic Plan", "Premium Plan"}


@pytest.mark.timeout(4 * 3600)
async def test_a_mutated_payload_breaks_nothing(database_url: str, tmp_path: Path) -> None:
    """No 500, no lost worker, no dead letter, and no command that failed by our fault."""
    seed = SEED + database_url.startswith("postgresql")
    mutations = all_mutations() if MANY == "all" else iter(some_mutations(int(MANY), seed))
    async with open_door(database_url, tmp_path) as door:
        while some := list(islice(mutations, TOGETHER)):
            await try_all(door, some)
        async with door.db.reading() as tx:
            told = list((await tx.execute(select(commands.c.answer))).scalars())
    assert any("waits in the book" in answer for answer in told)
    assert not [answer for answer in told if OUR_FAULT in answer]


async def try_all(door: Door, mutations: Sequence[Mutation]) -> None:
    said_at = datetime.fromtimestamp(door.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with capture_logs() as lines:
        for mutation in mutations:
            status = await door.post(mutation.event, mutation.body(door.posted, said_at))
            assert status == (400 if mutation.kind in UNREADABLE else 202), mutation
        await door.drain()
    assert not [line for line in lines if line["event"] in BROKEN]
    assert set(await door.states()) == {"done"}
