"""An SQLite connection that leaves the event loop only where it may wait.

The driver hands every single call to a thread and back, some sixty times for one offer, which costs ten times what
SQLite itself needs. What may wait (for the write lock, for the disk) still goes there; the rest takes microseconds and
is done in place.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import quote

import aiosqlite
from aiosqlite.core import _STOP_RUNNING_SENTINEL

CHUNK = 64
RETRY_SECONDS = 0.05

KIND = 0xFF
"""Part of an extended code: a file that somebody sets right after a crash is busy, too (SQLITE_BUSY_RECOVERY)."""


class InPlaceConnection(aiosqlite.Connection):
    """Calls are still one after the other: while one is with the thread, later ones queue up behind it.

    The thread may come back when nobody waits any more, even when the loop is closed: that is no error.
    """

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, CHUNK)
        self._thread.daemon = True
        self._in_thread: deque[None] = deque()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")
        if not self._in_thread and not _may_wait(fn, args):
            return fn(*args, **kwargs)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._in_thread.append(None)

        def work() -> None:
            try:
                told = partial(answer.set_result, fn(*args, **kwargs))
            except BaseException as error:
                told = partial(answer.set_exception, error)
            self._in_thread.pop()
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: None if answer.done() else told())

        self._tx.put_nowait((None, work))
        return await answer

    def stop(self) -> None:
        """End the thread when it has done what it was given. Called once by `close`."""
        self._running = False
        connection, self._connection = self._connection, None

        def finish() -> object:
            if connection is not None:
                connection.close()
            return _STOP_RUNNING_SENTINEL

        self._tx.put_nowait((None, finish))


def _may_wait(fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    return getattr(fn, "__name__", "") == "commit" or args[:1] == ("BEGIN IMMEDIATE",)


def creator(path: str, busy_timeout_ms: int) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    """Make a function that opens connections to the file at `path` and waits that long for a lock."""

    def connect() -> sqlite3.Connection:
        url = f"file:{quote(path)}?mode=rw"  # a file that is not there is not made: only migrating makes one
        connection = sqlite3.connect(
            url, uri=True, timeout=RETRY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, busy_timeout_ms)
        except BaseException:
            connection.close()
            raise
        return connection

    async def open_connection() -> aiosqlite.Connection:
        return await InPlaceConnection(connect)

    return open_connection


def _prepare(connection: sqlite3.Connection, busy_timeout_ms: int) -> None:
    """Set the journal mode of a new file, which web and worker both try at their start:
    SQLite does not wait for a lock there but fails at once, so it is asked again."""
    for left in reversed(range(1 + int(busy_timeout_ms / 1000 / RETRY_SECONDS))):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & KIND != sqlite3.SQLITE_BUSY or not left:
                raise
            time.sleep(RETRY_SECONDS)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={busy_timeout_ms}"):
        connection.execute(f"PRAGMA {pragma}")
