"""Every number that this database hands out, moved ahead: offers, contracts, receipts, entries, messages, disputes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Table, func, insert, literal, select, text, update

from app.market.exchange.fill import AmendmentKind
from app.market.terms.contract import Status
from app.storage.engine.db import Tx
from app.storage.engine.tables import (
    amendments,
    commands,
    configs,
    contracts,
    deliveries,
    entries,
    metadata,
    outbox,
    rechecks,
    restores,
)

AHEAD = 1_000_000
"""Further than anything between a backup and its restore can have got."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The time between a backup and its restore, of which this database knows nothing."""

    since_at: int
    until_at: int


def numbered() -> Iterator[Table]:
    """Tables whose rows the database numbers."""
    for table in metadata.sorted_tables:
        if table.autoincrement_column is not None and table.dialect_options["sqlite"]["autoincrement"]:
            yield table


async def move_ahead(tx: Tx, by: int) -> None:
    """The next row of every table gets a number so much higher. An offer's place in its book is a number of offers."""
    for table in numbered():
        highest = (await tx.execute(select(func.max(table.c.id)))).scalar() or 0
        if table.name == "offers":
            highest = max(highest, (await tx.execute(select(func.max(table.c.rank)))).scalar() or 0)
        given = {"name": table.name, "highest": highest, "by": by}
        if tx.dialect.name == "sqlite":
            if not (await tx.execute(_SQLITE_MOVE, given)).rowcount:
                await tx.execute(_SQLITE_START, given)
        else:
            await tx.execute(_POSTGRES_MOVE, given)


_SQLITE_MOVE = text("UPDATE sqlite_sequence SET seq = max(seq, :highest) + :by WHERE name = :name")
_SQLITE_START = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :highest + :by)")
_POSTGRES_MOVE = text(
    "WITH found AS (SELECT CAST(pg_get_serial_sequence(:name, 'id') AS regclass) AS sequence)"
    " SELECT setval(sequence, greatest(nextval(sequence), CAST(:highest AS bigint)) + CAST(:by AS bigint)) FROM found"
)


async def move_contracts_ahead(tx: Tx, now: int, by: int) -> None:
    """Versions, and the amendments of each contract that may get another: one that says so, and changes nothing."""
    going = contracts.c.status != Status.SETTLED.value
    told = select(
        contracts.c.id,
        contracts.c.amendment + by,
        literal(AmendmentKind.RESTORED.value),
        contracts.c.open_interest,
        contracts.c.minted_mills,
        literal(now),
    ).where(going)
    names = "contract_id", "number", "kind", "open_interest", "minted_mills", "at"
    await tx.execute(insert(amendments).from_select(names, told))
    await tx.execute(update(contracts).where(going).values(amendment=contracts.c.amendment + by))
    await tx.execute(update(contracts).values(version=contracts.c.version + by))


async def ask_all_anew(tx: Tx, now: int) -> None:
    """GitHub is asked about everything that may have changed since the backup, as soon as a worker runs."""
    await tx.execute(update(rechecks).where(rechecks.c.due_at > now).values(due_at=now))
    await tx.execute(update(configs).where(configs.c.next_fetch_at > now).values(next_fetch_at=now))


async def note(tx: Tx, now: int) -> None:
    """Remember that the database was restored, and what the newest was that it knew of."""
    newest = 0
    for column in (entries.c.at, commands.c.at, deliveries.c.received_at, outbox.c.created_at):
        newest = max(newest, (await tx.execute(select(func.max(column)))).scalar() or 0)
    await tx.execute(insert(restores).values(known_at=min(newest, now), at=now, entry_id=await newest_entry(tx)))


async def newest_entry(tx: Tx) -> int | None:
    found: int | None = (await tx.execute(select(func.max(entries.c.id)))).scalar()
    return found


async def done_already(tx: Tx) -> bool:
    """Tell if nothing has been journalled or received since the numbers were last moved."""
    last = (await tx.execute(select(restores).order_by(restores.c.id.desc()).limit(1))).first()
    if last is None or last.entry_id != await newest_entry(tx):
        return False
    later = (commands.c.at, deliveries.c.received_at)
    found = [(await tx.execute(select(column).where(column > last.at).limit(1))).first() for column in later]
    return not any(found)


async def lost(tx: Tx) -> Lost | None:
    """Instant of the last restore; None if there was none."""
    row = (await tx.execute(select(restores).order_by(restores.c.id.desc()).limit(1))).first()
    return Lost(row.known_at, row.at) if row else None
