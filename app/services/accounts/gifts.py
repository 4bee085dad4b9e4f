"""Giving free money to somebody else. Granted play tokens have to be traded first (docs/market.md §1)."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.exchange.spoken import HandOut, printed
from app.market.ledger.journal import AccountKey, Kind, entry
from app.market.terms.errors import InsufficientFunds, Refusal
from app.market.terms.money import format_mills
from app.services.rules.config import play_currency
from app.services.rules.context import CommandContext
from app.storage.engine.db import Tx
from app.storage.market import grants, journal
from app.storage.people import places

INSTEAD = "/bugmark balance"


@dataclass(frozen=True, slots=True)
class Gift:
    """`free_mills`: what the giver has free afterwards."""

    receiver: int
    giver_login: str
    free_mills: int


async def give(tx: Tx, context: CommandContext, login: str, amount_mills: int, holder: int | None) -> Gift:
    """Move free money to the user who was last seen under this login, and has it on GitHub (`holder`, an id).

    Raises a Refusal.
    """
    receiver = await _receiver(tx, context, login, holder)
    await places.lock_users(tx, {context.user_id, receiver})
    currency = play_currency(context.place.repository.owner_id)
    free = await journal.balance(tx, Kind.FREE, context.user_id, currency)
    most = await givable(tx, context.user_id, currency)
    if amount_mills > free:
        raise InsufficientFunds(amount_mills, free, f"You have {format_mills(free)} free.", _less(login, most))
    if amount_mills > most:
        why = (
            f"You can give {format_mills(most)} of your {format_mills(free)} free: granted tokens have to be traded "
            "before they can be given."
        )
        raise InsufficientFunds(amount_mills, most, why, _less(login, most))
    moves = {
        AccountKey(Kind.FREE, context.user_id, currency): -amount_mills,
        AccountKey(Kind.FREE, receiver, currency): amount_mills,
    }
    await journal.append(tx, [entry(f"give:{context.cause}", context.cause, context.now, moves)])
    logins = await places.logins(tx, {context.user_id})
    return Gift(receiver, logins[context.user_id], free - amount_mills)


async def givable(tx: Tx, user_id: int, currency: str) -> int:
    """Free money that is no untraded grant. What offers hold back counts as untraded first."""
    free = await journal.balance(tx, Kind.FREE, user_id, currency)
    reserve = await journal.balance(tx, Kind.RESERVE, user_id, currency)
    untraded = await grants.untraded(tx, user_id, currency)
    return max(0, min(free, free + reserve - untraded))


async def _receiver(tx: Tx, context: CommandContext, login: str, holder: int | None) -> int:
    """By id from here on. A name changes hands: whoever had it before gets nothing that is meant for its owner now."""
    found = await places.users_by_login(tx, login)
    if not found:
        raise Refusal(f"Nobody called `{login}` has an account here.", INSTEAD)
    if holder not in found:
        why = f"Who was known here as `{login}` does not have that name on GitHub any more, so nothing was given."
        raise Refusal(f"{why} Whoever is meant has to act here first.", INSTEAD)
    if holder == context.user_id:
        raise Refusal("That is you.", INSTEAD)
    return holder


def _less(login: str, most_mills: int) -> str:
    """As much as there is, in whole hundredths."""
    most = most_mills - most_mills % 10
    return f"/bugmark {printed(HandOut('give', {'login': login, 'amount': most}))}" if most else INSTEAD
