"""The audit of a long journal while others trade: how long it takes, and whether its memory stays the same."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from app.services.audit import sealing
from app.storage.engine.db import Database, DatabaseBusy, migrate
from bench import history
from bench.history import History, Record, Sealer, copies, issued
from bench.rows import Row

SHORT, LONG = 100_000, 1_000_000
WRITERS = 8
PACE_SECONDS = 0.2
"""Each writer makes an offer so often: 40 offers a second in all, far more than GitHub lets an App answer."""

LIVE = range(1, 81)
"""Issues on which there is trading meanwhile; each is that of one copy's contract."""

Measured = tuple[float, float]
ALONE_SECONDS = 10
MOST_SECONDS = 60
GROWTH = 1.25
"""Peak memory of a long audit over that of a short one: the same but for the allocator's whims."""


Rows = Iterator[tuple[str, list[Record]]]


def run() -> list[Row]:
    cluster = os.environ.get("BUGMARK_TEST_POSTGRES")
    if not cluster:
        raise SystemExit("bench: no PostgreSQL; run this with `make bench`")
    rows = []
    with tempfile.TemporaryDirectory(prefix="bugmark-bench-") as folder:
        told = _true_history(f"sqlite+aiosqlite:///{Path(folder) / 'true.db'}")
        path = Path(folder) / "long.db"
        rows += _measure("SQLite", f"sqlite+aiosqlite:///{path}", told, lambda found: history.load_sqlite(path, found))
    with _database(cluster) as url:
        rows += _measure("PostgreSQL", url, told, lambda found: asyncio.run(_load_postgres(url, found)))
    return rows


def _true_history(url: str) -> History:
    migrate(url)
    return asyncio.run(_played(url))


async def _played(url: str) -> History:
    db = Database(url)
    await history.make(db)
    chance = random.Random(1)
    for number in range(history.COMMANDS):
        await history.trade(db, chance, f"command:{number}", history.NOW, range(1, 2))
    told = await history.read(db)
    await db.close()
    return told


def _measure(name: str, url: str, told: History, load: Callable[[Rows], None]) -> list[Row]:
    migrate(url)
    asyncio.run(_make_places(url))
    sealer = Sealer()
    short, long = SHORT // told.entries, LONG // told.entries + 1
    load(_stage(told, sealer, range(short)))
    little, small = _audit(url)
    load(_stage(told, sealer, range(short, long)))
    before, _ = _traded(url, _nothing)
    during, (much, peak) = _traded(url, lambda: _audit(url))
    what = f"audit: {name}"
    linear = f"10 x {SHORT:,} entries ({10 * little:,.1f} s)"
    return [
        Row(what, much, "s", linear, much / little / 10, f"< {MOST_SECONDS} s", much < MOST_SECONDS),
        Row(
            f"{what}, peak memory",
            peak,
            "MB",
            f"{SHORT:,} entries ({small:,.0f} MB)",
            peak / small,
            f"< {GROWTH} x",
            peak < GROWTH * small,
        ),
        Row(f"{what}, {WRITERS} writers meanwhile", during, "offers/s", f"alone ({before:,.0f}/s)", during / before),
    ]


def _nothing() -> Measured:
    time.sleep(ALONE_SECONDS)
    return 0.0, 0.0


def _stage(told: History, sealer: Sealer, numbers: range) -> Rows:
    """Some copies, and the account that all copies so far post to."""
    yield from copies(told, sealer, numbers)
    yield "balances", issued(told, numbers.stop)


async def _make_places(url: str) -> None:
    db = Database(url)
    await history.make(db, users=0, issues=0)
    await db.close()


async def _load_postgres(url: str, found: Rows) -> None:
    """Rows come in whole and true: neither their references nor the old sum of the common account are looked at."""
    db = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    await db.execute("SET session_replication_role = replica")
    await db.execute("DELETE FROM balances WHERE kind = 'issuance'")
    for name, rows in found:
        await db.copy_records_to_table(name, records=rows, columns=history.columns_of(name))
    for name in ("entries", "offers", "contracts"):
        await db.execute(" ".join(("SELECT setval(pg_get_serial_sequence($1, 'id'), max(id)) FROM", name)), name)
    await db.execute("VACUUM ANALYZE")  # as the server itself does within minutes of so many rows
    await db.close()


@contextmanager
def _database(cluster: str) -> Iterator[str]:
    """A database of its own in the cluster."""
    asyncio.run(_execute(cluster, "CREATE DATABASE bench_audit TEMPLATE template0"))
    try:
        yield make_url(cluster).set(database="bench_audit").render_as_string(hide_password=False)
    finally:
        asyncio.run(_execute(cluster, "DROP DATABASE bench_audit WITH (FORCE)"))


async def _execute(url: str, statement: str) -> None:
    db = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    await db.execute(statement)
    await db.close()


def _traded(url: str, meanwhile: Callable[[], Measured]) -> tuple[float, Measured]:
    """Offers a second that writers in a process of their own commit while something else is done."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "bench.audit", url], stdout=subprocess.PIPE, text=True) as writers:
        try:
            done = meanwhile()
        finally:
            writers.send_signal(signal.SIGTERM)
        told, _ = writers.communicate()
    return int(told) / (time.perf_counter() - started), done


def _audit(url: str) -> tuple[float, float]:
    """Seconds and peak memory in megabytes of the command as an operator runs it."""
    environment = os.environ | {"BUGMARK_DATABASE_URL": url}
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "app", "audit"], env=environment)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("bench: the audit found the books wrong")
    return time.perf_counter() - started, used.ru_maxrss / 1_000


async def _write(url: str) -> int:
    """Eight writers and a sealer, until they are told to stop. Returns how many commands were done."""
    db = Database(url, pool_size=WRITERS + 1)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)

    async def write(seed: int) -> int:
        chance, done, tried = random.Random(seed), 0, 0
        while not stopping.is_set():
            tried += 1
            started = time.monotonic()
            cause = f"writer:{os.getpid()}:{seed}:{tried}"
            done += await history.trade(db, chance, cause, int(time.time()), LIVE, pooled=0)
            await asyncio.sleep(max(0.001, PACE_SECONDS - (time.monotonic() - started)))
        return done

    async def seal() -> int:
        while not stopping.is_set():
            with contextlib.suppress(DatabaseBusy):
                async with db.transaction() as tx:
                    await sealing.seal(tx, int(time.time()))
            await asyncio.sleep(1)
        return 0

    done = await asyncio.gather(*(write(seed) for seed in range(WRITERS)), seal())
    await db.close()
    return sum(done)


if __name__ == "__main__":
    print(asyncio.run(_write(sys.argv[1])))
