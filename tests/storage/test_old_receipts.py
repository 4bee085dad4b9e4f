"""Receipts of before there were several channels: the migration says which comment's command each belongs to."""

from __future__ import annotations

from sqlalchemy import text

from app.market.terms.contract import digest
from app.storage.engine.db import Database, migrate
from app.storage.queues.commands import begin, in_comment
from tests.databases import apart

ROWS = (
    "INSERT INTO users (id, login, created_at) VALUES (1, 'ann', 0)",
    "INSERT INTO installations (id, account_id, account_login, state, changed_at) VALUES (5, 7, 'owner', 'active', 0)",
    "INSERT INTO repositories (id, installation_id, owner_id, owner_login, name, private) "
    "VALUES (9, 5, 7, 'owner', 'repo', FALSE)",
    "INSERT INTO issues (id, repository_id, number, title, state) VALUES (11, 9, 1, 'a bug', 'open')",
)
RECEIPT = (
    "INSERT INTO commands (comment_id, text_hash, occurrence, text, user_id, issue_id, at, done, answer) "
    "VALUES (31, :hash, 1, '/bugmark book', 1, 11, 0, TRUE, 'ok')"
)


async def test_a_command_that_ran_before_the_upgrade_does_not_run_again(empty_database_url: str) -> None:
    apart(lambda: migrate(empty_database_url, "0006"))
    db = Database(empty_database_url)
    async with db.transaction() as tx:
        for statement in ROWS:
            await tx.execute(text(statement))
        await tx.execute(text(RECEIPT), {"hash": digest("/bugmark book")})
    await db.close()
    apart(lambda: migrate(empty_database_url))
    db = Database(empty_database_url)
    async with db.transaction() as tx:
        again = await begin(tx, in_comment(31, "/bugmark book", 1), user_id=1, issue_id=11, at=5)
        other = await begin(tx, in_comment(31, "/bugmark book", 2), user_id=1, issue_id=11, at=5)
        kept = (await tx.execute(text("SELECT channel, key FROM commands WHERE occurrence = 1"))).one()
    assert again is None
    assert other is not None
    assert tuple(kept) == ("comment", f"31:{digest('/bugmark book')}:1")
    await db.close()
