"""Contracts that sleep: nobody has held or offered anything for so long that they cost nothing (docs/market.md §2)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, case

from app.market.terms.contract import Status
from app.market.terms.statement import ISSUE_FIXED
from app.storage.engine.tables import contracts

SLEEP_SECONDS = 86_400
FORECAST_SLEEP_SECONDS = 30 * 86_400


def idle_seconds(kind: str) -> int:
    """The time for which a contract is idle before it sleeps."""
    return SLEEP_SECONDS if kind == ISSUE_FIXED else FORECAST_SLEEP_SECONDS


def asleep(now: int) -> ColumnElement[bool]:
    """The same as of a row."""
    long_enough = case((contracts.c.kind == ISSUE_FIXED, SLEEP_SECONDS), else_=FORECAST_SLEEP_SECONDS)
    idle = contracts.c.status == Status.OPEN.value, contracts.c.open_interest == 0, contracts.c.idle_at.is_not(None)
    return and_(*idle, contracts.c.idle_at + long_enough <= now)


def awake(now: int) -> ColumnElement[bool]:
    """Settled and halted contracts are."""
    return case((asleep(now), 0), else_=1) == 1
