"""Back-test: what the market maker would have quoted on real histories, scored against what happened.

Each issue gets a contract when it is opened. Its chance is learnt from what was known then; labels and reactions are
those of the day on which the history was read. Then it is played on the core, with noise and a fixer who knows a day
before, and with the closes and links that came.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.market.hazard import Hazard, PastIssue, TooLittle, hazard_of
from app.market.maker import Style, ladder_mills, unit_for
from app.market.maker_news import News
from app.simulate.flow import DAY, Following, Life, People, play, stream
from app.simulate.histories import History, IssueRow

RELEARN_SECONDS = 7 * DAY
"""Rates change slowly: they are learnt anew once a week of the history."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A contract: the maker's first chance, the share that earlier contracts came to, and what happened."""

    chance: float
    share: float
    fixed: bool
    result_mills: int
    budget_mills: int
    quoted: float


@dataclass(frozen=True, slots=True)
class Tested:
    """One repository: `early` issues were opened before there was enough history, `open` ones are not judged yet."""

    repository: str
    days: int
    scored: tuple[Scored, ...]
    early: int
    open: int
    why: str = ""

    def lines(self) -> Iterator[str]:
        if not self.scored:
            yield f"{self.repository}: nothing is scored. {self.why}".rstrip()
            return
        fixed = sum(one.fixed for one in self.scored)
        yield (
            f"{self.repository}: {len(self.scored)} contracts of {self.days} days, {fixed} fixed in time;"
            f" {self.early} issues came before there was enough history, {self.open} are not judged yet."
        )
        yield from scores(self.scored)


@dataclass(frozen=True, slots=True)
class Report:
    tests: tuple[Tested, ...]

    @property
    def scored(self) -> tuple[Scored, ...]:
        return tuple(one for test in self.tests for one in test.scored)

    def lines(self) -> list[str]:
        found = [line for test in self.tests for line in test.lines()]
        if len([test for test in self.tests if test.scored]) > 1:
            found += [f"all: {len(self.scored)} contracts.", *scores(self.scored)]
        return [*found, f"backtest: {len(self.scored)} contracts of {len(self.tests)} repositories scored."]


def scores(scored: Sequence[Scored]) -> Iterator[str]:
    """Brier scores (0 is best, and less is better) and the maker's result."""
    maker, share, half = brier(scored)
    yield f"  Brier: maker {maker:.3f}, share of earlier ones {share:.3f}, always one half {half:.3f}"
    results = [one.result_mills / 1000 for one in scored]
    error = statistics.stdev(results) / math.sqrt(len(results)) if len(results) > 1 else 0.0
    worst = min(scored, key=lambda one: one.result_mills)
    yield (
        f"  result a contract: {statistics.mean(results):.1f} tokens ± {error:.1f},"
        f" worst {worst.result_mills / 1000:.1f} of a budget of {worst.budget_mills / 1000:.1f};"
        f" quoted {100 * statistics.mean(one.quoted for one in scored):.0f} % of the time"
    )


def brier(scored: Sequence[Scored]) -> tuple[float, float, float]:
    """Scores of the maker, of the share of earlier ones, and of always one half."""

    def mean(told: Sequence[float]) -> float:
        return statistics.mean((chance - one.fixed) ** 2 for chance, one in zip(told, scored, strict=True))

    return mean([one.chance for one in scored]), mean([one.share for one in scored]), mean([0.5] * len(scored))


def backtest(histories: Sequence[History], days: int, b: int, seed: int) -> Report:
    """Score every history; each learns from itself alone."""
    return Report(tuple(score_history(history, days, b, seed) for history in histories))


def score_history(history: History, days: int, b: int, seed: int) -> Tested:
    ordered = sorted(history.issues, key=lambda issue: (issue.opened_at, issue.number))
    past = [issue.past for issue in ordered]
    learning = Learning(past)
    scored: list[Scored] = []
    early = unjudged = 0
    for issue in ordered:
        if issue.opened_at + days * DAY > history.read_at:
            unjudged += 1
            continue
        hazard = learning.at(issue.opened_at)
        if isinstance(hazard, TooLittle):
            early += 1
            continue
        scored.append(_scored(history, issue, hazard, share(past, issue.opened_at, days), days, b, seed))
    last = hazard_of(past, history.read_at)
    why = last.sentence if isinstance(last, TooLittle) else "No issue came late enough to learn from and early enough."
    return Tested(history.repository, days, tuple(scored), early, unjudged, why)


@dataclass(slots=True)
class Learning:
    """Hazards as they were known, learnt anew once a week; too little history is looked at each time."""

    past: Sequence[PastIssue]
    last: Hazard | TooLittle | None = None
    last_at: int = 0

    def at(self, now: int) -> Hazard | TooLittle:
        if not isinstance(self.last, Hazard) or now >= self.last_at + RELEARN_SECONDS:
            self.last, self.last_at = hazard_of(self.past, now), now
        return self.last


def share(past: Sequence[PastIssue], now: int, days: int) -> float:
    """Share of the earlier issues, opened long enough ago, that were closed as completed in as many days."""
    judged = [issue for issue in past if issue.opened_at + days * DAY <= now]
    came = sum(in_time(issue, days) for issue in judged)
    return (came + 1) / (len(judged) + 2)


def in_time(issue: PastIssue, days: int) -> bool:
    return issue.good and issue.closed_at is not None and issue.closed_at <= issue.opened_at + days * DAY


def _scored(history: History, row: IssueRow, hazard: Hazard, earlier: float, days: int, b: int, seed: int) -> Scored:
    issue, opened_at, ends_at = row.past, row.opened_at, row.opened_at + days * DAY
    asked = PastIssue(opened_at, labels=issue.labels, reactions=issue.reactions)

    def chance(now: int) -> float:
        return hazard.chance(asked, opened_at + now, ends_at)

    links = tuple(at - opened_at for at in history.links_at(row.number) if opened_at <= at < ends_at)
    closed_at = issue.closed_at - opened_at if issue.closed_at is not None and issue.good else None
    life = Life(days * DAY, closed_at, links)

    def news(now: int) -> News:
        return News(linked_at=max((at for at in links if at <= now), default=None))

    first = min(max(chance(0), 0.001), 0.999)
    style = Style(0, b, unit_for(b))
    style = Style(ladder_mills(style, first), b, style.unit)
    chances = stream(seed, history.repository, row.number)
    told = play(life, chance, Following(style, chance, news), People(), chances)
    return Scored(first, earlier, in_time(issue, days), told.result_mills, style.budget_mills, told.quoted)
