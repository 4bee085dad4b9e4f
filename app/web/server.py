"""The web process's application: every route, the headers all answers carry, and what becomes of a bug."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from html import escape

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from app.clock import Clock
from app.github.signature import Verifier
from app.settings import WEBHOOK_BODY_BYTES, Settings
from app.web.badge import Badges, Prices
from app.web.door import Door, Inbox

HEALTH_SECONDS = 2
"""A database that does not answer a ping in this time is not healthy."""

Health = Callable[[], Awaitable[None]]
"""Asks the database for something trivial; raises whatever went wrong."""

_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "Server": "bugmark",  # instead of aiohttp's and Python's versions
}

log = structlog.get_logger(__name__)


def make_app(
    settings: Settings,
    clock: Clock,
    inbox: Inbox,
    prices: Prices,
    health: Health,
    docs_url: str | None = None,
) -> web.Application:
    door = Door(inbox, Verifier(settings.webhook_secrets), clock)
    badges = Badges(prices, clock)
    app = web.Application(middlewares=[_bug_catcher(clock)], client_max_size=WEBHOOK_BODY_BYTES)
    app.router.add_post("/webhook", door.post)
    app.router.add_get("/badge/{path:.*}", badges.get)
    app.router.add_get("/healthz", _healthz(health))
    app.router.add_get("/", _front_page(docs_url))
    app.on_response_prepare.append(_add_headers)
    return app


def make_runner(app: web.Application) -> web.AppRunner:
    """aiohttp's own access log is off: it would write queries and agents of visitors."""
    return web.AppRunner(app, access_log=None, handle_signals=False)


def _bug_catcher(clock: Clock) -> Middleware:
    """Answers that handlers raise on purpose pass; anything else is a bug: loud here, silent outside."""
    started_at = clock.now()
    numbers = itertools.count(1)

    @web.middleware
    async def catch(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception:
            incident = f"{started_at:x}-{next(numbers)}"
            log.exception("request failed", incident=incident, method=request.method, path=request.path)
            return web.json_response({"error": "internal error", "incident": incident}, status=500)

    return catch


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def _healthz(health: Health) -> Handler:
    async def get(_request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await health()
        except Exception:
            log.exception("not healthy")
            return web.json_response({"ok": False}, status=503, headers={"Cache-Control": "no-store"})
        return web.json_response({"ok": True}, headers={"Cache-Control": "no-store"})

    return get


def _front_page(docs_url: str | None) -> Handler:
    link = f'<p><a href="{escape(docs_url)}">How it works, and every command</a></p>' if docs_url else ""
    page = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>BugMark</title>
<h1>BugMark</h1>
<p>A futures market on software issues that lives in the GitHub thread: people offer and take contracts on
whether an issue is closed as completed by a date, and whoever fixes it can earn what others put up.</p>
<p>To take part, write <code>/bugmark help</code> as a comment on an issue of a repository that has installed
this App.</p>
{link}
</html>
"""

    async def get(_request: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html", charset="utf-8")

    return get
