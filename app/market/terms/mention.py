"""Mentions, as a user chooses them for a repository."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """EVERY is how everybody starts; DAILY: the first fill of a UTC day; NEVER: and no replies, only reactions."""

    EVERY = "every"
    DAILY = "daily"
    NEVER = "never"
