"""Reading webhook payloads leniently: what is not there or of another shape is None, never an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from app.github.api.clean import clean
from app.github.api.instants import read_instant
from app.github.api.repository_names import NAME
from app.market.terms.contract import canonical
from app.storage.people.places import Installation, Issue, Place, Repository

ACTIVE = "active"
MOST_DIGITS = 2**63 - 1
MOST_COMMITS_TOLD = 2048
"""GitHub leaves further commits of a push out."""


class Unreadable(Exception):
    """A payload that lacks what its event must have."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload's tree; keys are given as paths."""

    tree: Mapping[str, Any]

    @classmethod
    def from_bytes(cls, raw: bytes) -> Payload:
        tree = json.loads(raw)
        if not isinstance(tree, dict):
            raise Unreadable("not an object")
        return cls(tree)

    def get(self, *path: str) -> Any:
        value: Any = self.tree
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def number(self, *path: str) -> int:
        value = self.get(*path)
        if not _is_id(value):
            raise Unreadable(".".join(path))
        return value

    def number_or_none(self, *path: str) -> int | None:
        value = self.get(*path)
        return value if _is_id(value) else None

    def text(self, *path: str) -> str:
        """A text as the databases can hold it: no NUL, no lone surrogate."""
        value = self.get(*path)
        if not isinstance(value, str):
            raise Unreadable(".".join(path))
        return clean(value)

    def instant(self, *path: str) -> int:
        value = read_instant(self.get(*path))
        if value is None:
            raise Unreadable(".".join(path))
        return value

    @property
    def action(self) -> str:
        found = self.get("action")
        return found if isinstance(found, str) else ""


def lane_of(raw: bytes) -> str:
    """Name a delivery's lane: its issue, else its repository, else its installation."""
    try:
        payload = Payload.from_bytes(raw)
    except (ValueError, RecursionError, Unreadable):
        return "unreadable"
    for what in ("issue", "repository", "installation"):
        found = payload.get(what, "id")
        if isinstance(found, int):
            return f"{what}:{found}"[:64]
    return "global"


def read_repository(payload: Payload) -> Repository:
    owner, name = payload.text("repository", "owner", "login"), payload.text("repository", "name")
    if not NAME.fullmatch(f"{owner}/{name}"):
        raise Unreadable("a repository of this name")
    return Repository(
        id=payload.number("repository", "id"),
        installation_id=payload.number("installation", "id"),
        owner_id=payload.number("repository", "owner", "id"),
        owner_login=owner[:255],
        name=name[:255],
        private=payload.get("repository", "private") is not False,
        updated_at=read_instant(payload.get("repository", "updated_at")) or 0,
    )


def read_issue(payload: Payload) -> Issue:
    reason = payload.get("issue", "state_reason")
    return Issue(
        id=payload.number("issue", "id"),
        repository_id=payload.number("repository", "id"),
        number=payload.number("issue", "number"),
        title=clean(str(payload.get("issue", "title") or "")),
        state=clean(str(payload.get("issue", "state") or "open"))[:16],
        state_reason=clean(reason)[:64] if isinstance(reason, str) else None,
        closed_at=read_instant(payload.get("issue", "closed_at")),
        updated_at=read_instant(payload.get("issue", "updated_at")) or 0,
        labels=canonical(sorted(read_labels(payload))) if isinstance(payload.get("issue", "labels"), list) else None,
        closed_by=_read_closer(payload),
        author_id=read_author(payload),
    )


def _read_closer(payload: Payload) -> int | None:
    """The closer: the API names them, of a webhook about the close it is the sender."""
    if payload.get("issue", "state") != "closed":
        return None
    told = payload.number_or_none("issue", "closed_by", "id")
    return payload.number_or_none("sender", "id") if told is None and payload.action == "closed" else told


def read_place(payload: Payload) -> Place:
    return Place(read_issue(payload), read_repository(payload))


def read_ids(payload: Payload, *path: str) -> set[int]:
    """The ids of a list of objects; what has none is left out."""
    listed = payload.get(*path)
    found = [item.get("id") for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    return {value for value in found if _is_id(value)}


def read_author(payload: Payload) -> int | None:
    """Read the issue's author."""
    found = payload.get("issue", "user", "id")
    return found if _is_id(found) else None


def read_labels(payload: Payload) -> frozenset[str]:
    """The names of the issue's labels."""
    listed = payload.get("issue", "labels")
    found = [item.get("name") for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    return frozenset(clean(name) for name in found if isinstance(name, str))


def touches(payload: Payload, path: str) -> bool:
    """Tell if a push may change this file; true if it does not list all its commits."""
    commits = payload.get("commits")
    if not isinstance(commits, list) or payload.get("forced") is True or len(commits) >= MOST_COMMITS_TOLD:
        return True
    told = [item for item in commits if isinstance(item, Mapping)]
    lists = [item.get(kind) for item in told for kind in ("added", "modified", "removed")]
    return any(path in listed for listed in lists if isinstance(listed, list))


def _is_id(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_DIGITS


def read_installation(payload: Payload, state: str, now: int) -> Installation:
    return Installation(
        id=payload.number("installation", "id"),
        account_id=payload.number("installation", "account", "id"),
        account_login=clean(str(payload.get("installation", "account", "login") or ""))[:255],
        state=state,
        changed_at=now,
    )
