"""The database under test, opened."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.storage.db import Database
from tests.databases import PostgresDatabases, SqliteDatabases
from tests.services.recycling import empty


@pytest.fixture(scope="module")
def kept_url(postgres_databases: PostgresDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL database for one module's tests, one after the other."""
    with postgres_databases.migrated(tmp_path_factory.mktemp("kept")) as url:
        yield url


@pytest.fixture
def database_url(
    databases: SqliteDatabases | PostgresDatabases, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """As everywhere the URL of a database with the newest schema and no data, on PostgreSQL an emptied one."""
    if isinstance(databases, SqliteDatabases):
        with databases.migrated(tmp_path) as url:
            yield url
    else:
        url = request.getfixturevalue("kept_url")
        empty(url)
        yield url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A database with the newest schema, its connections closed after the test."""
    database = Database(database_url, pool_size=8)
    yield database
    await database.close()
