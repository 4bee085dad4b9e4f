"""Copies of a whole database, taken while writers go on: by SQLite itself, or by PostgreSQL's own programs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

OWNER_ALONE = 0o600
WAIT_SECONDS = 60
SQLITE, POSTGRES = b"SQLite format 3\0", b"PGDMP"
DEBIAN = Path("/usr/lib/postgresql")
PASSING = "heartbeats"
FORGET = "DELETE FROM heartbeats"
"""Tables left out of a backup: nobody needs the running processes after a restore."""


class BackupFailed(Exception):
    """A sentence for the operator."""


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def copied_from_sqlite(file: Path) -> bool:
    """Name the database of a backup. Raises BackupFailed if it is none of ours."""
    try:
        with file.open("rb") as found:
            beginning = found.read(len(SQLITE))
    except OSError as error:
        raise BackupFailed(f"{file} cannot be read: {error.strerror}.") from None
    if beginning != SQLITE and not beginning.startswith(POSTGRES):
        raise BackupFailed(f"{file} is not a backup: it is neither an SQLite database nor what pg_dump writes.")
    return beginning == SQLITE


def nothing_left_beside(file: Path) -> None:
    """The log of an SQLite file that was taken away would be read into the one that takes its place."""
    for left in (file.with_name(file.name + end) for end in ("-wal", "-journal")):
        if left.exists():
            raise BackupFailed(f"{left} is left of the database that was there: put it aside together with that.")


@contextmanager
def new_file(file: Path) -> Iterator[Path]:
    """A file beside it, readable by its owner alone from its first byte, that gets the name when all went well.

    Raises BackupFailed if the name is taken: nothing is ever written over.
    """
    if file.exists():
        raise BackupFailed(f"{file} is there already: nothing is written over.")
    part = file.with_name(f".{file.name}.{token_hex(4)}.part")
    mask = os.umask(0o077)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ALONE))
        yield part
        _keep(part)
        os.link(part, file)
        _keep(file.parent)
    except FileExistsError:
        raise BackupFailed(f"{file} is there already: nothing is written over.") from None
    except OSError as error:
        raise BackupFailed(f"{file} cannot be written: {error.strerror or error}.") from None
    finally:
        os.umask(mask)
        for left in (part, *(part.with_name(part.name + end) for end in ("-wal", "-shm", "-journal"))):
            left.unlink(missing_ok=True)


def _keep(path: Path) -> None:
    """Sync the file, so that it survives a crash of the machine."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def copy_sqlite(source: Path, target: Path) -> None:
    """`target` is empty. Raises BackupFailed."""
    if not source.exists():
        raise BackupFailed(f"There is no database {source}.")
    try:
        _run(source, "VACUUM INTO ?", str(target))
        _run(target, FORGET)
    except sqlite3.Error as error:
        raise BackupFailed(f"The backup could not be written: {error}.") from None


def close_sqlite(file: Path) -> None:
    """All of it is in the one file from now on: nothing stands in a log beside it."""
    _run(file, "PRAGMA journal_mode=DELETE")


def _run(file: Path, statement: str, *values: str) -> None:
    url = f"file:{quote(str(file))}?mode=rw"
    connection = sqlite3.connect(url, uri=True, timeout=WAIT_SECONDS, isolation_level=None)
    try:
        if statement == FORGET and not _has(connection, PASSING):
            return
        connection.execute(statement, values)
    finally:
        connection.close()


def _has(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


def dump_postgres(url: str, target: Path) -> None:
    """Raises BackupFailed with what pg_dump says."""
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--exclude-table-data={PASSING}"]
    _program("pg_dump", [*options, f"--file={target}"], url)


def load_postgres(file: Path, url: str) -> None:
    """Into an empty database: all of it or nothing. Raises BackupFailed with what pg_restore says."""
    options = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    _program("pg_restore", options, url, str(file))


def _program(name: str, options: list[str], url: str, *files: str) -> None:
    """The password goes by the environment: what stands on a command line is seen by everybody on the machine."""
    parsed = make_url(url)
    plain = parsed.set(drivername="postgresql", password=None).update_query_dict(_ssl(parsed))
    if "ssl" in parsed.query:
        plain = plain.difference_update_query(["ssl"])
    environment = {**os.environ, **({"PGPASSWORD": str(parsed.password)} if parsed.password else {})}
    address = f"--dbname={plain.render_as_string(hide_password=False)}"
    done = subprocess.run(  # noqa: S603 - no shell, and the program is ours to name
        [_found(name), *options, address, *files], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupFailed(f"{name} failed: {done.stderr.strip() or done.returncode}")


def _ssl(parsed: URL) -> dict[str, str]:
    """libpq's name for what the driver calls `ssl`."""
    mode = parsed.query.get("ssl")
    return {"sslmode": str(mode)} if mode else {}


def _found(name: str) -> str:
    newest = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]), reverse=True)
    found = shutil.which(name) or (str(newest[0]) if newest else None)
    if found is None:
        raise BackupFailed(f"{name} is not installed: PostgreSQL's client programs have it.")
    return found


@asynccontextmanager
async def passing_database(url: str) -> AsyncIterator[str]:
    """The url of a new database beside this one, dropped at the end. Raises BackupFailed."""
    name = f"bugmark_check_{token_hex(6)}"
    try:
        await _outside(url, f'CREATE DATABASE "{name}" TEMPLATE template0')
    except (DBAPIError, OSError) as error:
        why = getattr(error, "orig", error)
        raise BackupFailed(f"No database can be made to check the backup in: {why}") from None
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        await _outside(url, f'DROP DATABASE "{name}" WITH (FORCE)')


async def _outside(url: str, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


async def is_empty(url: str) -> bool:
    """Tell if a PostgreSQL database has no tables yet. Raises BackupFailed."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            found = await connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
            return not found.scalar_one()
    except (DBAPIError, OSError) as error:
        raise BackupFailed(f"The database cannot be reached: {getattr(error, 'orig', error)}") from None
    finally:
        await engine.dispose()
