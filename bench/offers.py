"""Durable offers: a committed transaction each, through the service layer, beside the engine's bare commits."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from app.market.exchange.offer import Action, NewOffer
from app.market.terms.contract import Side
from app.market.terms.errors import Refusal
from app.services.accounts import accounts
from app.services.accounts.accounts import Opening
from app.services.rules.config import Config
from app.services.trading import offers as trading
from app.storage.engine.db import Database, migrate
from app.storage.people import places
from app.storage.people.places import Installation, Issue, Place, Repository
from bench.rows import Row
from bench.traders import trader

COMMITS = 1_000
OFFERS = 1_000
USERS = 20
WRITERS = 8
CONTRACTS = 100
NOW = 1_700_000_000
BY = NOW + 90 * 86_400
CONFIG = Config(welcome_grant_mills=10**11)


def run() -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="bugmark-bench-") as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}"
        migrate(url)
        rows += asyncio.run(_measure("SQLite, one at a time", url, writers=1, issues=1))
    cluster = os.environ.get("BUGMARK_TEST_POSTGRES")
    if not cluster:
        raise SystemExit("bench: no PostgreSQL; run this with `make bench`")
    migrate(cluster)
    rows += asyncio.run(_measure("PostgreSQL, one at a time", cluster, writers=1, issues=1))
    rows += asyncio.run(_measure(f"PostgreSQL, {WRITERS} writers", cluster, writers=WRITERS, issues=CONTRACTS))
    return rows


async def _measure(name: str, url: str, writers: int, issues: int) -> list[Row]:
    db = Database(url, pool_size=writers)
    await prepare(db, issues)
    bare = await commits(db, writers)
    offers, refused = await _offers(db, writers, issues)
    await db.close()
    reference = f"bare commits ({bare:,.0f}/s)"
    return [
        Row(f"offers: {name}", offers, "offers/s", reference, offers / bare),
        Row(f"offers: {name}, refused", refused, "offers"),
    ]


async def prepare(db: Database, issues: int) -> None:
    async with db.transaction() as tx:
        await tx.execute(text("DROP TABLE IF EXISTS bench_commits"))
        await tx.execute(text("CREATE TABLE bench_commits (id INTEGER, value INTEGER)"))
    async with db.transaction() as tx:
        await places.save_installation(tx, Installation(1, 1, "bench", "active", NOW))
        await places.save_repository(tx, Repository(1, 1, 1, "bench", "bench", False))
        for number in range(1, issues + 1):
            await places.save_issue(tx, Issue(number, 1, number, "bench", "open", None, None))
        for user in range(1, USERS + 1):
            await accounts.open_account(tx, Opening(user, f"user{user}", 1, "bench"), CONFIG, NOW)


async def commits(db: Database, writers: int) -> float:
    """Single-row inserts, each committed, through the same engine and driver."""

    async def write() -> None:
        for i in range(COMMITS // writers):
            async with db.transaction() as tx:
                await tx.execute(text("INSERT INTO bench_commits VALUES (:i, :i)"), {"i": i})

    started = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(writers)))
    return COMMITS / (time.perf_counter() - started)


async def _offers(db: Database, writers: int, issues: int) -> tuple[float, int]:
    """Offers per second, and how many were refused."""
    refused = 0

    async def write(seed: int) -> None:
        nonlocal refused
        chance = random.Random(seed)
        for given in range(OFFERS // writers):
            number = chance.randint(1, issues)
            place = Place(
                Issue(number, 1, number, "bench", "open", None, None),
                Repository(1, 1, 1, "bench", "bench", False),
            )
            new = NewOffer(Action.BUY, chance.choice(list(Side)), chance.randint(5, 50), 10 * chance.randint(30, 70))
            context = trader(place, CONFIG, chance.randint(1, USERS), f"bench:{issues}:{seed}:{given}", NOW)
            try:
                async with db.transaction() as tx:
                    await trading.offer(tx, context, new, BY)
            except Refusal:
                refused += 1

    for number in range(1, issues + 1):  # the contracts are made beforehand
        await _first_offer(db, number, issues)
    started = time.perf_counter()
    await asyncio.gather(*(write(seed) for seed in range(writers)))
    return OFFERS / (time.perf_counter() - started), refused


async def _first_offer(db: Database, number: int, issues: int) -> None:
    place = Place(Issue(number, 1, number, "bench", "open", None, None), Repository(1, 1, 1, "bench", "bench", False))
    context = trader(place, CONFIG, 1, f"bench:{issues}:first:{number}", NOW)
    async with db.transaction() as tx:
        await trading.offer(tx, context, NewOffer(Action.BUY, Side.FIXED, 5, 1), BY)
