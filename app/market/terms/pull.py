"""A pull request of a repository."""

from __future__ import annotations

from enum import StrEnum


class PullState(StrEnum):
    """State of a pull request at GitHub now; ABSENT: there is none of that number."""

    ABSENT = "absent"
    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"
