"""Permissions of a user in a repository: asked from GitHub before commands run, never inside a transaction."""

from __future__ import annotations

from dataclasses import dataclass

from app.commands.registry import meant
from app.services.accounts import insiders
from app.services.accounts.insiders import ALLOW, FORBID, Rights
from app.storage.engine.db import Database
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
    """`may_triage` holds only where it was needed; `insider`: the issue's author, or has triage rights."""

    may_triage: bool
    insider: bool


def needs_rights(text: str) -> bool:
    command = meant(text)
    return command is not None and command.needs_rights


async def standing_of(db: Database, rights: Rights, who: Actor, needed: bool, rule: str, now: int) -> Standing | None:
    """`needed`: a command depends on it; `rule` is that for insiders in contracts made now.

    GitHub is not asked for what nothing hangs on. None: it gives no answer, and something does.
    """
    issue_id = who.place.issue.id
    async with db.reading() as tx:
        rule = await insiders.rule_here(tx, issue_id, rule)
        known = await insiders.remembered(tx, issue_id, who.user_id, now)
    if not needed and (rule == ALLOW or (rule != FORBID and known is not None)):
        return Standing(False, who.is_author or bool(known))
    may_triage = await rights.may_triage(who.place, who.user_id, who.login)
    if may_triage is None:
        return None if needed or rule == FORBID else Standing(False, who.is_author or bool(known))
    insider = may_triage or who.is_author
    async with db.transaction() as tx:
        await insiders.note(tx, issue_id, who.user_id, insider, now)
    return Standing(may_triage, insider)
