"""Checks of a database: its server, its migrations, its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, make_url, text

from app.storage.engine.db import MIGRATIONS, Database, Tx

SAFE = {
    "sqlite": {"journal_mode": ["wal"], "synchronous": ["2"], "foreign_keys": ["1"]},
    "postgresql": {"fsync": ["on"], "synchronous_commit": ["on", "local", "remote_write", "remote_apply"]},
}
"""With these what was committed survives a crash; SQLite's are set by us at each connection."""

OLDEST = {"sqlite": (3, 35), "postgresql": (15,)}
"""SQLite has RETURNING since then; on older PostgreSQL no test runs."""

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """`missing`: migrations not applied yet; `unknown`: applied ones that this version of the app does not have."""

    server: str
    too_old: bool
    revision: str
    missing: list[str]
    unknown: list[str]
    unsafe: list[str]


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite database: opening one that is not there would make it."""
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


async def look(db: Database) -> DatabaseFacts:
    async with db.reading() as tx:
        kind = tx.dialect.name
        version = tuple(tx.dialect.server_version_info or ())
        applied = await tx.run_sync(_applied)
        missing, unknown = _compare(applied)
        return DatabaseFacts(
            server=f"{NAMES[kind]} {'.'.join(map(str, version))}",
            too_old=version < OLDEST[kind],
            revision=", ".join(applied) or "nothing",
            missing=missing,
            unknown=unknown,
            unsafe=_unlike(await _settings(tx, kind), SAFE[kind]),
        )


def _applied(connection: Connection) -> tuple[str, ...]:
    return MigrationContext.configure(connection).get_current_heads()


def _compare(applied: tuple[str, ...]) -> tuple[list[str], list[str]]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    try:
        missing = [f"{found.revision} ({found.doc})" for found in scripts.iterate_revisions("heads", applied or None)]
    except RevisionError:
        known = {found.revision for found in scripts.walk_revisions()}
        return [], [revision for revision in applied if revision not in known]
    return missing[::-1], []


async def _settings(tx: Tx, kind: str) -> dict[str, str]:
    ask = "PRAGMA" if kind == "sqlite" else "SHOW"
    return {name: str((await tx.execute(text(f"{ask} {name}"))).scalar()) for name in SAFE[kind]}


def _unlike(found: Mapping[str, str], wanted: Mapping[str, list[str]]) -> list[str]:
    return [
        f"{name} is {found[name]} and should be {good[0]}" for name, good in wanted.items() if found[name] not in good
    ]
