"""A database of either kind, a desk on it, and a played GitHub."""

from collections.abc import AsyncIterator

import pytest

from app.storage.db import Database
from tests.clocks import FakeClock
from tests.github.conftest import github, play
from tests.services.desk import Desk

__all__ = ["db", "desk", "github", "play"]


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=8)
    yield database
    await database.close()


@pytest.fixture
async def desk(db: Database, clock: FakeClock) -> Desk:
    """One issue, four users with 1,000 tokens each."""
    made = Desk(db, clock)
    await made.furnish()
    return made
