"""The web process's application: every route, the headers all answers carry, and what becomes of a bug."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from app.clock import Clock
from app.github.signature import Verifier
from app.settings import WEBHOOK_BODY_BYTES, Settings, github_web_url
from app.web import landing
from app.web.badge import ROUTE, Badges, Prices
from app.web.door import Door, Inbox
from app.web.headers import add_headers
from app.web.metrics import Measure, Metrics
from app.web.replies import Answers, Replies

HEALTH_SECONDS = 2
"""A database that does not answer a ping in this time is not healthy."""

Health = Callable[[], Awaitable[None]]
"""Asks the database for something trivial; raises whatever went wrong."""

log = structlog.get_logger(__name__)


def make_app(
    settings: Settings,
    clock: Clock,
    inbox: Inbox,
    prices: Prices,
    health: Health,
    measure: Measure,
    answers: Answers,
    purchases: Inbox | None = None,
) -> web.Application:
    door = Door(inbox, Verifier(settings.webhook_secrets), clock)
    badges = Badges(prices, clock)
    app = web.Application(middlewares=[_bug_catcher(clock)], client_max_size=WEBHOOK_BODY_BYTES)
    app.router.add_post("/webhook", door.post)
    app.router.add_get(ROUTE, badges.get)
    app.router.add_get("/healthz", _healthz(health))
    github_url = github_web_url(settings.github_api_url)
    app.router.add_get("/replies/{comment:[1-9][0-9]{0,18}}", Replies(answers, github_url).get)
    landing.add_to(app, github_url)
    second = _marketplace_door(settings, clock, purchases)
    if second is not None:
        app.router.add_post("/webhook/marketplace", second.post)
    metrics = Metrics(settings.metrics_token, measure, clock, door.taken, second.taken if second else None)
    app.router.add_get("/metrics", metrics.get)
    app.on_response_prepare.append(add_headers)
    return app


def _marketplace_door(settings: Settings, clock: Clock, purchases: Inbox | None) -> Door | None:
    """None where no secret is configured: nothing could be told from a stranger's."""
    if purchases is None or not settings.marketplace_secrets:
        return None
    return Door(purchases, Verifier(settings.marketplace_secrets), clock)


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
