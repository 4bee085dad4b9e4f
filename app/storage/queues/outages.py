"""Times in which we did not run, and how far what GitHub had to deliver meanwhile has been caught up with."""

from __future__ import annotations

from sqlalchemy import delete, func, select, update

from app.market.life.outages import OUTAGE_SECONDS, Outage
from app.market.terms.contract import Status
from app.storage.engine.awake import awake
from app.storage.engine.db import Tx
from app.storage.engine.sql import insert
from app.storage.engine.tables import contracts, deliveries, heartbeats, outages
from app.storage.queues.inbox import WAITING

MOST_REMEMBERED = 100

_KNOWN = select(outages).order_by(outages.c.began_at.desc()).limit(MOST_REMEMBERED)


async def known(tx: Tx) -> tuple[Outage, ...]:
    """The last ones, newest first."""
    return tuple(Outage(row.began_at, row.ended_at, row.caught_up_at is not None) for row in await tx.execute(_KNOWN))


async def last_beat(tx: Tx, name: str, now: int) -> int | None:
    """Last run of a process of this name. A beat in the future, left by a fast clock, counts as now."""
    last: int | None = (await tx.execute(select(func.max(heartbeats.c.at)).where(heartbeats.c.name == name))).scalar()
    return None if last is None else min(last, now)


async def beat(tx: Tx, name: str, process: str, started_at: int, now: int) -> None:
    """This process runs. Those whose clock ran ahead, or that were gone for a day, are forgotten."""
    values = {"name": name, "process": process, "started_at": min(started_at, now), "at": now}
    statement = insert(tx, heartbeats).values(**values)
    again = {"started_at": values["started_at"], "at": now}
    await tx.execute(statement.on_conflict_do_update(index_elements=["name", "process"], set_=again))
    others = heartbeats.c.name == name, heartbeats.c.process != process
    old = (heartbeats.c.at > now + OUTAGE_SECONDS) | (heartbeats.c.at < now - 24 * OUTAGE_SECONDS)
    await tx.execute(delete(heartbeats).where(*others, old))


async def note(tx: Tx, began_at: int, ended_at: int) -> None:
    """We did not run from then to then: windows are open for a while yet, and the thread is told at the next look."""
    c, free_at = contracts.c, Outage(began_at, ended_at).free_at
    cut_short = c.status != Status.SETTLED.value, c.window_ends_at < free_at, awake(ended_at)
    planned = func.coalesce(c.window_planned_at, c.window_ends_at)
    longer = {
        "window_ends_at": free_at,
        "window_planned_at": planned,
        "next_look_at": ended_at,
        "version": c.version + 1,
    }
    await tx.execute(update(contracts).where(*cut_short).values(longer))
    values = {"began_at": began_at, "ended_at": ended_at, "fetched_at": None, "caught_up_at": None}
    await tx.execute(insert(tx, outages).values(**values).on_conflict_do_nothing())


async def set_right(tx: Tx, now: int) -> None:
    """The clock ran ahead and was set right: nothing has ended yet that ends in the future."""
    await tx.execute(update(outages).where(outages.c.ended_at > now).values(ended_at=now))
    await tx.execute(delete(outages).where(outages.c.ended_at - outages.c.began_at <= OUTAGE_SECONDS))


async def to_fetch(tx: Tx) -> list[Outage]:
    """Those of which it is not known yet that GitHub has delivered everything again."""
    rows = await tx.execute(select(outages).where(outages.c.fetched_at.is_(None)).order_by(outages.c.began_at))
    return [Outage(row.began_at, row.ended_at, False) for row in rows]


async def note_fetched(tx: Tx, outage: Outage, now: int) -> None:
    """Everything that could be had again is stored."""
    await tx.execute(update(outages).where(outages.c.began_at == outage.began_at).values(fetched_at=now))


async def note_caught_up(tx: Tx, now: int) -> None:
    """Note that every delivery stored at the end of the catching-up has been dealt with."""
    fetched = outages.c.fetched_at.is_not(None), outages.c.caught_up_at.is_(None)
    if (await tx.execute(select(outages.c.began_at).where(*fetched).limit(1))).first() is not None:
        waits = select(deliveries.c.id).where(
            deliveries.c.state == WAITING, deliveries.c.received_at <= outages.c.fetched_at
        )
        await tx.execute(update(outages).where(*fetched, ~waits.exists()).values(caught_up_at=now))
