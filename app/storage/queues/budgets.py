"""The use each installation has made of GitHub's limits, and the instant it may go on: one count for all workers.

A message is charged in the transaction that claims it, for what sending it takes; what was asked beyond that is charged
when it is known. So a crash charges too much at worst, never too little. Windows slide, to the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, bindparam, case, delete, func, select, update

from app.storage.engine.db import Tx
from app.storage.engine.sql import insert_for, upsert
from app.storage.engine.tables import budgets, spent

MINUTE, HOUR = 60, 3600
MARGIN_SECONDS = 5
"""Added to every window: what is charged now reaches GitHub a little later, and not all of it equally late."""

UNDER_WAY_POINTS = 50
"""Left of the minute's points for what was asked since the last time that it was written down."""

SAVING_PERCENT = 80
"""Share of the hour's creations; above it, replies stay on the app's page."""

LIMITED_SECONDS = 60
LONGEST_LIMITED_SECONDS = 3600

WRITE_POINTS = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """`burst` writes at once, refilled at one a second; `points` are GitHub's, 1 for a read and 5 for a write."""

    burst: int
    creations_per_minute: int
    creations_per_hour: int
    points_per_minute: int


GITHUB = Limits(burst=5, creations_per_minute=80, creations_per_hour=500, points_per_minute=900)
"""Those of github.com (docs/operators.md), and its advice to write about once a second."""


@dataclass(frozen=True, slots=True)
class Use:
    """Points used; negative when an earlier charge was higher than the real use."""

    writes: int = 0
    creations: int = 0
    points: int = 0

    def __add__(self, other: Use) -> Use:
        return Use(self.writes + other.writes, self.creations + other.creations, self.points + other.points)

    def __sub__(self, other: Use) -> Use:
        return Use(self.writes - other.writes, self.creations - other.creations, self.points - other.points)


@dataclass(frozen=True, slots=True)
class Hold:
    """`strikes`: refusals in a row for which GitHub named no end."""

    until_at: int = 0
    strikes: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Installations to leave alone, each with its end, and those that should write as few comments as they can."""

    held: Mapping[int, int]
    saving: frozenset[int]


async def spend(tx: Tx, installation_id: int, use: Use, now: int, limits: Limits) -> None:
    """Charge it, and reckon anew when the installation may write, create and ask again."""
    await _note(tx, installation_id, use, now)
    left = await _writes_left(tx, installation_id, now, limits) - use.writes
    sums = await _sums(tx, installation_id, now)
    window = _Window(tx, installation_id, now)
    saving = limits.creations_per_hour * SAVING_PERCENT // 100
    hourly = await window.frees_at(spent.c.creations, HOUR, limits.creations_per_hour, sums.hour)
    minutely = await window.frees_at(spent.c.creations, MINUTE, limits.creations_per_minute, sums.minute)
    values = {
        "installation_id": installation_id,
        "writes_left": min(left, limits.burst),
        "filled_at": now,
        "write_at": now if left > 0 else now + 1 - left,
        "create_at": max(hourly, minutely),
        "saving_until": await window.frees_at(spent.c.creations, HOUR, saving, sums.hour),
        "held_until": 0,
        "strikes": 0,
        "turn": 0,
        "since_board": 0,
    }
    await upsert(tx, budgets, values, keep=frozenset({"held_until", "strikes", "turn", "since_board"}))
    most = limits.points_per_minute - UNDER_WAY_POINTS
    until_at = await window.frees_at(spent.c.points, MINUTE, most, sums.points)
    if until_at:
        await hold(tx, installation_id, until_at)


async def _note(tx: Tx, installation_id: int, use: Use, now: int) -> None:
    ours = spent.c.installation_id == installation_id
    await tx.execute(delete(spent).where(ours, spent.c.at <= now - HOUR - MARGIN_SECONDS))
    row = {"installation_id": installation_id, "at": now, "creations": use.creations, "points": use.points}
    await tx.execute(_add(tx.dialect.name), row)


@cache
def _add(dialect: str) -> Any:
    statement = insert_for(dialect, spent)
    more = {name: spent.c[name] + statement.excluded[name] for name in ("creations", "points")}
    return statement.on_conflict_do_update(index_elements=list(spent.primary_key), set_=more)


async def _writes_left(tx: Tx, installation_id: int, now: int, limits: Limits) -> int:
    """Before this use; less than nothing where more was used than was known beforehand."""
    wanted = select(budgets.c.writes_left, budgets.c.filled_at).where(budgets.c.installation_id == installation_id)
    row = (await tx.execute(wanted)).first()
    if row is None or row.filled_at == 0:
        return limits.burst
    left: int = row.writes_left + max(0, now - row.filled_at)
    return min(limits.burst, left)


@dataclass(frozen=True, slots=True)
class _Sums:
    hour: int
    minute: int
    points: int


async def _sums(tx: Tx, installation_id: int, now: int) -> _Sums:
    lately = spent.c.at > now - MINUTE - MARGIN_SECONDS
    wanted = select(
        func.sum(spent.c.creations),
        func.sum(case((lately, spent.c.creations), else_=0)),
        func.sum(case((lately, spent.c.points), else_=0)),
    ).where(spent.c.installation_id == installation_id, spent.c.at > now - HOUR - MARGIN_SECONDS)
    hour, minute, points = (await tx.execute(wanted)).one()
    return _Sums(int(hour or 0), int(minute or 0), int(points or 0))


@dataclass(frozen=True, slots=True)
class _Window:
    tx: Tx
    installation_id: int
    now: int

    async def frees_at(self, column: Column[int], seconds: int, limit: int, total: int) -> int:
        """Find the instant at which use in the window falls below the limit; 0 if it is below now."""
        if total < limit:
            return 0
        length = seconds + MARGIN_SECONDS
        ours = spent.c.installation_id == self.installation_id, spent.c.at > self.now - length
        for row in (await self.tx.execute(select(spent.c.at, column).where(*ours).order_by(spent.c.at))).all():
            total -= row[1]
            if total < limit:
                return int(row[0]) + length
        return self.now + length


async def hold(tx: Tx, installation_id: int, until_at: int) -> None:
    """Nothing leaves for this installation, and nothing is asked, before that; a longer hold stays."""
    row = {
        "installation_id": installation_id,
        "writes_left": 0,
        "filled_at": 0,
        "held_until": until_at,
    }
    await tx.execute(_hold(tx.dialect.name), row)


@cache
def _hold(dialect: str) -> Any:
    statement = insert_for(dialect, budgets)
    new, old = statement.excluded.held_until, budgets.c.held_until
    return statement.on_conflict_do_update(
        index_elements=["installation_id"], set_={"held_until": case((old > new, old), else_=new)}
    )


async def limited(tx: Tx, installation_id: int, retry_at: int | None, now: int) -> None:
    """GitHub refused for a limit: hold until the instant that it named.

    Without one for a minute, then two, four, … as long as it is refused again within an hour after that.
    """
    known = await hold_of(tx, installation_id)
    if retry_at is not None:
        await hold(tx, installation_id, retry_at)
    elif known.until_at > now:  # several were under way when the limit was met, or our own bound was
        await hold(tx, installation_id, now + LIMITED_SECONDS)
    else:
        strikes = known.strikes if now - known.until_at < LONGEST_LIMITED_SECONDS else 0
        await hold(tx, installation_id, now + min(LIMITED_SECONDS * 2 ** min(strikes, 10), LONGEST_LIMITED_SECONDS))
        await tx.execute(_ours(installation_id).values(strikes=strikes + 1))


async def relieved(tx: Tx, installation_id: int) -> None:
    """Something went through: the next refusal is the first again."""
    await tx.execute(_ours(installation_id).where(budgets.c.strikes > 0).values(strikes=0))


async def release(tx: Tx, installation_id: int) -> None:
    """End a hold before its time."""
    await tx.execute(_ours(installation_id).values(held_until=0, strikes=0))


def _ours(installation_id: int) -> Any:
    return update(budgets).where(budgets.c.installation_id == installation_id)


async def hold_of(tx: Tx, installation_id: int) -> Hold:
    wanted = select(budgets.c.held_until, budgets.c.strikes).where(budgets.c.installation_id == installation_id)
    row = (await tx.execute(wanted)).first()
    return Hold(row.held_until, row.strikes) if row else Hold()


_STANDING = select(budgets.c.installation_id, budgets.c.held_until, budgets.c.saving_until).where(
    (budgets.c.held_until > bindparam("now")) | (budgets.c.saving_until > bindparam("now"))
)


async def standing(tx: Tx, now: int) -> Standing:
    rows = (await tx.execute(_STANDING, {"now": now})).all()
    return Standing(
        {row.installation_id: row.held_until for row in rows if row.held_until > now},
        frozenset(row.installation_id for row in rows if row.saving_until > now),
    )
