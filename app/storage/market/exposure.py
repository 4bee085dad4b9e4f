"""Exposure: users who stood to gain or lose by a verdict at an instant."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import case, func, or_, select

from app.storage.engine.db import Tx
from app.storage.engine.tables import fills


async def held(tx: Tx, contract_ids: Sequence[int], user_id: int, until_at: int | None = None) -> bool:
    """Tell if the user had a position in one of the contracts, by fills up to that instant; None: by all fills.

    Fills alone make positions, and pairs of both sides gain and lose nothing by any verdict; fills of a second in which
    something happened count as before it.
    """
    gained = func.sum(case((fills.c.buyer == user_id, fills.c.volume), else_=0))
    given = func.sum(case((fills.c.seller == user_id, fills.c.volume), else_=0))
    mine = fills.c.contract_id.in_(contract_ids), or_(fills.c.buyer == user_id, fills.c.seller == user_id)
    then = () if until_at is None else (fills.c.at <= until_at,)
    statement = (
        select(fills.c.contract_id).where(*mine, *then).group_by(fills.c.contract_id).having(gained != given).limit(1)
    )
    return (await tx.execute(statement)).first() is not None
