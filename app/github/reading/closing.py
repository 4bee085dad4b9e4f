"""Closers of an issue, and the commit or pull request behind a close, from the timeline and GraphQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.github.api.instants import read_instant
from app.github.reading.merging import Merge, Person, merge_from, person

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Closer:
    """The commit or pull request behind a close. `via` names it.

    `here`: it lies in the issue's own repository, so that whoever merged, approved or queued it may write there.
    `merge` None: a commit that came with no pull request, so that whoever pushed it closed the issue.
    """

    via: str
    here: bool
    merge: Merge | None = None

    def backers(self, closer: Person | None) -> tuple[Person, ...]:
        """Those any of whom stands behind it, without a position; `closer` is whoever the timeline names."""
        if self.merge is None:
            return () if closer is None else (closer,)
        return self.merge.backers

    def told(self, closer: str) -> tuple[str, ...]:
        """Describe it as evidence, beside the issue's closer."""
        return (self.via, *(self.merge.told(closer) if self.merge else ()))


def person_from(user: object) -> Person | None:
    """A person in REST's JSON; None for bots, and for whoever is gone from GitHub."""
    if not isinstance(user, Mapping) or user.get("type") != "User":
        return None
    return person(user.get("id"), user.get("login"))


def pushed(commit: str) -> Closer:
    """Make a closer of the commit that the timeline names: one of the issue's own repository."""
    return Closer(f"commit {commit[:7]}", here=True)


def closer_from(node: Json, closed_at: int) -> Closer | None:
    """Find the cause of the close at that instant; None for one by hand, or when GraphQL does not tell."""
    told = [one for one in _items(node) if one.get("__typename") == "ClosedEvent"]
    closes = [one for one in told if read_instant(one.get("createdAt")) == closed_at]
    if not closes:
        return None
    closer, home = _object(closes[-1].get("closer")), _repository_id(node)
    if closer.get("__typename") == "PullRequest":
        return _by_pull(closer, "", home, closed_at)
    return _by_commit(closer, home, closed_at) if closer.get("__typename") == "Commit" else None


def _by_commit(commit: Json, home: object, closed_at: int) -> Closer:
    via = f"commit {str(commit.get('oid'))[:7]}"
    listed = _object(commit.get("associatedPullRequests")).get("nodes")
    merged = [one for one in _objects(listed) if one.get("merged") is True]
    if merged:
        return _by_pull(merged[0], f"{via} of ", home, closed_at)
    return Closer(via, _repository_id(commit) == home)


def _by_pull(pull: Json, before: str, home: object, closed_at: int) -> Closer:
    here = _repository_id(pull) == home
    via = f"{before}pull request {pull.get('number')}{'' if here else ' of another repository'}"
    return Closer(via, here, merge_from(pull, closed_at))


def canonical_from(node: Json) -> str | None:
    """`owner/name#number` of what the issue was marked a duplicate of last, unless that was taken back.

    What lies in another, private repository is not named: threads are read by others.
    """
    marks = [one for one in _items(node) if str(one.get("__typename")).endswith("AsDuplicateEvent")]
    canonical = _object(marks[-1].get("canonical")) if marks else {}
    where = _object(canonical.get("repository"))
    hidden = where.get("isPrivate") is not False and _repository_id(canonical) != _repository_id(node)
    number, name = canonical.get("number"), where.get("nameWithOwner")
    return None if hidden or number is None or name is None else f"{name}#{number}"


def _items(node: Json) -> list[Json]:
    return _objects(_object(node.get("timelineItems")).get("nodes"))


def _repository_id(of: Json) -> object:
    return _object(of.get("repository")).get("databaseId")


def _object(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _objects(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, Iterable) else []
