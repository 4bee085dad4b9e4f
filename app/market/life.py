"""What becomes of a contract when its issue is looked at (docs/market.md §5). Pure: facts in, one step out."""

from __future__ import annotations

from dataclasses import replace

from app.market.contract import Outcome
from app.market.facts import DAY, Cause, IssueFacts, Watch
from app.market.steps import Announce, Extend, OpenWindow, Resume, Settle, Step, Wait

MATURATION_WINDOW_SECONDS = 15 * 60
"""After maturation late events get at least this long to arrive."""

UNBACKED_WINDOW_SECONDS = 2 * DAY
NO_ANSWER_SECONDS = 30 * DAY
VOID_LOOK_BACK_SECONDS = 7 * DAY
ASK_AGAIN_SECONDS = 60

ASK_WHILE_AWAY_SECONDS = DAY
"""How often GitHub is asked where the App is not installed: the news of its return may be lost."""

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
        return _without_answer(watch, now)
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
    """Whether the issue is closed in a way that decides contracts: what trades after that trades on a reopened one."""
    decides = facts.completed or facts.reason in watch.void_reasons
    return facts.closed and decides and (facts.closed_at is None or facts.closed_at > (watch.set_aside_at or 0))


def _new_window(watch: Watch, facts: IssueFacts, backed: bool, now: int) -> OpenWindow | None:
    gone_at = _gone_at(watch, facts, now)
    if gone_at is not None:
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


def _event_window(watch: Watch, cause: Cause, at: int, backed: bool) -> OpenWindow:
    return _close_window(watch, at, backed) if cause is Cause.CLOSED else _void_window(watch, cause, at)


def _gone_at(watch: Watch, facts: IssueFacts, now: int) -> int | None:
    """When the issue went where nobody can judge it; None if it is there, or went after maturation."""
    if facts.gone is None:
        return None
    heard_at = watch.window_opened_at if watch.cause is Cause.GONE else None
    at = next(known for known in (heard_at, facts.gone_at, now) if known is not None)
    return at if (watch.set_aside_at or 0) < at <= watch.maturation_at else None


def _closed_again(watch: Watch, closed_since: int) -> bool:
    """A close after a reopening opens a new window, a change of reason does not."""
    return watch.window_opened_at is None or closed_since > watch.window_opened_at


def _set_aside(watch: Watch) -> bool:
    """What opened the window that runs does not count: so a maintainer found, in this contract or in a sibling."""
    opened_at = None if watch.cause is Cause.MATURED else watch.window_opened_at
    return opened_at is not None and opened_at <= (watch.set_aside_at or 0)


def _undone(watch: Watch, facts: IssueFacts, now: int) -> bool:
    """What opened the window was taken back before maturation, although it may come to light only now."""
    if watch.cause is Cause.MATURED or watch.window_opened_at is None:
        return False
    if now < watch.maturation_at and _set_aside(watch):
        return True
    if watch.cause is Cause.GONE:
        return facts.gone is None
    reopened = any(watch.window_opened_at < at < watch.maturation_at for at in facts.reopenings)
    return reopened or (not facts.closed and now < watch.maturation_at)


def _in_window(watch: Watch, facts: IssueFacts, backed: bool, now: int) -> Step:
    ends_at = watch.window_ends_at or 0
    least = _ending(watch, watch.window_opened_at or 0, 0)
    if least > ends_at:
        return Extend(least)
    if now >= watch.due_at:
        return _at_its_end(watch, facts, backed, now)
    expected = _expected(watch, facts)
    waits = watch.disputed_at is not None and watch.ruling is None
    return Wait(watch.due_at) if waits or expected is watch.verdict else Announce(expected)


def _at_its_end(watch: Watch, facts: IssueFacts, backed: bool, now: int) -> Step:
    if watch.ruling is not None:
        return Settle(watch.ruling)
    if _set_aside(watch):
        return Settle(Outcome.UNFIXED)
    if watch.disputed_at is not None and watch.cause is Cause.CLOSED and not watch.backed:
        return Settle(Outcome.VOID)
    event = close_event(watch, facts) if watch.cause in (Cause.CLOSED, Cause.REJECTED) else None
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
    stands = {
        Cause.CLOSED: facts.closed and facts.completed,
        Cause.REJECTED: facts.closed and facts.reason in watch.void_reasons,
        Cause.GONE: facts.gone is not None,
        Cause.MATURED: True,
    }
    return watch.cause.verdict if watch.cause is not None and stands[watch.cause] else None


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
    """What opened the window is not so, or not any more."""
    return Resume() if now < watch.maturation_at else _maturation_window(watch)


def _ending(watch: Watch, opened_at: int, seconds: int) -> int:
    """When a window of this length ends: where the App was away while it ran, some time after the return."""
    returned_in_it = watch.back_at is not None and opened_at <= watch.back_at
    return max(opened_at + seconds, (watch.back_at or 0) + RETURN_SECONDS) if returned_in_it else opened_at + seconds


def _close_window(watch: Watch, closed_at: int, backed: bool) -> OpenWindow:
    seconds = watch.dispute_window_seconds
    if not backed:
        seconds = max(2 * seconds, UNBACKED_WINDOW_SECONDS)
    return OpenWindow(closed_at, _ending(watch, closed_at, seconds), Cause.CLOSED, backed)


def _void_window(watch: Watch, cause: Cause, at: int) -> OpenWindow:
    return OpenWindow(at, _ending(watch, at, watch.dispute_window_seconds), cause)


def _maturation_window(watch: Watch) -> OpenWindow:
    seconds = max(watch.dispute_window_seconds, MATURATION_WINDOW_SECONDS)
    return OpenWindow(watch.maturation_at, _ending(watch, watch.maturation_at, seconds), Cause.MATURED)


def _without_answer(watch: Watch, now: int) -> Step:
    """Ask again; 30 days after the verdict was due, or after news never confirmed, the contract is void.

    A ruling is paid once an answer has come at or after maturation: no reopening can count against it any more. After
    the 30 days it is paid, too: a maintainer has decided.
    """
    if watch.away_at is not None:
        last = watch.away_at + NO_ANSWER_SECONDS
        return Settle(Outcome.VOID) if now >= last else Wait(min(last, now + ASK_WHILE_AWAY_SECONDS))
    if watch.cause is None:
        return _without_event(watch, now)
    ends_at = watch.window_ends_at
    known = ends_at if ends_at is not None else watch.window_opened_at
    last = (watch.maturation_at if known is None else known) + NO_ANSWER_SECONDS
    final = watch.answered_at >= watch.maturation_at or now >= last
    if watch.ruling is not None and ends_at is not None and now >= ends_at and final:
        return Settle(watch.ruling)
    if now >= last:
        return Settle(Outcome.VOID)
    return Wait(now + ASK_AGAIN_SECONDS)  # in a window, too: a reopening may be what we were told of
