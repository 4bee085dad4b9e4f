"""Replies in the outbox: those that stay on the app's page, what the page shows, and what a newer reply outgrows."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, false, func, select, update

from app.storage.engine.db import Tx
from app.storage.engine.sql import in_parts
from app.storage.engine.tables import outbox, repositories, users
from app.storage.people.places import in_sight
from app.storage.queues.outbox import SENT, WAITING, Message

ON_PAGE = "page"
"""The state of a reply that is not posted, to save GitHub's budget; its reaction is, and the page shows the rest."""

PREFIX = "reply:"
"""The key of a reply is this and the number of the comment that it was made for, and of its command after an edit."""

MOST_LISTED = 5
MOST_BODIES = 200
"""Newest replies of a thread in which a quotation is looked up."""

_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
_MENTION = re.compile(r"(?<![\w/@])@[A-Za-z0-9]")


def answered(key: str) -> int:
    """The number of the comment that a reply of this key was made for."""
    return int(key.removeprefix(PREFIX).partition(":")[0])


def mentions_somebody(body: str) -> bool:
    """As GitHub reads it: not in code."""
    return _MENTION.search(_CODE.sub("", body)) is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a comment, where it belongs, and the login of whom it answers."""

    comment_id: int
    login: str
    body: str = ""
    owner: str = ""
    name: str = ""
    number: int = 0


async def keep_on_page(tx: Tx, installation_ids: Collection[int], now: int) -> None:
    """Replies that wait in public repositories of these installations are not posted; market comments link to them.

    One that may have been posted already still is, and so is one that mentions somebody: nothing else tells them.
    """
    public = select(repositories.c.id).where(repositories.c.private == false(), in_sight())
    kept: set[int] = set()
    for some in in_parts(set(installation_ids)):
        fresh = outbox.c.attempts == 0, outbox.c.remote_id.is_(None), outbox.c.key.startswith(PREFIX)
        here = outbox.c.installation_id.in_(some), outbox.c.repository_id.in_(public), outbox.c.state == WAITING
        telling = await _mentioning(tx, *here, *fresh)
        keep = update(outbox).where(*here, *fresh, outbox.c.id.not_in(telling)).values(state=ON_PAGE)
        kept |= set((await tx.execute(keep.returning(outbox.c.issue_id))).scalars())
    for some in in_parts(kept):
        boards = outbox.c.kind == "board", outbox.c.issue_id.in_(some)
        due_at = case((outbox.c.due_at > now, outbox.c.due_at), else_=now)
        await tx.execute(
            update(outbox).where(*boards).values(state=WAITING, version=outbox.c.version + 1, due_at=due_at)
        )


async def _mentioning(tx: Tx, *which: ColumnElement[bool]) -> list[int]:
    """Those of these messages that mention somebody; they leave before long, so that there are few."""
    marked = select(outbox.c.id, outbox.c.body).where(*which, outbox.c.body.contains("@"))
    return [row.id for row in await tx.execute(marked) if mentions_somebody(row.body)]


async def on_page(tx: Tx, issue_id: int, since: int) -> list[Answer]:
    """The newest answers in a thread that are on the page alone, newest first."""
    wanted = (
        select(outbox.c.key, users.c.login)
        .join(users, users.c.id == outbox.c.user_id)
        .where(outbox.c.issue_id == issue_id, outbox.c.state == ON_PAGE, outbox.c.created_at >= since)
        .order_by(outbox.c.id.desc())
        .limit(MOST_LISTED)
    )
    return [Answer(answered(row.key), row.login) for row in await tx.execute(wanted)]


async def bodies(tx: Tx, issue_id: int) -> list[str]:
    """The newest replies in a thread."""
    mine = outbox.c.issue_id == issue_id, outbox.c.kind == "reply"
    wanted = select(outbox.c.body).where(*mine).order_by(outbox.c.id.desc()).limit(MOST_BODIES)
    return list((await tx.execute(wanted)).scalars())


@dataclass(frozen=True, slots=True)
class Outgrown:
    """A reply that a newer one takes the place of."""

    comment_id: int
    node_id: str
    body: str
    key: str


async def outgrown_by(tx: Tx, message: Message) -> Outgrown | None:
    """The reply before this one that commands of the same user in the same thread shared, if they share this one."""
    if message.user_id is None or not message.key.startswith(PREFIX):
        return None
    sharing = outbox.c.comments_before.is_not(None)
    if (await tx.execute(select(outbox.c.id).where(outbox.c.id == message.id, sharing))).first() is None:
        return None
    same = outbox.c.issue_id == message.issue_id, outbox.c.user_id == message.user_id, outbox.c.id < message.id
    sent = outbox.c.state == SENT, outbox.c.key.startswith(PREFIX), outbox.c.node_id.is_not(None), sharing
    wanted = select(outbox.c.remote_id, outbox.c.node_id, outbox.c.body, outbox.c.key).where(*same, *sent)
    row = (await tx.execute(wanted.order_by(outbox.c.id.desc()).limit(1))).first()
    return Outgrown(row.remote_id, row.node_id, row.body, row.key) if row else None


async def minimised_since(tx: Tx, installation_id: int, since: int) -> int:
    """Count our comments that were queued for minimising lately."""
    ours = outbox.c.installation_id == installation_id, outbox.c.kind == "minimise", outbox.c.created_at > since
    return (await tx.execute(select(func.count()).where(*ours))).scalar_one()
