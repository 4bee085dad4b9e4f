"""The web process's application: every route, the headers all answers carry, and what becomes of a bug."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from app.base.clock import Clock
from app.base.settings import WEBHOOK_BODY_BYTES, Settings, github_web_url
from app.github.api.signature import Verifier
from app.services.upkeep.pulse import STALE_SECONDS
from app.web.badge import ROUTE, Badges, Prices
from app.web.door import Door, Inbox
from app.web.headers import add_headers
from app.web.metrics import Measure, Metrics
from app.web.pages import landing
from app.web.pages.replies import Answers, Replies
from app.web.pages.unposted import Unposted

HEALTH_SECONDS = 6
"""A database that has stored nothing in this time is not healthy."""

Health = Callable[[], Awaitable[None]]
"""Stores something trivial in the database; raises whatever went wrong."""

LastBeat = Callable[[], Awaitable[int | None]]
"""Last sign of life of a worker."""

log = structlog.get_logger(__name__)


async def nothing_known() -> int | None:
    return None


def make_app(
    settings: Settings,
    clock: Clock,
    inbox: Inbox,
    prices: Prices,
    health: Health,
    measure: Measure,
    answers: Answers,
    purchases: Inbox | None = None,
    worker_beat: LastBeat = nothing_known,
) -> web.Application:
    door = Door(inbox, Verifier(settings.webhook_secrets), clock)
    badges = Badges(prices, clock)
    app = web.Application(middlewares=[_bug_catcher(clock)], client_max_size=WEBHOOK_BODY_BYTES)
    app.router.add_post("/webhook", door.post)
    app.router.add_get(ROUTE, badges.get)
    app.router.add_get("/healthz", _healthz(health, worker_beat, clock))
    github_url = github_web_url(settings.github_api_url)
    app.router.add_get("/replies/{comment:[1-9][0-9]{0,18}}", Replies(answers, github_url).get)
    app.router.add_get("/replies/issue/{issue:[1-9][0-9]{0,18}}", Unposted(answers, github_url).get)
    landing.add_to(app, github_url, settings.public_url)
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


def _healthz(health: Health, worker_beat: LastBeat, clock: Clock) -> Handler:
    """`?worker` asks about the workers too: one of them has to have given a sign of life lately."""

    async def get(request: web.Request) -> web.Response:
        told: dict[str, bool | int | None] = {}
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await health()
                if "worker" in request.query:
                    told["worker_seconds"] = _age(await worker_beat(), clock.now())
        except Exception:
            log.exception("not healthy")
            return _health({"ok": False})
        age = told.get("worker_seconds", 0)
        return _health({"ok": age is not None and age <= STALE_SECONDS, **told})

    return get


def _age(at: int | None, now: int) -> int | None:
    return None if at is None else max(now - at, 0)


def _health(told: dict[str, bool | int | None]) -> web.Response:
    return web.json_response(told, status=200 if told["ok"] else 503, headers={"Cache-Control": "no-store"})
