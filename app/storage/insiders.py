"""Who is an insider of an issue, as GitHub said when a command of theirs ran."""

from __future__ import annotations

from sqlalchemy import select

from app.storage.db import Tx
from app.storage.places import upsert
from app.storage.tables import insiders


async def note(tx: Tx, issue_id: int, user_id: int, insider: bool, now: int) -> None:
    await upsert(tx, insiders, {"issue_id": issue_id, "user_id": user_id, "insider": insider, "asked_at": now})


async def known(tx: Tx, issue_id: int, user_id: int) -> tuple[bool, int] | None:
    """Whether the user is one, and when GitHub was asked; None if it was not."""
    key = insiders.c.issue_id == issue_id, insiders.c.user_id == user_id
    row = (await tx.execute(select(insiders.c.insider, insiders.c.asked_at).where(*key))).first()
    return (row.insider, row.asked_at) if row else None


async def of_issue(tx: Tx, issue_id: int) -> frozenset[int]:
    """Ids of the insiders among those who have given commands there."""
    statement = select(insiders.c.user_id).where(insiders.c.issue_id == issue_id, insiders.c.insider)
    return frozenset((await tx.execute(statement)).scalars())
