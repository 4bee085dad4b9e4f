"""The record of every command: what makes sure that each runs once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, update

from app.market.terms.contract import digest
from app.storage.engine.db import Tx
from app.storage.engine.sql import insert
from app.storage.engine.tables import commands

COMMENT = "comment"
"""The channel of commands that stand in comments."""


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """A command is known by the channel it came through and its key there; `text` is what was said.

    One that stands in a comment knows its comment, and which of several equal ones it is.
    """

    channel: str
    key: str
    text: str
    comment_id: int | None = None
    occurrence: int = 0


def in_comment(comment_id: int, text: str, occurrence: int) -> ReceiptKey:
    """The key of a command in a comment: its comment, its normalised text and which of several equal ones it is."""
    return ReceiptKey(COMMENT, f"{comment_id}:{digest(text)}:{occurrence}", text, comment_id, occurrence)


@dataclass(frozen=True, slots=True)
class CommandRecord:
    id: int
    text: str
    user_id: int
    done: bool
    answer: str


async def begin(tx: Tx, key: ReceiptKey, *, user_id: int, issue_id: int, at: int) -> int | None:
    """Claim a command for this transaction: the receipt's number, or None if it has run."""
    statement = (
        insert(tx, commands)
        .values(
            channel=key.channel,
            key=key.key,
            comment_id=key.comment_id,
            text_hash=digest(key.text),
            occurrence=key.occurrence,
            text=key.text,
            user_id=user_id,
            issue_id=issue_id,
            at=at,
            done=False,
            answer="",
        )
        .on_conflict_do_nothing(index_elements=["channel", "key"])
    )
    number: int | None = (await tx.execute(statement.returning(commands.c.id))).scalar()
    return number


async def finish(tx: Tx, number: int, *, done: bool, answer: str) -> None:
    """Write down what a command did, in the transaction that did it."""
    await tx.execute(update(commands).where(commands.c.id == number).values(done=done, answer=answer))


async def of_comment(tx: Tx, comment_id: int) -> list[CommandRecord]:
    """The commands of a comment in the order they ran."""
    rows = await tx.execute(select(commands).where(commands.c.comment_id == comment_id).order_by(commands.c.id))
    return [_record(row) for row in rows]


async def known(tx: Tx, channel: str, keys: Collection[str]) -> dict[str, CommandRecord]:
    """The receipts there are of commands with these keys."""
    rows = await tx.execute(select(commands).where(commands.c.channel == channel, commands.c.key.in_(keys)))
    return {row.key: _record(row) for row in rows}


def _record(row: Row[Any]) -> CommandRecord:
    return CommandRecord(row.id, row.text, row.user_id, row.done, row.answer)
