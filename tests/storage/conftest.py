"""The database under test, opened."""

from collections.abc import AsyncIterator

import pytest

from app.storage.db import Database


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A database with the newest schema, its connections closed after the test."""
    database = Database(database_url, pool_size=8)
    yield database
    await database.close()
