"""Granted play tokens that were not traded yet: such tokens cannot be given away (docs/market.md §1, currency)."""

from __future__ import annotations

from sqlalchemy import bindparam, case, select, update

from app.storage.db import Tx
from app.storage.places import upsert
from app.storage.tables import grants

_LEFT = grants.c.untraded_mills - bindparam("paid")
_TRADED = (
    update(grants)
    .where(grants.c.user_id == bindparam("of_user"), grants.c.currency == bindparam("of_currency"))
    .values(untraded_mills=case((_LEFT > 0, _LEFT), else_=0))
)


async def granted(tx: Tx, user_id: int, currency: str, amount_mills: int) -> None:
    """Note a grant; there is one for each user and currency."""
    await upsert(tx, grants, {"user_id": user_id, "currency": currency, "untraded_mills": amount_mills})


async def traded(tx: Tx, currency: str, paid: dict[int, int]) -> None:
    """Count what users paid in fills, in mills, as granted tokens that were traded. Who pays is locked."""
    rows = [{"of_user": user, "of_currency": currency, "paid": paid[user]} for user in sorted(paid) if paid[user] > 0]
    if rows:
        await tx.execute(_TRADED, rows)


async def untraded(tx: Tx, user_id: int, currency: str) -> int:
    """Mills of the user's grant that were not paid in a fill yet."""
    wanted = select(grants.c.untraded_mills).where(grants.c.user_id == user_id, grants.c.currency == currency)
    return (await tx.execute(wanted)).scalar() or 0
