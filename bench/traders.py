"""Whoever trades in a benchmark: somebody without rights, on an open issue."""

from __future__ import annotations

from app.services.rules.config import Config
from app.services.rules.context import CommandContext
from app.storage.people.places import Place


def trader(place: Place, config: Config, user: int, cause: str, now: int) -> CommandContext:
    """Build the context of a command."""
    return CommandContext(
        place, config, user, cause, now, closed=False, may_triage=False, insider=False, rejected=None, asked=frozenset()
    )
