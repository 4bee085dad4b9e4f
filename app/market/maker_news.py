"""News that silences the maker: typed reasons, each with a sentence for the thread."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

QUIET_SECONDS: Final = 7 * 86_400
"""So long after the last pull request or assignment the maker starts again, at the chance that holds then."""


class Reason(StrEnum):
    NO_ANSWER = "no_answer"
    NO_HISTORY = "no_history"
    CLOSED = "closed"
    LINKED = "linked"
    ASSIGNED = "assigned"
    BY_HAND = "by_hand"
    NOT_TRADING = "not_trading"
    DECIDED = "decided"
    NO_BUDGET = "no_budget"


SENTENCES: Final = {
    Reason.NO_ANSWER: "GitHub has not told how the issue stands, so the market maker quotes nothing.",
    Reason.NO_HISTORY: "Too few issues were ever closed as completed here to tell a chance from.",
    Reason.CLOSED: "The issue is closed as completed: the verdict is what is waited for, not a price.",
    Reason.LINKED: "A pull request is about this issue now, and its author knows more than the market maker.",
    Reason.ASSIGNED: "Somebody was assigned to this issue, and knows more than the market maker.",
    Reason.BY_HAND: "A maintainer has stopped the market maker here.",
    Reason.NOT_TRADING: "The contract is not trading now.",
    Reason.DECIDED: "The chance is so near to 0 or 1 that nothing is left to quote.",
    Reason.NO_BUDGET: "The market maker's budget for this issue is used up.",
}


@dataclass(frozen=True, slots=True)
class Silence:
    """A reason for quoting nothing; `until_at`: when the maker starts again by itself, None: not by time alone."""

    reason: Reason
    until_at: int | None = None

    @property
    def sentence(self) -> str:
        return SENTENCES[self.reason]


@dataclass(frozen=True, slots=True)
class News:
    """Facts about the issue: whether GitHub has told of it, if it is closed as completed, when a pull request was
    linked last and somebody assigned last, and when a maintainer stopped the maker or started it again.

    `history`: there is enough of it to tell a chance from.
    """

    known: bool = True
    history: bool = True
    closed: bool = False
    linked_at: int | None = None
    assigned_at: int | None = None
    stopped_at: int | None = None
    started_at: int | None = None


def silence(news: News, now: int) -> Silence | None:
    """Find what keeps the maker from quoting at all; None: nothing does."""
    lasting = (
        (not news.known, Reason.NO_ANSWER),
        (not news.history, Reason.NO_HISTORY),
        (news.closed, Reason.CLOSED),
        (_since(news.stopped_at, news.started_at), Reason.BY_HAND),
    )
    for holds, reason in lasting:
        if holds:
            return Silence(reason)
    passing = ((news.linked_at, Reason.LINKED), (news.assigned_at, Reason.ASSIGNED))
    stirred = [
        (at + QUIET_SECONDS, reason)
        for at, reason in passing
        if at is not None and _since(at, news.started_at) and now < at + QUIET_SECONDS
    ]
    if not stirred:
        return None
    until_at, reason = max(stirred, key=lambda one: one[0])
    return Silence(reason, until_at)


def _since(at: int | None, started_at: int | None) -> bool:
    """Tell if it happened after the maker was last started by hand."""
    return at is not None and (started_at is None or at > started_at)
