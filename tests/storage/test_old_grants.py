"""Grants of before there was a count of what was traded of them: the migration counts it from the journal."""

from __future__ import annotations

from sqlalchemy import text

from app.storage.engine.db import Database, migrate
from tests.databases import apart

ROWS = (
    "INSERT INTO users (id, login, created_at) VALUES (1, 'ann', 0), (2, 'ben', 0), (3, 'cid', 0), (4, 'dan', 0)",
    "INSERT INTO entries (key, cause, at) VALUES ('grant:play:7:1', 'c', 0), ('grant:play:7:2', 'c', 0), "
    "('grant:play:7:3', 'c', 0), ('fill:1:1', 'c', 0), ('fill:1:2', 'c', 0), ('place:9', 'c', 0)",
    "INSERT INTO postings (entry_id, line, kind, owner, currency, amount) VALUES "
    "(1, 0, 'issuance', 0, 'play:7', -1000), (1, 1, 'free', 1, 'play:7', 1000), "
    "(2, 0, 'issuance', 0, 'play:7', -1000), (2, 1, 'free', 2, 'play:7', 1000), "
    "(3, 0, 'issuance', 0, 'play:7', -1000), (3, 1, 'free', 3, 'play:7', 1000), "
    "(4, 0, 'reserve', 1, 'play:7', -300), (4, 1, 'free', 2, 'play:7', -700), (4, 2, 'escrow', 1, 'play:7', 1000), "
    "(5, 0, 'free', 2, 'play:7', -700), (5, 1, 'free', 1, 'play:7', 700), "
    "(6, 0, 'free', 3, 'play:7', -400), (6, 1, 'reserve', 3, 'play:7', 400)",
)


async def test_what_was_paid_in_fills_counts_as_traded(empty_database_url: str) -> None:
    apart(lambda: migrate(empty_database_url, "0001"))
    db = Database(empty_database_url)
    async with db.transaction() as tx:
        for statement in ROWS:
            await tx.execute(text(statement))
    await db.close()
    apart(lambda: migrate(empty_database_url))
    db = Database(empty_database_url)
    async with db.reading() as tx:
        found = await tx.execute(text("SELECT user_id, currency, untraded_mills FROM grants ORDER BY user_id"))
        assert [tuple(row) for row in found] == [(1, "play:7", 700), (2, "play:7", 0), (3, "play:7", 1000)]
    await db.close()
