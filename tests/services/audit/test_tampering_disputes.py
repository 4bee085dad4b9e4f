"""The audit against somebody who changes single rows of disputes, and of those who joined them, behind its back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import IntegrityError

from app.services.audit import sealing
from app.services.audit.audit import audit
from app.storage.engine import tables
from app.storage.engine.db import Database
from tests.clocks import FakeClock
from tests.databases import PostgresDatabases, SqliteDatabases, apart
from tests.services.audit.test_tampering import Tampered, literal, loosen, others, problems, where
from tests.services.desk import Desk
from tests.services.lives import ADAM, BETH, CHARLES, DEV, base_case, closed_now, dispute

TOLD = {
    tables.joiners: set(tables.joiners.columns.keys()),
    tables.disputes: {"id", "contract_id", "user_id", "bond_mills", "at", "state"},
}
"""Columns that the journal gainsays. What a dispute says decides nothing; its bond and whose that is do."""


async def furnish(url: str) -> None:
    """Two contracts whose verdict is disputed by one and joined by another."""
    desk = Desk(Database(url), FakeClock())
    await desk.furnish()
    for days in (0, 86_400):
        number = await base_case(desk, desk.clock.now() + 30 * 86_400 + days)
        await desk.offer(CHARLES, "buy unfixed 30 at 800", (await desk.contract(number)).maturation_at)
        await desk.offer(DEV, "buy fixed 30 at 200", (await desk.contract(number)).maturation_at)
    await closed_now(desk, 1)
    for contract, users in ((1, (ADAM, CHARLES)), (2, (CHARLES, ADAM))):
        for user in users:
            desk.clock.advance(10)
            await dispute(desk, user, contract)
    async with desk.db.transaction() as tx:
        assert not await sealing.seal(tx, desk.clock.now())
    await loosen(desk.db)
    await desk.db.close()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def disputed_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    databases = request.getfixturevalue(f"{request.param}_databases")
    assert isinstance(databases, SqliteDatabases | PostgresDatabases)
    with databases.migrated(tmp_path_factory.mktemp("disputes")) as url:
        apart(lambda: asyncio.run(furnish(url)))
        yield url


@pytest.fixture
async def tampered(disputed_url: str) -> AsyncIterator[Tampered]:
    db = Tampered(disputed_url)
    yield db
    await db.close()


async def rows_of(tampered: Tampered, table: Table) -> list[dict[str, object]]:
    tampered.statements = ""
    async with tampered.engine.connect() as tx:
        found = [dict(row._mapping) for row in await tx.execute(select(table).order_by(*table.primary_key))]
    assert len(found) == 2
    return found


async def test_disputes_that_others_joined_are_sound(disputed_url: str) -> None:
    db = Database(disputed_url)
    assert (await audit(db)).problems == []
    await db.close()


@pytest.mark.parametrize("table", TOLD, ids=lambda table: table.name)
async def test_each_column_is_watched(tampered: Tampered, table: Table) -> None:
    missed = []
    for column in sorted(TOLD[table]):
        for row in await rows_of(tampered, table):
            values = ["upheld"] if column == "state" else others(row[column])
            values += [ADAM, BETH] if column == "user_id" else []
            values += [1, 2] if column in ("dispute_id", "contract_id") else []
            for other in [value for value in values if value != row[column]]:
                change = f"UPDATE {table.name} SET {column} = {literal(other)} WHERE {where(table, row)}"
                with suppress(IntegrityError):  # a key that is taken cannot be taken again
                    if not await problems(tampered, change):
                        missed.append(change)
    assert not missed


@pytest.mark.parametrize("table", TOLD, ids=lambda table: table.name)
async def test_a_row_that_is_gone_is_missed(tampered: Tampered, table: Table) -> None:
    for row in await rows_of(tampered, table):
        assert await problems(tampered, f"DELETE FROM {table.name} WHERE {where(table, row)}"), row


async def test_a_joiner_too_many_is_seen(tampered: Tampered) -> None:
    for row in await rows_of(tampered, tables.joiners):
        values = ", ".join(literal(value) for value in {**row, "user_id": BETH}.values())
        assert await problems(tampered, f"INSERT INTO joiners ({', '.join(row)}) VALUES ({values})")
