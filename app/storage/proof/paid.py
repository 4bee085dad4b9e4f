"""Net paid, counted again from fills and positions (docs/market.md §1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Select, func, select, union_all

from app.market.terms.contract import UNIT_MILLS, Status
from app.storage.engine.db import Tx
from app.storage.engine.tables import contracts, fills, net_paid, positions
from app.storage.proof.audit_reader import pages

HALF_MILLS = UNIT_MILLS // 2


async def unfit_net_paid(tx: Tx) -> AsyncIterator[tuple[int, int, int, int]]:
    """(contract, user, mills stored, mills that fills and positions come to) where the two differ.

    In an open contract a user gained or gave up `traded` units and holds `units`. Whoever bids pays the price of FIXED
    for each, whoever asks that of UNFIXED, and takes a token back for each unit that was sold or redeemed in a pair:
    there are (traded - units) / 2 of those. Products are made here, since SQL's numbers end sooner.
    """
    key: tuple[int, int] | None = None
    paid = traded = units = stored = 0
    async for page in pages(tx, _traded()):
        for (contract, user), rows in groupby(page, key=lambda row: (row.contract_id, row.user_id)):
            if (contract, user) != key:
                if key is not None and stored != paid - HALF_MILLS * (traded - units):
                    yield *key, stored, paid - HALF_MILLS * (traded - units)
                key, paid, traded = (contract, user), 0, 0
            for row in rows:
                paid, traded = paid + row.price * int(row.volume), traded + int(row.volume)
                units, stored = int(row.units), row.mills
    if key is not None and stored != paid - HALF_MILLS * (traded - units):
        yield *key, stored, paid - HALF_MILLS * (traded - units)


@cache
def _traded() -> Select[Any]:
    """Trades of each user at each price, beside the units held and the net paid."""
    f, p, n = fills.c, positions.c, net_paid.c
    bids = select(f.contract_id, f.buyer.label("user_id"), f.price.label("price"), f.volume)
    asks = select(f.contract_id, f.seller, UNIT_MILLS - f.price, f.volume)
    both = union_all(bids, asks).subquery()
    group = both.c.contract_id, both.c.user_id, both.c.price
    traded = select(*group, func.sum(both.c.volume).label("volume")).group_by(*group).subquery()
    held = select(p.contract_id, p.user_id, func.sum(p.free + p.reserved).label("units"))
    units = held.group_by(p.contract_id, p.user_id).subquery()
    t = traded.c
    return (
        select(
            t.contract_id,
            t.user_id,
            t.price,
            t.volume,
            func.coalesce(units.c.units, 0).label("units"),
            func.coalesce(n.mills, 0).label("mills"),
        )
        .join(contracts, contracts.c.id == t.contract_id)
        .outerjoin(units, (units.c.contract_id == t.contract_id) & (units.c.user_id == t.user_id))
        .outerjoin(net_paid, (n.contract_id == t.contract_id) & (n.user_id == t.user_id))
        .where(contracts.c.status != Status.SETTLED.value)
        .order_by(t.contract_id, t.user_id)
    )
