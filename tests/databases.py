"""Databases for tests: made, handed out and dropped, on SQLite and on PostgreSQL.

SQLite databases are files below the test's own directory. PostgreSQL databases live in the cluster whose
address `make test` puts into BUGMARK_TEST_POSTGRES. Applying all migrations takes longer than most tests, so
it is done once per process and kind; each test then gets a copy.
"""

import asyncio
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

VARIABLE = "BUGMARK_TEST_POSTGRES"
NO_CLUSTER = f"{VARIABLE} is not set: run the tests with `make test`, which makes a PostgreSQL cluster for them."

Migrate = Callable[[str], None]


@dataclass
class SqliteDatabases:
    """Hands out SQLite files; the migrated one they are copied from is made when first asked for."""

    directory: Path
    migrate: Migrate

    @contextmanager
    def empty(self, directory: Path) -> Iterator[str]:
        """The URL of a database without tables, in the directory of one test."""
        yield sqlite_url(directory / "empty.db")

    @contextmanager
    def migrated(self, directory: Path) -> Iterator[str]:
        """The URL of a database that holds the newest schema, in the directory of one test."""
        template = self.directory / "template.db"
        if not template.exists():
            made = self.directory / "being-made.db"
            apart(lambda: self.migrate(sqlite_url(made)))
            refuse_open_journal(made)
            made.rename(template)
        shutil.copyfile(template, directory / "bugmark.db")
        yield sqlite_url(directory / "bugmark.db")


@dataclass
class PostgresDatabases:
    """Hands out databases of the test cluster; their migrated template is made when first asked for.

    Names hold the process id, so that the processes of one run never meet.
    """

    cluster_url: str
    migrate: Migrate
    template: str | None = None
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def empty(self, directory: Path) -> Iterator[str]:
        """The URL of a database without tables; dropped afterwards, also with connections still open."""
        with self.copy_of("template0") as url:
            yield url

    @contextmanager
    def migrated(self, directory: Path) -> Iterator[str]:
        """The URL of a database that holds the newest schema; dropped afterwards."""
        if self.template is None:
            name = f"bugmark_template_{os.getpid()}"
            self.run(f'CREATE DATABASE "{name}" TEMPLATE template0')
            apart(lambda: self.migrate(self.url_of(name)))
            self.template = name
        with self.copy_of(self.template) as url:
            yield url

    @contextmanager
    def copy_of(self, template: str) -> Iterator[str]:
        """The URL of a new database made from the template."""
        name = f"bugmark_test_{os.getpid()}_{next(self.numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield self.url_of(name)
        finally:
            self.run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def drop_template(self) -> None:
        """Removes the migrated template, if one was made."""
        if self.template is not None:
            self.run(f'DROP DATABASE "{self.template}" WITH (FORCE)')

    def url_of(self, name: str) -> str:
        """The URL of a database of the cluster."""
        return make_url(self.cluster_url).set(database=name).render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """Runs one statement in the cluster's maintenance database."""
        apart(lambda: asyncio.run(execute(self.cluster_url, statement)))


def postgres_cluster_url() -> str:
    """The address of the test cluster. A missing one is a failure, never a reason to skip."""
    url = os.environ.get(VARIABLE)
    if not url:
        raise RuntimeError(NO_CLUSTER)
    return url


def sqlite_url(path: Path) -> str:
    """The URL under which the app opens the file."""
    return f"sqlite+aiosqlite:///{path}"


def refuse_open_journal(path: Path) -> None:
    """A database whose write-ahead log still holds changes cannot be copied as one file."""
    journal = path.with_name(path.name + "-wal")
    if journal.exists() and journal.stat().st_size:
        raise RuntimeError("the migration left its SQLite connection open")


async def execute(url: str, statement: str) -> None:
    """Runs one statement outside any transaction (databases are not made or dropped inside one)."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


def apart(work: Callable[[], None]) -> None:
    """Runs the work in a thread of its own, where no event loop of a test is in the way."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(work).result()
