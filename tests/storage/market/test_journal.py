"""The journal: an entry is made once, balances follow it, and the tables refuse what must not be."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.market.ledger.journal import AccountKey, Entry, Kind, Posting, entry
from app.storage.engine import tables
from app.storage.engine.db import Database
from app.storage.market import journal

TOKENS = "play:7"
GRANT = entry(
    "grant:1",
    "comment:1",
    5,
    {AccountKey(Kind.ISSUANCE, 0, TOKENS): -900, AccountKey(Kind.FREE, 1, TOKENS): 900},
)
UNITS = entry(
    "fill:1:1",
    "command:1",
    6,
    {
        AccountKey(Kind.FREE, 1, TOKENS): -400,
        AccountKey(Kind.ESCROW, 1, TOKENS): 400,
        AccountKey(Kind.UNITS_ISSUED, 1, "FIXED:1"): -2,
        AccountKey(Kind.UNITS_FREE, 1, "FIXED:1"): 2,
    },
)


def pay(key: str, mills: int) -> Entry:
    return entry(
        key, "command:2", 7, {AccountKey(Kind.FREE, 1, TOKENS): -mills, AccountKey(Kind.RESERVE, 1, TOKENS): mills}
    )


async def append(db: Database, *items: Entry) -> None:
    async with db.transaction() as tx:
        await journal.append(tx, items)


async def stored(db: Database) -> list[list[tuple[Any, ...]]]:
    async with db.reading() as tx:
        return [
            [tuple(row) for row in await tx.execute(select(table).order_by(*table.primary_key))]
            for table in (tables.entries, tables.postings, tables.balances)
        ]


async def free(db: Database) -> int:
    async with db.reading() as tx:
        return await journal.balance(tx, Kind.FREE, 1, TOKENS)


async def test_entries_keep_their_order_and_postings_theirs(db: Database) -> None:
    await append(db, GRANT, pay("offer:1", 300), UNITS)
    entries, postings, balances = await stored(db)
    assert [row[1:] for row in entries] == [
        ("grant:1", "comment:1", 5, ""),
        ("offer:1", "command:2", 7, ""),
        ("fill:1:1", "command:1", 6, ""),
    ]
    lines = [posting for item in (GRANT, pay("offer:1", 300), UNITS) for posting in item.postings]
    assert [Posting(Kind(row[2]), *row[3:]) for row in postings] == lines
    assert [row[1] for row in postings] == [0, 1, 0, 1, 0, 1, 2, 3]
    assert balances == [
        ("escrow", 1, TOKENS, 400),
        ("free", 1, TOKENS, 200),
        ("issuance", 0, TOKENS, -900),
        ("reserve", 1, TOKENS, 300),
    ]


async def test_an_entry_is_made_once(db: Database) -> None:
    await append(db, GRANT)
    before = await stored(db)
    with pytest.raises(IntegrityError):
        await append(db, GRANT)
    with pytest.raises(IntegrityError):
        await append(db, pay("offer:1", 1), GRANT)
    with pytest.raises(IntegrityError):
        await append(db, pay("offer:2", 1), pay("offer:2", 1))
    assert await stored(db) == before


@pytest.mark.parametrize("mills", [901, 10**15])
async def test_nobody_spends_what_they_do_not_have(db: Database, mills: int) -> None:
    await append(db, GRANT)
    before = await stored(db)
    with pytest.raises(IntegrityError):
        await append(db, pay("offer:1", mills))
    assert await stored(db) == before
    await append(db, pay("offer:1", 900))
    assert await free(db) == 0


async def test_money_comes_from_issuance_and_never_goes_below_it(db: Database) -> None:
    back = {AccountKey(Kind.ISSUANCE, 0, TOKENS): 901, AccountKey(Kind.FEES, 0, TOKENS): -901}
    with pytest.raises(IntegrityError):
        await append(db, GRANT, entry("back", "operator", 8, back))
    assert await stored(db) == [[], [], []]


@pytest.mark.parametrize(
    "moves",
    [
        {AccountKey(Kind.FREE, 1, TOKENS): 1},
        {AccountKey(Kind.FREE, 1, TOKENS): 5, AccountKey(Kind.ISSUANCE, 0, TOKENS): -4},
        {AccountKey(Kind.FREE, 1, TOKENS): 5, AccountKey(Kind.ISSUANCE, 0, "play:8"): -5},
    ],
)
def test_an_entry_that_does_not_balance_cannot_be_made(moves: dict[AccountKey, int]) -> None:
    with pytest.raises(ValueError, match="does not balance"):
        entry("odd", "nobody", 1, moves)


async def test_an_entry_tells_its_cause_and_amounts(db: Database) -> None:
    await append(db, GRANT, pay("offer:1", 300))
    async with db.reading() as tx:
        assert await journal.cause_of(tx, "grant:1") == "comment:1"
        assert await journal.cause_of(tx, "grant:2") is None
        assert await journal.amount_of(tx, "offer:1", Kind.FREE) == -300
        assert await journal.amount_of(tx, "offer:1", Kind.ESCROW) == 0
        assert await journal.amount_of(tx, "grant:2", Kind.FREE) == 0


async def test_nothing_to_append_is_nothing(db: Database) -> None:
    await append(db)
    assert await stored(db) == [[], [], []]


async def test_great_amounts_are_kept_exactly(db: Database) -> None:
    most = 9 * 10**15
    account = {AccountKey(Kind.ISSUANCE, 0, TOKENS): -most, AccountKey(Kind.FREE, 1, TOKENS): most}
    await append(db, entry("grant:1", "comment:1", 1, account), pay("offer:1", most - 1))
    assert await free(db) == 1
