"""Queue lengths for operators: counts alone, by queries that read only waiting rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, case, func, select

from app.market.terms.contract import Status
from app.storage.engine.db import Tx
from app.storage.engine.tables import contracts, deliveries, entries, sealed_entries, seals
from app.storage.engine.tables import outbox as messages
from app.storage.queues import heartbeats, inbox, outbox

MOST_COUNTED = 1_000_000
"""Enough to see that something is very wrong."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue: its length, and the instant since which its oldest item could be done (None: it is empty)."""

    waiting: int
    oldest_at: int | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """`messages` by kind; `unsealed` counts entries; `looks_due` contracts that GitHub is to be asked about now.

    `worker_at`: the last sign of any worker; `workers` have given one lately.
    """

    deliveries: Queue
    dead_deliveries: int
    messages: dict[str, Queue]
    dead_messages: int
    seals: int
    unsealed: int
    looks_due: int
    worker_at: int | None = None
    workers: int = 0


async def backlog(tx: Tx, now: int, alive_since: int) -> Backlog:
    waits = deliveries.c.state == inbox.WAITING
    return Backlog(
        deliveries=await _queue(tx, deliveries.c.received_at, waits),
        dead_deliveries=await _count(tx, deliveries, deliveries.c.state == inbox.DEAD),
        messages=await _messages(tx),
        dead_messages=await _count(tx, messages, messages.c.state == outbox.DEAD),
        seals=await _highest(tx, seals.c.number),
        unsealed=await _unsealed(tx),
        looks_due=await _count(
            tx, contracts, contracts.c.next_look_at <= now, contracts.c.status != Status.SETTLED.value
        ),
        worker_at=await heartbeats.last(tx, "worker"),
        workers=await heartbeats.count(tx, "worker", alive_since),
    )


async def _queue(tx: Tx, since: ColumnElement[Any], *which: ColumnElement[bool]) -> Queue:
    row = (await tx.execute(select(func.count(), func.min(since)).where(*which))).one()
    return Queue(row[0], row[1])


async def _messages(tx: Tx) -> dict[str, Queue]:
    """Count messages by kind; one that an operator has retried is as old as its creation."""
    due_at = case((messages.c.due_at < messages.c.created_at, messages.c.created_at), else_=messages.c.due_at)
    waits = select(messages.c.kind, func.count(), func.min(due_at)).where(messages.c.state == outbox.WAITING)
    rows = await tx.execute(waits.group_by(messages.c.kind))
    found = {kind: Queue(count, oldest_at) for kind, count, oldest_at in rows}
    return {kind: found.get(kind, Queue(0, None)) for kind in sorted({*outbox.RANKS, *found})}


async def _count(tx: Tx, table: Table, *which: ColumnElement[bool]) -> int:
    some = select(*list(table.primary_key)[:1]).where(*which).limit(MOST_COUNTED).subquery()
    return (await tx.execute(select(func.count()).select_from(some))).scalar_one()


async def _unsealed(tx: Tx) -> int:
    """Seals close entries in the order of their ids."""
    sealed = await _highest(tx, sealed_entries.c.entry_id)
    return await _count(tx, entries, entries.c.id > sealed)


async def _highest(tx: Tx, column: ColumnElement[Any]) -> int:
    return (await tx.execute(select(func.max(column)))).scalar() or 0
