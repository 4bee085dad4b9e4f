"""Permissions of a user in a repository: asked from GitHub before orders run, never inside a transaction."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.services.accounts import insiders
from app.services.accounts.insiders import ALLOW, FORBID, Rights
from app.storage.engine.db import Tx
from app.storage.people.places import Place


@dataclass(frozen=True, slots=True)
class Actor:
    """A user at a place; `author_id` is the issue's author."""

    place: Place
    user_id: int
    login: str
    author_id: int | None

    @property
    def is_author(self) -> bool:
        return self.user_id == self.author_id


@dataclass(frozen=True, slots=True)
class Standing:
    """`may_triage` holds only where it was needed; `insider`: the issue's author, or has triage rights.

    `asked`: GitHub has just told, which is worth remembering.
    """

    may_triage: bool
    insider: bool
    asked: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Remembered:
    """The thread's rule on insiders, and if the user was one when GitHub was last asked; None: not of late."""

    rule: str
    insider: bool | None


async def remembered(tx: Tx, who: Actor, rule: str, now: int) -> Remembered:
    """Read what is known; `rule` is that for insiders in contracts made now."""
    issue_id = who.place.issue.id
    rule = await insiders.rule_here(tx, issue_id, rule)
    return Remembered(rule, await insiders.remembered(tx, issue_id, who.user_id, now))


async def standing_of(rights: Rights, who: Actor, needed: bool, known: Remembered) -> Standing | None:
    """`needed`: an order depends on it. GitHub is not asked for what nothing hangs on.

    None: it gives no answer, and something does.
    """
    insider = who.is_author or bool(known.insider)
    if not needed and (known.rule == ALLOW or (known.rule != FORBID and known.insider is not None)):
        return Standing(False, insider)
    may_triage = await rights.may_triage(who.place, who.user_id, who.login)
    if may_triage is None:
        return None if needed or known.rule == FORBID else Standing(False, insider)
    return Standing(may_triage, may_triage or who.is_author, asked=True)


async def note(tx: Tx, who: Actor, standing: Standing, now: int) -> None:
    """Remember what GitHub has told, if it was asked."""
    if standing.asked:
        await insiders.note(tx, who.place.issue.id, who.user_id, standing.insider, now)
