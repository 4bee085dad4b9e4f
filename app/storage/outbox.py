"""What waits to be sent to GitHub, written in the transaction that caused it.

A row may be wanted again after it was sent (the market comment, a reply that grows by an edit): then its version rises
and what GitHub gave back (`remote_id`) is edited in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import case, exists, func, select, text, update

from app.storage.db import Tx
from app.storage.places import Place, in_parts, insert_for
from app.storage.tables import outbox

WAITING, SENT, DEAD = "waiting", "sent", "dead"

RANKS = {"reaction": 0, "reply": 1, "notice": 1, "board": 2, "check": 2, "label": 3}
"""Reactions leave before replies, replies before the market comment."""

BOARD_GAP_SECONDS = 3
LABEL_GAP_SECONDS = 86_400

CLAIMING = 0x0B0C5
"""The advisory lock of those who claim on PostgreSQL: a lease not committed yet must hold its installation too."""


@dataclass(frozen=True, slots=True)
class Message:
    id: int
    key: str
    kind: str
    installation_id: int
    repository_id: int
    issue_id: int
    issue_number: int
    body: str
    version: int
    attempts: int
    remote_id: int | None
    created_at: int


async def put(tx: Tx, *, key: str, kind: str, place: Place, body: str, now: int) -> None:
    """Have a message sent, or sent again if one with this key was sent with another body or version."""
    values = {
        "key": key,
        "kind": kind,
        "rank": RANKS[kind],
        "installation_id": place.repository.installation_id,
        "repository_id": place.repository.id,
        "issue_id": place.issue.id,
        "issue_number": place.issue.number,
        "body": body,
        "state": WAITING,
        "due_at": now,
        "created_at": now,
    }
    await tx.execute(_put(tx.dialect.name), values)


@cache
def _put(dialect: str) -> Any:
    """Made once: putting this statement together costs more than running it."""
    statement = insert_for(dialect, outbox)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            **{name: new[name] for name in ("installation_id", "repository_id", "issue_id", "issue_number", "body")},
            "state": WAITING,
            "version": outbox.c.version + 1,
            "due_at": case((outbox.c.due_at > new.due_at, outbox.c.due_at), else_=new.due_at),
            "attempts": case((outbox.c.remote_id.is_(None), outbox.c.attempts), else_=0),
        },
    )


async def claim(tx: Tx, now: int, lease_seconds: int) -> Message | None:
    """Lease the next message that is due; one at a time for each installation."""
    if tx.dialect.name == "postgresql":
        await tx.execute(text(f"SELECT pg_advisory_xact_lock({CLAIMING})"))
    busy = outbox.alias()
    statement = (
        select(outbox)
        .where(
            outbox.c.state == WAITING,
            outbox.c.due_at <= now,
            func.coalesce(outbox.c.lease_until, 0) <= now,
            ~exists().where(busy.c.installation_id == outbox.c.installation_id, busy.c.lease_until > now),
        )
        .order_by(outbox.c.rank, outbox.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=outbox)
    )
    row = (await tx.execute(statement)).first()
    if row is None:
        return None
    await tx.execute(
        update(outbox).where(outbox.c.id == row.id).values(lease_until=now + lease_seconds, attempts=row.attempts + 1)
    )
    return Message(
        row.id,
        row.key,
        row.kind,
        row.installation_id,
        row.repository_id,
        row.issue_id,
        row.issue_number,
        row.body,
        row.version,
        row.attempts + 1,
        row.remote_id,
        row.created_at,
    )


async def sent(tx: Tx, message: Message, remote_id: int | None, now: int) -> None:
    """Note that this version of a message is out; a newer one stays waiting."""
    await tx.execute(
        update(outbox)
        .where(outbox.c.id == message.id)
        .values(
            state=case((outbox.c.version == message.version, SENT), else_=WAITING),
            remote_id=remote_id,
            lease_until=None,
            error=None,
            due_at=now + _gap_seconds(message, remote_id),
        )
    )


def _gap_seconds(message: Message, remote_id: int | None) -> int:
    """How long the next version waits: a market comment a little, a label a day if this one has changed it."""
    if message.kind == "label":
        return LABEL_GAP_SECONDS if (message.remote_id or 0) != (remote_id or 0) else 0
    return BOARD_GAP_SECONDS if message.kind == "board" else 0


async def postpone(tx: Tx, message: Message, due_at: int, error: str, dead: bool) -> None:
    """Try again at `due_at`, or give this version of the message up."""
    state = case((outbox.c.version == message.version, DEAD), else_=WAITING) if dead else WAITING
    await tx.execute(
        update(outbox)
        .where(outbox.c.id == message.id)
        .values(state=state, due_at=due_at, lease_until=None, error=error[:2000])
    )


async def hold(tx: Tx, installation_id: int, until_at: int) -> None:
    """What waits leaves no sooner than at `until_at`: GitHub's limits are an installation's, not a message's.

    The leases make what is wanted meanwhile wait, too: nothing is claimed beside a leased message.
    """
    waits = outbox.c.installation_id == installation_id, outbox.c.state == WAITING, outbox.c.due_at <= until_at
    await tx.execute(update(outbox).where(*waits).values(due_at=until_at, lease_until=until_at))


async def move(tx: Tx, repository_ids: set[int], installation_id: int) -> None:
    """What waits for these repositories is sent as this installation: the App was installed anew."""
    waits = outbox.c.state == WAITING, outbox.c.installation_id != installation_id
    for some in in_parts(repository_ids):
        here = outbox.c.repository_id.in_(some)
        await tx.execute(update(outbox).where(here, *waits).values(installation_id=installation_id))


async def follow(tx: Tx, old_issue_id: int, place: Place) -> None:
    """The issue was transferred: what nobody has read yet is said there, and the old thread gets nothing more.

    Comments have other ids there, so that none of ours can be edited and no comment be reacted to.
    """
    waits = outbox.c.issue_id == old_issue_id, outbox.c.state == WAITING
    fresh = outbox.c.kind.in_(("reply", "notice")), outbox.c.remote_id.is_(None)
    there = {
        "installation_id": place.repository.installation_id,
        "repository_id": place.repository.id,
        "issue_id": place.issue.id,
        "issue_number": place.issue.number,
    }
    await tx.execute(update(outbox).where(*waits, *fresh).values(**there))
    await tx.execute(update(outbox).where(*waits).values(state=DEAD, error="the issue was transferred"))


async def knows(tx: Tx, key: str) -> bool:
    return (await tx.execute(select(outbox.c.id).where(outbox.c.key == key))).first() is not None


async def waiting(tx: Tx) -> int:
    return (await tx.execute(select(func.count()).where(outbox.c.state == WAITING))).scalar_one()
