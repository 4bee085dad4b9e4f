"""Facts about an issue, and a contract's memory of its life (docs/market.md §5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.market.life.outages import Outage, free_at, run_until
from app.market.terms.contract import Outcome

DAY = 86_400

ANSWER_SECONDS = 7 * DAY
"""Time that a dispute waits for a maintainer, counting only time in which we ran."""


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """An issue as GitHub's API gives it.

    `closed_at` is when it was closed as it is closed now: a change of reason is a close at that instant. `closed_since`
    is when it was closed first since it was last open (None: the same); `reopenings` are all there were. `closed_by` is
    the closer's id and `closer` the login at that time; `closer_may_triage`: the closer is a person with triage rights
    or better.

    `backers`: ids of people any of whom, having had no position at `closed_at`, makes the close backed. `evidence`: by
    whom and by what it was closed, as texts to be shown in code spans; `by_pull`: by a merged pull request. `gone`:
    "deleted", "transferred" (to where the App is not installed) or "discussion", since `gone_at` (None: not told); the
    other fields are then the last that was known. `duplicate_of` names the canonical issue as `owner/name#number`;
    `reason` is GitHub's `state_reason`.

    `told` is what a forecast is to remember of this answer (market.remembered).

    `before`: earlier closes that stood at the maturation of a contract, each as it was until a reopening or another
    reason ended it at its `until_at`. GitHub is asked for them after maturation only.
    """

    closed: bool
    completed: bool
    closed_at: int | None = None
    closed_by: int | None = None
    closer_may_triage: bool = False
    closer: str = ""
    closed_since: int | None = None
    reopenings: tuple[int, ...] = ()
    backers: tuple[int, ...] = ()
    evidence: tuple[str, ...] = ()
    gone: str | None = None
    gone_at: int | None = None
    duplicate_of: str | None = None
    reason: str | None = None
    until_at: int | None = None
    before: tuple[IssueFacts, ...] = ()
    told: str = ""
    by_pull: bool = False

    def at(self, maturation_at: int) -> IssueFacts:
        """The issue by the close that stood at this maturation, if it was not closed later or is closed no more."""
        if self.closed and self.closed_at is not None and self.closed_at <= maturation_at:
            return self
        return next((one for one in self.before if one.stood_at(maturation_at)), self)

    def stood_at(self, instant: int) -> bool:
        return (self.closed_at or 0) <= instant < (self.until_at or 0)

    def good_close_at(self, maturation_at: int) -> int | None:
        """The instant of a close as completed that counts for this maturation, if there is one."""
        if not (self.closed and self.completed) or self.closed_at is None:
            return None
        return self.closed_at if self.closed_at <= maturation_at else None

    @property
    def may_back(self) -> tuple[int, ...]:
        """Everybody who makes the close backed if they had no position."""
        closer = (self.closed_by,) if self.closer_may_triage and self.closed_by is not None else ()
        return (*self.backers, *closer)


def is_completed(reason: object) -> bool:
    """Older servers give no reason. Reasons never seen before do not count."""
    return reason is None or reason == "completed"


def as_known(state: str, reason: str | None, closed_at: int | None) -> IssueFacts:
    """The facts in what was kept of an issue."""
    closed = state == "closed"
    return IssueFacts(closed, closed and is_completed(reason), closed_at if closed else None, reason=reason)


class Cause(StrEnum):
    """Cause of a contract's window, or of its halt by news. REJECTED: closed for a reason that its terms make VOID."""

    CLOSED = "closed"
    MATURED = "matured"
    GONE = "gone"
    REJECTED = "rejected"

    @property
    def verdict(self) -> Outcome:
        """The verdict announced as the window opens."""
        if self is Cause.CLOSED:
            return Outcome.FIXED
        return Outcome.UNFIXED if self is Cause.MATURED else Outcome.VOID


@dataclass(frozen=True, slots=True)
class Watch:
    """A contract's memory of its life.

    `cause` None: no window runs; a maintainer may have halted it, which stops no clock. A cause without
    `window_ends_at` is news that the API has not confirmed. `verdict` is what was announced last, None: that trading
    will resume. `disputed_at`: since when a dispute waits for a maintainer; `ruling`: what a maintainer decided. Closes
    until `set_aside_at` do not count. `away_at`: since when the App is not installed there; `back_at`: when it came
    back last. For `void_reasons` of a close the terms say VOID. `answered_at`: GitHub's last answer, 0: none yet.

    `planned_ends_at`: the window's end if nothing had to wait for its announcement (None: `window_ends_at`).
    `announced_at`: when the thread was told of the window, or GitHub refused that for good, or nobody was there to be
    told; None: that has yet to come. `unanswered_days`: on how many different days asking for the verdict has failed
    since the last answer; `away_days`: on how many the App turned out to be away, each time. `outages`: when we did not
    run.
    """

    maturation_at: int
    dispute_window_seconds: int
    cause: Cause | None = None
    window_opened_at: int | None = None
    window_ends_at: int | None = None
    backed: bool = False
    verdict: Outcome | None = None
    disputed_at: int | None = None
    ruling: Outcome | None = None
    set_aside_at: int | None = None
    away_at: int | None = None
    back_at: int | None = None
    void_reasons: frozenset[str] = frozenset()
    answered_at: int = 0
    planned_ends_at: int | None = None
    announced_at: int | None = None
    unanswered_days: int = 0
    away_days: int = 0
    outages: tuple[Outage, ...] = ()

    @property
    def tentative(self) -> bool:
        return self.cause is None or self.window_ends_at is None

    @property
    def due_at(self) -> int:
        """Instant at which the verdict is due: an unanswered dispute holds it."""
        ends_at = self.window_ends_at or 0
        if self.disputed_at is None or self.ruling is not None:
            return ends_at
        return max(ends_at, answer_due_at(self.disputed_at, self.outages))


def answer_due_at(disputed_at: int, outages: tuple[Outage, ...]) -> int:
    """End of a dispute that nobody answers: after seven days in which we ran."""
    due_at = run_until(disputed_at, ANSWER_SECONDS, outages)
    return max(due_at, free_at([one for one in outages if one.ended_at > disputed_at]))
