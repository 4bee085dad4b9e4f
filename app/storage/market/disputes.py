"""Disputes of announced verdicts; set-aside closes of issues."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, func, select, update

from app.market.terms.contract import Outcome
from app.market.terms.statement import ISSUE_FIXED
from app.storage.engine.db import Tx
from app.storage.engine.sql import insert, upsert
from app.storage.engine.tables import contracts, disputes, joiners, positions, set_aside


class DisputeState(StrEnum):
    """ENDED: its window is over by a reopening or another event."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"
    UNANSWERED = "unanswered"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Dispute:
    """`verdict` is what was announced when it was made; `window_opened_at` and `cause` name the window."""

    id: int
    contract_id: int
    cause: str
    window_opened_at: int
    user_id: int
    verdict: Outcome
    bond_mills: int
    reason: str
    at: int
    state: DisputeState
    ruling: Outcome | None
    ruled_by: int | None
    ruling_reason: str | None
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class Joiner:
    """Somebody who joined a dispute, with a bond of their own. One ruling answers all."""

    dispute_id: int
    user_id: int
    bond_mills: int
    reason: str
    reason_hash: str
    at: int


def _dispute(row: Row[Any]) -> Dispute:
    values = dict(row._mapping)
    values["verdict"] = Outcome(values["verdict"])
    values["state"] = DisputeState(values["state"])
    values["ruling"] = Outcome(values["ruling"]) if values["ruling"] else None
    return Dispute(**values)


async def _first(tx: Tx, statement: Select[Any]) -> Dispute | None:
    row = (await tx.execute(statement)).first()
    return _dispute(row) if row else None


async def add(tx: Tx, **values: Any) -> Dispute:
    made = insert(tx, disputes).values(state=DisputeState.OPEN.value, **values).returning(*disputes.columns)
    return _dispute((await tx.execute(made)).one())


async def waiting(tx: Tx, contract_id: int) -> Dispute | None:
    """The dispute of a contract that nobody has decided yet."""
    mine = disputes.c.contract_id == contract_id, disputes.c.state == DisputeState.OPEN.value
    return await _first(tx, select(disputes).where(*mine))


async def of_window(tx: Tx, contract_id: int, cause: str, window_opened_at: int) -> Dispute | None:
    """The one dispute that a window may have, whatever became of it."""
    window = disputes.c.cause == cause, disputes.c.window_opened_at == window_opened_at
    return await _first(tx, select(disputes).where(disputes.c.contract_id == contract_id, *window))


async def join(tx: Tx, joiner: Joiner) -> None:
    await tx.execute(insert(tx, joiners).values(**asdict(joiner)))


async def joined(tx: Tx, dispute_id: int) -> list[Joiner]:
    """Those who joined a dispute, in the order in which they did."""
    mine = select(joiners).where(joiners.c.dispute_id == dispute_id)
    rows = await tx.execute(mine.order_by(joiners.c.at, joiners.c.user_id))
    return [Joiner(**row._mapping) for row in rows]


async def concerned(tx: Tx, contract_id: int) -> list[int]:
    """Everybody who holds units of a contract, those with most of them first."""
    units = func.sum(positions.c.free + positions.c.reserved)
    held = select(positions.c.user_id).where(positions.c.contract_id == contract_id).group_by(positions.c.user_id)
    return list((await tx.execute(held.having(units > 0).order_by(units.desc(), positions.c.user_id))).scalars())


async def end(tx: Tx, dispute_id: int, state: DisputeState, now: int, **values: Any) -> None:
    changed = update(disputes).where(disputes.c.id == dispute_id)
    await tx.execute(changed.values(state=state.value, ended_at=now, **values))


async def set_close_aside(tx: Tx, contract_id: int, closed_at: int) -> None:
    """A maintainer found that closes until then do not count."""
    await upsert(tx, set_aside, {"contract_id": contract_id, "closed_at": closed_at})


async def set_aside_of_issue(tx: Tx, issue_id: int) -> int | None:
    """Until when closes of the issue do not count; what was found in one of its contracts holds for all."""
    own = contracts.c.issue_id == issue_id, contracts.c.kind == ISSUE_FIXED
    statement = select(func.max(set_aside.c.closed_at)).join(contracts, contracts.c.id == set_aside.c.contract_id)
    found: int | None = (await tx.execute(statement.where(*own))).scalar()
    return found


async def set_aside_of(tx: Tx, contract_id: int) -> int | None:
    return (await tx.execute(select(set_aside.c.closed_at).where(set_aside.c.contract_id == contract_id))).scalar()
