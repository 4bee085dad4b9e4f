"""What becomes of a contract when its issue is looked at (docs/market.md §5). Pure: facts in, one step out."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.contract import Outcome, Status

MATURATION_WINDOW_SECONDS = 15 * 60
"""After maturation late events get at least this long to arrive."""

UNBACKED_WINDOW_SECONDS = 48 * 3600
NO_ANSWER_SECONDS = 30 * 86_400
VOID_LOOK_BACK_SECONDS = 7 * 86_400
ASK_AGAIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """An issue as GitHub's API gives it.

    `closed_at` is when it was closed as it is closed now: a change of reason is a close at that instant. `closed_since`
    is when it was closed first since it was last open (None: the same); `reopenings` are all there were. `closed_by` is
    the closer's id and `closer` the login at that time; `closer_may_triage`: the closer is a person with triage rights
    or better.
    """

    closed: bool
    completed: bool
    closed_at: int | None = None
    closed_by: int | None = None
    closer_may_triage: bool = False
    closer: str = ""
    closed_since: int | None = None
    reopenings: tuple[int, ...] = ()

    def good_close_at(self, maturation_at: int) -> int | None:
        """The instant of a close as completed that counts for this maturation, if there is one."""
        if not (self.closed and self.completed) or self.closed_at is None:
            return None
        return self.closed_at if self.closed_at <= maturation_at else None


@dataclass(frozen=True, slots=True)
class Watch:
    """What a contract remembers of its life. `opened_by_close` tells a close's window from maturation's."""

    status: Status
    maturation_at: int
    dispute_window_seconds: int
    opened_by_close: bool = False
    window_opened_at: int | None = None
    window_ends_at: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing changes; look again then."""

    until_at: int


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """Halt (or stay halted) while this window runs."""

    opened_at: int
    ends_at: int
    by_close: bool
    backed: bool


@dataclass(frozen=True, slots=True)
class Resume:
    pass


@dataclass(frozen=True, slots=True)
class Settle:
    outcome: Outcome


Step = Wait | OpenWindow | Resume | Settle


def look(watch: Watch, facts: IssueFacts | None, backed: bool, now: int) -> Step:
    """The next step of an unsettled contract. No `facts`: GitHub gave no answer; `backed` is about their close."""
    if watch.status is Status.OPEN:
        return _look_at_open(watch, facts, backed, now)
    if facts is None:
        return _without_answer(watch, now)
    good_close = facts.good_close_at(watch.maturation_at)
    if good_close is not None and (not watch.opened_by_close or _closed_again(watch, facts.closed_since or good_close)):
        return _close_window(watch, good_close, backed)
    if watch.opened_by_close and not facts.closed and now < watch.maturation_at:
        return Resume()
    if watch.window_ends_at is None or _reopened_in_time(watch, facts):
        return _without_close(watch, now)
    if now < watch.window_ends_at:
        return Wait(watch.window_ends_at)
    if watch.opened_by_close and facts.closed and facts.completed:
        return Settle(Outcome.FIXED)
    return Resume() if now < watch.maturation_at else Settle(Outcome.UNFIXED)


def _closed_again(watch: Watch, closed_since: int) -> bool:
    """A close after a reopening opens a new window, a change of reason does not; an unknown end is told now."""
    return watch.window_ends_at is None or watch.window_opened_at is None or closed_since > watch.window_opened_at


def _reopened_in_time(watch: Watch, facts: IssueFacts) -> bool:
    """A reopening before maturation ended the close's window, although it comes to light only now."""
    if not watch.opened_by_close or watch.window_opened_at is None:
        return False
    return any(watch.window_opened_at < at < watch.maturation_at for at in facts.reopenings)


def _look_at_open(watch: Watch, facts: IssueFacts | None, backed: bool, now: int) -> Step:
    good_close = facts.good_close_at(watch.maturation_at) if facts else None
    if good_close is not None:
        return _close_window(watch, good_close, backed)
    if now >= watch.maturation_at:
        return _maturation_window(watch)
    return Wait(watch.maturation_at)


def _close_window(watch: Watch, closed_at: int, backed: bool) -> OpenWindow:
    seconds = watch.dispute_window_seconds
    if not backed:
        seconds = max(2 * seconds, UNBACKED_WINDOW_SECONDS)
    return OpenWindow(closed_at, closed_at + seconds, by_close=True, backed=backed)


def _maturation_window(watch: Watch) -> OpenWindow:
    seconds = max(watch.dispute_window_seconds, MATURATION_WINDOW_SECONDS)
    return OpenWindow(watch.maturation_at, watch.maturation_at + seconds, by_close=False, backed=False)


def _without_close(watch: Watch, now: int) -> Step:
    """Halted on the news of a close that the API does not confirm."""
    return Resume() if now < watch.maturation_at else _maturation_window(watch)


def _without_answer(watch: Watch, now: int) -> Step:
    """Ask again; 30 days after the verdict was due, or after a close never confirmed, the contract is void."""
    ends_at = watch.window_ends_at
    known = (at for at in (ends_at, watch.window_opened_at) if at is not None)
    if now >= next(known, watch.maturation_at) + NO_ANSWER_SECONDS:
        return Settle(Outcome.VOID)
    return Wait(now + ASK_AGAIN_SECONDS if ends_at is None else max(now + ASK_AGAIN_SECONDS, ends_at))
