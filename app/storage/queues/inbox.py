"""Deliveries taken in and not yet dealt with; serial within a lane, parallel across lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, case, delete, func, select, update

from app.storage.engine import bell
from app.storage.engine.db import Tx
from app.storage.engine.sql import in_parts, insert
from app.storage.engine.tables import deliveries

WAITING, DONE, DEAD = "waiting", "done", "dead"

LONGEST_WAIT_SECONDS = 3600
"""One that failed is tried again at the latest then."""

KEPT_SECONDS = 7 * 86_400
"""A delivery dealt with is forgotten so long after it came; GitHub can send it again for 3 days."""


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
    await bell.ring(tx)
    verdicts = []
    for item in arrivals:
        verdicts.append(item.guid in new)
        new.discard(item.guid)
    return verdicts


async def set_right(tx: Tx, now: int) -> None:
    """The clock ran ahead and was set right: what was stored or put off by it does not wait until it was right."""
    ahead = deliveries.c.due_at > now + LONGEST_WAIT_SECONDS
    waits = deliveries.c.state == WAITING, (deliveries.c.received_at > now) | ahead
    came_at = case((deliveries.c.received_at > now, now), else_=deliveries.c.received_at)
    await tx.execute(update(deliveries).where(*waits).values(due_at=now, received_at=came_at))


async def known(tx: Tx, guids: Sequence[str]) -> set[str]:
    """Those of a few hundred GUIDs that were stored, in the last KEPT_SECONDS at least."""
    statement = select(deliveries.c.guid).where(deliveries.c.guid.in_(guids))
    return set((await tx.execute(statement)).scalars())


_WAITS = deliveries.alias()
_FIRST_OF_EACH_LANE = select(func.min(_WAITS.c.id)).where(_WAITS.c.state == WAITING).group_by(_WAITS.c.lane)
_LEASED = select(_WAITS.c.lane).where(_WAITS.c.state == WAITING, _WAITS.c.lease_until > bindparam("now"))
_NEXT = (
    select(deliveries)
    .where(
        deliveries.c.id.in_(_FIRST_OF_EACH_LANE),
        deliveries.c.state == WAITING,
        deliveries.c.due_at <= bindparam("now"),
        # PostgreSQL looks again only at the row that it locks
        func.coalesce(deliveries.c.lease_until, 0) <= bindparam("now"),
        deliveries.c.lane.not_in(_LEASED),
    )
    .order_by(deliveries.c.id)
    .limit(1)
    .with_for_update(skip_locked=True, of=deliveries)
)
"""Made once: putting it together costs more than running it."""


async def claim(tx: Tx, now: int, lease_seconds: int) -> Delivery | None:
    """Lease the oldest delivery that is due and the first of its lane, while no other of that lane is leased.

    One that an operator has tried again is the first again, though a later one may be under way.
    """
    row = (await tx.execute(_NEXT, {"now": now})).first()
    if row is None:
        return None
    await tx.execute(
        update(deliveries)
        .where(deliveries.c.id == row.id)
        .values(lease_until=now + lease_seconds, attempts=row.attempts + 1)
    )
    return Delivery(row.id, row.guid, row.event, row.payload, row.received_at, row.attempts + 1)


async def finish(tx: Tx, delivery: Delivery) -> None:
    """It is dealt with, whoever else works on it by now: doing it again would have changed nothing."""
    await tx.execute(
        update(deliveries).where(deliveries.c.id == delivery.id).values(state=DONE, lease_until=None, error=None)
    )


async def postpone(tx: Tx, delivery: Delivery, due_at: int, error: str, dead: bool) -> None:
    """Try again at `due_at`, or never again without an operator.

    Nothing where the lease ended meanwhile and somebody else took it over: each claim has its own number of attempts.
    """
    mine = deliveries.c.id == delivery.id, deliveries.c.attempts == delivery.attempts, deliveries.c.state == WAITING
    values = {"state": DEAD if dead else WAITING, "due_at": due_at, "lease_until": None, "error": error[:2000]}
    await tx.execute(update(deliveries).where(*mine).values(**values))


async def backlog(tx: Tx, most: int) -> int:
    """Deliveries waiting to be dealt with, counted up to `most`: no more is read than that."""
    some = select(deliveries.c.id).where(deliveries.c.state == WAITING).limit(most).subquery()
    return (await tx.execute(select(func.count()).select_from(some))).scalar_one()


async def prune(tx: Tx, before_at: int, most: int) -> int:
    """Forget up to `most` deliveries that came before then and are dealt with; how many there were."""
    old = select(deliveries.c.id).where(deliveries.c.state == DONE, deliveries.c.received_at < before_at)
    some = old.order_by(deliveries.c.id).limit(most)
    return (await tx.execute(delete(deliveries).where(deliveries.c.id.in_(some)))).rowcount


@dataclass(frozen=True, slots=True)
class DeadDelivery:
    """One that was given up; `error` is what the last attempt ran into."""

    id: int
    guid: str
    event: str
    lane: str
    received_at: int
    attempts: int
    error: str


async def dead(tx: Tx) -> list[DeadDelivery]:
    """Oldest first."""
    wanted = [deliveries.c[name] for name in ("id", "guid", "event", "lane", "received_at", "attempts", "error")]
    rows = await tx.execute(select(*wanted).where(deliveries.c.state == DEAD).order_by(deliveries.c.id))
    return [DeadDelivery(**{**row._mapping, "error": row.error or ""}) for row in rows]


async def dead_payload(tx: Tx, delivery_id: int) -> bytes:
    payload: bytes = (await tx.execute(select(deliveries.c.payload).where(deliveries.c.id == delivery_id))).scalar_one()
    return payload


async def revive(tx: Tx, delivery_ids: Sequence[int], now: int) -> int:
    """Have those of these deliveries that were given up tried again from the start; how many there were."""
    return await _leave_dead(tx, delivery_ids, state=WAITING, attempts=0, due_at=now)


async def drop(tx: Tx, delivery_ids: Sequence[int]) -> int:
    """Those of these deliveries that were given up are done with; their GUIDs stay known as long as others'."""
    return await _leave_dead(tx, delivery_ids, state=DONE)


async def _leave_dead(tx: Tx, delivery_ids: Sequence[int], **values: object) -> int:
    left = 0
    for some in in_parts(set(delivery_ids)):
        those = deliveries.c.id.in_(some), deliveries.c.state == DEAD
        left += (await tx.execute(update(deliveries).where(*those).values(**values))).rowcount
    return left
