"""Users who want fewer mentions in a repository, and the instant of their last one."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from app.storage.engine.db import Tx
from app.storage.engine.sql import in_parts, upsert
from app.storage.engine.tables import mutes


async def save(tx: Tx, user_id: int, repository_id: int, mode: str) -> None:
    row = {"user_id": user_id, "repository_id": repository_id, "mode": mode, "mentioned_at": None}
    await upsert(tx, mutes, row)


async def drop(tx: Tx, user_id: int, repository_id: int) -> None:
    await tx.execute(delete(mutes).where(mutes.c.user_id == user_id, mutes.c.repository_id == repository_id))


async def of(tx: Tx, repository_id: int, user_ids: set[int]) -> dict[int, tuple[str, int | None]]:
    """(mode, instant of the last mention) of those of the users who have said how they want it here."""
    found: dict[int, tuple[str, int | None]] = {}
    for some in in_parts(user_ids):
        wanted = select(mutes).where(mutes.c.repository_id == repository_id, mutes.c.user_id.in_(some))
        found |= {row.user_id: (row.mode, row.mentioned_at) for row in await tx.execute(wanted)}
    return found


async def mentioned(tx: Tx, repository_id: int, user_ids: set[int], now: int) -> None:
    """Remember that these were mentioned now."""
    for some in in_parts(user_ids):
        rows = update(mutes).where(mutes.c.repository_id == repository_id, mutes.c.user_id.in_(some))
        await tx.execute(rows.values(mentioned_at=now))
