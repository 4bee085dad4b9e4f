"""What a database refuses for a while, and contracts with more holders than a statement takes parameters."""

from __future__ import annotations

import pytest
from asyncpg.exceptions import (
    CannotConnectNowError,
    DiskFullError,
    InvalidPasswordError,
    TooManyConnectionsError,
)
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from app.market.errors import Refusal
from app.storage import places
from app.storage.db import Database, DatabaseBusy
from app.storage.tables import users


@pytest.mark.parametrize("fault", [CannotConnectNowError, TooManyConnectionsError, DiskFullError])
@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_server_that_starts_or_is_full_is_a_passing_fault(
    sqlite_url: str, fault: type[Exception], wrapped: bool
) -> None:
    """While connecting such an error comes bare; SQLAlchemy wraps those of statements."""
    db = Database(sqlite_url)
    error = fault("not now")
    with pytest.raises(DatabaseBusy):
        async with db.transaction():
            raise DBAPIError("SELECT 1", {}, error) if wrapped else error
    await db.close()


@pytest.mark.parametrize("error", [InvalidPasswordError("no"), Refusal("no"), LookupError("no")])
async def test_other_errors_stay_what_they_are(sqlite_url: str, error: Exception) -> None:
    db = Database(sqlite_url)
    with pytest.raises(type(error)):
        async with db.transaction():
            raise error
    await db.close()


async def test_forty_thousand_users_are_locked_and_named(db: Database) -> None:
    everybody = range(1, 40_001)
    async with db.transaction() as tx:
        await tx.execute(insert(users), [{"id": n, "login": f"u{n}", "created_at": 0} for n in everybody])
        await places.lock_users(tx, set(everybody))
        found = await places.logins(tx, set(everybody))
    assert len(found) == 40_000
    assert found[40_000] == "u40000"
