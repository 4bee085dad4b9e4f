"""Recorded answers and the reply that tells of each: what is still to be told, and what shares a reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement, false, select, update

from app.storage.engine.db import Tx
from app.storage.engine.sql import in_parts
from app.storage.engine.tables import commands, issues, outbox, repositories, users
from app.storage.people.places import in_sight
from app.storage.queues.commands import CommandRecord
from app.storage.queues.outbox import SENT, WAITING
from app.storage.queues.stored_replies import ON_PAGE, Answer

PAGE = "page"
"""In the place of a reply's key: the answer is on the app's page alone, as its repository wants it."""

UNSAID = "unsaid"
"""The same: the answer is told nowhere, since its user is muted."""


MOST_ON_PAGE = 50
"""Newest answers of a thread that its page shows."""


@dataclass(frozen=True, slots=True)
class Unposted:
    """An answer that is on the page alone, with the command that it answers."""

    comment_id: int
    login: str
    text: str
    body: str


@dataclass(frozen=True, slots=True)
class ThreadTold:
    """Answers of a thread that were not posted, newest first."""

    owner: str
    name: str
    number: int
    answers: Sequence[Unposted]


@dataclass(frozen=True, slots=True)
class Batch:
    """Answers that were given at once, to one comment."""

    comment_id: int
    records: Sequence[CommandRecord]


async def untold(tx: Tx, comment_id: int) -> list[CommandRecord]:
    """Commands of a comment that no reply tells of yet, in the order they ran."""
    mine = commands.c.comment_id == comment_id, commands.c.told_in.is_(None)
    rows = await tx.execute(select(commands).where(*mine).order_by(commands.c.id))
    return [CommandRecord(row.id, row.text, row.user_id, row.done, row.answer) for row in rows]


async def mark(tx: Tx, records: Sequence[CommandRecord], key: str) -> None:
    """They are told in the reply of this key, put in the same transaction; or PAGE, or UNSAID."""
    for some in in_parts({record.id for record in records}):
        await tx.execute(update(commands).where(commands.c.id.in_(some)).values(told_in=key))


async def batches(tx: Tx, *keys: str) -> list[Batch]:
    """All that replies tell of, newest first."""
    wanted = select(commands).where(commands.c.told_in.in_(keys)).order_by(commands.c.id)
    found: list[Batch] = []
    for comment_id, rows in groupby(await tx.execute(wanted), lambda row: row.comment_id):
        records = [CommandRecord(row.id, row.text, row.user_id, row.done, row.answer) for row in rows]
        found.insert(0, Batch(comment_id, records))
    return found


async def shared(tx: Tx, issue_id: int, user_id: int, since: int, in_thread: int, most_below: int) -> str | None:
    """The key of the reply that a user's commands share: one made since then, with few comments below it.

    `in_thread`: the comments of the issue now; the reply itself is one of them.
    """
    o = outbox.c
    wanted = (
        select(o.key)
        .where(o.issue_id == issue_id, o.user_id == user_id, o.kind == "reply", o.comments_before.is_not(None))
        .where(o.state.in_((SENT, WAITING, ON_PAGE)), o.created_at > since)
        .where(o.comments_before + 1 + most_below >= in_thread)
        .order_by(o.id.desc())
        .limit(1)
    )
    key: str | None = (await tx.execute(wanted)).scalar()
    return key


async def share(tx: Tx, key: str, in_thread: int) -> None:
    """Later commands of its user may share this reply, which was put in this transaction."""
    await tx.execute(update(outbox).where(outbox.c.key == key).values(comments_before=in_thread))


async def public_answer(tx: Tx, comment_id: int) -> Answer | None:
    """The answer to a comment, with all that its reply tells of, posted or not.

    None in a repository that is private or out of sight, and where the user is muted.
    """
    c = commands.c
    place = users.c.login, repositories.c.owner_login, repositories.c.name, issues.c.number
    wanted = (
        select(c.told_in, *place)
        .join(users, users.c.id == c.user_id)
        .join(issues, issues.c.id == c.issue_id)
        .join(repositories, repositories.c.id == issues.c.repository_id)
        .where(c.comment_id == comment_id, c.told_in.is_not(None), c.told_in != UNSAID)
        .where(repositories.c.private == false(), in_sight())
    )
    rows = list(await tx.execute(wanted))
    if not rows:
        return None
    found = await batches(tx, *({row.told_in for row in rows} - {PAGE}))
    if any(row.told_in == PAGE for row in rows):
        found.insert(0, Batch(comment_id, await _on_page(tx, c.comment_id == comment_id)))
    body = "\n\n".join(shown(record.done, record.answer) for batch in found for record in batch.records)
    return Answer(comment_id, rows[0].login, body, rows[0].owner_login, rows[0].name, rows[0].number)


async def public_thread(tx: Tx, issue_id: int) -> ThreadTold | None:
    """The newest answers of a thread that were not posted, since its repository wants reactions only."""
    c = commands.c
    place = select(repositories.c.owner_login, repositories.c.name, issues.c.number)
    wanted = (
        place.add_columns(c.comment_id, c.text, c.done, c.answer, users.c.login)
        .join(issues, issues.c.id == c.issue_id)
        .join(repositories, repositories.c.id == issues.c.repository_id)
        .join(users, users.c.id == c.user_id)
        .where(c.issue_id == issue_id, c.told_in == PAGE, repositories.c.private == false(), in_sight())
        .order_by(c.id.desc())
        .limit(MOST_ON_PAGE)
    )
    rows = list(await tx.execute(wanted))
    if not rows:
        return None
    answers = [
        Unposted(
            row.comment_id,
            row.login,
            row.text,
            shown(row.done, row.answer),
        )
        for row in rows
    ]
    return ThreadTold(rows[0].owner_login, rows[0].name, rows[0].number, answers)


async def _on_page(tx: Tx, *which: ColumnElement[bool]) -> list[CommandRecord]:
    rows = await tx.execute(select(commands).where(commands.c.told_in == PAGE, *which).order_by(commands.c.id))
    return [CommandRecord(row.id, row.text, row.user_id, row.done, row.answer) for row in rows]


def shown(done: bool, answer: str) -> str:
    """An answer with what came of its command."""
    return f"{'🚀' if done else '😕'} {answer}"
