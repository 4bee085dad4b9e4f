"""A database of the release before law 2: what was paid in is counted, law 1 pays as it did, what is new is law 2.

`old_0006.sql` was written by that release itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text

from app.market.terms.contract import Outcome, Side, Status
from app.services.audit.audit import audit
from app.storage.engine import tables
from app.storage.engine.db import Database, Tx, migrate
from app.storage.market import stakes
from tests.clocks import FakeClock
from tests.databases import apart
from tests.services.desk import BY, DAY, Desk
from tests.services.lives import closed, notices

OLD = Path(__file__).with_name("old_0006.sql")
STOPPED_AT = 1_768_874_400
"""The old release's last instant: an hour after the close of c1, which nobody with rights stood behind."""

CLOSED_AT = STOPPED_AT - 3_600
DISPUTED, SETTLED, PAIRS, POOLED = 1, 2, 3, 4
MOST_DAYS = 40

PAID_IN = {
    (DISPUTED, 1): 160_000,
    (DISPUTED, 2): 40_000 - 60_000,
    (DISPUTED, 3): 60_000,
    (DISPUTED, 5): 99_000,
    (DISPUTED, 6): 1_000,
}
"""Beth bought 200 FIXED at 0.20 and sold 150 at 0.40; users 5 and 6 traded 100 with each other at 0.99."""

PAID_BY_LAW_1 = {
    1: [160_000, 160_000],
    2: [10_000, 10_000],
    3: [30_000, 60_000],
    5: [20_000, 99_000],
    6: [80_000, 1_000],
}
"""What the old release paid when it went on from here, and what the units had cost."""


@pytest.fixture
async def old(empty_database_url: str) -> AsyncIterator[Desk]:
    apart(lambda: migrate(empty_database_url, "0006"))
    db = Database(empty_database_url)
    async with db.transaction() as tx:
        for line in OLD.read_text().splitlines():
            if not line.startswith("--"):
                await tx.exec_driver_sql(line)
        if tx.dialect.name == "postgresql":
            await _draw_on(tx)
    await db.close()
    apart(lambda: migrate(empty_database_url))
    desk = Desk(Database(empty_database_url), FakeClock(STOPPED_AT))
    desk.commands = 100
    yield desk
    await desk.db.close()


async def _draw_on(tx: Tx) -> None:
    """Rows that bring their numbers along leave the sequences where they were; newer tables are not there yet."""
    there: set[str] = set(await tx.run_sync(lambda connection: inspect(connection).get_table_names()))
    for table in tables.metadata.tables.values():
        column = table.autoincrement_column
        if column is None or table.name not in there:
            continue
        found = select(text("pg_get_serial_sequence(:table, :column)"))
        name = (await tx.execute(found, {"table": table.name, "column": column.name})).scalar()
        if name:
            last = f"SELECT setval('{name}', (SELECT coalesce(max({column.name}), 1) FROM {table.name}))"
            await tx.execute(text(last))


async def paid_in(desk: Desk) -> dict[tuple[int, int], int]:
    async with desk.db.reading() as tx:
        rows = await tx.execute(select(tables.net_paid).where(tables.net_paid.c.mills != 0))
        return {(row.contract_id, row.user_id): row.mills for row in rows}


async def test_what_was_paid_in_is_counted_and_told(old: Desk) -> None:
    found = await paid_in(old)
    assert {key: mills for key, mills in found.items() if key[0] == DISPUTED} == PAID_IN
    assert {key[0] for key in found} == {DISPUTED, PAIRS, POOLED}
    async with old.db.reading() as tx:
        held = await stakes.stakes(tx, [PAIRS, POOLED])
    sums = {number: sum(mills for key, mills in found.items() if key[0] == number) for number in (PAIRS, POOLED)}
    assert sums == {
        number: 1_000 * sum(stake.fixed for stake in of_users.values()) for number, of_users in held.items()
    }
    assert (held[PAIRS][6].pairs, found[PAIRS, 6]) == (5, 40 * 400 + 15 * 700 - 10_000)
    assert found[PAIRS, 4] == 10 * 350 + 10 * 590 - 10_000
    assert found[POOLED, 1] == 30 * 90
    report = await audit(old.db)
    assert report.problems == []


@pytest.mark.parametrize("change", ["mills = mills + 1", "user_id = 4", "contract_id = 2"])
async def test_what_was_counted_is_held_to(old: Desk, change: str) -> None:
    async with old.db.transaction() as tx:
        await tx.execute(text(f"UPDATE net_paid SET {change} WHERE contract_id = 1 AND user_id = 2"))
    problems = (await audit(old.db)).problems
    assert any(problem.startswith("net paid of user 2 in c1") for problem in problems), problems


async def test_a_disputed_contract_of_law_1_is_paid_by_law_1(old: Desk) -> None:
    row = await old.contract(DISPUTED)
    assert (row.terms.law, row.status, row.verdict, row.backed) == ("1", Status.HALTED, Outcome.FIXED, False)
    old.oracle.facts = closed(CLOSED_AT, rights=False)
    for _ in range(MOST_DAYS):
        old.clock.advance(DAY)
        if (row := await old.look(DISPUTED)).status is Status.SETTLED:
            break
    assert row.outcome is Outcome.VOID
    settled = next(body for body in await notices(old) if body["notice"] == "settled" and body["contract"] == DISPUTED)
    assert {user: [paid, cost] for user, paid, cost, _ in settled["payouts"]} == PAID_BY_LAW_1
    assert not [key for key in await paid_in(old) if key[0] == DISPUTED]


async def test_a_contract_of_law_1_trades_on(old: Desk) -> None:
    found = await paid_in(old)
    await old.sell(3, Side.FIXED, 5, 450, by_at=BY, issue=102)
    await old.offer(2, "buy fixed 5 at 450", issue=102)
    now = await paid_in(old)
    assert now[PAIRS, 2] == 5 * 450
    assert now[PAIRS, 3] == found[PAIRS, 3] - 5 * 450
    assert (await old.contract(PAIRS)).terms.law == "1"


async def test_new_contracts_are_made_under_law_2(old: Desk) -> None:
    made = await old.offer(4, "buy unfixed 20 at 700", BY + 9 * DAY, issue=102)
    assert made.made
    row = await old.contract(made.contract.id)
    assert '"law":"2"' in row.terms_text
    await old.offer(2, "buy fixed 20 at 300", BY + 9 * DAY, issue=102)
    assert (await paid_in(old))[row.id, 4] == 14_000
