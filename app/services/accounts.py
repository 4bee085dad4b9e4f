"""Opening accounts and telling balances."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.journal import AccountKey, Kind, entry
from app.services.config import Config, play_currency
from app.storage import grants, journal, places
from app.storage.db import Tx


@dataclass(frozen=True, slots=True)
class Balance:
    """A user's money in one currency, in mills."""

    currency: str
    free_mills: int
    reserve_mills: int


@dataclass(frozen=True, slots=True)
class Opening:
    """Who acts first under which owner, and what made them known there (the cause in the journal)."""

    user_id: int
    login: str
    owner_id: int
    cause: str

    @property
    def currency(self) -> str:
        return play_currency(self.owner_id)

    @property
    def grant_key(self) -> str:
        return f"grant:{self.currency}:{self.user_id}"


async def open_account(tx: Tx, opening: Opening, config: Config, now: int) -> None:
    """Make a user known and, the first time they act under this owner, grant the welcome tokens."""
    await places.open_user(tx, opening.user_id, opening.login, now)
    if not config.welcome_grant_mills or await journal.cause_of(tx, opening.grant_key):
        return
    await places.lock_users(tx, {opening.user_id})
    if await journal.cause_of(tx, opening.grant_key):
        return
    moves = {
        AccountKey(Kind.ISSUANCE, 0, opening.currency): -config.welcome_grant_mills,
        AccountKey(Kind.FREE, opening.user_id, opening.currency): config.welcome_grant_mills,
    }
    await journal.append(tx, [entry(opening.grant_key, opening.cause, now, moves)])
    await grants.granted(tx, opening.user_id, opening.currency, config.welcome_grant_mills)


async def granted_by(tx: Tx, opening: Opening) -> int:
    """The welcome grant in mills if it was this cause that brought it, else 0."""
    if await journal.cause_of(tx, opening.grant_key) != opening.cause:
        return 0
    return await journal.amount_of(tx, opening.grant_key, Kind.FREE)


async def balance(tx: Tx, user_id: int, owner_id: int) -> Balance:
    currency = play_currency(owner_id)
    free = await journal.balance(tx, Kind.FREE, user_id, currency)
    reserve = await journal.balance(tx, Kind.RESERVE, user_id, currency)
    return Balance(currency, free, reserve)
