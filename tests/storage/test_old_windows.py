"""Databases from before last answers were remembered: a window that runs over maturation is looked at there, too."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.storage.engine.db import Database, migrate
from tests.databases import apart
from tests.storage.test_old_tellings import CONTRACT, PLACES, STATEMENT, TERMS

HALTED = "UPDATE contracts SET status = :status, halted_at = :halted_at, next_look_at = :next_look_at WHERE id = 1"


@pytest.mark.parametrize(
    ("status", "halted_at", "next_look_at", "found"),
    [
        ("HALTED", 900, 1_200, 1_000),
        ("HALTED", 900, 950, 950),
        ("HALTED", 1_000, 1_200, 1_200),
        ("OPEN", None, 1_000, 1_000),
        ("SETTLED", 900, None, None),
    ],
)
async def test_the_next_look_is_at_maturation(
    empty_database_url: str, status: str, halted_at: int | None, next_look_at: int | None, found: int | None
) -> None:
    apart(lambda: migrate(empty_database_url, "0003"))
    db = Database(empty_database_url)
    made = {"statement": STATEMENT, "statement_hash": "s", "terms": TERMS, "terms_hash": "t", "amendment": 0}
    async with db.transaction() as tx:
        for statement in PLACES:
            await tx.execute(text(statement))
        await tx.execute(text(CONTRACT), {"id": 1, "by": 1_000, **made})
        await tx.execute(text(HALTED), {"status": status, "halted_at": halted_at, "next_look_at": next_look_at})
    await db.close()
    apart(lambda: migrate(empty_database_url))
    db = Database(empty_database_url)
    async with db.reading() as tx:
        assert (await tx.execute(text("SELECT next_look_at FROM contracts"))).scalar_one() == found
        assert list(await tx.execute(text("SELECT * FROM last_known"))) == []
    await db.close()
