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

from app.base.clock import Clock
from app.base.settings import WEBHOOK_BODY_BYTES

READ_SECONDS = 10
"""GitHub gives up after ten seconds; whoever sends more slowly than that is not GitHub."""
STORE_SECONDS = 5
"""Longer than any healthy insert, and in time for GitHub to hear of it."""
MOST_WAITING = 256
"""Signed deliveries being stored at once; more than that are refused."""
MOST_WAITING_BYTES = 8 * WEBHOOK_BODY_BYTES
"""Limit of all bodies together, counted as they arrive: a promised body takes no room."""
SMALL_BYTES = 1024 * 1024
"""A body that is larger may take room from the first half only: a few of those shut out no other."""
RETRY_AFTER_SECONDS = 60

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}", re.ASCII)
_GUID = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
_EVENT = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
_NO_STORE = {"Cache-Control": "no-store"}

log = structlog.get_logger(__name__)


OUTCOMES = ("stored", "known", "shed", "refused", "failed")
"""Fates of a delivery: shed for want of room, refused as not GitHub's, failed because storing did."""


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
        """Counts of OUTCOMES since the start."""

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
        signature = _signature(request)
        self._check_room(size, size)
        with self._counted() as arrived:
            body = await self._read(request, arrived)
            if not self._verify(body, signature):
                raise web.HTTPUnauthorized(headers=_NO_STORE)
            guid, event = _identity(request)
            _check_body(request, body)
            with self._place(), structlog.contextvars.bound_contextvars(delivery=guid, github_event=event):
                await self._store(guid, event, body)
        return web.json_response({"ok": True}, status=202, headers=_NO_STORE)

    def _check_room(self, more: int, size: int) -> None:
        """Check that so many more bytes of a body of this size fit in. Raises 503."""
        most = MOST_WAITING_BYTES // 2 if size > SMALL_BYTES else MOST_WAITING_BYTES
        if self._waiting_bytes + more > most:
            self._shed()

    @contextmanager
    def _counted(self) -> Iterator[Callable[[int], None]]:
        """Takes the bytes of a body as they arrive; at the end they are free again."""
        size = 0

        def arrived(more: int) -> None:
            nonlocal size
            self._check_room(more, size + more)
            size += more
            self._waiting_bytes += more

        try:
            yield arrived
        finally:
            self._waiting_bytes -= size

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._waiting >= MOST_WAITING:
            self._shed()
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def _shed(self) -> NoReturn:
        log.warning("delivery shed", waiting=self._waiting, waiting_bytes=self._waiting_bytes)
        self.taken["shed"] += 1
        _later("overloaded")

    async def _read(self, request: web.Request, arrived: Callable[[int], None]) -> bytes:
        """Refuses a body that turns out to be too long, where no size was declared, or that comes too slowly."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._read_seconds):
                async for part in request.content.iter_any():
                    arrived(len(part))
                    body += part
                    if len(body) > WEBHOOK_BODY_BYTES:
                        raise _too_long(len(body))
        except TimeoutError:
            raise web.HTTPRequestTimeout(headers={"Connection": "close"}) from None
        return bytes(body)

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
    """Bytes to come, 0 if that is not told. Too many, and what is not as GitHub signed it, are refused unread."""
    size = request.content_length or 0
    if size > WEBHOOK_BODY_BYTES:
        raise _too_long(size)
    if any(encoding.strip().lower() != "identity" for encoding in request.headers.getall("Content-Encoding", [])):
        raise web.HTTPUnsupportedMediaType(headers={"Connection": "close"})
    return size


def _too_long(size: int) -> web.HTTPException:
    return web.HTTPRequestEntityTooLarge(WEBHOOK_BODY_BYTES, size, headers={"Connection": "close"})


def _signature(request: web.Request) -> str:
    """Refuse an unsigned body unread."""
    found = request.headers.get("X-Hub-Signature-256", "")
    if not _SIGNATURE.fullmatch(found):
        raise web.HTTPUnauthorized(headers={**_NO_STORE, "Connection": "close"})
    return found


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
