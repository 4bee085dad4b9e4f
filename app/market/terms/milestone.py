"""A milestone of a repository."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownMilestone:
    """A milestone as GitHub names it now."""

    id: int
    number: int
    title: str
    closed: bool
