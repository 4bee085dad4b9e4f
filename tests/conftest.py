"""Fixtures that all tests share: databases, the clock; and the fence around the machine."""

import gc
import ipaddress
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from app.storage.engine.db import Database
from tests import conditions, engines
from tests.clocks import FakeClock
from tests.databases import PostgresDatabases, SqliteDatabases, postgres_cluster_url
from tests.nodes import pytest_make_collect_report as pytest_make_collect_report
from tests.nodes import pytest_runtest_makereport as pytest_runtest_makereport
from tests.recycling import empty

# `quick` tries the same examples on every run, so that a failure is the change's and not the day's.
# `HYPOTHESIS_PROFILE=long` looks for new ones; `whole` is `quick` with every story of the market's state machine.
UNHURRIED: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "print_blob": True}
settings.register_profile("quick", max_examples=60, derandomize=True, **UNHURRIED)
settings.register_profile("whole", settings.get_profile("quick"))
settings.register_profile("long", max_examples=2_000, **UNHURRIED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_addoption(parser: pytest.Parser) -> None:
    conditions.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    conditions.configure(config)
    engines.make_quick()


def refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    """Fails any connection of this process that would leave the machine."""
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and not ipaddress.ip_address(str(address[0])).is_loopback:
        raise RuntimeError(f"a test tried to reach {address[0]}; tests use the loopback addresses only")


sys.addaudithook(refuse_the_network)


def pytest_collection_finish() -> None:
    """Modules and collected tests stay to the end: to look through them for garbage each time takes a twentieth."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Stories of one module share a stage, which is dear to set up: they stay on one worker. Other tests go alone.

    xdist's own marks for this are without effect on pytest 9.2, where a test's id cannot be given an ending.
    """
    from xdist.scheduler import LoadScopeScheduling

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _stage_of
    return scheduler


def _stage_of(test: str) -> str:
    module = test.partition("::")[0]
    return module if module.startswith("tests/stories/") else test


def migrate(url: str) -> None:
    """Applies all migrations. Imported late, so that tests without a database do not load SQLAlchemy."""
    from app.storage.engine import db

    db.migrate(url)


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Makes SQLite databases."""
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"), migrate)


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    """Makes PostgreSQL databases."""
    databases = PostgresDatabases(postgres_cluster_url(), migrate)
    yield databases
    databases.drop_template()


@pytest.fixture(params=["sqlite", "postgres"])
def databases(request: pytest.FixtureRequest) -> SqliteDatabases | PostgresDatabases:
    """Makes databases of one kind; a test that uses it, or what follows, runs on both."""
    chosen = request.getfixturevalue(f"{request.param}_databases")
    assert isinstance(chosen, SqliteDatabases | PostgresDatabases)
    return chosen


@pytest.fixture(scope="module")
def kept_url(postgres_databases: PostgresDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL database for one module's tests, one after the other: emptying one is quicker than making one."""
    with postgres_databases.migrated(tmp_path_factory.mktemp("kept")) as url:
        yield url


@pytest.fixture
def database_url(
    databases: SqliteDatabases | PostgresDatabases, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The URL of a database that holds the newest schema and no data, for this test alone."""
    if isinstance(databases, SqliteDatabases):
        with databases.migrated(tmp_path) as url:
            yield url
    else:
        url = request.getfixturevalue("kept_url")
        empty(url)
        yield url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """That database, opened; its connections are closed after the test."""
    database = Database(database_url, pool_size=8)
    yield database
    await database.close()


@pytest.fixture
def empty_database_url(databases: SqliteDatabases | PostgresDatabases, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of the test's own without any table: for tests of the migrations."""
    with databases.empty(tmp_path) as url:
        yield url


@pytest.fixture
def sqlite_url(sqlite_databases: SqliteDatabases, tmp_path: Path) -> Iterator[str]:
    """Like `database_url`, on SQLite only: for what does not depend on the database."""
    with sqlite_databases.migrated(tmp_path) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_databases: PostgresDatabases, tmp_path: Path) -> Iterator[str]:
    """Like `database_url`, on PostgreSQL only: for what only that database does."""
    with postgres_databases.migrated(tmp_path) as url:
        yield url


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands at 1 January 2026, 00:00 UTC, until the test moves it."""
    return FakeClock()
