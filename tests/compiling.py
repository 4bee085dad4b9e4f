"""SQL that is compiled once for all databases of a process: each test opens one anew, and a quarter of its work was that."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from sqlalchemy import Connection, Engine, event

MOST = 20_000

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


def compile_once() -> None:
    """From now on, in this process."""
    kept = CompiledOnce()

    def use(connection: Connection) -> None:
        connection.execution_options(compiled_cache=kept)

    event.listen(Engine, "engine_connect", use)
