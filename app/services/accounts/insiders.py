"""Insiders: those who can move the oracle, its issue's author and whoever has triage rights (docs/market.md §5)."""

from __future__ import annotations

from typing import Protocol

from app.market.terms.contract import Terms
from app.market.terms.errors import Refusal
from app.services.rules.context import CommandContext
from app.storage.engine.db import Tx
from app.storage.market import books, contracts
from app.storage.people import insiders
from app.storage.people.places import Place

ALLOW, DISCLOSE, FORBID = "allow", "disclose", "forbid"

FRESH_SECONDS = 86_400
"""For so long it is remembered who is an insider; whether offers are forbidden is asked each time."""


class Rights(Protocol):
    """Tells what people may do in a repository, asked from GitHub."""

    async def may_triage(self, place: Place, user_id: int, login: str) -> bool | None:
        """Ask if the user has triage access or better; None when there is no answer."""


async def rule_here(tx: Tx, issue_id: int, default: str) -> str:
    """The strictest rule on insiders of the thread's contracts and of one made now."""
    rules = {default, *(terms.insiders for terms in await contracts.terms_of_thread(tx, issue_id, settled=False))}
    return next(rule for rule in (FORBID, DISCLOSE, ALLOW) if rule in rules)


async def remembered(tx: Tx, issue_id: int, user_id: int, now: int) -> bool | None:
    """Tell if the user is an insider of the issue; None if GitHub was not asked of late."""
    found = await insiders.known(tx, issue_id, user_id)
    return found[0] if found and now - found[1] < FRESH_SECONDS else None


async def note(tx: Tx, issue_id: int, user_id: int, insider: bool, now: int) -> None:
    await insiders.note(tx, issue_id, user_id, insider, now)


async def disclosed(tx: Tx, issue_id: int) -> frozenset[int]:
    """Ids of those whose positions in this thread are to be marked as an insider's."""
    marked = any(terms.insiders != ALLOW for terms in await contracts.terms_of_thread(tx, issue_id))
    return await insiders.of_issue(tx, issue_id) if marked else frozenset()


def check_insider(context: CommandContext, terms: Terms) -> None:
    """Raises a Refusal where insiders may not trade and the user is one."""
    if terms.insiders == FORBID and context.insider:
        why = "The issue's author and those with triage rights may not trade here: the contract's terms forbid it."
        raise Refusal(why, "/bugmark positions")


async def check_impartial(tx: Tx, context: CommandContext, what: str) -> None:
    """Raises a Refusal unless the user has triage rights and no position in the issue's contracts."""
    if not context.may_triage:
        raise Refusal(f"Only somebody with triage rights or better may {what}.", "/bugmark positions")
    held = await books.positions_of(tx, context.user_id, context.place.issue.id)
    if held:
        numbers = ", ".join(sorted({f"c{contract}" for contract, _, _ in held}))
        why = f"You hold units in {numbers}: only a maintainer without a position may {what}."
        raise Refusal(why, "/bugmark positions")
