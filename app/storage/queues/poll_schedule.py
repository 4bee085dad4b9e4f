"""Regular checks with GitHub, made even if no event said that anything changed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, case, delete, func, literal, select, update

from app.market.terms.contract import Status
from app.market.terms.statement import ISSUE_FIXED
from app.storage.engine.awake import awake
from app.storage.engine.db import Tx
from app.storage.engine.sql import insert
from app.storage.engine.tables import contracts, rechecks, repositories

REPOSITORY, CONTRACT = "repository", "contract"
SPREAD = 7919
"""A prime: ids that follow each other come due far from each other."""


@dataclass(frozen=True, slots=True)
class Recheck:
    kind: str
    id: int


async def enlist(tx: Tx, now: int, every_seconds: int) -> None:
    """Put missing repositories, and one contract of each issue, on the list, spread over that time."""
    await _enlist(tx, REPOSITORY, select(repositories.c.id), now, every_seconds)
    await _enlist(tx, CONTRACT, _first_of_each_issue(now), now, every_seconds)


def _first_of_each_issue(now: int) -> Select[tuple[int]]:
    """All contracts on an issue's being fixed are judged by one answer, a forecast by its own."""
    own = case((contracts.c.kind == ISSUE_FIXED, 0), else_=contracts.c.id)
    unsettled = select(func.min(contracts.c.id).label("id")).where(
        contracts.c.status != Status.SETTLED.value, awake(now)
    )
    return unsettled.group_by(contracts.c.issue_id, own)


async def _enlist(tx: Tx, kind: str, ids: Select[tuple[int]], now: int, every_seconds: int) -> None:
    found = ids.subquery()
    listed = select(rechecks.c.id).where(rechecks.c.kind == kind, rechecks.c.id == found.c.id)
    rows = select(literal(kind), found.c.id, _spread(found.c.id, every_seconds) + now).where(~listed.exists())
    await tx.execute(insert(tx, rechecks).from_select(["kind", "id", "due_at"], rows).on_conflict_do_nothing())


def _spread(number: ColumnElement[int], seconds: int) -> ColumnElement[int]:
    return (number % seconds) * SPREAD % seconds


async def take(tx: Tx, now: int, limit: int, again_at: int) -> list[Recheck]:
    """The first that are due; nobody else gets them before `again_at`."""
    order = rechecks.c.due_at, rechecks.c.kind, rechecks.c.id
    statement = select(rechecks).where(rechecks.c.due_at <= now).order_by(*order).limit(limit)
    rows = list(await tx.execute(statement.with_for_update(skip_locked=True)))
    found = [Recheck(row.kind, row.id) for row in rows]
    for check in found:
        await put_off(tx, check, again_at)
    return found


async def put_off(tx: Tx, check: Recheck, due_at: int) -> None:
    await tx.execute(update(rechecks).where(*_this(check)).values(due_at=due_at))


async def forget(tx: Tx, check: Recheck) -> None:
    await tx.execute(delete(rechecks).where(*_this(check)))


async def wake(tx: Tx, repository_id: int, now: int) -> None:
    """Something was told of a repository: GitHub is asked soon how it stands."""
    statement = insert(tx, rechecks).values(kind=REPOSITORY, id=repository_id, due_at=now)
    await tx.execute(statement.on_conflict_do_update(index_elements=["kind", "id"], set_={"due_at": now}))


def _this(check: Recheck) -> tuple[ColumnElement[bool], ...]:
    return rechecks.c.kind == check.kind, rechecks.c.id == check.id
