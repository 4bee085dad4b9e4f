"""Seals: an unbroken chain over several runs, also over entries that commit later than their number says."""

from __future__ import annotations

import asyncio

from sqlalchemy import insert, select, update

from app.market.ledger.journal import GENESIS_SEAL, AccountKey, Entry, Kind, dated_seal, entry, entry_hash, seal_hash
from app.services.audit import sealing
from app.services.audit.audit import audit
from app.storage.engine import tables
from app.storage.engine.db import Database
from app.storage.market import journal
from app.storage.proof import seals
from app.storage.proof.seals import HIGHEST
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
    """Keys and seals, in the order in which the seals close them."""
    async with db.reading() as tx:
        found = [item async for page in seals.all_entries(tx) for item in page]
    by_seal = sorted(found, key=lambda item: (item.seal or HIGHEST, item.id))
    return [(item.key, item.seal) for item in by_seal]


async def test_the_chain_is_made_of_the_entries_hashes(db: Database) -> None:
    await append(db, 1, 2)
    assert not await seal(db)
    await append(db, 3)
    await seal(db, 107)
    async with db.reading() as tx:
        rows = [tuple(row) for row in await tx.execute(select(tables.seals).order_by(tables.seals.c.number))]
    first = dated_seal(seal_hash(GENESIS_SEAL, [entry_hash(gift(1)), entry_hash(gift(2))]), 100)
    second = dated_seal(seal_hash(first, [entry_hash(gift(3))]), 107)
    assert rows == [(1, first, 2, 100), (2, second, 1, 107)]
    assert await sealed(db) == [("gift:1", 1), ("gift:2", 1), ("gift:3", 2)]


async def made_before(db: Database, number: int) -> None:
    """A seal as it was made when it did not close over its instant."""
    async with db.transaction() as tx:
        (run,) = await seals.unsealed(tx)
        previous = await seals.last_seal(tx)
        found = entry_hash(run.entry)
        undated = seal_hash(previous.hash if previous else GENESIS_SEAL, [found])
        await tx.execute(insert(tables.seals).values(number=number, hash=undated, entries=1, at=50))
        await tx.execute(insert(tables.sealed_entries).values(entry_id=run.id, seal=number, hash=found))


async def test_seals_from_before_they_were_dated_hold(db: Database) -> None:
    for number in (1, 2):
        await append(db, number)
        await made_before(db, number)
    await append(db, 3)
    await seal(db)
    assert (await audit(db)).problems == []
    async with db.transaction() as tx:
        await tx.execute(update(tables.seals).where(tables.seals.c.number == 3).values(at=99))
    assert (await audit(db)).problems == ["seal 3 is broken: its hash is not that of its entries and its instant"]


async def test_once_seals_are_dated_none_goes_without(db: Database) -> None:
    await append(db, 1)
    await seal(db)
    await append(db, 2)
    await made_before(db, 2)
    assert (await audit(db)).problems == ["seal 2 is broken: its hash is not that of its entries and its instant"]


async def test_an_old_tail_says_that_nobody_seals(db: Database) -> None:
    await append(db, 40)
    assert (await audit(db, now=100)).problems == []
    assert (await audit(db, now=101)).problems == ["entry 1 (gift:40) has waited 61 s for its seal: does a worker run?"]


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
    await write(5)
    await seal(db)
    report = await audit(db)
    assert (report.entries, report.unsealed, report.problems) == (50, 0, [])
    assert report.seals >= 1
