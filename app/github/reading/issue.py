"""An issue as GitHub's JSON gives it, read into the facts that contracts are judged by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.github.api.instants import read_instant
from app.market.life.facts import IssueFacts, is_completed


@dataclass(frozen=True, slots=True)
class Spell:
    """A time for which an issue was closed with one reason: since when it was closed at all, and when, by whom (a
    user's JSON) and by which commit it was closed with this reason. `until_at`: when a reopening or another reason
    ended it, None: it lasts."""

    since: int
    as_now_at: int
    actor: Mapping[str, Any] | None = None
    commit: str | None = None
    reason: str | None = None
    until_at: int | None = None


def spells_from(timeline: Iterable[Mapping[str, Any]]) -> list[Spell]:
    """Every spell that an issue's timeline tells of, oldest first."""
    spells: list[Spell] = []
    for event in timeline:
        at, kind = read_instant(event.get("created_at")), event.get("event")
        if at is None or kind not in ("closed", "reopened"):
            continue
        last = spells[-1] if spells and spells[-1].until_at is None else None
        if last is not None:
            spells[-1] = replace(last, until_at=at)
        if kind == "closed":
            actor, commit, reason = event.get("actor"), event.get("commit_id"), event.get("state_reason")
            spells.append(Spell(last.since if last else at, at, _user(actor), _text(commit), _text(reason)))
    return spells


def spell_from(timeline: Iterable[Mapping[str, Any]]) -> Spell | None:
    """The present spell; None if the timeline tells of no close since the last reopening."""
    spells = spells_from(timeline)
    return spells[-1] if spells and spells[-1].until_at is None else None


def as_it_was(spell: Spell) -> dict[str, Any]:
    """The issue as it was then, in the shape in which the API gives it now."""
    return {"state": "closed", "state_reason": spell.reason, "closed_at": spell.as_now_at, "closed_by": spell.actor}


def discussion_since(timeline: Iterable[Mapping[str, Any]]) -> int | None:
    """Find the instant at which the issue became a discussion: it is closed since, and no issue any more."""
    found = (read_instant(e.get("created_at")) for e in timeline if e.get("event") == "converted_to_discussion")
    return next((at for at in found if at is not None), None)


def _user(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def reopenings_from(timeline: Iterable[Mapping[str, Any]]) -> tuple[int, ...]:
    """List the instants at which the issue was reopened."""
    instants = (read_instant(event.get("created_at")) for event in timeline if event.get("event") == "reopened")
    return tuple(at for at in instants if at is not None)


def facts_from(issue: Mapping[str, Any]) -> IssueFacts:
    """The facts in an issue object of the API or of a webhook."""
    closed, reason = issue.get("state") == "closed", issue.get("state_reason")
    closer = _user(issue.get("closed_by")) or {}
    return IssueFacts(
        closed=closed,
        completed=closed and is_completed(reason),
        closed_at=read_instant(issue.get("closed_at")) if closed else None,
        closed_by=closer["id"] if isinstance(closer.get("id"), int) else None,
        closer=_text(closer.get("login")) or "",
        reason=_text(reason),
    )
