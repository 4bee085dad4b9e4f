"""Disputes of announced verdicts; set-aside closes of issues."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, func, select, update

from app.market.contract import Outcome
from app.market.statement import ISSUE_FIXED
from app.storage.db import Tx
from app.storage.sql import insert, upsert
from app.storage.tables import contracts, disputes, set_aside


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


def _dispute(row: Row[Any]) -> Dispute:
    values = dict(row._mapping)
    values["verdict"] = Outcome(values["verdict"])
    values["state"] = DisputeState(values["state"])
    values["ruling"] = Outcome(values["ruling"]) if values["ruling"] else None
    return Dispute(**values)


async def _first(tx: Tx, statement: Select[Any]) -> Dispute | None:
    row = (await tx.execute(statement)).first()
    return _dispute(row) if row else None


async def add(tx: Tx, **values: Any) -> int:
    """Returns the new dispute's number."""
    made = insert(tx, disputes).values(state=DisputeState.OPEN.value, **values).returning(disputes.c.id)
    number: int = (await tx.execute(made)).scalar_one()
    return number


async def waiting(tx: Tx, contract_id: int) -> Dispute | None:
    """The dispute of a contract that nobody has decided yet."""
    mine = disputes.c.contract_id == contract_id, disputes.c.state == DisputeState.OPEN.value
    return await _first(tx, select(disputes).where(*mine))


async def of_window(tx: Tx, contract_id: int, cause: str, window_opened_at: int) -> Dispute | None:
    """The one dispute that a window may have, whatever became of it."""
    window = disputes.c.cause == cause, disputes.c.window_opened_at == window_opened_at
    return await _first(tx, select(disputes).where(disputes.c.contract_id == contract_id, *window))


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
