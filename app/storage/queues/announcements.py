"""Announcements of an issue: windows, verdicts, resumptions, settlements. One waits, and one leaves in ten minutes."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, delete, func, or_, select, update

from app.storage.engine.db import Tx
from app.storage.engine.tables import outbox
from app.storage.queues.outbox import WAITING

KINDS = ("window:", "verdict:", "resume:", "settlement:")
"""Beginnings of their keys."""

GAP_SECONDS = 600


def _of(issue_id: int) -> tuple[ColumnElement[bool], ...]:
    one = or_(*(outbox.c.key.startswith(kind) for kind in KINDS))
    return outbox.c.issue_id == issue_id, outbox.c.kind == "notice", one


async def take_back(tx: Tx, issue_id: int, but: str) -> list[str]:
    """The bodies of those that nobody has begun to send, oldest first. They are gone, but for the one of this key."""
    fresh = outbox.c.state == WAITING, outbox.c.attempts == 0, outbox.c.remote_id.is_(None), outbox.c.key != but
    gone = delete(outbox).where(*_of(issue_id), *fresh).returning(outbox.c.id, outbox.c.body)
    return [row.body for row in sorted(await tx.execute(gone), key=lambda row: row.id)]


async def free_at(tx: Tx, issue_id: int) -> int:
    """The instant from which the next one may leave; 0 where none has left. What was sent is due since it was."""
    left = select(func.max(outbox.c.due_at)).where(*_of(issue_id), outbox.c.remote_id.is_not(None))
    last: int | None = (await tx.execute(left)).scalar()
    return 0 if last is None else last + GAP_SECONDS


async def sent(tx: Tx, key: str, issue_id: int, now: int) -> None:
    """One has left: the others of its issue wait."""
    if not key.startswith(KINDS):
        return
    waits = outbox.c.state == WAITING, outbox.c.remote_id.is_(None), outbox.c.key != key
    until = now + GAP_SECONDS
    due_at = case((outbox.c.due_at > until, outbox.c.due_at), else_=until)
    await tx.execute(update(outbox).where(*_of(issue_id), *waits).values(due_at=due_at))
