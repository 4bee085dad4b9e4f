"""Next step of a contract after a look at its issue (docs/market.md §5). Pure: facts in, one step out."""

from __future__ import annotations

from dataclasses import replace

from app.market.life.facts import DAY, Cause, IssueFacts, Watch
from app.market.life.outages import caught_up, free_at
from app.market.life.steps import Announce, Extend, OpenWindow, Resume, Settle, Step, Wait
from app.market.terms.contract import Outcome

MATURATION_WINDOW_SECONDS = 15 * 60
"""After maturation late events get at least this long to arrive."""

UNBACKED_WINDOW_SECONDS = 2 * DAY

NO_ANSWER_DAYS = 30
"""On so many different days asking must have failed, or the App have been away, before a contract is void for it."""

ANNOUNCED_SECONDS = 12 * 3600
"""Whoever is told of a window has as long as this to dispute its verdict, or as long as the window is."""

LONGEST_UNANNOUNCED_SECONDS = 7 * DAY
"""A window that cannot be announced waits no longer for it."""

PROLONG_SECONDS = 3600
"""A window that cannot end yet goes on by this much, as often as needed."""

VOID_LOOK_BACK_SECONDS = 7 * DAY
ASK_AGAIN_SECONDS = 60

ASK_WHILE_AWAY_SECONDS = DAY
"""Interval of asking GitHub while the App is not installed: the news of its return may be lost."""

RETURN_SECONDS = DAY
"""Once the App is back, windows that ran meanwhile are open at least this long."""


def look(watch: Watch, facts: IssueFacts | None, backed: bool, now: int) -> Step:
    """The next step of an unsettled contract. No `facts`: GitHub gave no answer; `backed` is about their close."""
    step = _step(watch, facts, backed, now)
    return _disputable(watch, step, now) if isinstance(step, OpenWindow) else step


def _disputable(watch: Watch, window: OpenWindow, now: int) -> OpenWindow:
    """Whoever loses by a verdict that takes the place of another can dispute it, however late it was found."""
    if watch.tentative or window.cause.verdict is watch.verdict:
        return window
    return replace(window, ends_at=max(window.ends_at, now + watch.dispute_window_seconds))


def _step(watch: Watch, facts: IssueFacts | None, backed: bool, now: int) -> Step:
    if facts is None:
        return _prolonged(watch, now) or _without_answer(watch, now)
    opened = _new_window(watch, facts, backed, now)
    if opened is not None:
        return opened
    if watch.cause is None:
        return _without_event(watch, now)
    if watch.tentative or _undone(watch, facts, now):
        return _without_close(watch, now)
    return _in_window(watch, facts, backed, now)


def close_event(watch: Watch, facts: IssueFacts) -> tuple[Cause, int] | None:
    """The close that opens a window, and its instant; None if there is none in time, or it opens none.

    After maturation it is the one that stood then, whatever became of it: how soon we ask must decide nothing.
    """
    close = facts.at(watch.maturation_at)
    if not close.closed or close.closed_at is None:
        return None
    if close.closed_at > watch.maturation_at or close.closed_at <= (watch.set_aside_at or 0):
        return None
    if close.completed:
        return Cause.CLOSED, close.closed_at
    return (Cause.REJECTED, close.closed_at) if close.reason in watch.void_reasons else None


def closed_for_good(watch: Watch, facts: IssueFacts) -> bool:
    """Tell if the issue is closed in a way that decides contracts: later trades are trades on a reopened issue."""
    decides = facts.completed or facts.reason in watch.void_reasons
    return facts.closed and decides and (facts.closed_at is None or facts.closed_at > (watch.set_aside_at or 0))


def _new_window(watch: Watch, facts: IssueFacts, backed: bool, now: int) -> OpenWindow | None:
    gone_at = _gone_at(watch, facts, now)
    if gone_at is not None:
        if _decided(watch):
            return None
        fresh = watch.cause is not Cause.GONE or watch.tentative
        return _void_window(watch, Cause.GONE, gone_at) if fresh else None
    event = close_event(watch, facts)
    if event is None:
        return None
    cause, at = event
    runs = not watch.tentative and watch.cause in (Cause.CLOSED, Cause.REJECTED) and not _set_aside(watch)
    if runs and not _closed_again(watch, facts.at(watch.maturation_at).closed_since or at):
        return None  # a change of reason never moves a running window
    return _event_window(watch, cause, at, backed)


def _decided(watch: Watch) -> bool:
    """After a backed good close deleting or voiding acts change nothing: who has lost must not take the stake back."""
    return watch.cause is Cause.CLOSED and not watch.tentative and watch.backed and not _set_aside(watch)


def _event_window(watch: Watch, cause: Cause, at: int, backed: bool) -> OpenWindow:
    return _close_window(watch, at, backed) if cause is Cause.CLOSED else _void_window(watch, cause, at)


def _gone_at(watch: Watch, facts: IssueFacts, now: int) -> int | None:
    """Instant at which the issue went out of sight; None if it is there, or went after maturation."""
    if facts.gone is None:
        return None
    heard_at = watch.window_opened_at if watch.cause is Cause.GONE else None
    at = next(known for known in (heard_at, facts.gone_at, now) if known is not None)
    return at if (watch.set_aside_at or 0) < at <= watch.maturation_at else None


def _closed_again(watch: Watch, closed_since: int) -> bool:
    """A close after a reopening opens a new window, a change of reason does not."""
    return watch.window_opened_at is None or closed_since > watch.window_opened_at


def _set_aside(watch: Watch) -> bool:
    """Tell if a maintainer has set the running window's cause aside, in this contract or in a sibling."""
    opened_at = None if watch.cause is Cause.MATURED else watch.window_opened_at
    return opened_at is not None and opened_at <= (watch.set_aside_at or 0)


def _undone(watch: Watch, facts: IssueFacts, now: int) -> bool:
    """Tell if the window's cause was taken back before maturation, although it may come to light only now."""
    if watch.cause is Cause.MATURED or watch.window_opened_at is None:
        return False
    if now < watch.maturation_at and _set_aside(watch):
        return True
    if watch.cause is Cause.GONE:
        return facts.gone is None
    reopened = any(watch.window_opened_at < at < watch.maturation_at for at in facts.reopenings)
    return reopened or (not facts.closed and now < watch.maturation_at)


def _in_window(watch: Watch, facts: IssueFacts, backed: bool, now: int) -> Step:
    prolonged = _prolonged(watch, now)
    if prolonged is not None:
        return prolonged
    if now >= watch.due_at:
        return _at_its_end(watch, facts, backed, now)
    expected = _expected(watch, facts)
    waits = watch.disputed_at is not None and watch.ruling is None
    return Wait(watch.due_at) if waits or expected is watch.verdict else Announce(expected)


def _prolonged(watch: Watch, now: int) -> Step | None:
    """A later end of the window that runs, or another wait for it; None if nothing holds it up.

    It ends no sooner than a while after a return of the App and after an outage of ours, nor before what GitHub had to
    deliver meanwhile has been dealt with, nor before the thread had time to dispute what it was told.
    """
    if watch.tentative or watch.window_ends_at is None:
        return None
    least = _ending(watch, watch.window_opened_at or 0, 0)
    if least > max(_planned_end(watch), now):
        return Extend(max(least, watch.window_ends_at))
    if (announced := announced_until(watch)) > max(watch.window_ends_at, now):
        return Extend(announced, told=False)
    if now < watch.due_at:
        return None
    if not caught_up(watch.outages):
        disputed = watch.disputed_at is not None or watch.ruling is not None
        return Wait(now + ASK_AGAIN_SECONDS) if disputed else Extend(now + PROLONG_SECONDS, told=False)
    latest = _planned_end(watch) + LONGEST_UNANNOUNCED_SECONDS
    if watch.announced_at is None and window_seconds(watch) and now < latest:
        return Extend(min(now + PROLONG_SECONDS, latest), told=False)
    return None


def window_seconds(watch: Watch) -> int:
    """The length of the window that runs, as the terms have it."""
    if watch.cause is Cause.CLOSED:
        return _close_seconds(watch, watch.backed)
    return _maturation_seconds(watch) if watch.cause is Cause.MATURED else watch.dispute_window_seconds


def announced_until(watch: Watch) -> int:
    """Until when the window that runs stays open for those who were told of it; 0 as long as nobody was."""
    if watch.announced_at is None:
        return 0
    latest = _planned_end(watch) + LONGEST_UNANNOUNCED_SECONDS
    return min(watch.announced_at + min(window_seconds(watch), ANNOUNCED_SECONDS), latest)


def _planned_end(watch: Watch) -> int:
    return (watch.window_ends_at or 0) if watch.planned_ends_at is None else watch.planned_ends_at


def _at_its_end(watch: Watch, facts: IssueFacts, backed: bool, now: int) -> Step:
    if watch.ruling is not None:
        return Settle(watch.ruling)
    if _set_aside(watch):
        return Settle(Outcome.UNFIXED)
    if watch.disputed_at is not None and watch.cause is Cause.CLOSED and not watch.backed:
        return Settle(Outcome.VOID)
    event = close_event(watch, facts) if watch.cause in (Cause.CLOSED, Cause.REJECTED) else None
    if event is not None and event[0] is Cause.REJECTED and _decided(watch):
        event = None
    if event is not None and event[0] is not watch.cause:
        return _event_window(watch, *event, backed)
    standing = _standing(watch, facts)
    if standing is not None:
        return Settle(standing)
    return Resume() if now < watch.maturation_at else Settle(Outcome.UNFIXED)


def _standing(watch: Watch, facts: IssueFacts) -> Outcome | None:
    """The verdict that was announced as the window opened, if the issue is still as it was then."""
    if _set_aside(watch):
        return None
    voided = facts.closed and facts.reason in watch.void_reasons
    stands = {
        Cause.CLOSED: (facts.closed and facts.completed) or (voided and _too_late_to_void(watch, facts)),
        Cause.REJECTED: voided,
        Cause.GONE: facts.gone is not None,
        Cause.MATURED: True,
    }
    return watch.cause.verdict if watch.cause is not None and stands[watch.cause] else None


def _too_late_to_void(watch: Watch, facts: IssueFacts) -> bool:
    """Another reason was given to a close that stood at maturation or is backed: what it was before counts."""
    same_close = facts.closed_since is not None and facts.closed_since <= watch.maturation_at
    return same_close and (_decided(watch) or (facts.closed_at or 0) > watch.maturation_at)


def _expected(watch: Watch, facts: IssueFacts) -> Outcome | None:
    """The verdict if the issue stays as it is; None: trading will resume."""
    if watch.ruling is not None:
        return watch.ruling
    standing = _standing(watch, facts)
    if standing is None and watch.due_at >= watch.maturation_at:
        return Outcome.UNFIXED
    return standing


def _without_event(watch: Watch, now: int) -> Step:
    return _maturation_window(watch) if now >= watch.maturation_at else Wait(watch.maturation_at)


def _without_close(watch: Watch, now: int) -> Step:
    """Step of a contract whose window's cause does not hold, or not any more."""
    return Resume() if now < watch.maturation_at else _maturation_window(watch)


def _ending(watch: Watch, opened_at: int, seconds: int) -> int:
    """End of a window of this length: some time after a return of the App while it ran, and after our outages."""
    ends_at = max(opened_at + seconds, free_at(watch.outages))
    returned_in_it = watch.back_at is not None and opened_at <= watch.back_at
    return max(ends_at, (watch.back_at or 0) + RETURN_SECONDS) if returned_in_it else ends_at


def _close_window(watch: Watch, closed_at: int, backed: bool) -> OpenWindow:
    ends_at = _ending(watch, closed_at, _close_seconds(watch, backed))
    return OpenWindow(closed_at, ends_at, Cause.CLOSED, backed)


def _close_seconds(watch: Watch, backed: bool) -> int:
    seconds = watch.dispute_window_seconds
    return seconds if backed else max(2 * seconds, UNBACKED_WINDOW_SECONDS)


def _void_window(watch: Watch, cause: Cause, at: int) -> OpenWindow:
    return OpenWindow(at, _ending(watch, at, watch.dispute_window_seconds), cause)


def _maturation_window(watch: Watch) -> OpenWindow:
    ends_at = _ending(watch, watch.maturation_at, _maturation_seconds(watch))
    return OpenWindow(watch.maturation_at, ends_at, Cause.MATURED)


def _maturation_seconds(watch: Watch) -> int:
    return max(watch.dispute_window_seconds, MATURATION_WINDOW_SECONDS)


def _without_answer(watch: Watch, now: int) -> Step:
    """Ask again; once asking for the verdict, or for news never confirmed, has failed on 30 days the contract is void.

    Time alone never voids. A ruling is paid once an answer has come at or after maturation: no reopening can count
    against it any more. After the 30 days it is paid, too: a maintainer has decided.
    """
    if watch.away_at is not None:
        return Settle(Outcome.VOID) if watch.away_days >= NO_ANSWER_DAYS else Wait(now + ASK_WHILE_AWAY_SECONDS)
    if watch.cause is None:
        return _without_event(watch, now)
    failed = watch.unanswered_days >= NO_ANSWER_DAYS
    ended = watch.window_ends_at is not None and now >= watch.window_ends_at
    if watch.ruling is not None and ended and (failed or watch.answered_at >= watch.maturation_at):
        return Settle(watch.ruling)
    if failed and needs_answer(watch, now):
        return Settle(Outcome.VOID)
    return Wait(now + ASK_AGAIN_SECONDS)  # in a window, too: a reopening may be what we were told of


def needs_answer(watch: Watch, now: int) -> bool:
    """Tell if a verdict, or news, waits for GitHub's answer: asking in vain counts from then on."""
    if watch.cause is None or watch.away_at is not None:
        return False
    return watch.window_ends_at is None or now >= watch.window_ends_at


def another_day(last_at: int | None, now: int) -> bool:
    """Tell if this is a later day (UTC) than the last that was counted."""
    return last_at is None or now // DAY > last_at // DAY
