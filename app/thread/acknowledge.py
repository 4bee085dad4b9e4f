"""A sign of life while something takes its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

log = structlog.get_logger()


@asynccontextmanager
async def when_slow(seconds: float, sign: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Gives the sign once if what is inside takes longer. One that fails is logged and harms nothing.

    A sign that has begun is finished: it may hold a transaction.
    """
    over = asyncio.Event()

    async def watch() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), seconds)
            return
        try:
            await sign()
        except Exception as error:
            log.warning("no sign given", why=str(error))

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        over.set()
        await watching
