"""Setbacks of a message that GitHub did not take: retry at an instant, give up, or drop."""

from __future__ import annotations

from dataclasses import dataclass

from app.github.api.errors import Forbidden, GitHubError, Gone, Moved, RateLimited
from app.storage.queues.budgets import Hold
from app.storage.queues.outbox import DEAD, DROPPED, Message

MOST_ATTEMPTS = 180
"""With an hour between the later ones a week: an outage of GitHub or of ours costs no message."""

MOST_ATTEMPTS_GONE = 12
"""Patience with a missing target: it may be GitHub's lag, or a transfer that we shall hear of within two hours."""

MOST_ATTEMPTS_LIMITED = 12
"""With limits that GitHub gives no end for, doubling from a minute to an hour: about seven hours."""

MOST_ATTEMPTS_BARRED = 120
"""A month, less and less often. An event ends it earlier."""

LONGEST_BARRED_SECONDS = 6 * 3600
LONGEST_WAIT_SECONDS = 3600

TOLD_OF = frozenset({"locked", "archived", "not_accessible", "suspended"})
"""Reasons of a refusal whose end an event tells. Others (an address that is not allowed, say) end in silence, so that
they are tried every hour at least: five days of it."""


@dataclass(frozen=True, slots=True)
class Setback:
    """`end` is DEAD, DROPPED or None; `parks` says that nothing of this installation can be sent."""

    due_at: int
    end: str | None = None
    parks: bool = False


def setback(message: Message, error: Exception, hold: Hold, now: int) -> Setback:
    """`hold` is the installation's."""
    if message.kind == "minimise":
        return Setback(now, DROPPED)
    if isinstance(error, Forbidden) or (isinstance(error, Gone) and error.may_come_back):
        return _barred(message, error, now)
    if isinstance(error, Gone) and error.permanent:
        return Setback(now, DROPPED)
    if isinstance(error, RateLimited):
        given_up = not error.named and min(message.attempts, hold.strikes) >= MOST_ATTEMPTS_LIMITED
        return Setback(max(hold.until_at, error.retry_at or 0, now + 1), DEAD if given_up else None)
    return _failure(message, error, now)


def _barred(message: Message, error: Forbidden | Gone, now: int) -> Setback:
    """Somebody may take it back: unlock the issue, lift the suspension, let the App in again."""
    first, longest, lost, parks = 1, LONGEST_BARRED_SECONDS, DROPPED, error.about == "installation"
    if isinstance(error, Forbidden):
        first, lost, parks = 60, DEAD, parks or error.reason == "suspended"
        longest = LONGEST_BARRED_SECONDS if error.reason in TOLD_OF else LONGEST_WAIT_SECONDS
    end = lost if message.attempts >= MOST_ATTEMPTS_BARRED else None
    return Setback(now + min(first * 2**message.attempts, longest), end, parks)


def _failure(message: Message, error: Exception, now: int) -> Setback:
    wait = min(2**message.attempts, LONGEST_WAIT_SECONDS)
    gone, permanent, retry_at = False, False, None
    if isinstance(error, GitHubError):
        gone, permanent, retry_at = isinstance(error, Gone | Moved), error.permanent, error.retry_at
    over = permanent or message.attempts >= (MOST_ATTEMPTS_GONE if gone else MOST_ATTEMPTS)
    lost = DROPPED if gone and message.kind == "reaction" else DEAD
    return Setback(retry_at or now + wait, lost if over else None)
