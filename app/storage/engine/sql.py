"""Statements that every table needs: inserting on either database, and naming many ids at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from app.storage.engine.db import Tx

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
