"""Sealing the journal, and reading it back for the audit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, String, bindparam, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.market.ledger.journal import GENESIS_SEAL, Entry, Kind, Posting, dated_seal, entry_hash, seal_hash
from app.storage.engine.db import Tx
from app.storage.engine.sql import insert
from app.storage.engine.tables import entries, postings, sealed_entries, seals

RUN = 1_000
"""The most entries one seal closes."""

LOOK_BACK = 100_000
"""Distance behind the newest sealed entry in which late commits are looked for: far more than can be under way.

SQLite has one writer at a time: there nothing commits later.
"""

PAGE = 2_000
SEALS_PAGE = 500
HASHES_PAGE = 20_000
"""Rows read at once: entries; seals; and the entries that those seals say they close."""

LOWEST, HIGHEST = -(2**62), 2**62


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry that no seal closes yet."""

    id: int
    entry: Entry


class StoredEntry(NamedTuple):
    """An entry as it is stored now; `hash` is what it had when it was sealed.

    `postings_text` is canonical; there are `lines` of them, from `first_line` to `last_line`.
    """

    id: int
    key: str
    cause: str
    at: int
    detail: str
    seal: int | None
    hash: str | None
    postings_text: str
    lines: int
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Seal:
    number: int
    hash: str
    entries: int
    at: int


@dataclass(frozen=True, slots=True)
class Run:
    """A seal as it is stored and the hashes of the entries that name it; one of the two may be missing."""

    number: int
    seal: Seal | None
    hashes: list[str]


async def only_sealer(tx: Tx) -> None:
    """Make other sealers wait for the end of this transaction. SQLite has one writer anyhow."""
    if tx.dialect.name == "postgresql":
        await tx.execute(text("LOCK TABLE seals IN SHARE ROW EXCLUSIVE MODE"))


async def last_seal(tx: Tx, lock: bool = False) -> Seal | None:
    statement = select(seals).order_by(seals.c.number.desc()).limit(1)
    row = (await tx.execute(statement.with_for_update() if lock else statement)).first()
    return Seal(*row) if row else None


async def unsealed(tx: Tx, limit: int = RUN, above: int = 0) -> list[NewEntry]:
    """Committed entries with a higher id than `above` that no seal closes yet, in the order of their ids."""
    newest = (await tx.execute(select(func.max(sealed_entries.c.entry_id)))).scalar() or 0
    back = 0 if tx.dialect.name == "sqlite" else LOOK_BACK
    statement = (
        select(entries)
        .outerjoin(sealed_entries, sealed_entries.c.entry_id == entries.c.id)
        .where(sealed_entries.c.entry_id.is_(None), entries.c.id > max(newest - back, above))
        .order_by(entries.c.id)
        .limit(limit)
    )
    rows = (await tx.execute(statement)).all()
    lines = await _postings(tx, [row.id for row in rows])
    return [NewEntry(row.id, Entry(row.key, row.cause, row.at, lines.get(row.id, ()), row.detail)) for row in rows]


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


async def add_seal(tx: Tx, run: Sequence[NewEntry], now: int) -> Seal:
    """Close a run of entries with the next seal."""
    previous = await last_seal(tx, lock=True)
    number = previous.number + 1 if previous else 1
    hashes = [entry_hash(item.entry) for item in run]
    chained = seal_hash(previous.hash if previous else GENESIS_SEAL, hashes)
    seal = Seal(number, dated_seal(chained, now), len(run), now)
    await tx.execute(insert(tx, seals).values(number=number, hash=seal.hash, entries=len(run), at=now))
    rows = [{"entry_id": item.id, "seal": number, "hash": found} for item, found in zip(run, hashes, strict=True)]
    await tx.execute(insert(tx, sealed_entries), rows)
    return seal


async def all_entries(tx: Tx) -> AsyncIterator[list[StoredEntry]]:
    """The whole journal in pages, in the order of ids and in constant memory.

    On PostgreSQL ids are given under the lock of what an entry changes, so for each thing theirs is the order of time.
    """
    statement = _entries(tx.dialect.name)
    after = LOWEST
    while page := await _page_of_entries(tx, statement, after):
        yield page
        after = page[-1].id


async def _page_of_entries(tx: Tx, statement: Select[Any], after: int) -> list[StoredEntry]:
    rows = (await tx.execute(statement, {"after": after})).all()
    return [StoredEntry._make((*row[:7], *_lines(row[7]))) for row in rows]


def _lines(found: str | None) -> tuple[str, int, int, int]:
    """Canonical text, count, first and last line of an entry's postings."""
    if found is None:
        return "[]", 0, 0, -1
    count, first, last, written = found.split(" ", 3)
    return f"[{written}]", int(count), int(first), int(last)


@cache
def _entries(dialect: str) -> Select[Any]:
    """Entries with their seals and, in one text, their postings; the names of kinds and currencies are plain ASCII."""
    return (
        select(entries, sealed_entries.c.seal, sealed_entries.c.hash, _postings_of_entry(dialect))
        .outerjoin(sealed_entries, sealed_entries.c.entry_id == entries.c.id)
        .where(entries.c.id > bindparam("after"))
        .order_by(entries.c.id)
        .limit(PAGE)
    )


def _postings_of_entry(dialect: str) -> ColumnElement[str]:
    """`COUNT FIRST LAST` and the postings in the order of their lines. SQLite takes them as the subquery sorts them."""
    line = postings.c
    written = (
        literal('["') + line.kind + '",' + _text(line.owner) + ',"' + line.currency + '",' + _text(line.amount) + "]"
    )
    mine = select(line.line, written.label("written")).where(line.entry_id == entries.c.id).correlate(entries)
    inner = mine.order_by(line.line).subquery()
    if dialect == "sqlite":
        joined = func.group_concat(inner.c.written, ",")
    else:
        joined = func.string_agg(inner.c.written, aggregate_order_by(literal(","), inner.c.line))
    counted = _text(func.count()) + " " + _text(func.min(inner.c.line)) + " " + _text(func.max(inner.c.line))
    return select(counted + " " + joined).select_from(inner).scalar_subquery()


def _text(value: ColumnElement[int]) -> ColumnElement[str]:
    return cast(value, String)


_SEALS = select(seals).where(seals.c.number > bindparam("after")).order_by(seals.c.number).limit(SEALS_PAGE)
_CLOSED = (
    select(sealed_entries.c.seal, sealed_entries.c.hash)
    .where(sealed_entries.c.seal > bindparam("after"), sealed_entries.c.seal <= bindparam("until"))
    .order_by(sealed_entries.c.seal, sealed_entries.c.entry_id)
)


async def all_runs(tx: Tx) -> AsyncIterator[Run]:
    """Every seal with the hashes it closes, in the order of seals."""
    after = LOWEST
    while after < HIGHEST:
        found, until = _page([Seal(*row) for row in await tx.execute(_SEALS, {"after": after})])
        closed = await _closed(tx, after, until)
        for number in sorted(found.keys() | closed.keys()):
            yield Run(number, found.get(number), closed.get(number, []))
        after = until


def _page(read: list[Seal]) -> tuple[dict[int, Seal], int]:
    """As many of the seals as close no more entries than are read at once, and the number up to which these are all."""
    some: dict[int, Seal] = {}
    room = HASHES_PAGE
    for seal in read:
        room -= seal.entries
        if some and room < 0:
            break
        some[seal.number] = seal
    complete = len(some) == len(read) < SEALS_PAGE
    return some, HIGHEST if complete else max(some)


async def _closed(tx: Tx, after: int, until: int) -> dict[int, list[str]]:
    rows: Any = await tx.execute(_CLOSED, {"after": after, "until": until})
    return {number: [row.hash for row in group] for number, group in groupby(rows, key=lambda row: int(row.seal))}


async def count_postings(tx: Tx) -> int:
    return int((await tx.execute(select(func.count()).select_from(postings))).scalar() or 0)


async def count_sealed(tx: Tx) -> int:
    return int((await tx.execute(select(func.count()).select_from(sealed_entries))).scalar() or 0)
