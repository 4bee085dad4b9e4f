"""A command's context for tests: an open issue, a user without rights, unless they say otherwise."""

from __future__ import annotations

from typing import Any

from app.services.orders.context import Context
from app.services.rules.config import Config
from app.storage.people.places import Place


def context_of(place: Place, config: Config, user_id: int, cause: str, now: int, **found: Any) -> Context:
    """Build a context; `found` is what was found out about the user and the issue."""
    nothing: dict[str, Any] = {
        "closed": False,
        "may_triage": False,
        "insider": False,
        "rejected": None,
        "asked": frozenset(),
    }
    return Context(place=place, config=config, user_id=user_id, cause=cause, now=now, **{**nothing, **found})
