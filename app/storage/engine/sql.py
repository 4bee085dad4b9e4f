"""Statements that every table needs: inserting on either database, and naming many ids at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, Table, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from app.storage.engine.db import Tx

MOST_JOINED = 100
"""Selects in one statement; SQLite takes 500."""

MOST_NAMED = 10_000
"""Ids in one statement. Both databases take about 32,000 parameters; a contract may have more holders."""


def insert(tx: Tx, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, for the database this transaction is on."""
    return insert_for(tx.dialect.name, table)


@cache
def insert_for(dialect: str, table: Table) -> Any:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


async def upsert(
    tx: Tx, table: Table, values: dict[str, Any] | list[dict[str, Any]], keep: frozenset[str] = frozenset()
) -> None:
    """Insert rows; of those that exist set every column but the key and the ones to `keep`."""
    await tx.execute(_upsert(tx.dialect.name, table, keep), values)


@cache
def _upsert(dialect: str, table: Table, keep: frozenset[str]) -> Any:
    """Made once: putting such a statement together costs more than running it."""
    statement = insert_for(dialect, table)
    rest = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key and c.name not in keep}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=rest)


def in_parts(ids: set[int]) -> Iterator[list[int]]:
    """Ids in order, as many at once as a statement may name."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), MOST_NAMED):
        yield ordered[start : start + MOST_NAMED]


async def of_each(tx: Tx, ids: Sequence[int], one: Callable[[int], Select[Any]]) -> list[Row[Any]]:
    """The rows of a select for each of these ids, in few statements; each select may have an order and a limit.

    Windows over all rows would read whole histories where the last few of each are asked for.
    """
    found: list[Row[Any]] = []
    for start in range(0, len(ids), MOST_JOINED):
        parts = [select(one(number).subquery()) for number in ids[start : start + MOST_JOINED]]
        found += await tx.execute(union_all(*parts) if len(parts) > 1 else parts[0])
    return found
