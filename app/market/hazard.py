"""The chance that an issue is closed as completed by a date, from the history of its repository.

A hazard by age: (good closes + 2) / (days at risk + 2 / rate before), each day of the past counting half as much a year
later; times a factor for the issue's group, (seen + 3) / (expected + 3). A probability model, and so in floats.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

DAY: Final = 86_400
AGES: Final = (0, 1, 3, 7, 14, 30, 90, 180, 365)
"""Days of age at which a new rate begins; the last one lasts."""

LEAST_GOOD_CLOSES: Final = 10
"""With fewer a repository's own history says nothing, and the average of all takes its place."""

BEFORE_CLOSES: Final = 2.0
"""Closes that the rate before counts for, in each age."""

GROUP_CLOSES: Final = 3.0
"""Closes without a difference that a group begins with."""

HALVING_DAYS: Final = 365.0

LIKED: Final = "reactions >= 3"
"""The group of issues with three reactions or more. Labels are groups of names of their own."""

Rates = tuple[float, ...]
"""Good closes a day and issue, for each of AGES."""


@dataclass(frozen=True, slots=True)
class PastIssue:
    """An issue as a history has it. `good`: closed as completed. `closed_at` None: open when the history was read."""

    opened_at: int
    closed_at: int | None = None
    good: bool = False
    labels: frozenset[str] = frozenset()
    reactions: int = 0

    def as_of(self, now: int) -> PastIssue | None:
        """The issue as it was known then; None before it was opened. Labels and reactions are taken as they are."""
        if self.opened_at > now:
            return None
        if self.closed_at is None or self.closed_at <= now:
            return self
        return PastIssue(self.opened_at, None, False, self.labels, self.reactions)

    @property
    def groups(self) -> Iterator[str]:
        yield from (f"label {label}" for label in sorted(self.labels))
        if self.reactions >= 3:
            yield LIKED


@dataclass(frozen=True, slots=True)
class TooLittle:
    """A reason for no chance: so few issues were closed as completed, and there is no average to take instead."""

    good_closes: int

    @property
    def sentence(self) -> str:
        seen = {0: "No issue was", 1: "One issue was"}.get(self.good_closes, f"{self.good_closes} issues were")
        return f"{seen} closed as completed here; a chance is told from {LEAST_GOOD_CLOSES} on."


@dataclass(frozen=True, slots=True)
class Hazard:
    """Rates by age, and factors by group. `good_closes`: how many it was learnt from; `own`: from this repository."""

    rates: Rates
    factors: Mapping[str, float]
    weights: Mapping[str, float]
    good_closes: int
    own: bool

    def factor(self, issue: PastIssue) -> float:
        """That of the label which most is known of; and that of reactions."""
        labels = [group for group in issue.groups if group in self.factors and group != LIKED]
        best = max(labels, key=lambda group: (self.weights[group], group), default=None)
        liked = self.factors.get(LIKED, 1.0) if issue.reactions >= 3 else 1.0
        return liked * (self.factors[best] if best is not None else 1.0)

    def chance(self, issue: PastIssue, now: int, by: int) -> float:
        """Chance that the issue, open now, is closed as completed by then."""
        start, end = (now - issue.opened_at) / DAY, (by - issue.opened_at) / DAY
        risk = sum(rate * days for rate, days in zip(self.rates, _days_in_ages(start, end), strict=True))
        return -math.expm1(-self.factor(issue) * risk)


def hazard_of(past: Iterable[PastIssue], now: int, average: Rates | None = None) -> Hazard | TooLittle:
    """Learn from what is known by `now`. `average`: rates of all repositories, if there are such."""
    known = [issue for one in past if (issue := one.as_of(now)) is not None]
    good = sum(issue.good for issue in known)
    if good < LEAST_GOOD_CLOSES:
        return TooLittle(good) if average is None else Hazard(average, {}, {}, good, own=False)
    exposed = [(issue, exposure(issue, now)) for issue in known]
    rates = rates_of(exposed, now, average)
    factors, weights = _factors(exposed, rates, now)
    return Hazard(rates, factors, weights, good, own=True)


def rates_of(exposed: Sequence[tuple[PastIssue, Sequence[float]]], now: int, average: Rates | None = None) -> Rates:
    """Rates by age; without an average the repository's own rate over all ages is the one before."""
    seen, days = [0.0] * len(AGES), [0.0] * len(AGES)
    for issue, risk in exposed:
        days = [sum(pair) for pair in zip(days, risk, strict=True)]
        if issue.good and issue.closed_at is not None:
            seen[age_of((issue.closed_at - issue.opened_at) / DAY)] += weight(issue.closed_at, now)
    overall = sum(seen) / max(sum(days), 1e-9)
    before = average if average is not None else (max(overall, 1e-9),) * len(AGES)
    return tuple(
        (events + BEFORE_CLOSES) / (risk + BEFORE_CLOSES / rate)
        for events, risk, rate in zip(seen, days, before, strict=True)
    )


def average_rates(repositories: Iterable[Iterable[PastIssue]], now: int) -> Rates | None:
    """The rates of many histories together; None where they hold too few good closes."""
    known = [issue for past in repositories for one in past if (issue := one.as_of(now)) is not None]
    if sum(issue.good for issue in known) < LEAST_GOOD_CLOSES:
        return None
    return rates_of([(issue, exposure(issue, now)) for issue in known], now)


def weight(at: int, now: int) -> float:
    return float(0.5 ** ((now - at) / DAY / HALVING_DAYS))


def age_of(days: float) -> int:
    """Number of the age that so many days fall in; a close in the very instant of opening is in the first."""
    return max(0, bisect_right(AGES, days) - 1)


def exposure(issue: PastIssue, now: int) -> list[float]:
    """Days at risk in each age, each weighed by how long ago it was: the weight is integrated exactly."""
    until = issue.closed_at if issue.closed_at is not None else now
    ends = [*AGES[1:], math.inf]
    found = []
    for begin, end in zip(AGES, ends, strict=True):
        first = issue.opened_at / DAY + begin
        last = min(until / DAY, issue.opened_at / DAY + end)
        found.append(_weighed(first, last, now / DAY) if last > first else 0.0)
    return found


def _weighed(first: float, last: float, now: float) -> float:
    """The integral of the weight over some days."""
    rate = math.log(2) / HALVING_DAYS
    return math.exp((last - now) * rate) * -math.expm1((first - last) * rate) / rate


def _days_in_ages(start: float, end: float) -> list[float]:
    ends = [*AGES[1:], math.inf]
    return [max(0.0, min(end, until) - max(start, begin)) for begin, until in zip(AGES, ends, strict=True)]


def _factors(
    exposed: Sequence[tuple[PastIssue, Sequence[float]]], rates: Rates, now: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Factor of each group, and how many good closes were expected of it."""
    seen: dict[str, float] = {}
    expected: dict[str, float] = {}
    for issue, risk in exposed:
        came = weight(issue.closed_at, now) if issue.good and issue.closed_at is not None else 0.0
        due = sum(rate * days for rate, days in zip(rates, risk, strict=True))
        for group in issue.groups:
            seen[group] = seen.get(group, 0.0) + came
            expected[group] = expected.get(group, 0.0) + due
    return {group: (seen[group] + GROUP_CLOSES) / (expected[group] + GROUP_CLOSES) for group in seen}, expected
