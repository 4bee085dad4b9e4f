"""The audit against somebody who changes single rows behind its back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Table, select, text
from sqlalchemy.exc import IntegrityError

from app.market.exchange.offer import Action, NewOffer
from app.market.life.facts import IssueFacts
from app.market.terms.contract import Outcome, Side
from app.services.audit import sealing
from app.services.audit.audit import audit
from app.services.rules.config import Config
from app.services.trading import offers
from app.storage.engine import tables
from app.storage.engine.db import Database, Tx
from tests.clocks import FakeClock
from tests.databases import PostgresDatabases, SqliteDatabases, apart
from tests.services.desk import BY, DAY, Desk

FILL = "(SELECT min(id) FROM entries WHERE detail LIKE '%\"fill\"%')"
FREE = "kind = 'free' AND owner = 1"
RESTING = "(SELECT min(id) FROM offers WHERE state = 'LIVE' AND action = 'BUY')"
SELLING = "(SELECT min(id) FROM offers WHERE state = 'LIVE' AND action = 'SELL')"
FILLED = "(SELECT min(id) FROM offers WHERE state = 'DONE' AND filled > 0)"
CUT = "(SELECT min(id) FROM offers WHERE state = 'DONE' AND cancelled > 0)"
HELD = "contract_id = 1 AND user_id = 1 AND side = 'UNFIXED'"
PAID = "contract_id = 1 AND user_id = 1"
SEAL = "(SELECT min(number) + 1 FROM seals)"

FOUND = {
    "posting amount": f"UPDATE postings SET amount = amount + 1 WHERE entry_id = {FILL} AND line = 0",
    "posting owner": f"UPDATE postings SET owner = 3 WHERE entry_id = {FILL} AND line = 0",
    "posting kind": f"UPDATE postings SET kind = 'bond' WHERE entry_id = {FILL} AND line = 0",
    "posting currency": f"UPDATE postings SET currency = 'play:8' WHERE entry_id = {FILL} AND line = 0",
    "posting order": f"UPDATE postings SET line = line + 50 WHERE entry_id = {FILL} AND line = 0",
    "line before the first": f"UPDATE postings SET line = -1 WHERE entry_id = {FILL} AND line = 0",
    "posting deleted": f"DELETE FROM postings WHERE entry_id = {FILL} AND line = 0",
    "all postings deleted": f"DELETE FROM postings WHERE entry_id = {FILL}",
    "posting added": f"INSERT INTO postings VALUES ({FILL}, 90, 'free', 1, 'play:7', 5)",
    "posting moved": f"UPDATE postings SET entry_id = 1, line = 90 WHERE entry_id = {FILL} AND line = 0",
    "balanced postings added": f"INSERT INTO postings VALUES ({FILL}, 90, 'free', 1, 'play:7', 5),"
    f" ({FILL}, 91, 'free', 2, 'play:7', -5)",
    "unsealed posting": "UPDATE postings SET amount = amount + 1 WHERE entry_id = (SELECT max(id) FROM entries)"
    " AND line = 0",
    "entry key": f"UPDATE entries SET key = 'other' WHERE id = {FILL}",
    "entry cause": f"UPDATE entries SET cause = 'other' WHERE id = {FILL}",
    "entry instant": f"UPDATE entries SET at = at + 1 WHERE id = {FILL}",
    "entry added": "INSERT INTO entries (key, cause, at) VALUES ('gift', 'me', 1);"
    "INSERT INTO postings SELECT id, 0, 'free', 1, 'play:7', 5 FROM entries WHERE key = 'gift';"
    "INSERT INTO postings SELECT id, 1, 'issuance', 0, 'play:7', -5 FROM entries WHERE key = 'gift'",
    "entry deleted": f"DELETE FROM sealed_entries WHERE entry_id = {FILL};"
    f"DELETE FROM postings WHERE entry_id = {FILL};"
    "DELETE FROM entries WHERE id NOT IN (SELECT entry_id FROM postings)",
    "balance": f"UPDATE balances SET amount = amount + 1 WHERE {FREE}",
    "balance owner": f"UPDATE balances SET owner = 99 WHERE {FREE}",
    "balance currency": f"UPDATE balances SET currency = 'play:8' WHERE {FREE}",
    "balance kind": f"UPDATE balances SET kind = 'bond' WHERE {FREE}",
    "balance deleted": f"DELETE FROM balances WHERE {FREE}",
    "balance added": "INSERT INTO balances VALUES ('free', 99, 'play:7', 1)",
    "balance below nothing": f"UPDATE balances SET amount = -1 WHERE {FREE}",
    "position free": f"UPDATE positions SET free = free + 1 WHERE {HELD}",
    "position reserved": f"UPDATE positions SET reserved = reserved + 1 WHERE {HELD}",
    "position freed": f"UPDATE positions SET free = free - 1, reserved = reserved + 1 WHERE {HELD}",
    "position cost below nothing": f"UPDATE positions SET cost_mills = -1 WHERE {HELD}",
    "position cost of nothing": "UPDATE positions SET cost_mills = 1 WHERE free + reserved = 0",
    "position user": f"UPDATE positions SET user_id = 4 WHERE {HELD}",
    "position side": f"UPDATE positions SET side = 'FIXED' WHERE {HELD}",
    "position contract": f"UPDATE positions SET contract_id = 2 WHERE {HELD}",
    "position deleted": f"DELETE FROM positions WHERE {HELD}",
    "net paid": f"UPDATE net_paid SET mills = mills + 1 WHERE {PAID}",
    "net paid user": f"UPDATE net_paid SET user_id = 4 WHERE {PAID}",
    "net paid contract": f"UPDATE net_paid SET contract_id = 3 WHERE {PAID}",
    "net paid moved": "UPDATE net_paid SET mills = mills + (CASE user_id WHEN 1 THEN 500 ELSE -500 END)"
    " WHERE contract_id = 1 AND user_id IN (1, 3)",
    "net paid deleted": f"DELETE FROM net_paid WHERE {PAID}",
    "net paid added": "INSERT INTO net_paid VALUES (1, 4, 5)",
    "offer volume": f"UPDATE offers SET volume = volume + 1 WHERE id = {FILLED}",
    "offer filled": f"UPDATE offers SET filled = filled + 1 WHERE id = {FILLED}",
    "offer cancelled": f"UPDATE offers SET cancelled = cancelled + 1 WHERE id = {CUT}",
    "offer money part": f"UPDATE offers SET cash_left = cash_left - 1 WHERE id = {RESTING}",
    "offer units part": f"UPDATE offers SET units_left = units_left - 1 WHERE id = {SELLING}",
    "offer money part, cancelled": f"UPDATE offers SET cash_left = cash_left - 1, cancelled = 1 WHERE id = {RESTING}",
    "offer units part, cancelled": f"UPDATE offers SET units_left = units_left - 1, cancelled = 1 WHERE id = {SELLING}",
    "offer parts swapped": f"UPDATE offers SET cash_left = 0, units_left = cash_left WHERE id = {RESTING}",
    "offer live, marked done": f"UPDATE offers SET state = 'DONE' WHERE id = {RESTING}",
    "offer done, marked live": f"UPDATE offers SET state = 'LIVE' WHERE id = {FILLED}",
    "offer price": f"UPDATE offers SET price = price + 1 WHERE id = {RESTING}",
    "offer price, selling": f"UPDATE offers SET price = price + 1 WHERE id = {SELLING}",
    "offer user": f"UPDATE offers SET user_id = 5 - user_id WHERE id = {RESTING}",
    "offer user, selling": f"UPDATE offers SET user_id = 4 WHERE id = {SELLING}",
    "offer side": f"UPDATE offers SET side = 'UNFIXED' WHERE id = {SELLING}",
    "offer action": f"UPDATE offers SET action = 'BUY' WHERE id = {SELLING}",
    "offer contract": f"UPDATE offers SET contract_id = 2 WHERE id = {SELLING}",
    "offer deleted": f"DELETE FROM offers WHERE id = {RESTING}",
    "seal hash": f"UPDATE seals SET hash = '{'f' * 64}' WHERE number = {SEAL}",
    "bond without money": "INSERT INTO disputes (contract_id, cause, window_opened_at, user_id, verdict,"
    " bond_mills, reason, at, state) VALUES (1, 'closed', 1, 1, 'FIXED', 5, 'x', 1, 'open')",
    "last seal hash": f"UPDATE seals SET hash = '{'f' * 64}' WHERE number = (SELECT max(number) FROM seals)",
    "seal count": f"UPDATE seals SET entries = entries + 1 WHERE number = {SEAL}",
    "seal added": "INSERT INTO seals VALUES (90, 'abc', 0, 0)",
    "sealed entry hash": f"UPDATE sealed_entries SET hash = '{'f' * 64}' WHERE entry_id = {FILL}",
    "sealed entry moved": "UPDATE sealed_entries SET seal = seal + 1 WHERE entry_id = 1",
    "sealed entry deleted": f"DELETE FROM sealed_entries WHERE entry_id = {FILL}",
    "sealed entries of a seal deleted": f"DELETE FROM sealed_entries WHERE seal = {SEAL}",
    "open interest": "UPDATE contracts SET open_interest = open_interest + 1 WHERE id = 1",
    "minted too much": "UPDATE contracts SET minted_mills = 1000 * open_interest + 1 WHERE id = 1",
    "contract currency": "UPDATE contracts SET currency = 'play:8' WHERE id = 1",
    "contract marked settled": "UPDATE contracts SET status = 'SETTLED' WHERE id = 1",
    "offer filled, cancelled": f"UPDATE offers SET filled = filled + 1, cancelled = cancelled - 1 WHERE id = {CUT}",
    "offer volume, filled": f"UPDATE offers SET filled = filled + 1, volume = volume + 1 WHERE id = {FILLED}",
    "offer user, filled": f"UPDATE offers SET user_id = 4 WHERE id = {FILLED}",
    "offer side, filled": f"UPDATE offers SET side = 'FIXED' WHERE id = {FILLED}",
    "offer action, filled": f"UPDATE offers SET action = 'SELL' WHERE id = {FILLED}",
    "offer price, filled": f"UPDATE offers SET price = 1 WHERE id = {FILLED}",
    "offer contract, filled": f"UPDATE offers SET contract_id = 3 WHERE id = {FILLED}",
    "offer deleted, filled": f"DELETE FROM offers WHERE id = {FILLED}",
    "fill volume": "UPDATE fills SET volume = volume + 1 WHERE contract_id = 1 AND amendment = 1",
    "fill price": "UPDATE fills SET price = price + 1 WHERE contract_id = 1 AND amendment = 1",
    "fill bid": "UPDATE fills SET bid = bid + 1 WHERE contract_id = 1 AND amendment = 1",
    "fill ask": "UPDATE fills SET ask = ask + 2 WHERE contract_id = 1 AND amendment = 1",
    "fill buyer": "UPDATE fills SET buyer = 4 WHERE contract_id = 1 AND amendment = 1",
    "fill seller": "UPDATE fills SET seller = 4 WHERE contract_id = 1 AND amendment = 1",
    "fill newcomer": "UPDATE fills SET newcomer = 4 WHERE contract_id = 1 AND amendment = 1",
    "fill at": "UPDATE fills SET at = at + 1 WHERE contract_id = 1 AND amendment = 1",
    "fill number": "UPDATE fills SET amendment = 90 WHERE contract_id = 1 AND amendment = 1",
    "fill deleted": "DELETE FROM fills WHERE contract_id = 1 AND amendment = 1",
    "amendment at": "UPDATE amendments SET at = at - 1 WHERE contract_id = 1 AND number = 1",
    "amendment deleted": "DELETE FROM amendments WHERE contract_id = 1 AND number = 1",
    "minted": "UPDATE contracts SET minted_mills = minted_mills + 1 WHERE id = 1",
    "contract amendment": "UPDATE contracts SET amendment = amendment + 1 WHERE id = 1",
    "contract settled, marked open": "UPDATE contracts SET status = 'OPEN' WHERE id = 2",
    "contract terms": "UPDATE contracts SET terms_text = '{}' WHERE id = 1",
    "contract terms hash": "UPDATE contracts SET terms_hash = 'x' WHERE id = 1",
    "contract statement": "UPDATE contracts SET statement_text = '{}' WHERE id = 1",
}
"""What is done, as SQL; each alone must be found."""

UNTOLD = {
    "amendments": {"reason"},
    "contracts": {
        "halted_at",
        "halt_reason",
        "halt_event_at",
        "maintainer_halt",
        "window_opened_at",
        "window_ends_at",
        "next_look_at",
        "verdict",
        "backed",
        "by_pull",
        "ruling",
        "ruling_price",
        "ended_round",
        "retry_due",
        "looks",
        "version",
        "announced_at",
        "window_planned_at",
        "unanswered_at",
        "unanswered_days",
        "unanswered_day_at",
        "idle_at",
        "made_by",
    },
}
"""How far a verdict has got: looked up anew, on GitHub or in disputes, and no money moved before it is given."""

UNSEALED = {"entries": {"key", "cause", "at"}}
"""What only the seal of an entry can gainsay."""

WORDS = (
    ("LIVE", "SUSPENDED", "DONE"),
    ("OPEN", "HALTED", "SETTLED"),
    ("FIXED", "UNFIXED", "VOID"),
    ("BUY", "SELL"),
    ("expand", "transfer", "reduce"),
    ("fill", "redeem", "halt", "resume", "settlement"),
    ("free", "reserve", "fees", "bond"),
)
"""Words of which one may stand in the place of another."""

ROWS = {
    tables.entries: "entry {id} |entry {id},",
    tables.postings: "entry {entry_id} |{kind}:{owner} ({currency})",
    tables.sealed_entries: "entry {entry_id} |seal {seal} ",
    tables.seals: "seal {number} ",
    tables.offers: "offer o{id}:|offer o{id} ",
    tables.fills: "fill {amendment} of c{contract_id}",
    tables.amendments: "amendment {number} of c{contract_id}",
    tables.positions: "position of user {user_id} in c{contract_id} {side}",
    tables.net_paid: "net paid of user {user_id} in c{contract_id}",
    tables.contracts: "contract c{id}:|contract c{id} |of c{id},",
    tables.pools: "pool of user {user_id} in {currency}",
    tables.grants: "grant of user {user_id} in {currency}",
    tables.balances: "{kind}:{owner} ({currency})",
}
"""How the audit names a row of each table in which money is written down."""


class Tampered(Database):
    """A database in which whoever reads finds something changed; nothing of it stays."""

    statements = ""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        async with self.engine.connect() as tx:
            if tx.dialect.name == "sqlite":
                await tx.execute(text("PRAGMA ignore_check_constraints = ON"))
                await tx.execute(text("PRAGMA defer_foreign_keys = ON"))
            changed = 0
            for statement in filter(None, self.statements.split(";")):
                changed += (await tx.execute(text(statement))).rowcount
            assert changed, self.statements
            yield tx
            await tx.rollback()


async def loosen(db: Database) -> None:
    """Take the tables' own checks away: the audit must not lean on them. SQLite is told not to look at them."""
    if db.engine.dialect.name == "sqlite":
        return
    async with db.transaction() as tx:
        found = await tx.execute(
            text("SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype IN ('c', 'f') AND conrelid <> 0")
        )
        for table, constraint in [(str(row[0]), row[1]) for row in found]:
            await tx.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"'))


async def furnish(url: str) -> None:
    """Three contracts, one of them settled, with every kind of offer and entry; three seals and a tail."""
    desk = Desk(Database(url), FakeClock(), Config(fee_bps=250, dispute_window_seconds=3_600))
    await desk.furnish()
    await seal(desk)
    await desk.offer(1, "buy unfixed 200 at 800")
    await desk.offer(2, "buy fixed 200 at 200")
    await desk.sell(2, Side.FIXED, 150, 400)
    await desk.offer(3, "buy fixed 100 at 400")
    await desk.offer(3, "buy fixed 30 at 350 now")
    await seal(desk)
    await desk.offer(4, "buy fixed 40 at 300")
    await desk.offer(4, "buy unfixed 20 at 550")
    await desk.offer(4, "buy fixed 20 at 290", until_at=desk.clock.now() + 60)
    await desk.offer(3, "buy unfixed 60 at 450", by_at=BY - DAY)
    await desk.offer(2, "buy fixed 60 at 550", by_at=BY - DAY)
    await desk.offer(1, "buy unfixed 11 at 333", by_at=BY + DAY)
    desk.clock.advance(60)
    await desk.sweep(1)
    await desk.cancel(1)
    desk.oracle.facts = IssueFacts(closed=False, completed=False)
    desk.clock.set(BY - DAY)
    await desk.look(2)
    desk.clock.advance(3_600)
    assert (await desk.look(2)).outcome is Outcome.UNFIXED
    await pool(desk)
    await seal(desk)
    await desk.offer(4, "buy fixed 12 at 310", BY)
    await loosen(desk.db)
    await desk.db.close()


async def pool(desk: Desk) -> None:
    """Three pooled offers: one fills in part, one stays, one is suspended; beside them offers on conditions."""
    conditions = (
        (3, BY + DAY, NewOffer(Action.BUY, Side.FIXED, 50, 100, pool=True)),
        (3, BY + 2 * DAY, NewOffer(Action.BUY, Side.FIXED, 20, 90, pool=True)),
        (3, BY + 2 * DAY, NewOffer(Action.BUY, Side.FIXED, 60, 100, pool=True)),
        (2, BY + 2 * DAY, NewOffer(Action.BUY, Side.FIXED, 500, 50, all_or_none=True)),
        (1, BY + 2 * DAY, NewOffer(Action.BUY, Side.UNFIXED, 10, 300, post_only=True, cancel_on_halt=True)),
        (2, BY + DAY, NewOffer(Action.BUY, Side.UNFIXED, 20, 900)),
    )
    for user, by_at, new in conditions:
        context = desk.context(user)
        await desk.run(partial(offers.offer, context=context, new=new, by_at=by_at))


async def seal(desk: Desk) -> None:
    async with desk.db.transaction() as tx:
        assert not await sealing.seal(tx, desk.clock.now())


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def furnished_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One database for all the tampering, which is undone each time."""
    databases = request.getfixturevalue(f"{request.param}_databases")
    assert isinstance(databases, SqliteDatabases | PostgresDatabases)
    with databases.migrated(tmp_path_factory.mktemp("tampering")) as url:
        apart(lambda: asyncio.run(furnish(url)))
        yield url


@pytest.fixture
async def tampered(furnished_url: str) -> AsyncIterator[Tampered]:
    db = Tampered(furnished_url)
    yield db
    await db.close()


async def test_the_sound_database_is_sound(furnished_url: str) -> None:
    db = Database(furnished_url)
    report = await audit(db)
    await db.close()
    assert report.problems == []
    assert (report.seals, report.unsealed, report.contracts) == (3, 1, 4)
    assert report.entries > 15
    assert report.postings > 50
    assert report.positions > 4
    assert report.offers > 10


async def problems(tampered: Tampered, statements: str) -> list[str]:
    tampered.statements = statements
    return (await audit(tampered)).problems


async def test_every_change_is_found(tampered: Tampered) -> None:
    assert [what for what, statements in FOUND.items() if not await problems(tampered, statements)] == []


async def test_a_changed_entry_is_named(tampered: Tampered) -> None:
    async with tampered.engine.connect() as tx:
        number, key = (await tx.execute(text(f"SELECT id, key FROM entries WHERE id = {FILL}"))).one()
    changed = [what for what in FOUND if what.startswith(("posting", "entry key", "entry cause", "entry instant"))]
    assert len(changed) == 11
    for what in changed:
        name = f"entry {number} ({'other' if what == 'entry key' else key}) is not what seal 2 closed"
        assert name in await problems(tampered, FOUND[what]), what


Row = dict[str, Any]


async def some(tampered: Tampered, table: Table, column: str = "") -> list[Row]:
    """A few rows of the table: the first, the last, and one between."""
    tampered.statements = ""
    async with tampered.engine.connect() as tx:
        found = [dict(row._mapping) for row in await tx.execute(select(table).order_by(*table.primary_key))]
        sealed = set((await tx.execute(select(tables.sealed_entries.c.entry_id))).scalars())
    if table is tables.balances:
        found = [row for row in found if row["amount"]]  # nothing may be there or not
    if column in UNSEALED.get(table.name, ()):
        found = [row for row in found if row["id"] in sealed]
    assert found, table.name
    return [found[0], found[len(found) // 2], found[-1]]


def others(value: Any) -> list[Any]:
    """What may stand in the place of a value."""
    if value is None:
        return [1]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value + 1_000]
    words = {word for group in WORDS if value in group for word in group} - {value}
    return [*sorted(words)[:1], value[:-1] + "~"]


def where(table: Table, row: Row) -> str:
    return " AND ".join(f"{column.name} = {literal(row[column.name])}" for column in table.primary_key)


def literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace(":", "\\:") + "'"
    return "NULL" if value is None else str(value)


def named(table: Table, row: Row, found: list[str]) -> bool:
    names = [name.format(**row) for name in ROWS[table].split("|")]
    return any(name in problem + " " for name in names for problem in found)


@pytest.mark.parametrize("table", ROWS, ids=lambda table: table.name)
async def test_each_column_of_each_row_is_watched(tampered: Tampered, table: Table) -> None:
    """One value of one row is changed; the audit names the row."""
    missed = []
    for column in table.columns:
        if column.name in UNTOLD.get(table.name, ()):
            continue
        for row in await some(tampered, table, column.name):
            for other in others(row[column.name]):
                change = f"UPDATE {table.name} SET {column.name} = {literal(other)} WHERE {where(table, row)}"
                with suppress(IntegrityError):  # a key that is taken cannot be taken again
                    found = await problems(tampered, change)
                    if not named(table, row, found) and not named(table, row | {column.name: other}, found):
                        missed.append((change, found[:3]))
    assert not missed, "\n".join(map(str, missed))


@pytest.mark.parametrize("table", ROWS, ids=lambda table: table.name)
async def test_a_row_that_is_gone_is_missed(tampered: Tampered, table: Table) -> None:
    missed = []
    for row in await some(tampered, table):
        change = f"DELETE FROM {table.name} WHERE {where(table, row)}"
        found = await problems(tampered, change)
        if not named(table, row, found):
            missed.append((change, found[:3]))
    assert not missed, "\n".join(map(str, missed))


@pytest.mark.parametrize("table", ROWS, ids=lambda table: table.name)
async def test_a_row_that_is_one_too_many_is_seen(tampered: Tampered, table: Table) -> None:
    """A copy under another key. An account or a pool without money is nothing."""
    missed = []
    key = list(table.primary_key)[-1].name
    for row in await some(tampered, table):
        added = row | {key: row[key] + 1_000 if isinstance(row[key], int) else "play:9"}
        added |= {"key": "other", "detail": ""} if table is tables.entries else {}
        added |= {"maturation_at": 1} if table is tables.contracts else {}
        values = ", ".join(literal(value) for value in added.values())
        change = f"INSERT INTO {table.name} ({', '.join(added)}) VALUES ({values})"
        found = await problems(tampered, change)
        if not named(table, added, found):
            missed.append((change, found[:3]))
    assert not missed, "\n".join(map(str, missed))
