"""Whoever trades in a benchmark: somebody without rights, on an open issue."""

from __future__ import annotations

from app.services.orders.context import Context
from app.services.rules.config import Config
from app.storage.people.places import Place


def trader(place: Place, config: Config, user: int, cause: str, now: int) -> Context:
    """Build the context of a command."""
    return Context(
        place=place,
        config=config,
        user_id=user,
        cause=cause,
        now=now,
        closed=False,
        may_triage=False,
        insider=False,
        rejected=None,
        asked=frozenset(),
    )
