"""Insiders of an issue, as GitHub said when a command of theirs ran."""

from __future__ import annotations

from sqlalchemy import literal, select

from app.storage.engine.db import Tx
from app.storage.engine.sql import insert, upsert
from app.storage.engine.tables import insiders


async def note(tx: Tx, issue_id: int, user_id: int, insider: bool, now: int) -> None:
    await upsert(tx, insiders, {"issue_id": issue_id, "user_id": user_id, "insider": insider, "asked_at": now})


async def known(tx: Tx, issue_id: int, user_id: int) -> tuple[bool, int] | None:
    """Look up a user: insider or not, and the instant GitHub was asked; None if it was never asked."""
    key = insiders.c.issue_id == issue_id, insiders.c.user_id == user_id
    row = (await tx.execute(select(insiders.c.insider, insiders.c.asked_at).where(*key))).first()
    return (row.insider, row.asked_at) if row else None


async def of_issue(tx: Tx, issue_id: int) -> frozenset[int]:
    """Ids of the insiders among those who have given commands there."""
    statement = select(insiders.c.user_id).where(insiders.c.issue_id == issue_id, insiders.c.insider)
    return frozenset((await tx.execute(statement)).scalars())


async def follow(tx: Tx, old_issue_id: int, issue_id: int) -> None:
    """Copy an issue's insiders to its new id after a transfer, unless GitHub was asked there already.

    Rights are others there: with their next command everybody is asked about anew.
    """
    old = insiders.c.issue_id == old_issue_id
    rows = select(literal(issue_id), insiders.c.user_id, insiders.c.insider, literal(0)).where(old)
    statement = insert(tx, insiders).from_select(["issue_id", "user_id", "insider", "asked_at"], rows)
    await tx.execute(statement.on_conflict_do_nothing())
