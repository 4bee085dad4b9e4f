"""A contract's state in words: the one source for replies, notices, the market comment and badges.

Whatever says how a contract stands says it with these, so that no two lines of a comment contradict each other.
"""

from __future__ import annotations

from app.market.life.facts import Watch
from app.market.terms.contract import Outcome, Status
from app.market.terms.instants import format_instant
from app.market.terms.statement import said
from app.storage.market.contracts import ContractRow

DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS = 86_400, 3_600, 60


def time_left(at: int, now: int) -> str:
    """`59 days`, in the largest unit of which there are at least two."""
    left = at - now
    for seconds, name in ((DAY_SECONDS, "days"), (HOUR_SECONDS, "hours")):
        if left >= 2 * seconds:
            return f"{left // seconds} {name}"
    return f"{max(left, 0) // MINUTE_SECONDS} min"


def state(row: ContractRow, now: int, watch: Watch | None = None) -> str:
    """`open, 59 days left`, `halted until …`, `settled FIXED`. `watch`: what is known of a halted contract's life."""
    if row.status is Status.SETTLED:
        return _settled(row)
    if row.status is Status.OPEN:
        return f"open, {time_left(row.maturation_at, now)} left"
    if watch is not None and watch.away_at is not None:
        return "halted while BugMark is not installed here"
    if watch is not None and set_aside(watch):
        return f"halted: {once_set_aside(row)}"
    if row.window_ends_at is None:
        return "halted by a maintainer" if row.maintainer_halt is not None else "halted"
    return _in_window(row, row.window_ends_at, watch)


def _in_window(row: ContractRow, ends_at: int, watch: Watch | None) -> str:
    if watch is not None and watch.disputed_at is not None and watch.ruling is None:
        return f"disputed, halted until {format_instant(watch.due_at)} at the latest"
    until = f"halted until {format_instant(ends_at)}"
    return until if row.verdict is not None else f"{until}; as things stand, {without_verdict(row)} then"


def set_aside(watch: Watch) -> bool:
    """Tell if a maintainer has decided that the close does not count, and GitHub has yet to be asked."""
    return (
        watch.set_aside_at is not None
        and watch.window_opened_at is not None
        and (watch.window_opened_at <= watch.set_aside_at)
    )


def short(row: ContractRow) -> str:
    """The same in one or two words, where there is no room for more: a badge, a cell of a table."""
    if row.status is Status.SETTLED:
        return "void" if row.outcome is Outcome.VOID else _settled(row)
    return "halted" if row.status is Status.HALTED else "open"


def _settled(row: ContractRow) -> str:
    return f"settled {said(row.kind, row.outcome.value if row.outcome else '')}"


def without_verdict(row: ContractRow) -> str:
    """End of a window without a verdict: a maintainer's halt is lifted by nobody else."""
    return "trading resumes" if row.maintainer_halt is None else "the window is over, without a verdict,"


def once_set_aside(row: ContractRow) -> str:
    """The same of a close that a maintainer has set aside; nothing resumes before GitHub was asked."""
    return "trading resumes" if row.maintainer_halt is None else "the market stays halted"
