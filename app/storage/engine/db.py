"""Opening the database, SQLite or PostgreSQL, and its transactions.

SQLite loses updates silently with the driver's defaults: a transaction that reads before it writes must take the write
lock when it begins. So the driver's own transaction handling is switched off and BEGIN IMMEDIATE is sent by us.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.storage.engine.memory import Loan, Memory
from app.storage.engine.sqlite import creator

Tx = AsyncConnection
"""A transaction as the services see it: they hand it to functions of this package and to nothing else."""

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
BUSY_TIMEOUT_MS = 15_000
STATEMENT_SECONDS = 30
"""Limit for web and worker: a statement that PostgreSQL has not answered by then was blocked, or the server is gone."""

LEAST_FREE_BYTES = 1024 * 1024
"""With less on its disk an SQLite database takes nothing more that is worth storing."""

READING = "bugmark_reading"
GLANCING = "bugmark_glancing"
REHEARSING = "bugmark_rehearsing"
LOAN = "bugmark_loan"

FIRST_IMAGINED = 46 * 10**17
"""Offers and contracts of a rehearsal have numbers from here on: those of real ones are not used up."""

PASSING_CLASSES = ("08", "40", "53", "57")
"""Classes of SQLSTATE: connection lost, deadlock, out of connections or disk, shutting down or starting up."""


class DatabaseBusy(Exception):
    """The database was unavailable, locked or asked for a retry; nothing was changed."""


class NewerDatabase(Exception):
    """The database was made by a newer version of the app than this one."""


class CannotMigrate(Exception):
    """The database refused it, or is none."""


class Database:
    """One engine. `transaction()` writes, `reading()` sees one consistent state and writes nothing.

    A statement that takes longer than `statement_seconds` is DatabaseBusy; None, for audits and exports: it may take
    hours. SQLite has nobody who could leave it unanswered. `memory`: what its transactions remember of contracts.
    """

    def __init__(self, url: str, pool_size: int = 5, statement_seconds: float | None = None) -> None:
        self.engine = _engine(url, pool_size, statement_seconds)
        snapshot = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        self.memory = Memory()
        alone = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._file: tuple[int, int] | None = None
        self._reading = self.engine.execution_options(**{READING: True}, **snapshot)
        self._glancing = self.engine.execution_options(**{GLANCING: True}, **alone)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        with _faults_translated():
            async with self._remembering() as loan, self.engine.begin() as tx:
                with _lent(tx, loan):
                    yield tx

    @asynccontextmanager
    async def _remembering(self) -> AsyncIterator[Loan]:
        """Remember what a transaction worked with once it is committed, and nothing at all when the database fails it.

        A rollback without a fault of the database, such as that of a refusal, loses only what was on loan.
        """
        loan = Loan(self.memory)
        try:
            yield loan
        except BaseException as error:
            if loan.committing or isinstance(error, DBAPIError | OSError):
                self.memory.clear()
            raise
        loan.give_back()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        with _faults_translated():
            async with self._reading.connect() as tx:
                yield tx

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Tx]:
        """Read one statement without a transaction around it."""
        with _faults_translated():
            async with self._glancing.connect() as tx:
                yield tx

    def stamp(self) -> object:
        """A value that changes when anybody commits, read without a statement; on PostgreSQL it never does.

        SQLite's log is written by every commit. Two within one tick of the file system may look like one.
        """
        path = self.engine.url.database
        if self.engine.dialect.name != "sqlite" or not path:
            return None
        try:
            log = os.stat(f"{path}-wal")
        except OSError:
            return None
        return log.st_mtime_ns, log.st_size

    async def ping(self) -> None:
        async with self.reading() as tx:
            await tx.execute(text("SELECT 1"))

    def check_file(self) -> None:
        """Check that SQLite's file is still in its place, with room for more. Raises DatabaseBusy.

        What is written over may still be stored on a full disk, until the log has to grow.
        """
        path = self.engine.url.database
        if self.engine.dialect.name != "sqlite" or not path:
            return
        try:
            there, disk = os.stat(path), os.statvfs(path)
        except OSError as error:
            raise DatabaseBusy(f"the database's file cannot be reached: {error.strerror}") from error
        self._file = self._file or (there.st_dev, there.st_ino)
        if self._file != (there.st_dev, there.st_ino):
            raise DatabaseBusy("another file has taken the place of the database's")
        if disk.f_bavail * disk.f_frsize < LEAST_FREE_BYTES:
            raise DatabaseBusy("the disk is full")

    async def close(self) -> None:
        await self.engine.dispose()


@asynccontextmanager
async def rehearsal(tx: Tx) -> AsyncIterator[None]:
    """Whatever is done inside is undone at its end, the rest of the transaction stays."""
    savepoint = await tx.begin_nested()
    tx.info[REHEARSING] = True
    try:
        yield
    finally:
        del tx.info[REHEARSING]
        await savepoint.rollback()


@contextmanager
def _lent(tx: Tx, loan: Loan) -> Iterator[None]:
    """Lend to this transaction alone: the connection's notes outlive it."""
    notes = tx.info
    notes[LOAN] = loan
    try:
        yield
        loan.committing = True
    finally:
        notes.pop(LOAN, None)


def loan_of(tx: Tx) -> Loan | None:
    """The loan of a transaction; None where nothing may be remembered: in a rehearsal, and while only reading."""
    return None if rehearsing(tx) else tx.info.get(LOAN)


class Mark:
    """A point of a transaction to which it can go back, any number of times: what was locked since is let go.

    SQLAlchemy's own savepoints stay open after a rollback, and what follows would be written inside them.
    """

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    async def set(self) -> None:
        await self.tx.execute(text("SAVEPOINT bugmark_mark"))

    async def go_back(self) -> None:
        await self.tx.execute(text("ROLLBACK TO SAVEPOINT bugmark_mark"))
        if loan := loan_of(self.tx):
            loan.drop_all()

    async def forget(self) -> None:
        await self.tx.execute(text("RELEASE SAVEPOINT bugmark_mark"))


def rehearsing(tx: Tx) -> bool:
    return REHEARSING in tx.info


@contextmanager
def _faults_translated() -> Iterator[None]:
    """Passing faults become DatabaseBusy; anything else stays what it is. A server that is down is an OSError."""
    try:
        yield
    except Exception as error:
        if not _passing(error):
            raise
        raise DatabaseBusy(str(getattr(error, "orig", error))) from error


def _passing(error: Exception) -> bool:
    """Recognise passing faults; a refused connection raises the driver's own error, which SQLAlchemy does not wrap."""
    if isinstance(error, OSError | NoFreeConnection | OperationalError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    code = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    return code[:2] in PASSING_CLASSES


def _engine(url: str, pool_size: int, statement_seconds: float | None) -> AsyncEngine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(
            parsed,
            pool_size=pool_size,
            pool_pre_ping=True,
            hide_parameters=True,  # a webhook's body must not be logged because it could not be stored
            isolation_level="READ COMMITTED",
            connect_args={"command_timeout": statement_seconds},
        )
    open_connection = creator(str(parsed.database), BUSY_TIMEOUT_MS)
    engine = create_async_engine(parsed, pool_size=pool_size, async_creator=open_connection, hide_parameters=True)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(GLANCING):
        return
    connection.exec_driver_sql("BEGIN" if options.get(READING) else "BEGIN IMMEDIATE")


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`. A new SQLite file is made readable by its owner alone.

    Raises NewerDatabase, CannotMigrate, and OSError where there is no way to it.
    """
    from alembic import command  # here, since only migrations need it and every start would pay for it
    from alembic.config import Config
    from alembic.script.revision import ResolutionError
    from alembic.util import CommandError

    path = make_url(url).database
    if url.startswith("sqlite") and path and not Path(path).exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        if isinstance(error.__cause__, ResolutionError):
            raise NewerDatabase from None
        raise
    except DBAPIError as error:
        raise CannotMigrate(str(error.orig)) from error
