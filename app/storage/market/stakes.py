"""Stakes of users in contracts, read without their books: for a VOID's pay-out, and for law 1."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import and_, func, or_, select, union_all

from app.market.exchange.voiding import Stake, VoidPrice
from app.market.terms.contract import Side
from app.storage.engine.db import Tx
from app.storage.engine.tables import amendments, net_paid, positions

_A = amendments.c


async def stakes(tx: Tx, contract_ids: Collection[int]) -> dict[int, dict[int, Stake]]:
    """By contract and user: what every holder has in each of these contracts."""
    p, n = positions.c, net_paid.c
    units = func.sum(p.free + p.reserved)
    held = select(p.contract_id, p.user_id, p.side, units.label("amount")).where(
        p.contract_id.in_(contract_ids), p.free + p.reserved > 0
    )
    found: dict[int, dict[int, Stake]] = {contract: {} for contract in contract_ids}
    amounts: dict[tuple[int, int], dict[str, int]] = {}
    for contract, user, side, amount in await tx.execute(held.group_by(p.contract_id, p.user_id, p.side)):
        amounts.setdefault((contract, user), {})[side] = int(amount)
    paid = select(n.contract_id, n.user_id, n.mills).where(n.contract_id.in_(contract_ids), n.mills != 0)
    mills = {(contract, user): amount for contract, user, amount in await tx.execute(paid)}
    for (contract, user), sides in sorted(amounts.items()):
        fixed, unfixed = (sides.get(side.value, 0) for side in Side)
        found[contract][user] = Stake(fixed, unfixed, mills.get((contract, user), 0))
    return found


async def net_paid_by(tx: Tx, contract_id: int) -> dict[int, int]:
    """Net paid of everybody who ever traded in a contract, in mills; negative is a gain taken out."""
    paid = select(net_paid.c.user_id, net_paid.c.mills).where(net_paid.c.contract_id == contract_id)
    return {row.user_id: row.mills for row in await tx.execute(paid)}


async def void_price(tx: Tx, contract_id: int, until_at: int) -> VoidPrice:
    """Void price of law 1: the last pair with open interest at or before `until_at`, else that after the first fill."""
    return (await void_prices(tx, {contract_id: until_at}))[contract_id]


async def void_prices(tx: Tx, until_at: Mapping[int, int]) -> dict[int, VoidPrice]:
    """The same of several contracts, each with its instant."""
    found = {contract: VoidPrice(0, 0) for contract in until_at}
    if not until_at:
        return found
    some = _A.open_interest > 0
    early = or_(*(and_(_A.contract_id == contract, _A.at <= at) for contract, at in sorted(until_at.items())))
    last = select(_A.contract_id, func.max(_A.number).label("number")).where(some, early).group_by(_A.contract_id)
    first = select(_A.contract_id, func.min(_A.number).label("number")).where(some, _A.contract_id.in_(until_at))
    numbers = union_all(first.group_by(_A.contract_id), last).subquery()
    chosen = select(numbers.c.contract_id, func.max(numbers.c.number).label("number")).group_by(numbers.c.contract_id)
    which = chosen.subquery()
    same = and_(_A.contract_id == which.c.contract_id, _A.number == which.c.number)
    for contract, minted, units in await tx.execute(
        select(_A.contract_id, _A.minted_mills, _A.open_interest).join(which, same)
    ):
        found[contract] = VoidPrice(minted, units)
    return found
