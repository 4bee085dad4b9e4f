"""A desk on each of the two databases."""

import pytest

from app.storage.engine.db import Database
from tests.clocks import FakeClock
from tests.services.desk import Desk


@pytest.fixture
async def desk(db: Database, clock: FakeClock) -> Desk:
    """One issue, four users with 1,000 tokens each."""
    made = Desk(db, clock)
    await made.furnish()
    return made
