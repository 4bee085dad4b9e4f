"""Fairness in the outbox: nobody who writes much keeps others waiting.

Messages of one person, or announcements of one issue, are a flow. Each message gets a turn when it is put: one after
the last that waits in its flow, or the one that its installation is at now. What has the lowest turn leaves first, so
flows take turns however long one of them is (start-time fair queueing).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, func, literal, select

from app.storage.engine.db import Tx
from app.storage.engine.sql import insert_for
from app.storage.engine.tables import budgets, outbox

WAITING = "waiting"

WRITES_PER_BOARD = 10
"""Number of writes of which one goes to the market comment that waits longest, if any does."""

BEHIND = 20
"""More messages than this wait for an installation: it is behind, and sends no more than it must."""


def flow_of(kind: str, issue_id: int, user_id: int | None) -> int:
    """Give whose turn a message takes: a person's id, an issue's as a negative number, 0 for all the rest."""
    if kind == "notice":
        return -issue_id
    return user_id or 0


def turn_of_new() -> ColumnElement[int]:
    """Reckon a new message's turn from the parameters `installation_id` and `flow` of its insertion."""
    here = outbox.c.installation_id == bindparam("installation_id"), outbox.c.flow == bindparam("flow")
    last = select(func.max(outbox.c.turn)).where(*here, outbox.c.state == WAITING).scalar_subquery()
    now_at = select(func.max(budgets.c.turn)).where(budgets.c.installation_id == bindparam("installation_id"))
    own = case((bindparam("flow") == 0, 0), else_=func.coalesce(last + 1, 0))
    at = func.coalesce(now_at.scalar_subquery(), 0)
    return case((own > at, own), else_=at)


async def note(tx: Tx, leaving: Any) -> None:
    """A message leaves: its installation is at this turn, or at 0 again after its last; its board comes nearer."""
    others = {"installation": leaving.installation_id, "but": leaving.id}
    turn = leaving.turn if (await tx.execute(_OTHERS, others)).first() else 0
    row = {"installation_id": leaving.installation_id, "turn": turn, "since_board": int(leaving.kind != "board")}
    await tx.execute(_note(tx.dialect.name), {**row, "writes_left": 0, "filled_at": 0})


_OTHERS = (
    select(literal(1))
    .where(outbox.c.installation_id == bindparam("installation"), outbox.c.state == WAITING)
    .where(outbox.c.id != bindparam("but"))
    .limit(1)
)


@cache
def _note(dialect: str) -> Any:
    statement = insert_for(dialect, budgets)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["installation_id"],
        set_={
            "turn": case((new.turn == 0, 0), (budgets.c.turn > new.turn, budgets.c.turn), else_=new.turn),
            "since_board": case((new.since_board == 0, 0), else_=budgets.c.since_board + 1),
        },
    )


_BOARD = (
    select(outbox)
    .join(budgets, budgets.c.installation_id == outbox.c.installation_id)
    .where(
        outbox.c.installation_id == bindparam("installation"),
        outbox.c.state == WAITING,
        outbox.c.kind == "board",
        outbox.c.due_at <= bindparam("now"),
        budgets.c.since_board >= WRITES_PER_BOARD - 1,
        (outbox.c.remote_id.is_not(None)) | (budgets.c.create_at <= bindparam("now")),
    )
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(1)
    .with_for_update(skip_locked=True, of=outbox)
)


async def board_in_turn(tx: Tx, installation_id: int, now: int) -> Any:
    """Find the market comment whose turn it is before everything else of the installation; None if it is not."""
    return (await tx.execute(_BOARD, {"installation": installation_id, "now": now})).first()


_WAITING_NOW = (
    select(literal(1))
    .where(outbox.c.installation_id == bindparam("installation"), outbox.c.state == WAITING)
    .where(outbox.c.due_at <= bindparam("now"))
    .limit(BEHIND + 1)
    .subquery()
)
_HOW_MANY = select(func.count()).select_from(_WAITING_NOW)


async def behind(tx: Tx, installation_id: int, now: int) -> bool:
    """Tell whether more waits for the installation than it sends in a while."""
    count: int = (await tx.execute(_HOW_MANY, {"installation": installation_id, "now": now})).scalar_one()
    return count > BEHIND
