"""What makes the databases of tests quick: SQL is compiled once a process, and SQLite does not wait for the disk."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, event

MOST = 20_000
waiting_for_the_disk = False
"""A machine that loses power takes a test's database along: only what is said about the setting itself needs it."""

Key = tuple[Any, ...]


class CompiledOnce(MutableMapping[Key, Any]):
    """A cache of compiled statements whose keys forget the engine, but not which database and driver it is for."""

    def __init__(self) -> None:
        self._kept: dict[Key, Any] = {}

    def __getitem__(self, key: Key) -> Any:
        return self._kept[_shared(key)]

    def __setitem__(self, key: Key, compiled: Any) -> None:
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[_shared(key)] = compiled

    def __delitem__(self, key: Key) -> None:
        del self._kept[_shared(key)]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def _shared(key: Key) -> Key:
    dialect = key[0]
    return (dialect.name, dialect.driver, dialect.server_version_info, *key[1:])


class _Cursor(Protocol):
    def execute(self, statement: str) -> object: ...

    def close(self) -> object: ...


class _Opened(Protocol):
    def cursor(self) -> _Cursor: ...


def make_quick() -> None:
    """From now on, every engine of this process: each test opens one anew, and compiling was a quarter of its work."""
    kept = CompiledOnce()

    def use(connection: Connection) -> None:
        connection.execution_options(compiled_cache=kept)

    event.listen(Engine, "engine_connect", use)
    event.listen(Engine, "connect", _wait_for_no_disk)


def _wait_for_no_disk(opened: _Opened, _record: object) -> None:
    if waiting_for_the_disk or "sqlite" not in type(opened).__module__:
        return
    cursor = opened.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()
