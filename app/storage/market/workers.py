"""Users who say they are working on an issue, and the end of showing it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select

from app.market.terms.contract import Side, Status
from app.storage.engine.db import Tx
from app.storage.engine.sql import insert
from app.storage.engine.tables import contracts, positions, users, workers


@dataclass(frozen=True, slots=True)
class Worker:
    """`units`: how many of FIXED the user holds in the issue's contracts."""

    login: str
    until_at: int
    units: int = 0


async def put(tx: Tx, issue_id: int, user_id: int, now: int, until_at: int) -> None:
    """Whoever is listed already stays since when they were, for longer."""
    statement = insert(tx, workers).values(issue_id=issue_id, user_id=user_id, since_at=now, until_at=until_at)
    again = statement.on_conflict_do_update(index_elements=["issue_id", "user_id"], set_={"until_at": until_at})
    await tx.execute(again)


async def remove(tx: Tx, issue_id: int, user_id: int, now: int) -> bool:
    """Tell if the user was listed."""
    mine = workers.c.issue_id == issue_id, workers.c.user_id == user_id
    found = await tx.execute(delete(workers).where(*mine).returning(workers.c.until_at))
    return any(row.until_at > now for row in found)


async def end(tx: Tx, issue_id: int, closed_at: int) -> None:
    """A close ends what was said before it."""
    await tx.execute(delete(workers).where(workers.c.issue_id == issue_id, workers.c.since_at <= closed_at))


async def listed(tx: Tx, issue_id: int, now: int, most: int) -> tuple[list[Worker], int]:
    """Those shown, holders of FIXED first, then who has said it first; and how many there are."""
    here = workers.c.issue_id == issue_id, workers.c.until_at > now
    held = (
        select(positions.c.user_id, func.sum(positions.c.free + positions.c.reserved).label("units"))
        .join(contracts, contracts.c.id == positions.c.contract_id)
        .where(
            contracts.c.issue_id == issue_id,
            contracts.c.status != Status.SETTLED.value,
            positions.c.side == Side.FIXED.value,
        )
        .group_by(positions.c.user_id)
        .subquery()
    )
    units = func.coalesce(held.c.units, 0)
    wanted = (
        select(users.c.login, workers.c.until_at, units.label("units"))
        .select_from(workers)
        .join(users, users.c.id == workers.c.user_id)
        .join(held, held.c.user_id == workers.c.user_id, isouter=True)
        .where(*here)
        .order_by(units.desc(), workers.c.since_at, workers.c.user_id)
        .limit(most)
    )
    count = (await tx.execute(select(func.count()).select_from(workers).where(*here))).scalar_one()
    return [Worker(row.login, row.until_at, int(row.units)) for row in await tx.execute(wanted)], count
