"""A comment as an event shows it."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.life.facts import IssueFacts
from app.services.accounts import accounts
from app.storage.people.places import Place


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment event.

    `old_body` is what an edit replaced, None for a new comment; `facts` the issue as the event shows it; `said_at` when
    the comment was made or edited, while dates in it count from `created_at`; `received_at` when we heard of it;
    `in_thread`: the comments of the issue by then.
    """

    id: int
    body: str
    old_body: str | None
    author_id: int
    sender_id: int
    sender_login: str
    created_at: int
    said_at: int
    received_at: int
    place: Place
    facts: IssueFacts
    labels: frozenset[str] = frozenset()
    issue_author_id: int | None = None
    in_thread: int = 0


def opening(comment: Comment) -> accounts.Opening:
    """The account that a first command opens."""
    owner = comment.place.repository.owner_id
    return accounts.Opening(comment.sender_id, comment.sender_login, owner, f"comment:{comment.id}", comment.said_at)
