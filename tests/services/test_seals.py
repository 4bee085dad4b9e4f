"""Seals: an unbroken chain over several runs, also over entries that commit later than their number says."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from app.market.journal import GENESIS_SEAL, AccountKey, Entry, Kind, entry, entry_hash, seal_hash
from app.services import seals as sealing
from app.services.audit import audit
from app.storage import journal, seals, tables
from app.storage.db import Database
from tests.services.desk import Desk


def gift(number: int, user: int = 1) -> Entry:
    currency = f"play:{user}"
    moves = {AccountKey(Kind.ISSUANCE, user, currency): -5, AccountKey(Kind.FREE, user, currency): 5}
    return entry(f"gift:{number}", "test", number, moves)


async def append(db: Database, *numbers: int) -> None:
    async with db.transaction() as tx:
        await journal.append(tx, [gift(number) for number in numbers])


async def seal(db: Database, now: int = 100) -> bool:
    async with db.transaction() as tx:
        return await sealing.seal(tx, now)


async def sealed(db: Database) -> list[tuple[str, int | None]]:
    async with db.reading() as tx:
        return [(stored.entry.key, stored.seal) async for stored in seals.all_entries(tx)]


async def test_the_chain_is_made_of_the_entries_hashes(db: Database) -> None:
    await append(db, 1, 2)
    assert not await seal(db)
    await append(db, 3)
    await seal(db, 107)
    async with db.reading() as tx:
        rows = [tuple(row) for row in await tx.execute(select(tables.seals).order_by(tables.seals.c.number))]
    first = seal_hash(GENESIS_SEAL, [entry_hash(gift(1)), entry_hash(gift(2))])
    assert rows == [(1, first, 2, 100), (2, seal_hash(first, [entry_hash(gift(3))]), 1, 107)]
    assert await sealed(db) == [("gift:1", 1), ("gift:2", 1), ("gift:3", 2)]


async def test_without_entries_no_seal(db: Database) -> None:
    assert not await seal(db)
    await append(db, 1)
    await seal(db)
    assert not await seal(db)
    report = await audit(db)
    assert (report.seals, report.unsealed, report.problems) == (1, 0, [])


async def test_a_long_tail_is_closed_in_runs(db: Database) -> None:
    await append(db, *range(seals.RUN * 2 + 10))
    assert await seal(db)
    assert await seal(db)
    assert not await seal(db)
    report = await audit(db)
    assert (report.seals, report.unsealed, report.entries, report.problems) == (3, 0, 2 * seals.RUN + 10, [])


async def test_the_tail_is_counted(desk: Desk) -> None:
    await seal(desk.db)
    await desk.offer(1, "buy fixed 10 at 300")
    await desk.offer(2, "buy unfixed 10 at 700")
    report = await desk.check()
    assert (report.seals, report.unsealed, report.entries) == (1, 2, 6)


async def test_what_commits_late_is_sealed_later(postgres_url: str) -> None:
    """The entry with the lower number is still under way when the higher one is sealed."""
    db = Database(postgres_url)
    async with db.transaction() as slow:
        await journal.append(slow, [gift(1, user=1)])
        async with db.transaction() as fast:
            await journal.append(fast, [gift(2, user=2)])
        await seal(db)
        assert await sealed(db) == [("gift:2", 1)]
    await seal(db)
    assert await sealed(db) == [("gift:2", 1), ("gift:1", 2)]
    async with db.reading() as tx:
        ids = [stored.id async for stored in seals.all_entries(tx)]
    assert ids == sorted(ids, reverse=True)
    report = await audit(db)
    assert (report.seals, report.problems) == (2, [])
    await db.close()


async def test_sealers_and_writers_at_once(db: Database) -> None:
    async def write(user: int) -> None:
        for number in range(10):
            async with db.transaction() as tx:
                await journal.append(tx, [gift(100 * user + number, user)])

    async def seal_often() -> None:
        for _ in range(10):
            await seal(db)

    await asyncio.gather(*(write(user) for user in range(1, 5)), *(seal_often() for _ in range(3)))
    await seal(db)
    report = await audit(db)
    assert (report.entries, report.unsealed, report.problems) == (40, 0, [])
    assert report.seals > 1
