"""Databases from before volumes were counted, and threads of contracts and grants told: migrated, they are sound."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.market.terms.contract import canonical, digest
from app.services.audit.audit import audit
from app.services.rules.config import Config
from app.storage.engine.db import Database, migrate
from tests.databases import apart

TERMS = Config().terms(7).text()
STATEMENT = canonical({"kind": "issue_fixed", "issue": 101, "round": 1})
CONTRACT = (
    "INSERT INTO contracts (id, issue_id, statement_text, statement_hash, round, maturation_at, currency, terms_text,"
    " terms_hash, status, created_at, amendment) VALUES (:id, 101, :statement, :statement_hash, 1, :by, 'play:7',"
    " :terms, :terms_hash, 'OPEN', 5, :amendment)"
)
PLACES = (
    "INSERT INTO installations (id, account_id, account_login, state, changed_at) VALUES (31, 7, 'octo', 'active', 0)",
    "INSERT INTO repositories (id, installation_id, owner_id, owner_login, name, private)"
    " VALUES (41, 31, 7, 'octo', 'cat', false)",
    "INSERT INTO issues (id, repository_id, number, title, state) VALUES (101, 41, 1, 'It crashes', 'open')",
    "INSERT INTO users (id, login, created_at) VALUES (1, 'ann', 0), (2, 'ben', 0)",
    "INSERT INTO entries (key, cause, at) VALUES ('grant:play:7:1', 'comment:1', 0)",
    "INSERT INTO postings VALUES (1, 0, 'issuance', 0, 'play:7', -1000), (1, 1, 'free', 1, 'play:7', 1000)",
    "INSERT INTO balances VALUES ('issuance', 0, 'play:7', -1000), ('free', 1, 'play:7', 1000)",
    "INSERT INTO grants VALUES (1, 'play:7', 1000)",
)
FILLS = "INSERT INTO fills VALUES (:id, :number, 1, 2, 1, 2, 1, 15, 400, 'expand', 0)"


async def old(url: str, amendment: int) -> Database:
    """Version 0002 with a grant and two contracts, brought up to date; the second may have fills."""
    apart(lambda: migrate(url, "0002"))
    db = Database(url)
    made = {"statement": STATEMENT, "statement_hash": digest(STATEMENT), "terms": TERMS, "terms_hash": digest(TERMS)}
    async with db.transaction() as tx:
        for statement in PLACES:
            await tx.execute(text(statement))
        for number, count in ((1, 0), (2, amendment)):
            await tx.execute(text(CONTRACT), {"id": number, "by": 10**9 + number, "amendment": count, **made})
            for fill in range(1, count + 1):
                await tx.execute(text(FILLS), {"id": number, "number": fill})
    await db.close()
    apart(lambda: migrate(url))
    return Database(url)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE contracts SET issue_id = 102 WHERE id = 2", "contract c2: issue_id is 102, entry 2 says 101"),
        ("UPDATE contracts SET created_at = 6 WHERE id = 1", "contract c1: created_at is 6, entry 2 says 5"),
        ("DELETE FROM contracts WHERE id = 2", "contract c2 is missing; entry 2 tells of it"),
        ("UPDATE grants SET untraded_mills = 0", "grant of user 1 in play:7: untraded_mills is 0, entry 2 says 1000"),
    ],
)
async def test_what_was_not_told_is_told_once(empty_database_url: str, change: str, problem: str) -> None:
    db = await old(empty_database_url, 0)
    assert (await audit(db)).problems == []
    async with db.transaction() as tx:
        await tx.execute(
            text("INSERT INTO issues (id, repository_id, number, title, state) VALUES (102, 41, 2, 'x', 'open')")
        )
        await tx.execute(text(change))
    assert problem in (await audit(db)).problems
    await db.close()


async def test_what_was_filled_is_counted_once(empty_database_url: str) -> None:
    db = await old(empty_database_url, 2)
    async with db.reading() as tx:
        found = await tx.execute(text("SELECT traded_units FROM contracts ORDER BY id"))
        assert list(found.scalars()) == [0, 30]
    await db.close()
