"""Work that needs news about other issues first: GitHub is asked about them, and it is begun anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.base.clock import Clock
from app.services.life import issue_checks
from app.services.trading.locked_market import StaleNews
from app.storage.engine.db import Database

T = TypeVar("T")


class NoNews(Exception):
    """GitHub gives no answer about another issue that the work would change; nothing was changed."""


async def with_news(
    db: Database,
    oracle: issue_checks.Oracle,
    clock: Clock,
    work: Callable[[frozenset[int]], Awaitable[T]],
    asked: frozenset[int] = frozenset(),
) -> T:
    """Do work that may raise StaleNews. It is told about which contracts GitHub has been asked. Raises NoNews."""
    while True:
        try:
            return await work(asked)
        except StaleNews as stale:
            for contract_id in sorted(stale.contracts):
                if not await issue_checks.look_at(db, oracle, contract_id, clock):
                    raise NoNews from stale
            asked |= stale.contracts
