"""The record of every command: what makes sure that each runs once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from app.market.terms.contract import digest
from app.storage.engine.db import Tx
from app.storage.engine.sql import insert
from app.storage.engine.tables import commands


@dataclass(frozen=True, slots=True)
class CommandKey:
    """A command is known by its comment, its normalised text and which of several equal ones it is."""

    comment_id: int
    text: str
    occurrence: int

    @property
    def receipt(self) -> str:
        """The key of its receipt in the channel of comments."""
        return f"{self.comment_id}:{digest(self.text)}:{self.occurrence}"


COMMENT = "comment"
"""The channel of commands that stand in comments."""


@dataclass(frozen=True, slots=True)
class CommandRecord:
    id: int
    text: str
    user_id: int
    done: bool
    answer: str


async def begin(tx: Tx, key: CommandKey, *, user_id: int, issue_id: int, at: int) -> int | None:
    """Claim a command for this transaction: the receipt's number, or None if it has run."""
    statement = (
        insert(tx, commands)
        .values(
            channel=COMMENT,
            key=key.receipt,
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
    return [CommandRecord(row.id, row.text, row.user_id, row.done, row.answer) for row in rows]
