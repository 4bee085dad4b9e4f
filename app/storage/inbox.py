"""Deliveries taken in and not yet dealt with; serial within a lane, parallel across lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select, update

from app.storage.db import Tx
from app.storage.places import insert
from app.storage.tables import deliveries

WAITING, DONE, DEAD = "waiting", "done", "dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    id: int
    guid: str
    event: str
    payload: bytes
    received_at: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery that is at the door. `lane` is what it must wait its turn for."""

    guid: str
    event: str
    lane: str
    payload: bytes
    at: int


async def put(tx: Tx, arrivals: Sequence[Arrival]) -> list[bool]:
    """Store deliveries, the first of each GUID; says of each whether it was new."""
    rows = [
        {
            "guid": item.guid,
            "event": item.event,
            "lane": item.lane,
            "payload": item.payload,
            "received_at": item.at,
            "state": WAITING,
            "due_at": item.at,
        }
        for item in arrivals
    ]
    statement = insert(tx, deliveries).on_conflict_do_nothing(index_elements=["guid"]).returning(deliveries.c.guid)
    new = set((await tx.execute(statement, rows)).scalars())
    verdicts = []
    for item in arrivals:
        verdicts.append(item.guid in new)
        new.discard(item.guid)
    return verdicts


async def knows(tx: Tx, guid: str) -> bool:
    return (await tx.execute(select(deliveries.c.id).where(deliveries.c.guid == guid))).first() is not None


async def claim(tx: Tx, now: int, lease_seconds: int) -> Delivery | None:
    """Lease the oldest delivery that is due and the first of its lane."""
    earlier = deliveries.alias()
    statement = (
        select(deliveries)
        .where(
            deliveries.c.state == WAITING,
            deliveries.c.due_at <= now,
            func.coalesce(deliveries.c.lease_until, 0) <= now,
            ~exists().where(
                earlier.c.lane == deliveries.c.lane,
                earlier.c.state == WAITING,
                earlier.c.id < deliveries.c.id,
            ),
        )
        .order_by(deliveries.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=deliveries)
    )
    row = (await tx.execute(statement)).first()
    if row is None:
        return None
    await tx.execute(
        update(deliveries)
        .where(deliveries.c.id == row.id)
        .values(lease_until=now + lease_seconds, attempts=row.attempts + 1)
    )
    return Delivery(row.id, row.guid, row.event, row.payload, row.received_at, row.attempts + 1)


async def finish(tx: Tx, delivery_id: int) -> None:
    await tx.execute(
        update(deliveries).where(deliveries.c.id == delivery_id).values(state=DONE, lease_until=None, error=None)
    )


async def postpone(tx: Tx, delivery_id: int, due_at: int, error: str, dead: bool) -> None:
    """Try again at `due_at`, or never again without an operator."""
    await tx.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id)
        .values(state=DEAD if dead else WAITING, due_at=due_at, lease_until=None, error=error[:2000])
    )


async def backlog(tx: Tx) -> int:
    """Deliveries waiting to be dealt with."""
    count = select(func.count()).where(deliveries.c.state == WAITING)
    return (await tx.execute(count)).scalar_one()
