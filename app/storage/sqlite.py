"""An SQLite connection that leaves the event loop only where it may wait.

The driver hands every single call to a thread and back, some sixty times for one offer, which costs ten times what
SQLite itself needs. What may wait (for the write lock, for the disk) still goes there; the rest takes microseconds and
is done in place.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiosqlite

CHUNK = 64
WAITING_WORDS = ("BEGIN IMMEDIATE", "PRAGMA")


class InPlaceConnection(aiosqlite.Connection):
    """Calls are still one after the other: while one is with the thread, later ones queue up behind it."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, CHUNK)
        self._thread.daemon = True
        self._in_thread: deque[None] = deque()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._in_thread and not _may_wait(fn, args):
            return fn(*args, **kwargs)
        self._in_thread.append(None)

        def done_in_thread() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                self._in_thread.pop()

        result: Any = await super()._execute(done_in_thread)  # type: ignore[no-untyped-call]  # the driver has no types
        return result


def _may_wait(fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    if getattr(fn, "__name__", "") == "commit":
        return True
    return bool(args) and isinstance(args[0], str) and args[0].startswith(WAITING_WORDS)


def creator(path: str, timeout_seconds: float) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    """What opens connections to the file at `path`; a lock is waited for so long."""

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=timeout_seconds, isolation_level=None, check_same_thread=False)

    async def open_connection() -> aiosqlite.Connection:
        return await InPlaceConnection(connect)

    return open_connection
