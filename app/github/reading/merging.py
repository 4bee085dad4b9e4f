"""People who stand behind the last commit of a pull request that a queue or a bot merged (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.github.api.instants import read_instant

Json = Mapping[str, Any]

MERGE_QUEUE = "github-merge-queue"
"""The login as which GitHub's own queue merges. It merges only what is in it: whoever put it there last did so."""

MOST_NAMED = 3
"""Approvers."""


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    login: str


@dataclass(frozen=True, slots=True)
class Merge:
    """A pull request's merge. `by` is None where no person merged it, `login` also a bot's.

    `automatic`: GitHub merged it in the name of `by`, who had switched auto-merge on before: that backs nothing, since
    it outlives a push. `approvers` approved the last commit; `enqueuer` put it into the merge queue after the last
    push.
    """

    by: Person | None
    login: str
    automatic: bool = False
    approvers: tuple[Person, ...] = ()
    enqueuer: Person | None = None

    @property
    def backers(self) -> tuple[Person, ...]:
        """Those any of whom stands behind it, without a position; each once."""
        if self.by is not None and not self.automatic:
            return (self.by,)
        queued = (self.enqueuer,) if self.enqueuer else ()
        return tuple({one.id: one for one in (*self.approvers, *queued)}.values())

    def told(self, closer: str) -> tuple[str, ...]:
        """Describe it as evidence, with `closer` named already."""
        by = f"auto-merge for {self.login}" if self.automatic else self.login
        merged = (f"merged by {by}",) if by and by != closer else ()
        names = ", ".join(one.login for one in self.approvers[:MOST_NAMED])
        more = ", …" if len(self.approvers) > MOST_NAMED else ""
        approved = (f"approved by {names}{more}",) if names else ()
        return (*merged, *approved, *((f"queued by {self.enqueuer.login}",) if self.enqueuer else ()))


def merge_from(pull: Json, closed_at: int) -> Merge:
    """Find the way it was merged; events after the close in question do not count."""
    merger = _object(pull.get("mergedBy"))
    by, login = actor_from(merger), merger.get("login")
    told = login if isinstance(login, str) else ""
    enabling = _auto_merge(pull, closed_at)
    automatic = by is not None and enabling is not None and actor_from(enabling.get("enabler")) == by
    if by is not None and not automatic:
        return Merge(by, told)
    return Merge(by, told, automatic, _approvers(pull, closed_at), _enqueuer(pull, closed_at, told))


def actor_from(actor: object) -> Person | None:
    """A person as GraphQL tells an actor; None for bots, and for whoever is gone from GitHub."""
    found = _object(actor)
    return person(found.get("databaseId"), found.get("login")) if found.get("__typename") == "User" else None


def person(number: object, login: object) -> Person | None:
    if isinstance(number, bool) or not isinstance(number, int) or not isinstance(login, str):
        return None
    return Person(number, login)


def _approvers(pull: Json, until_at: int) -> tuple[Person, ...]:
    """Those whose last word on it is an approval of the commit that was merged."""
    head, found = pull.get("headRefOid"), {}
    for review in _nodes(pull, "latestOpinionatedReviews"):
        at, author = read_instant(review.get("submittedAt")), actor_from(review.get("author"))
        of_head = isinstance(head, str) and _object(review.get("commit")).get("oid") == head
        if author and of_head and review.get("state") == "APPROVED" and at is not None and at <= until_at:
            found[author.id] = author
    return tuple(found.values())


def _enqueuer(pull: Json, until_at: int, merger: str) -> Person | None:
    """Whoever put it into the queue by hand, after the last push."""
    events = _until(_nodes(pull, "queued"), until_at)
    added = [(at, event) for at, event in events if event.get("__typename") == "AddedToMergeQueueEvent"]
    pushed_at = _pushed_at(pull)
    if not added or pushed_at is None:
        return None
    at, event = added[-1]
    who = actor_from(event.get("enqueuer"))
    by_hand = who is not None and actor_from(event.get("actor")) == who and _auto_merge(pull, at) is None
    stayed = merger == MERGE_QUEUE or events[-1][1] is event
    return who if by_hand and stayed and at > pushed_at else None


def _pushed_at(pull: Json) -> int | None:
    """The last push, as far as GitHub tells one; None if it does not tell of the last commit."""
    commits = [_object(node.get("commit")) for node in _nodes(pull, "commits")]
    dated = [read_instant(one.get("committedDate")) for one in commits if one.get("oid") == pull.get("headRefOid")]
    if not dated or dated[-1] is None:
        return None
    forced = [at for node in _nodes(pull, "forced") if (at := read_instant(node.get("createdAt"))) is not None]
    return max(dated[-1], *forced) if forced else dated[-1]


def _auto_merge(pull: Json, at: int) -> Json | None:
    """The event by which GitHub was to merge it by itself at that instant; None if it was not."""
    events = _until(_nodes(pull, "automatic"), at)
    standing = bool(events) and events[-1][1].get("__typename") != "AutoMergeDisabledEvent"
    return events[-1][1] if standing else None


def _until(events: list[Json], until_at: int) -> list[tuple[int, Json]]:
    """Those up to an instant, in the order in which they are told."""
    dated = [(read_instant(event.get("createdAt")), event) for event in events]
    return [(at, event) for at, event in dated if at is not None and at <= until_at]


def _nodes(of: Json, name: str) -> list[Json]:
    listed = _object(of.get(name)).get("nodes")
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, Iterable) else []


def _object(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}
