"""`GET /metrics`: how much waits, in Prometheus' text format, for whoever holds the operator's token.

Numbers alone: no name of a repository, an issue or a person. Without a token in the settings there is no such page.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping

import structlog
from aiohttp import web

from app.base.clock import Clock
from app.storage.queues.gauges import Backlog, Queue

MEASURE_SECONDS = 5

Measure = Callable[[int], Awaitable[Backlog]]
"""Measures the queues in the database at an instant."""

Taken = Mapping[str, int]
"""Count of deliveries for each of a door's OUTCOMES."""

Sample = tuple[str, int]
"""Labels as they stand in braces, or nothing; and the value."""

log = structlog.get_logger(__name__)


class Metrics:
    """Figures for operators: `taken` counts deliveries at this process's door, `purchases` the Marketplace's."""

    def __init__(
        self, token: str, measure: Measure, clock: Clock, taken: Taken, purchases: Taken | None = None
    ) -> None:
        self._token = token
        self._measure = measure
        self._clock = clock
        self._taken = taken
        self._purchases = purchases

    async def get(self, request: web.Request) -> web.Response:
        if not self._token:
            raise web.HTTPNotFound
        if not self._allowed(request.headers.get("Authorization", "")):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"})
        now = self._clock.now()
        try:
            async with asyncio.timeout(MEASURE_SECONDS):
                backlog = await self._measure(now)
        except Exception:
            log.exception("not measured")
            raise web.HTTPServiceUnavailable(headers={"Cache-Control": "no-store"}) from None
        text = "".join([*_waiting(backlog, now), *_doors(self._taken, self._purchases)])
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store"}
        return web.Response(body=text.encode(), headers=headers)

    def _allowed(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.encode(errors="replace"), self._token.encode())


def _waiting(backlog: Backlog, now: int) -> Iterator[str]:
    kinds = backlog.messages
    dead = [('{what="delivery"}', backlog.dead_deliveries), ('{what="message"}', backlog.dead_messages)]
    waiting = [(f'{{kind="{kind}"}}', kinds[kind].waiting) for kind in kinds]
    late = [(f'{{kind="{kind}"}}', _age(kinds[kind], now)) for kind in kinds]
    stored = backlog.deliveries
    yield from _metric("deliveries_waiting", "Webhooks stored and not dealt with yet.", [("", stored.waiting)])
    yield from _metric(
        "deliveries_oldest_seconds", "Since when the oldest of them is there.", [("", _age(stored, now))]
    )
    yield from _metric("dead_letters", "Given up, until an operator looks: python -m app letters.", dead)
    yield from _metric("outbox_waiting", "What is to be sent to GitHub and has not been yet.", waiting)
    yield from _metric("outbox_late_seconds", "Since when the first of it could have been sent.", late)
    yield from _metric("looks_due", "Contracts about which GitHub is to be asked now.", [("", backlog.looks_due)])
    yield from _metric("entries_unsealed", "Journal entries behind the last that is sealed.", [("", backlog.unsealed)])
    beat = [] if backlog.worker_at is None else [("", max(now - backlog.worker_at, 0))]
    yield from _metric("worker_heartbeat_seconds", "Since the last sign of life of any worker.", beat)
    yield from _metric("workers", "Workers that have given a sign of life lately.", [("", backlog.workers)])
    yield from _metric("seals_total", "Seals of the journal.", [("", backlog.seals)], kind="counter")


def _doors(taken: Taken, purchases: Taken | None) -> Iterator[str]:
    about = "What came of the webhooks at this process's door"
    yield from _metric("deliveries_total", f"{about}.", _outcomes(taken), kind="counter")
    if purchases is not None:
        yield from _metric("purchases_total", f"{about} for the Marketplace.", _outcomes(purchases), kind="counter")


def _outcomes(taken: Taken) -> list[Sample]:
    return [(f'{{outcome="{outcome}"}}', count) for outcome, count in sorted(taken.items())]


def _age(queue: Queue, now: int) -> int:
    return 0 if queue.oldest_at is None else max(now - queue.oldest_at, 0)


def _metric(name: str, about: str, samples: list[Sample], kind: str = "gauge") -> Iterator[str]:
    yield f"# HELP bugmark_{name} {about}\n# TYPE bugmark_{name} {kind}\n"
    for labels, value in samples:
        yield f"bugmark_{name}{labels} {value}\n"
