"""What hangs on the state when something is said: which offer or forecast is meant, and who would dispute."""

from __future__ import annotations

from sqlalchemy import select

from app.market.terms.contract import Status
from app.market.terms.statement import ISSUE_FIXED
from app.storage.engine.db import Tx
from app.storage.engine.tables import contracts, offers, positions, users
from app.storage.market import books
from tests.chaos.script import Line


async def text_of(tx: Tx, line: Line, person: str, issue_id: int) -> str:
    """The command as it is said; where there is nothing that it could be about, another."""
    if "{" not in line.text:
        return line.text
    if "{forecast}" in line.text:
        here = contracts.c.issue_id == issue_id, contracts.c.kind != ISSUE_FIXED
        rows = await tx.execute(select(contracts.c.id).where(*here).order_by(contracts.c.id))
    else:
        mine = users.c.login == person if "{own}" in line.text else users.c.login != person
        open_ones = offers.c.state.in_(books.OPEN_STATES), contracts.c.issue_id == issue_id, mine
        joined = select(offers.c.id).join(contracts, contracts.c.id == offers.c.contract_id)
        joined = joined.join(users, users.c.id == offers.c.user_id)
        rows = await tx.execute(joined.where(*open_ones).order_by(offers.c.id))
    found = list(rows.scalars())
    if not found:
        return "price"
    chosen = found[int(line.pick * len(found))]
    return line.text.format(own=chosen, other=chosen, forecast=chosen)


async def loser(tx: Tx, issue_id: int) -> str | None:
    """Somebody who holds units that would lose by the verdict that is announced."""
    p, c = positions.c, contracts.c
    loses = ((p.side == "FIXED") & (c.verdict != "FIXED")) | ((p.side == "UNFIXED") & (c.verdict != "UNFIXED"))
    held = p.free + p.reserved > 0, c.issue_id == issue_id, c.status == Status.HALTED.value, loses
    wanted = select(users.c.login).join(positions, p.user_id == users.c.id).join(contracts, c.id == p.contract_id)
    login: str | None = (await tx.execute(wanted.where(*held).order_by(users.c.id).limit(1))).scalar()
    return login
