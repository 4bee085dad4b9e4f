"""A sender beside a played GitHub, and what tests do with one."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.github.api.client import GitHub
from app.github.outbound.reward_label import Rewards
from app.github.outbound.sender import Sender
from app.github.rules.checks import Checks
from app.github.rules.rules_file import Configs
from app.run.worker import LEASE_SECONDS
from app.services.rules.config import SameEverywhere
from app.storage.engine.db import Database
from app.storage.engine.tables import outbox as messages
from app.storage.people.places import Issue, Place, Repository
from app.storage.queues import outbox
from app.storage.queues.outbox import Message
from tests.clocks import FakeClock
from tests.github.play import Play, reply

COMMENTS = "POST /repos/ann/tool/issues/5/comments"
BOT = 77
LISTED = "GET /repos/ann/tool/issues/5/comments?per_page=100&since=2025-12-31T23:55:00Z"


def place(installation: int = 1) -> Place:
    repository = Repository(7, installation, 3, "ann", "tool", False)
    return Place(Issue(101, 7, 5, "A bug", "open", None, None), repository)


async def put(db: Database, clock: FakeClock, key: str, kind: str = "reply", installation: int = 1) -> None:
    async with db.transaction() as tx:
        await outbox.put(tx, key=key, kind=kind, place=place(installation), body="hello", now=clock.now())


async def claim(db: Database, clock: FakeClock) -> Message | None:
    async with db.transaction() as tx:
        return await outbox.claim(tx, clock.now(), LEASE_SECONDS)


async def send_next(sender: Sender) -> str | None:
    message = await sender.claim(LEASE_SECONDS)
    if message is None:
        return None
    await sender.send(message)
    return message.key


@pytest.fixture
def sender(db: Database, github: GitHub, clock: FakeClock, play: Play) -> Sender:
    play.on("GET /app", reply({"slug": "bugmark"}))
    play.on("GET /users/bugmark%5Bbot%5D", reply({"id": BOT, "login": "bugmark[bot]", "type": "Bot"}))
    play.on(LISTED, reply([]))
    stored = SameEverywhere()
    return Sender(db, github, clock, Checks(github, Configs(db, github, clock)), Rewards(db, github, clock, stored))


async def states(db: Database) -> dict[str, str]:
    async with db.reading() as tx:
        return {row.key: row.state for row in await tx.execute(select(messages.c.key, messages.c.state))}
