"""Many want the same thing at once: it is asked for once, and all share the answer or the error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Flights(Generic[K, V]):
    def __init__(self, ask: Callable[[K], Awaitable[V]]) -> None:
        self._ask = ask
        self._under_way: dict[K, asyncio.Task[V]] = {}

    async def join(self, key: K) -> V:
        """One who is cancelled while waiting does not take the answer from the others."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._fly(key))
            task.add_done_callback(_look_at)
            self._under_way[key] = task
        return await asyncio.shield(task)

    async def _fly(self, key: K) -> V:
        try:
            return await self._ask(key)
        finally:
            del self._under_way[key]


def _look_at(task: asyncio.Task[V]) -> None:
    """Take note of the error even when everybody who waited for it has gone."""
    if not task.cancelled():
        task.exception()
