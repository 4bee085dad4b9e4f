"""Count of this process's requests as each installation, until somebody writes it down.

Reads are counted here and charged afterwards (app/storage/queues/budgets.py): they cannot wait for a queue. While an
installation is held nothing is asked in its name at all: an App that goes on asking gets banned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.base.clock import Clock
from app.github.api.errors import RateLimited

THE_APP = 0
"""Number of the App itself, whose requests (tokens, deliveries, installations) count like an installation's."""

SAVING_PERCENT, HELD_PERCENT = 20, 2
"""Left of an hour's requests: below the first replies stay on the page; below the second nothing is asked any more."""

READ_POINTS, WRITE_POINTS = 1, 5
"""As GitHub counts requests in a minute; of GraphQL only mutations are writes."""


@dataclass(frozen=True, slots=True)
class Count:
    writes: int = 0
    creations: int = 0
    points: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """Counted requests, and refused installations with the end of each refusal (None: GitHub did not say)."""

    counts: Mapping[int, Count]
    limits: Mapping[int, int | None]


@dataclass(frozen=True, slots=True)
class Left:
    """Requests left of the hour, and the instant of the next allowance, as GitHub's answer says."""

    remaining: int
    limit: int
    reset_at: int

    def below(self, percent: int) -> bool:
        return self.remaining * 100 < self.limit * percent


@dataclass(slots=True)
class Meter:
    clock: Clock
    _left: dict[int, Left] = field(default_factory=dict)
    _counts: dict[int, Count] = field(default_factory=dict)
    _limits: dict[int, int | None] = field(default_factory=dict)
    _held: Mapping[int, int] = field(default_factory=dict)

    def check(self, installation_id: int) -> None:
        """Raises RateLimited while the installation is held."""
        now, until_at = self.clock.now(), self._held.get(installation_id, 0)
        if until_at > now:
            raise RateLimited(0, "held back for GitHub's limits", until_at - now, now, named=True)

    def count(self, installation_id: int, method: str, path: str, mutation: bool) -> None:
        """One request that is about to leave."""
        write = mutation or (method != "GET" and not path.endswith("/graphql"))
        creates = method == "POST" and path.endswith("/comments")
        self._add(installation_id, int(write), int(creates), WRITE_POINTS if write else READ_POINTS)

    def was_charged(self, installation_id: int, writes: int, creations: int, points: int) -> None:
        """So much is written down already, of what was counted or in vain."""
        self._add(installation_id, -writes, -creations, -points)

    def _add(self, installation_id: int, writes: int, creations: int, points: int) -> None:
        old = self._counts.pop(installation_id, Count())
        new = Count(old.writes + writes, old.creations + creations, old.points + points)
        if new != Count():
            self._counts[installation_id] = new

    def note_left(self, installation_id: int, left: Left) -> None:
        """Keep a little of the hour's requests, so that GitHub never has to refuse one."""
        self._left[installation_id] = left
        if left.below(HELD_PERCENT) and left.reset_at > self.clock.now():
            self._hold_until(installation_id, left.reset_at, left.reset_at)

    def saving(self) -> frozenset[int]:
        """Installations that have few requests left in this hour."""
        now = self.clock.now()
        self._left = {number: left for number, left in self._left.items() if left.reset_at > now}
        return frozenset(number for number, left in self._left.items() if left.below(SAVING_PERCENT))

    def refused(self, installation_id: int, error: RateLimited) -> None:
        """GitHub refused a request for a limit: nothing more leaves, also before that is written down."""
        self._hold_until(installation_id, error.retry_at or 0, error.retry_at if error.named else None)

    def _hold_until(self, installation_id: int, until_at: int, named_at: int | None) -> None:
        self._limits[installation_id] = named_at
        self._held = {**self._held, installation_id: until_at}

    def hold(self, held: Mapping[int, int]) -> None:
        """Set the pauses stored in the database, which lacks those since the last `take`."""
        new = {number: max(self._held.get(number, 0), held.get(number, 0)) for number in self._limits}
        self._held = {**held, **new}

    def take(self) -> Reading:
        """Everything since the last time."""
        taken = Reading(self._counts, self._limits)
        self._counts, self._limits = {}, {}
        return taken

    def give_back(self, taken: Reading) -> None:
        """It could not be written down."""
        for installation_id, count in taken.counts.items():
            self._add(installation_id, count.writes, count.creations, count.points)
        self._limits = {**taken.limits, **self._limits}
