"""Messages to GitHub, written in the transaction that caused them.

A row may be wanted again after it was sent (the market comment, a reply that grows by an edit): then its version rises
and what GitHub gave back (`remote_id`) is edited in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, bindparam, case, delete, func, select, text, update

from app.storage.engine.db import Tx
from app.storage.engine.sql import in_parts, insert_for
from app.storage.engine.tables import budgets as standings
from app.storage.engine.tables import outbox
from app.storage.people.places import Place
from app.storage.queues import budgets, turns
from app.storage.queues.budgets import WRITE_POINTS, Limits, Use

WAITING, SENT, DEAD = "waiting", "sent", "dead"
DROPPED = "dropped"
"""Not sent, and nothing to be done about it: what it was about is gone. DEAD is for the operator to look at."""

RANKS = {"notice": 0, "reaction": 1, "reply": 1, "board": 2, "check": 2, "label": 3, "minimise": 4}
"""Announcements leave first, then what people are answered, in turns; what is only tidying up comes last."""

COMMENTS = ("reply", "notice", "board")

BOARD_GAP_SECONDS = 3
LABEL_GAP_SECONDS = 86_400

TRIED = 1
"""Attempts of a message that is given another chance: it may have been posted, so the sender looks first."""

CLAIMING = 0x0B0C5
"""The advisory locks of those who claim on PostgreSQL, or write down what was asked of GitHub."""


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
    user_id: int | None = None

    @property
    def use(self) -> Use:
        """The charge for sending it, made beforehand."""
        return _use(self.kind, self.remote_id)


def _use(kind: str, remote_id: int | None) -> Use:
    return Use(writes=1, creations=int(kind in COMMENTS and remote_id is None), points=WRITE_POINTS)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was given up."""

    id: int
    key: str
    kind: str
    installation_id: int
    error: str
    attempts: int


async def put(
    tx: Tx,
    *,
    key: str,
    kind: str,
    place: Place,
    body: str,
    now: int,
    user_id: int | None = None,
    due_at: int | None = None,
) -> None:
    """Have a message sent, or sent again if one with this key was sent with another body or version.

    `user_id`: whom a reply or a reaction answers, people take turns; `due_at`: not before then.
    """
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
        "due_at": now if due_at is None else due_at,
        "created_at": now,
        "user_id": user_id,
        "flow": turns.flow_of(kind, place.issue.id, user_id),
    }
    await tx.execute(_put(tx.dialect.name), values)


@cache
def _put(dialect: str) -> Any:
    """Made once: putting this statement together costs more than running it."""
    columns = [c.name for c in outbox.columns if c.name in _PUT]
    statement = insert_for(dialect, outbox).values(
        {**{name: bindparam(name) for name in columns}, "turn": turns.turn_of_new()}
    )
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "turn": case((outbox.c.state == WAITING, outbox.c.turn), else_=new.turn),
            **{name: new[name] for name in ("installation_id", "repository_id", "issue_id", "issue_number", "body")},
            "state": WAITING,
            "version": outbox.c.version + 1,
            "due_at": case((outbox.c.due_at > new.due_at, outbox.c.due_at), else_=new.due_at),
            "attempts": case((outbox.c.remote_id.is_(None), outbox.c.attempts), else_=0),
        },
    )


_PUT = frozenset(
    [
        "key",
        "kind",
        "rank",
        "installation_id",
        "repository_id",
        "issue_id",
        "issue_number",
        "body",
        "state",
        "due_at",
        "created_at",
        "user_id",
        "flow",
    ]
)
"""Values of a message as it is put."""


@dataclass(frozen=True, slots=True)
class Found:
    """A message that is there already. `fresh`: nobody has begun to send it."""

    body: str
    created_at: int
    fresh: bool


async def hold_key(tx: Tx, key: str) -> None:
    """Nobody else puts a message of this key, whether it is there or not, until this transaction ends."""
    if tx.dialect.name == "postgresql":
        await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, CLAIMING))))


async def find(tx: Tx, key: str) -> Found | None:
    row = (await tx.execute(select(outbox).where(outbox.c.key == key))).first()
    if row is None:
        return None
    return Found(row.body, row.created_at, row.state == WAITING and row.attempts == 0 and row.remote_id is None)


async def hold_installations(tx: Tx, ids: set[int]) -> None:
    """Lock what is known of these installations' budgets, in one order for all, before any row of theirs.

    SQLite has one writer at a time anyway.
    """
    if tx.dialect.name == "postgresql":
        for installation_id in sorted(ids):
            await tx.execute(_WAIT_FOR, {"lock": CLAIMING, "installation": installation_id % 2**31})


async def claim(tx: Tx, now: int, lease_seconds: int, limits: Limits | None = None) -> Message | None:
    """Lease the next message that is due and that its installation may send now; one at a time for each of them.

    It is charged at once; without `limits` nothing is. Whoever claims for another installation is not waited for.
    """
    row = await _next(tx, now)
    if row is None:
        return None
    if row.kind != "board":
        row = await turns.board_in_turn(tx, row.installation_id, now) or row
    await turns.note(tx, row)
    await tx.execute(
        update(outbox).where(outbox.c.id == row.id).values(lease_until=now + lease_seconds, attempts=row.attempts + 1)
    )
    if limits is not None:
        await budgets.spend(tx, row.installation_id, _use(row.kind, row.remote_id), now, limits)
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
        row.user_id,
    )


async def _next(tx: Tx, now: int) -> Any:
    """The next message, with its installation locked: a lease not committed yet must hold the installation too."""
    if tx.dialect.name == "sqlite":  # one writer at a time
        return (await tx.execute(_NEXT, {"now": now, "only": None, "but": [NOBODY]})).first()
    taken = [NOBODY]
    while (found := (await tx.execute(_NEXT, {"now": now, "only": None, "but": taken})).first()) is not None:
        installation: int = found.installation_id
        if (await tx.execute(_HOLD, {"lock": CLAIMING, "installation": installation % 2**31})).scalar_one():
            row = (await tx.execute(_NEXT_LOCKED, {"now": now, "only": installation, "but": [NOBODY]})).first()
            if row is not None:
                return row
        taken.append(installation)
    return None


NOBODY = -1
"""No installation: a list that is not empty needs no other statement."""

_WAIT_FOR = text("SELECT pg_advisory_xact_lock(:lock, :installation)")
_HOLD = text("SELECT pg_try_advisory_xact_lock(:lock, :installation)")


def _must_wait() -> ColumnElement[bool]:
    """Its installation is at another message, or has used up what it may write. Asked once, not for every message."""
    busy, ours = outbox.alias(), outbox.c.installation_id
    now: ColumnElement[int] = bindparam("now")
    under_way = select(busy.c.installation_id).where(busy.c.lease_until > now)
    stopped = select(standings.c.installation_id).where((standings.c.held_until > now) | (standings.c.write_at > now))
    spent = select(standings.c.installation_id).where(standings.c.create_at > now)
    creates = outbox.c.kind.in_(COMMENTS) & outbox.c.remote_id.is_(None)
    return ours.in_(under_way) | ours.in_(stopped) | (creates & ours.in_(spent))


_NEXT = (
    select(outbox)
    .where(outbox.c.state == WAITING, outbox.c.due_at <= bindparam("now"), ~_must_wait())
    .where(outbox.c.installation_id == func.coalesce(bindparam("only", type_=BigInteger), outbox.c.installation_id))
    .where(outbox.c.installation_id.not_in(bindparam("but", expanding=True)))
    .order_by(outbox.c.rank, outbox.c.turn, outbox.c.id)
    .limit(1)
)
_NEXT_LOCKED = _NEXT.with_for_update(skip_locked=True, of=outbox)
"""Made once: putting them together costs more than running them."""


async def sent(tx: Tx, message: Message, remote_id: int | None, now: int, node_id: str | None = None) -> None:
    """Note that this version of a message is out; a newer one stays waiting."""
    await tx.execute(
        update(outbox)
        .where(outbox.c.id == message.id)
        .values(
            state=case((outbox.c.version == message.version, SENT), else_=WAITING),
            remote_id=remote_id,
            node_id=func.coalesce(node_id, outbox.c.node_id),
            lease_until=None,
            error=None,
            due_at=now + _gap_seconds(message, remote_id),
        )
    )


def _gap_seconds(message: Message, remote_id: int | None) -> int:
    """Delay of the next version: a moment for a market comment, a day for a label that this one changed."""
    if message.kind == "label":
        return LABEL_GAP_SECONDS if (message.remote_id or 0) != (remote_id or 0) else 0
    return BOARD_GAP_SECONDS if message.kind == "board" else 0


async def postpone(tx: Tx, message: Message, due_at: int, error: str, end: str | None = None) -> None:
    """Try again at `due_at`; or end this version of the message, DEAD or DROPPED.

    If its issue was transferred meanwhile, what `follow` said of it stays.
    """
    dropped, same = outbox.c.state == DROPPED, outbox.c.issue_id == message.issue_id
    ended = (outbox.c.version == message.version) & same
    state = case((dropped, DROPPED), *(((ended, end),) if end else ()), else_=WAITING)
    await tx.execute(
        update(outbox)
        .where(outbox.c.id == message.id)
        .values(state=state, due_at=due_at, lease_until=None, error=error[:2000])
    )


async def park(tx: Tx, installation_id: int, until_at: int, error: str) -> None:
    """Nothing can be sent for this installation until then, or until somebody wakes it."""
    waits = outbox.c.installation_id == installation_id, outbox.c.state == WAITING, outbox.c.due_at <= until_at
    await tx.execute(update(outbox).where(*waits).values(due_at=until_at, error=error[:2000]))


async def wake(tx: Tx, now: int, **where: int) -> None:
    """Retry failed messages now, as if for the first time: the obstacle is gone.

    So one answer of GitHub's that lags behind costs a minute and not the longest wait.
    `where` is one of installation_id, repository_id and issue_id.
    """
    here = [outbox.c[name] == value for name, value in where.items()]
    waits = outbox.c.state == WAITING, outbox.c.error.is_not(None), outbox.c.due_at > now
    fresh = case((outbox.c.attempts > TRIED, TRIED), else_=outbox.c.attempts)
    await tx.execute(update(outbox).where(*here, *waits).values(due_at=now, attempts=fresh))


async def move(tx: Tx, repository_ids: set[int], installation_id: int) -> None:
    """Send waiting messages of these repositories as this installation: the App was installed anew."""
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
    await tx.execute(update(outbox).where(*waits).values(state=DROPPED, error="the issue was transferred"))


async def knows(tx: Tx, key: str) -> bool:
    return (await tx.execute(select(outbox.c.id).where(outbox.c.key == key))).first() is not None


async def waiting(tx: Tx) -> int:
    return (await tx.execute(select(func.count()).where(outbox.c.state == WAITING))).scalar_one()


async def withdraw(tx: Tx, key: str) -> None:
    """Not needed any more: it is not sent, unless that has begun."""
    await tx.execute(delete(outbox).where(outbox.c.key == key, outbox.c.state == WAITING, outbox.c.attempts == 0))


async def dead(tx: Tx) -> list[Letter]:
    """Everything that was given up, oldest first."""
    wanted = [outbox.c[name] for name in ("id", "key", "kind", "installation_id", "error", "attempts")]
    rows = await tx.execute(select(*wanted).where(outbox.c.state == DEAD).order_by(outbox.c.id))
    return [Letter(**{**row._mapping, "error": row.error or ""}) for row in rows]


async def revive(tx: Tx, ids: set[int] | None) -> int:
    """Give these another chance, or all that were given up. Returns how many they are."""
    again = update(outbox).where(outbox.c.state == DEAD).values(state=WAITING, due_at=0, attempts=TRIED, error=None)
    if ids is None:
        return (await tx.execute(again)).rowcount
    return sum([(await tx.execute(again.where(outbox.c.id.in_(some)))).rowcount for some in in_parts(ids)])


async def doubt(tx: Tx) -> None:
    """An older backup was restored: what waits may be out already, so that it is looked for before it is posted.

    What was given up may be tried again by an operator, who has that looked for as well.
    """
    unsure = outbox.c.remote_id.is_(None), outbox.c.attempts < TRIED
    await tx.execute(update(outbox).where(outbox.c.state == WAITING, *unsure).values(attempts=TRIED))
    await tx.execute(update(outbox).where(outbox.c.lease_until.is_not(None)).values(lease_until=None))


async def dead_body(tx: Tx, message_id: int) -> str:
    body: str = (await tx.execute(select(outbox.c.body).where(outbox.c.id == message_id))).scalar_one()
    return body


async def drop(tx: Tx, ids: set[int]) -> int:
    """Those of these that were given up are done with. Returns how many they are."""
    done = update(outbox).where(outbox.c.state == DEAD).values(state=DROPPED)
    return sum([(await tx.execute(done.where(outbox.c.id.in_(some)))).rowcount for some in in_parts(ids)])
