"""Databases from before contracts slept: those in which nobody has anything are idle since they were made."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.storage.engine.db import Database, migrate
from tests.databases import apart
from tests.storage.test_old_tellings import CONTRACT, PLACES, STATEMENT, TERMS

OFFER = """
INSERT INTO offers (contract_id, user_id, action, side, price, volume, until_at, now_or_never, units_left, cash_left,
    cancelled, state, created_at)
VALUES (1, 1, 'BUY', 'FIXED', 500, 10, 1000, :no, 0, :left, :gone, :state, 5)
"""


@pytest.mark.parametrize(
    ("held", "state", "idle"),
    [(0, None, True), (0, "DONE", True), (0, "LIVE", False), (0, "SUSPENDED", False), (5, None, False)],
)
async def test_a_contract_in_use_is_not_idle(empty_database_url: str, held: int, state: str | None, idle: bool) -> None:
    apart(lambda: migrate(empty_database_url, "0006"))
    db = Database(empty_database_url)
    made = {"statement": STATEMENT, "statement_hash": "s", "terms": TERMS, "terms_hash": "t", "amendment": 0}
    async with db.transaction() as tx:
        for statement in PLACES:
            await tx.execute(text(statement))
        await tx.execute(text("INSERT INTO users (id, login, created_at) VALUES (1, 'ann', 0) ON CONFLICT DO NOTHING"))
        await tx.execute(text(CONTRACT), {"id": 1, "by": 1_000, **made})
        await tx.execute(text("UPDATE contracts SET open_interest = :held"), {"held": held})
        if state is not None:
            gone = 10 if state == "DONE" else 0
            values = {"no": False, "left": 10 - gone, "gone": gone, "state": state}
            await tx.execute(text(OFFER), values)
    await db.close()
    apart(lambda: migrate(empty_database_url))
    db = Database(empty_database_url)
    async with db.reading() as tx:
        row = (await tx.execute(text("SELECT idle_at, created_at, made_by FROM contracts"))).one()
    assert (row.idle_at, row.made_by) == (row.created_at if idle else None, None)
    await db.close()
