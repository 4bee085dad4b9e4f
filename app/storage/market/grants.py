"""Granted play tokens that were not traded yet: such tokens cannot be given away (docs/market.md §1, currency)."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from app.storage.engine.db import Tx
from app.storage.engine.sql import upsert
from app.storage.engine.tables import grants

_LEFT = (
    select(grants.c.user_id, grants.c.untraded_mills)
    .where(grants.c.currency == bindparam("currency"), grants.c.user_id.in_(bindparam("users", expanding=True)))
    .where(grants.c.untraded_mills > 0)
    .order_by(grants.c.user_id)
)
_TRADED = (
    update(grants)
    .where(grants.c.user_id == bindparam("of_user"), grants.c.currency == bindparam("of_currency"))
    .values(untraded_mills=bindparam("left"))
)


async def granted(tx: Tx, user_id: int, currency: str, amount_mills: int) -> None:
    """Note a grant; there is one for each user and currency."""
    await upsert(tx, grants, {"user_id": user_id, "currency": currency, "untraded_mills": amount_mills})


async def traded(tx: Tx, currency: str, paid: dict[int, int]) -> list[tuple[int, int]]:
    """Count what users paid in fills, in mills, as granted tokens that were traded. Who pays is locked.

    Returns (user, mills that are still untraded) of those for whom that changed.
    """
    payers = [user for user, mills in paid.items() if mills > 0]
    if not payers:
        return []
    found = await tx.execute(_LEFT, {"currency": currency, "users": payers})
    left = [(user, max(0, untraded_mills - paid[user])) for user, untraded_mills in found]
    if left:
        await tx.execute(_TRADED, [{"of_user": user, "of_currency": currency, "left": mills} for user, mills in left])
    return left


async def untraded(tx: Tx, user_id: int, currency: str) -> int:
    """Mills of the user's grant that were not paid in a fill yet."""
    wanted = select(grants.c.untraded_mills).where(grants.c.user_id == user_id, grants.c.currency == currency)
    return (await tx.execute(wanted)).scalar() or 0
