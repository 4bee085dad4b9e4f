"""The schema: what the migrations make is what the models say, on both databases."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, inspect, text

from app.storage.engine.db import Database, migrate
from app.storage.engine.tables import metadata
from tests.databases import apart, sqlite_url


async def tables(url: str) -> list[str]:
    db = Database(url)
    async with db.reading() as tx:
        names: list[str] = await tx.run_sync(lambda connection: inspect(connection).get_table_names())
    await db.close()
    return sorted(names)


# Of indexes over expressions: on SQLite they cannot be read back, on PostgreSQL they are compared like others.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
async def test_the_migrations_make_what_the_models_say(db: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with db.reading() as tx:
        assert await tx.run_sync(differences) == []


async def test_the_migrations_make_the_checks_the_models_have(db: Database) -> None:
    """Alembic does not compare CHECK constraints."""

    def names(connection: Connection) -> set[str | None]:
        seen = inspect(connection)
        return {found["name"] for table in metadata.tables for found in seen.get_check_constraints(table)}

    expected = {
        f"ck_{table.name}_{constraint.name}" if not str(constraint.name).startswith("ck_") else str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert len(expected) == 10
    async with db.reading() as tx:
        assert await tx.run_sync(names) == expected


async def test_migrating_twice_is_harmless(empty_database_url: str) -> None:
    apart(lambda: migrate(empty_database_url))
    once = await tables(empty_database_url)
    assert {"entries", "offers", "alembic_version"} <= set(once)
    db = Database(empty_database_url)
    async with db.transaction() as tx:
        await tx.execute(text("INSERT INTO users (id, login, created_at) VALUES (1, 'ann', 0)"))
    await db.close()
    apart(lambda: migrate(empty_database_url))
    assert await tables(empty_database_url) == once
    db = Database(empty_database_url)
    async with db.reading() as tx:
        assert (await tx.execute(text("SELECT login FROM users"))).scalars().all() == ["ann"]
    await db.close()


async def test_a_new_sqlite_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    url = sqlite_url(path)
    apart(lambda: migrate(url))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    db = Database(url)
    async with db.transaction() as tx:
        await tx.execute(text("INSERT INTO users (id, login, created_at) VALUES (1, 'ann', 0)"))
        beside = sorted(tmp_path.iterdir())
        assert [found.name for found in beside] == ["new.db", "new.db-shm", "new.db-wal"]
        assert {stat.S_IMODE(found.stat().st_mode) for found in beside} == {0o600}
    await db.close()


async def test_an_sqlite_file_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "there.db"
    path.touch(0o640)
    path.chmod(0o640)
    apart(lambda: migrate(sqlite_url(path)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_names_are_looked_up_by_an_index_whatever_their_case(db: Database) -> None:
    if db.engine.dialect.name != "sqlite":
        return  # PostgreSQL scans small tables; that the index is there is compared above
    for table, where in (("users", "lower(login) = 'a'"), ("repositories", "lower(owner_login) = 'a'")):
        async with db.reading() as tx:
            plan = await tx.execute(text(f"EXPLAIN QUERY PLAN SELECT id FROM {table} WHERE {where}"))
            assert f"INDEX ix_{table}_lower_" in str(list(plan))
