"""Times in which we did not run, and what they hold up (docs/market.md §5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OUTAGE_SECONDS = 3600
"""A shorter pause holds up nothing: windows leave more time than that."""

LONGEST_GRACE_SECONDS = 12 * 3600
"""People get as long as the outage was to do what they could not do meanwhile, and no longer than this."""


@dataclass(frozen=True, slots=True)
class Outage:
    """`caught_up`: what GitHub had to deliver meanwhile was fetched and dealt with."""

    began_at: int
    ended_at: int
    caught_up: bool = True

    @property
    def free_at(self) -> int:
        """No window and no dispute ends before this."""
        return self.ended_at + min(self.ended_at - self.began_at, LONGEST_GRACE_SECONDS)


def free_at(outages: Sequence[Outage]) -> int:
    """Instant from which the last of them holds up nothing more; 0 without any."""
    return max((one.free_at for one in outages), default=0)


def caught_up(outages: Sequence[Outage]) -> bool:
    return all(one.caught_up for one in outages)


def run_until(since_at: int, seconds: int, outages: Sequence[Outage]) -> int:
    """Instant at which we shall have run for so many seconds, if nothing else happens."""
    end_at = since_at + seconds
    for one in sorted(outages, key=lambda each: each.began_at):
        if one.began_at < end_at:
            end_at += max(0, one.ended_at - max(one.began_at, since_at))
    return end_at
