"""Repositories that the App cannot see: it was uninstalled, suspended or taken out of them, and perhaps came back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from app.market.life.next_step import another_day
from app.market.terms.contract import Status
from app.storage.engine.awake import awake
from app.storage.engine.db import Tx
from app.storage.engine.sql import in_parts, upsert
from app.storage.engine.tables import absences, contracts, issues, repositories


@dataclass(frozen=True, slots=True)
class Absence:
    """`back_at` None: the App is still away. `days`: on how many different days it turned out to be, when asked."""

    away_at: int
    back_at: int | None
    days: int = 0


async def begin(tx: Tx, repository_id: int, now: int) -> None:
    fresh = {"back_at": None, "unanswered_days": 0, "unanswered_day_at": None}
    await upsert(tx, absences, {"repository_id": repository_id, "away_at": now, **fresh})


async def end(tx: Tx, repository_id: int, now: int) -> None:
    open_one = absences.c.repository_id == repository_id, absences.c.back_at.is_(None)
    await tx.execute(update(absences).where(*open_one).values(back_at=now))


async def note_away_still(tx: Tx, repository_id: int, now: int) -> None:
    """GitHub was asked, and the App is still away: each day counts once."""
    mine = absences.c.repository_id == repository_id, absences.c.back_at.is_(None)
    last_at = (await tx.execute(select(absences.c.unanswered_day_at).where(*mine))).scalar()
    another = another_day(last_at, now)
    if another or (last_at or 0) > now:
        days = absences.c.unanswered_days + int(another)
        await tx.execute(update(absences).where(*mine).values(unanswered_days=days, unanswered_day_at=now))


async def of(tx: Tx, repository_id: int) -> Absence | None:
    """The last one, None if there was none."""
    row = (await tx.execute(select(absences).where(absences.c.repository_id == repository_id))).first()
    return Absence(row.away_at, row.back_at, row.unanswered_days) if row else None


async def away(tx: Tx, repository_ids: set[int]) -> set[int]:
    """Those of the repositories from which the App is away."""
    found: set[int] = set()
    for some in in_parts(repository_ids):
        open_ones = absences.c.repository_id.in_(some), absences.c.back_at.is_(None)
        found |= set((await tx.execute(select(absences.c.repository_id).where(*open_ones))).scalars())
    return found


async def known(tx: Tx, repository_ids: set[int]) -> set[int]:
    """Those of the repositories that we know of."""
    found: set[int] = set()
    for some in in_parts(repository_ids):
        statement = select(repositories.c.id).where(repositories.c.id.in_(some))
        found |= set((await tx.execute(statement)).scalars())
    return found


async def repositories_of(tx: Tx, installation_id: int) -> set[int]:
    statement = select(repositories.c.id).where(repositories.c.installation_id == installation_id)
    return set((await tx.execute(statement)).scalars())


async def unsettled_contracts(tx: Tx, repository_id: int, now: int) -> list[tuple[int, int]]:
    """(contract, issue) of the contracts in a repository's threads that are awake and not settled, in id order."""
    statement = (
        select(contracts.c.id, contracts.c.issue_id)
        .join(issues, issues.c.id == contracts.c.issue_id)
        .where(issues.c.repository_id == repository_id, contracts.c.status != Status.SETTLED.value, awake(now))
        .order_by(contracts.c.id)
    )
    return [(row.id, row.issue_id) for row in await tx.execute(statement)]
