"""Connections of the web process: how many there may be, and how long one may say nothing.

aiohttp gives a connection an hour to send its first request. Here one without a whole request head is closed after
seconds, and there are never more than leave room below the limit on open files: whoever says nothing makes room for
those who come.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

HEAD_SECONDS = 10
"""From the first moment of a connection, or the first byte of a later request, to the end of the request's head."""

IDLE_SECONDS = 75
"""Between two requests: longer than proxies keep a connection, so that they do not send into one that is closing."""

REQUEST_SECONDS = 60
"""For a whole request with its answer: more than every limit that a handler has."""

LINGER_SECONDS = 2
"""Time for which the rest of a request refused unread is thrown away, so that its sender reads the answer."""

MOST_CONNECTIONS = 1_000
OTHER_FILES = 48
"""Files kept for the database's connections, the log and the like."""
LEAST_CONNECTIONS = 4

BUSY_SECONDS = 3
"""Age at which a busy connection makes room for the next, if all are busy: GitHub takes less."""

log = structlog.get_logger(__name__)
NO_ACCESS_LOG = logging.getLogger("bugmark.access")
NO_ACCESS_LOG.disabled = True


def bounds(most_files: int) -> tuple[int, int]:
    """Count the connections that may be open, and be accepted at once, with so many open files."""
    if most_files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS, 128
    backlog = max(LEAST_CONNECTIONS, min(128, most_files // 8))
    return max(LEAST_CONNECTIONS, min(MOST_CONNECTIONS, most_files - OTHER_FILES - backlog)), backlog


@dataclass(slots=True)
class Gate:
    """The open connections, those that wait for a request and those at work, each in the order in which it began to.

    The values are when that was, by the loop's clock.
    """

    most: int
    waiting: dict[Connection, float] = field(default_factory=dict)
    busy: dict[Connection, float] = field(default_factory=dict)

    def enter(self, connection: Connection) -> bool:
        """False: there is no room, and nobody who could make some."""
        now = asyncio.get_running_loop().time()
        if len(self.waiting) + len(self.busy) >= self.most:
            oldest = self._who_gives_way(now)
            if oldest is None:
                return False
            self.leave(oldest)
            oldest.cut()
        self.waiting[connection] = now
        return True

    def _who_gives_way(self, now: float) -> Connection | None:
        if self.waiting:
            return next(iter(self.waiting))
        connection, since = next(iter(self.busy.items()))
        return connection if now - since >= BUSY_SECONDS else None

    def leave(self, connection: Connection) -> None:
        self.waiting.pop(connection, None)
        self.busy.pop(connection, None)

    def begin(self, connection: Connection) -> None:
        """The head of a request is there."""
        if self.waiting.pop(connection, None) is not None:
            self.busy[connection] = asyncio.get_running_loop().time()
            connection.within(REQUEST_SECONDS)

    def end(self, connection: Connection) -> None:
        """It is answered; the answer is still to be sent."""
        if self.busy.pop(connection, None) is not None:
            self.waiting[connection] = asyncio.get_running_loop().time()
            connection.within(IDLE_SECONDS, idle=True)


class Connection(web.RequestHandler):
    """One of aiohttp's, with a time limit on whatever comes next; the log hears of no address."""

    __slots__ = ("_idle", "_socket", "_timer", "gate")

    def __init__(self, server: web.Server, gate: Gate, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=NO_ACCESS_LOG,
            auto_decompress=False,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=LINGER_SECONDS,
        )
        self.gate = gate
        self._idle = False
        self._timer: asyncio.TimerHandle | None = None
        self._socket: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        if not self.gate.enter(self):
            log.warning("connection refused", why="all others are at work")
            self.cut()
            return
        self.within(HEAD_SECONDS)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.gate.leave(self)
        self._forget_timer()
        self._socket = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._idle:
            self.within(HEAD_SECONDS)
        super().data_received(data)

    def within(self, seconds: float, idle: bool = False) -> None:
        """Limit for the next part of a request; after it the connection is cut."""
        self._idle = idle
        self._forget_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.cut)

    def cut(self) -> None:
        self._forget_timer()
        if self._socket is not None:
            self._socket.abort()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """A request that cannot be read, or a bug that no handler has caught."""
        if status < 500:
            log.info("request not understood", why=type(exc).__name__)
        else:
            log.error("request failed", exc_info=exc)
        answer = web.Response(status=status, text="This is no request that can be answered.\n")
        answer.force_close()
        return answer


@web.middleware
async def at_work(request: web.Request, handler: Handler) -> web.StreamResponse:
    """While a request is dealt with its connection is not one that waits."""
    connection = request.protocol
    if not isinstance(connection, Connection):
        return await handler(request)
    connection.gate.begin(connection)
    try:
        return await handler(request)
    finally:
        connection.gate.end(connection)


def make_runner(app: web.Application) -> web.AppRunner:
    """aiohttp's own access log is off: it would write queries and agents of visitors."""
    return web.AppRunner(app, access_log=None, handle_signals=False)


@asynccontextmanager
async def listening(app: web.Application, port: int, host: str | None = None) -> AsyncIterator[asyncio.Server]:
    """The application served on a port, until the context ends; what is under way is finished. Raises OSError."""
    app.middlewares.insert(0, at_work)
    runner = make_runner(app)
    await runner.setup()
    server, loop = cast(web.Server, runner.server), asyncio.get_running_loop()
    most, backlog = bounds(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    gate = Gate(most)
    try:
        listener = await loop.create_server(lambda: Connection(server, gate, loop), host, port, backlog=backlog)
    except OSError:
        await runner.cleanup()
        raise
    try:
        yield listener
    finally:
        listener.close()
        await runner.cleanup()
