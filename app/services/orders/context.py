"""The context of an order. Only this package makes one: import-linter keeps every other part of the app away."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from app.services.rules.config import Config
from app.storage.people.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Implements CommandContext. Nothing has a default: whoever makes one must have found all of it out."""

    place: Place
    config: Config
    user_id: int
    cause: str
    now: int
    closed: bool
    may_triage: bool
    insider: bool
    rejected: str | None
    asked: Container[int]
