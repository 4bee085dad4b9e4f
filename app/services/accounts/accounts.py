"""Opening accounts and telling balances."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.ledger.entry_detail import detail_text, grant_row
from app.market.ledger.journal import AccountKey, Kind, entry
from app.market.terms.errors import InsufficientFunds
from app.market.terms.money import MAX_AMOUNT_MILLS
from app.services.rules.config import Config, owner_of, play_currency
from app.storage.engine.db import Tx
from app.storage.market import grants, journal
from app.storage.people import places
from app.storage.people.places import Place

MAX_SUPPLY_MILLS = MAX_AMOUNT_MILLS
"""Limit for one currency: every sum stays exact in any number format. Users after it start without a grant."""


@dataclass(frozen=True, slots=True)
class Balance:
    """A user's money in one currency, in mills."""

    currency: str
    free_mills: int
    reserve_mills: int


@dataclass(frozen=True, slots=True)
class Opening:
    """A user's first act under an owner; `cause` names it in the journal.

    `seen_at`: when they had this login, without it now.
    """

    user_id: int
    login: str
    owner_id: int
    cause: str
    seen_at: int | None = None

    @property
    def currency(self) -> str:
        return play_currency(self.owner_id)

    @property
    def grant_key(self) -> str:
        return f"grant:{self.currency}:{self.user_id}"


async def open_account(tx: Tx, opening: Opening, config: Config, now: int) -> None:
    """Make a user known and, the first time they act under this owner, grant the welcome tokens."""
    await places.open_user(tx, opening.user_id, opening.login, now, opening.seen_at)
    if not config.welcome_grant_mills or await journal.cause_of(tx, opening.grant_key):
        return
    await places.lock_users(tx, {opening.user_id})
    if await journal.cause_of(tx, opening.grant_key):
        return
    if config.welcome_grant_mills - await journal.balance(tx, Kind.ISSUANCE, 0, opening.currency) > MAX_SUPPLY_MILLS:
        return
    moves = {
        AccountKey(Kind.ISSUANCE, 0, opening.currency): -config.welcome_grant_mills,
        AccountKey(Kind.FREE, opening.user_id, opening.currency): config.welcome_grant_mills,
    }
    told = detail_text([grant_row(opening.user_id, opening.currency, config.welcome_grant_mills)])
    await journal.append(tx, [entry(opening.grant_key, opening.cause, now, moves, told)])
    await grants.granted(tx, opening.user_id, opening.currency, config.welcome_grant_mills)


async def granted_by(tx: Tx, opening: Opening) -> int:
    """The welcome grant in mills if it was this cause that brought it, else 0."""
    if await journal.cause_of(tx, opening.grant_key) != opening.cause:
        return 0
    return await journal.amount_of(tx, opening.grant_key, Kind.FREE)


async def balance(tx: Tx, user_id: int, owner_id: int) -> Balance:
    return await balance_in(tx, user_id, play_currency(owner_id))


async def balance_in(tx: Tx, user_id: int, currency: str) -> Balance:
    free = await journal.balance(tx, Kind.FREE, user_id, currency)
    reserve = await journal.balance(tx, Kind.RESERVE, user_id, currency)
    return Balance(currency, free, reserve)


async def issuer(tx: Tx, currency: str) -> str:
    """Name a currency: its owner's login as last seen, else the currency as stored."""
    owner_id = owner_of(currency)
    login = None if owner_id is None else await places.owner_login(tx, owner_id)
    return login or currency


async def in_currency(tx: Tx, refusal: InsufficientFunds, currency: str, place: Place) -> InsufficientFunds:
    """A refusal that names the currency, where it is not that of contracts made now: the owner was another then."""
    if currency == play_currency(place.repository.owner_id):
        return refusal
    names = f"This contract trades in the play tokens of {await issuer(tx, currency)}"
    sentence = f"{names}: {refusal.sentence[0].lower()}{refusal.sentence[1:]}"
    return InsufficientFunds(refusal.need_mills, refusal.free_mills, sentence, refusal.correction)
