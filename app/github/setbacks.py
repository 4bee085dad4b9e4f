"""What becomes of a message that GitHub did not take: tried again, and when; given up; or dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.github.errors import Forbidden, GitHubError, Gone, RateLimited
from app.storage.budgets import Hold
from app.storage.outbox import DEAD, DROPPED, Message

MOST_ATTEMPTS = 180
"""With an hour between the later ones a week: an outage of GitHub or of ours costs no message."""

MOST_ATTEMPTS_GONE = 12
"""What is not there may be GitHub's own lag; after two hours it is not."""

MOST_ATTEMPTS_LIMITED = 12
"""With limits that GitHub gives no end for, doubling from a minute to an hour: about seven hours."""

MOST_ATTEMPTS_BARRED = 120
"""A month, less and less often. What ends it earlier is told by an event (app/github/events.py, presence.py)."""

LONGEST_BARRED_SECONDS = 6 * 3600
LONGEST_WAIT_SECONDS = 3600

BARS: Mapping[str, str] = {
    "locked": "the issue is locked",
    "archived": "the repository is archived",
    "not_accessible": "a permission is missing",
    "suspended": "the installation is suspended",
}
"""Refusals that somebody may take back, by their reason."""


@dataclass(frozen=True, slots=True)
class Setback:
    """`end` is DEAD, DROPPED or None; `parks` says that nothing of this installation can be sent."""

    due_at: int
    end: str | None = None
    parks: bool = False


def setback(message: Message, error: Exception, hold: Hold, now: int) -> Setback:
    """`hold` is the installation's."""
    if message.kind == "minimise" or (isinstance(error, Gone) and error.permanent):
        return Setback(now, DROPPED)
    if isinstance(error, Forbidden) and error.reason in BARS:
        end = DEAD if message.attempts >= MOST_ATTEMPTS_BARRED else None
        wait = min(60 * 2**message.attempts, LONGEST_BARRED_SECONDS)
        return Setback(now + wait, end, parks=error.reason == "suspended")
    if isinstance(error, RateLimited):
        given_up = not error.named and min(message.attempts, hold.strikes) >= MOST_ATTEMPTS_LIMITED
        return Setback(max(hold.until_at, now + 1), DEAD if given_up else None)
    return _failure(message, error, now)


def _failure(message: Message, error: Exception, now: int) -> Setback:
    wait = min(2**message.attempts, LONGEST_WAIT_SECONDS)
    gone, permanent, retry_at = False, False, None
    if isinstance(error, GitHubError):
        gone, permanent, retry_at = isinstance(error, Gone), error.permanent, error.retry_at
    over = permanent or message.attempts >= (MOST_ATTEMPTS_GONE if gone else MOST_ATTEMPTS)
    lost = DROPPED if gone and message.kind == "reaction" else DEAD
    return Setback(retry_at or now + wait, lost if over else None)
