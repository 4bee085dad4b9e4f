"""Offers into a contract with a large book, or with many holders, beside the same offers into an almost empty one.

Holders and resting offers are written straight into the tables; the offers that are measured go through the services.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy import insert, update

from app.market.exchange.offer import Action, NewOffer
from app.market.ledger.journal import Kind
from app.market.terms.contract import UNIT_MILLS, Outcome, Side
from app.services.life.transitions import pay_out
from app.services.rules.config import play_currency
from app.services.trading import offers as trading
from app.services.trading.locked_market import lock_market
from app.storage.engine import tables
from app.storage.engine.db import Database, Tx, migrate
from app.storage.people.places import Issue, Place, Repository
from bench.offers import BY, CONFIG, NOW, commits, prepare
from bench.rows import Row
from bench.traders import trader

EMPTY, FULL, HELD = 1, 2, 3
"""Issues, and the contracts made for them, in this order."""

LIVE_OFFERS = 4_900
HOLDERS = 10_000
FIRST_HOLDER = 1_000
UNITS = 5
ROUNDS = 90
WITHIN = 1.5
SETTLED_SECONDS = 1.0

Fill = Callable[[Tx], Awaitable[None]]


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="bugmark-bench-") as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}"
        migrate(url)
        rows = asyncio.run(_measure("SQLite", url))
    cluster = os.environ.get("BUGMARK_TEST_POSTGRES")
    if not cluster:
        raise SystemExit("bench: no PostgreSQL; run this with `make bench`")
    migrate(cluster)
    return rows + asyncio.run(_measure("PostgreSQL", cluster))


async def _measure(name: str, url: str) -> list[Row]:
    db = Database(url)
    await prepare(db, 3)
    for issue in (EMPTY, FULL, HELD):
        await _offer(db, issue, "first", 0)
    async with db.transaction() as tx:
        await _fill_positions(tx)
        await _fill_book(tx)
    bare = await commits(db, 1)
    seconds = await _rounds(db)
    settled = await _settle(db)
    await db.close()
    empty = ROUNDS / seconds[EMPTY]
    return [
        Row(f"books: {name}, empty", empty, "offers/s", f"bare commits ({bare:,.0f}/s)", empty / bare),
        _row(f"books: {name}, {LIVE_OFFERS:,} live offers", seconds[FULL], seconds[EMPTY]),
        _row(f"books: {name}, {HOLDERS:,} holders", seconds[HELD], seconds[EMPTY]),
        Row(
            f"books: {name}, {HOLDERS:,} holders settled",
            settled,
            "s",
            target=f"<= {SETTLED_SECONDS} s",
            met=settled <= SETTLED_SECONDS,
        ),
    ]


def _row(name: str, seconds: float, empty: float) -> Row:
    """Time beside that of an empty contract."""
    ratio = seconds / empty
    return Row(name, ROUNDS / seconds, "offers/s", "the time of empty", ratio, f"<= {WITHIN} x", ratio <= WITHIN)


async def _rounds(db: Database) -> dict[int, float]:
    """Seconds for all offers into each contract, by turns: what disturbs one disturbs all."""
    seconds = dict.fromkeys((EMPTY, FULL, HELD), 0.0)
    for given in range(ROUNDS + 1):
        for issue in seconds:
            started = time.perf_counter()
            await _offer(db, issue, "round", given)
            if given:  # the first one loads what the others find in memory
                seconds[issue] += time.perf_counter() - started
    return seconds


async def _offer(db: Database, issue: int, name: str, given: int) -> None:
    place = Place(Issue(issue, 1, issue, "bench", "open", None, None), Repository(1, 1, 1, "bench", "bench", False))
    context = trader(place, CONFIG, 1 + given % 20, f"books:{issue}:{name}:{given}", NOW)
    async with db.transaction() as tx:
        await trading.offer(tx, context, NewOffer(Action.BUY, Side.FIXED, 5, 1 + given % 100), BY)


async def _fill_book(tx: Tx) -> None:
    """Asks at 40 prices, none of which the offers measured reach."""
    new = {"contract_id": FULL, "action": "BUY", "side": "UNFIXED", "volume": 5, "until_at": BY, "state": "LIVE"}
    row = {**new, "now_or_never": False, "units_left": 0, "cash_left": 5, "created_at": NOW}
    first = 1_000
    people = [{"user_id": FIRST_HOLDER + each, "price": 400 + each % 40} for each in range(LIVE_OFFERS)]
    rows = [{**row, "id": first + each, "rank": first + each, **who} for each, who in enumerate(people)]
    await tx.execute(insert(tables.offers), rows)
    await _raise_version(tx, FULL)


async def _fill_positions(tx: Tx) -> None:
    """Everybody holds as many FIXED, one user all the UNFIXED."""
    users = range(FIRST_HOLDER, FIRST_HOLDER + HOLDERS)
    await tx.execute(
        insert(tables.users), [{"id": user, "login": f"holder{user}", "created_at": NOW} for user in users]
    )
    units, half = UNITS * HOLDERS, UNIT_MILLS // 2
    held = [(user, "FIXED", UNITS) for user in users] + [(2, "UNFIXED", units)]
    await tx.execute(
        insert(tables.positions),
        [
            {"contract_id": HELD, "user_id": user, "side": side, "free": free, "reserved": 0, "cost_mills": half * free}
            for user, side, free in held
        ],
    )
    paid = [{"contract_id": HELD, "user_id": user, "mills": half * free} for user, _, free in held]
    await tx.execute(insert(tables.net_paid), paid)
    await _raise_version(tx, HELD, open_interest=units, amendment=1)
    amount = {"kind": Kind.ESCROW.value, "owner": HELD, "currency": play_currency(1), "amount": UNIT_MILLS * units}
    await tx.execute(insert(tables.balances), [amount])


async def _raise_version(tx: Tx, contract: int, **values: int) -> None:
    """What is remembered of it is of no use any more."""
    row = update(tables.contracts).where(tables.contracts.c.id == contract)
    await tx.execute(row.values(version=tables.contracts.c.version + 1, **values))


async def _settle(db: Database) -> float:
    """Seconds for paying out all holders in the one transaction that does it."""
    started = time.perf_counter()
    async with db.transaction() as tx:
        locked = await lock_market(tx, {HELD}, cause="bench", now=NOW, everyone=True)
        await pay_out(locked, HELD, Outcome.FIXED)
    return time.perf_counter() - started
