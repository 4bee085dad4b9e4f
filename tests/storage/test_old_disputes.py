"""A dispute of before the upgrade, under law 1: it can be joined, is decided or left, and is paid by its own law."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from app.market.life.facts import ANSWER_SECONDS, IssueFacts
from app.market.terms.contract import Outcome
from app.services.audit.audit import audit
from app.services.rules import config
from app.storage.engine import tables
from app.storage.engine.db import Database, migrate
from tests.clocks import FakeClock
from tests.databases import apart
from tests.services.desk import GRANT_MILLS, Desk
from tests.services.lives import ADAM, BASE_BOND, BETH, CHARLES, DEV, base_case, closed_now, dispute, resolve

MARY = 5
SERIAL = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), (SELECT max(id) FROM {0}))"


async def rows_of(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    async with desk.db.reading() as tx:
        return {
            table.name: [dict(row._mapping) for row in await tx.execute(table.select())]
            for table in tables.metadata.sorted_tables
            if table is not tables.commands
        }


async def as_before(db: Database, rows: dict[str, list[dict[str, Any]]]) -> None:
    """What of these rows a database of that version could hold."""
    async with db.transaction() as tx:
        known = await tx.run_sync(
            lambda sync: {
                name: [column["name"] for column in inspect(sync).get_columns(name)]
                for name in inspect(sync).get_table_names()
            }
        )
        for name in [name for name in rows if name in known and rows[name]]:
            columns = [column for column in known[name] if column in rows[name][0]]
            values = ", ".join(f":{column}" for column in columns)
            added = text(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({values})")
            for row in rows[name]:
                await tx.execute(added, {column: row[column] for column in columns})
            if tx.dialect.name == "postgresql" and name in ("entries", "offers", "contracts", "disputes", "outbox"):
                await tx.execute(text(SERIAL.format(name)))


@pytest.fixture
async def old(
    sqlite_url: str, empty_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[Desk, int]:
    """A close that nobody backs, disputed by Adam; Charles would lose by it, too. Then the upgrade."""
    monkeypatch.setattr(config, "LAW", "1")
    before = Desk(Database(sqlite_url), FakeClock())
    await before.furnish(users=MARY)
    number = await base_case(before)
    await before.offer(CHARLES, "buy unfixed 30 at 800")
    await before.offer(DEV, "buy fixed 30 at 200")
    await closed_now(before, number, rights=False)
    await dispute(before, ADAM)
    rows = await rows_of(before)
    await before.db.close()
    apart(lambda: migrate(empty_database_url, "0006"))
    db = Database(empty_database_url)
    await as_before(db, rows)
    await db.close()
    apart(lambda: migrate(empty_database_url))
    monkeypatch.setattr(config, "LAW", "2")
    after = Desk(Database(empty_database_url), before.clock, oracle=before.oracle, audited=False, commands=100)
    return after, number


async def frees(desk: Desk) -> list[int]:
    return [await desk.free(user) for user in (ADAM, BETH, CHARLES, DEV)]


async def test_unanswered_and_void_its_bonds_come_back(old: tuple[Desk, int]) -> None:
    desk, number = old
    row = await desk.contract(number)
    assert (row.terms.law, row.by_pull) == ("1", False)
    assert (await dispute(desk, CHARLES)).bond_mills == 1_500
    desk.clock.advance(ANSWER_SECONDS)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert await frees(desk) == [GRANT_MILLS] * 4
    await desk.db.close()


async def test_it_is_decided_for_everybody(old: tuple[Desk, int]) -> None:
    desk, number = old
    await dispute(desk, CHARLES)
    found = await resolve(desk, Outcome.VOID, user=MARY)
    assert (found.upheld, found.bonds) == (True, {ADAM: BASE_BOND, CHARLES: 1_500})
    facts = desk.oracle.facts
    assert isinstance(facts, IssueFacts)
    desk.clock.advance(2 * 86_400)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert await frees(desk) == [GRANT_MILLS] * 4
    await desk.db.close()


async def test_a_bond_of_then_is_known_to_the_audit(old: tuple[Desk, int]) -> None:
    desk, number = old
    await dispute(desk, CHARLES)
    await desk.check()
    async with desk.db.transaction() as tx:
        await tx.execute(text(f"UPDATE disputes SET user_id = {BETH} WHERE contract_id = {number}"))
    assert (await audit(desk.db)).problems == ["dispute 1 has a bond that no entry tells of"]
    await desk.db.close()
