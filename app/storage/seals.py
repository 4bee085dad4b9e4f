"""Sealing the journal, and reading it back in the order of its seals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import func, select, text

from app.market.journal import GENESIS_SEAL, Entry, Kind, Posting, entry_hash, seal_hash
from app.storage.db import Tx
from app.storage.places import insert
from app.storage.tables import entries, postings, sealed_entries, seals

RUN = 1_000
"""The most entries one seal closes."""

LOOK_BACK = 100_000
"""How far behind the newest sealed entry one that committed later is looked for: far more than can be under way."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as it is stored now; `hash` is what it had when it was sealed."""

    id: int
    seal: int | None
    hash: str | None
    entry: Entry


@dataclass(frozen=True, slots=True)
class Seal:
    number: int
    hash: str
    entries: int


async def only_sealer(tx: Tx) -> None:
    """Make other sealers wait for the end of this transaction. SQLite has one writer anyhow."""
    if tx.dialect.name == "postgresql":
        await tx.execute(text("LOCK TABLE seals IN SHARE ROW EXCLUSIVE MODE"))


async def last_seal(tx: Tx, lock: bool = False) -> Seal | None:
    statement = select(seals).order_by(seals.c.number.desc()).limit(1)
    row = (await tx.execute(statement.with_for_update() if lock else statement)).first()
    return Seal(row.number, row.hash, row.entries) if row else None


async def unsealed(tx: Tx, limit: int = RUN) -> list[StoredEntry]:
    """Committed entries that no seal closes yet, in the order of their ids."""
    newest = (await tx.execute(select(func.max(sealed_entries.c.entry_id)))).scalar() or 0
    statement = (
        select(entries)
        .outerjoin(sealed_entries, sealed_entries.c.entry_id == entries.c.id)
        .where(sealed_entries.c.entry_id.is_(None), entries.c.id > newest - LOOK_BACK)
        .order_by(entries.c.id)
        .limit(limit)
    )
    rows = (await tx.execute(statement)).all()
    lines = await _postings(tx, [row.id for row in rows])
    return [StoredEntry(row.id, None, None, Entry(row.key, row.cause, row.at, lines.get(row.id, ()))) for row in rows]


async def _postings(tx: Tx, ids: Sequence[int]) -> dict[int, tuple[Posting, ...]]:
    if not ids:
        return {}
    statement = (
        select(postings)
        .where(postings.c.entry_id.between(min(ids), max(ids)))
        .order_by(postings.c.entry_id, postings.c.line)
    )
    rows = await tx.execute(statement)
    return {
        entry_id: tuple(Posting(Kind(row.kind), row.owner, row.currency, row.amount) for row in group)
        for entry_id, group in groupby(rows, key=lambda row: int(row.entry_id))
    }


async def add_seal(tx: Tx, run: Sequence[StoredEntry], now: int) -> Seal:
    """Close a run of entries with the next seal."""
    previous = await last_seal(tx, lock=True)
    number = previous.number + 1 if previous else 1
    hashes = [entry_hash(item.entry) for item in run]
    sealed = seal_hash(previous.hash if previous else GENESIS_SEAL, hashes)
    await tx.execute(insert(tx, seals).values(number=number, hash=sealed, entries=len(run), at=now))
    rows = [{"entry_id": item.id, "seal": number, "hash": found} for item, found in zip(run, hashes, strict=True)]
    await tx.execute(insert(tx, sealed_entries), rows)
    return Seal(number, sealed, len(run))


async def all_seals(tx: Tx) -> AsyncIterator[Seal]:
    result = await tx.stream(select(seals).order_by(seals.c.number))
    async for row in result:
        yield Seal(row.number, row.hash, row.entries)


async def all_entries(tx: Tx) -> AsyncIterator[StoredEntry]:
    """The whole journal: by seal, within a seal by id; unsealed entries last. In constant memory."""
    statement = (
        select(
            entries,
            sealed_entries.c.seal,
            sealed_entries.c.hash,
            postings.c.line,
            postings.c.kind,
            postings.c.owner,
            postings.c.currency,
            postings.c.amount,
        )
        .outerjoin(sealed_entries, sealed_entries.c.entry_id == entries.c.id)
        .outerjoin(postings, postings.c.entry_id == entries.c.id)
        .order_by(func.coalesce(sealed_entries.c.seal, 2**62), entries.c.id, postings.c.line)
    )
    current: StoredEntry | None = None
    lines: list[Posting] = []
    async for row in await tx.stream(statement):
        if current is None or row.id != current.id:
            if current is not None:
                yield _with(current, lines)
            current = StoredEntry(row.id, row.seal, row.hash, Entry(row.key, row.cause, row.at, ()))
            lines = []
        if row.kind is not None:
            lines.append(Posting(Kind(row.kind), row.owner, row.currency, row.amount))
    if current is not None:
        yield _with(current, lines)


def _with(stored: StoredEntry, lines: list[Posting]) -> StoredEntry:
    return replace(stored, entry=stored.entry._replace(postings=tuple(lines)))
