"""`POST /webhook`: is it GitHub's? Then store it and say 202. All work happens later, from what is stored.

GitHub never tries again by itself: what is refused with 503 here counts as failed there, keeps its GUID, and
is asked for again by the sweep over failed deliveries.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, Protocol

import structlog
from aiohttp import web

from app.clock import Clock
from app.settings import WEBHOOK_BODY_BYTES

READ_SECONDS = 10
"""GitHub gives up after ten seconds; whoever sends more slowly than that is not GitHub."""
STORE_SECONDS = 5
"""Longer than any healthy insert, and in time for GitHub to hear of it."""
MOST_WAITING = 256
"""Deliveries taken in at once; more than that are refused before their bodies are read."""
MOST_WAITING_BYTES = 8 * WEBHOOK_BODY_BYTES
"""And their size together, as declared; a body of unknown size counts as the largest."""
RETRY_AFTER_SECONDS = 60

_GUID = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
_EVENT = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
_NO_STORE = {"Cache-Control": "no-store"}

log = structlog.get_logger(__name__)


OUTCOMES = ("stored", "known", "shed", "refused", "failed")
"""What becomes of a delivery: shed for want of room, refused as not GitHub's, failed because storing did."""


class Overloaded(Exception):
    """The inbox takes no more for now."""


class Inbox(Protocol):
    async def put(self, guid: str, event: str, payload: bytes, now: int) -> bool:
        """Stores a delivery durably. False if its GUID was known already. Raises Overloaded."""
        ...


class Door:
    def __init__(
        self,
        inbox: Inbox,
        verify: Callable[[bytes, str | None], bool],
        clock: Clock,
        read_seconds: float = READ_SECONDS,
        store_seconds: float = STORE_SECONDS,
    ) -> None:
        self._inbox = inbox
        self._verify = verify
        self._clock = clock
        self._read_seconds = read_seconds
        self._store_seconds = store_seconds
        self._waiting = self._waiting_bytes = 0
        self.taken = Counter(dict.fromkeys(OUTCOMES, 0))
        """How many came to which of OUTCOMES since the start."""

    async def post(self, request: web.Request) -> web.Response:
        try:
            return await self._take(request)
        except web.HTTPServiceUnavailable:
            raise  # counted where it is known why
        except web.HTTPException:
            self.taken["refused"] += 1
            raise

    async def _take(self, request: web.Request) -> web.Response:
        size = _declared_size(request)
        with self._admitted(size):
            body = await self._read(request)
            if not self._verify(body, request.headers.get("X-Hub-Signature-256")):
                raise web.HTTPUnauthorized(headers=_NO_STORE)
            guid, event = _identity(request)
            _check_body(request, body)
            with structlog.contextvars.bound_contextvars(delivery=guid, github_event=event):
                await self._store(guid, event, body)
        return web.json_response({"ok": True}, status=202, headers=_NO_STORE)

    @contextmanager
    def _admitted(self, size: int) -> Iterator[None]:
        if self._waiting >= MOST_WAITING or self._waiting_bytes + size > MOST_WAITING_BYTES:
            log.warning("delivery shed", waiting=self._waiting, waiting_bytes=self._waiting_bytes)
            self.taken["shed"] += 1
            _later("overloaded")
        self._waiting += 1
        self._waiting_bytes += size
        try:
            yield
        finally:
            self._waiting -= 1
            self._waiting_bytes -= size

    async def _read(self, request: web.Request) -> bytes:
        """The application's own bound on bodies makes this a 413 where no size was declared."""
        try:
            async with asyncio.timeout(self._read_seconds):
                return await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout(headers={"Connection": "close"}) from None

    async def _store(self, guid: str, event: str, body: bytes) -> None:
        """Whatever storing ran into, GitHub hears 503, and the delivery comes again under its GUID."""
        try:
            async with asyncio.timeout(self._store_seconds):
                is_new = await self._inbox.put(guid, event, body, self._clock.now())
        except Overloaded:
            log.warning("delivery shed", why="too many stored ones wait")
            self.taken["shed"] += 1
            _later("overloaded")
        except Exception:
            log.exception("delivery not stored")
            self.taken["failed"] += 1
            _later("the delivery could not be stored")
        self.taken["stored" if is_new else "known"] += 1
        if is_new:
            log.debug("delivery stored", bytes=len(body))  # the stored row says the same, and every time
        else:
            log.info("delivery known already", bytes=len(body))


def _declared_size(request: web.Request) -> int:
    """Bytes to come. Too many, and bodies that are not the bytes GitHub signed, are refused unread."""
    size = request.content_length
    if size is not None and size > WEBHOOK_BODY_BYTES:
        raise web.HTTPRequestEntityTooLarge(WEBHOOK_BODY_BYTES, size, headers={"Connection": "close"})
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise web.HTTPUnsupportedMediaType(headers={"Connection": "close"})
    return WEBHOOK_BODY_BYTES if size is None else size


def _identity(request: web.Request) -> tuple[str, str]:
    guid = request.headers.get("X-GitHub-Delivery", "")
    event = request.headers.get("X-GitHub-Event", "")
    if not _GUID.fullmatch(guid):
        _refuse("X-GitHub-Delivery is missing or malformed")
    if not _EVENT.fullmatch(event):
        _refuse("X-GitHub-Event is missing or malformed")
    return guid, event


def _check_body(request: web.Request, body: bytes) -> None:
    """Only that it is a JSON object: what is in it is read leniently, later, and may be anything."""
    if request.content_type != "application/json":
        hint = "set the webhook's content type to application/json"
        raise web.HTTPUnsupportedMediaType(text=json.dumps({"error": hint}), content_type="application/json")
    try:
        payload = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _refuse("the body is not JSON")
    if not isinstance(payload, dict):
        _refuse("the body is not a JSON object")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse(why: str) -> NoReturn:
    raise web.HTTPBadRequest(text=json.dumps({"error": why}), content_type="application/json")


def _later(why: str) -> NoReturn:
    raise web.HTTPServiceUnavailable(
        text=json.dumps({"error": why}),
        content_type="application/json",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
