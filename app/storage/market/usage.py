"""A user's open business in a repository, for its limits."""

from __future__ import annotations

from sqlalchemy import Select, bindparam, func, select, update

from app.storage.engine.db import Tx
from app.storage.engine.tables import commands, contracts, issues, offers, pools, users
from app.storage.market.books import OPEN_STATES


def _in_repository(of_offers: Select[int]) -> Select[int]:
    return (
        of_offers.join(contracts, contracts.c.id == offers.c.contract_id)
        .join(issues, issues.c.id == contracts.c.issue_id)
        .where(issues.c.repository_id == bindparam("repository"), offers.c.user_id == bindparam("user"))
    )


# Made once: they are asked before every offer.
_COMMANDS_DONE = (
    select(commands.c.at)
    .join(issues, issues.c.id == commands.c.issue_id)
    .where(
        commands.c.user_id == bindparam("user"),
        commands.c.done,
        commands.c.at > bindparam("since"),
        issues.c.repository_id == bindparam("repository"),
    )
    .order_by(commands.c.at)
)
_LAST_OFFER = _in_repository(select(func.max(offers.c.created_at)).select_from(offers))
_OPEN_OFFERS = _in_repository(select(func.count()).select_from(offers)).where(offers.c.state.in_(OPEN_STATES))


async def commands_done(tx: Tx, user_id: int, repository_id: int, since: int) -> list[int]:
    """The instants after `since` of commands that did something, oldest first."""
    given = {"user": user_id, "repository": repository_id, "since": since}
    return list((await tx.execute(_COMMANDS_DONE, given)).scalars())


async def last_offer_at(tx: Tx, user_id: int, repository_id: int) -> int | None:
    """Find the instant at which the user last made an offer, took one or sold something."""
    return (await tx.execute(_LAST_OFFER, {"user": user_id, "repository": repository_id})).scalar()


async def open_offers(tx: Tx, user_id: int, repository_id: int) -> int:
    """Count open offers, suspended ones too."""
    return (await tx.execute(_OPEN_OFFERS, {"user": user_id, "repository": repository_id})).scalar() or 0


async def pool_left(tx: Tx, user_id: int, currency: str) -> int:
    wanted = select(pools.c.left_mills).where(pools.c.user_id == user_id, pools.c.currency == currency)
    return (await tx.execute(wanted)).scalar() or 0


async def account_made_at(tx: Tx, user_id: int) -> int | None:
    """Creation of the user's GitHub account; None while it is unknown."""
    return (await tx.execute(select(users.c.account_made_at).where(users.c.id == user_id))).scalar()


async def note_account_made(tx: Tx, user_id: int, at: int) -> None:
    await tx.execute(update(users).where(users.c.id == user_id).values(account_made_at=at))
