"""Whether contracts were paid for what happened: GitHub's own timeline, read at the end, beside every outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from app.market.terms.contract import Outcome, Status, Terms
from app.market.terms.statement import ISSUE_FIXED
from app.storage.engine import tables
from app.storage.engine.db import Tx
from app.storage.market import disputes
from app.storage.market.disputes import DisputeState
from tests.chaos.again import instant
from tests.chaos.place import Ground

PAGE = 100


@dataclass(frozen=True, slots=True)
class Turned:
    """`reason` of a close; None: reopened."""

    at: int
    reason: str | None


async def check_outcomes(tx: Tx, ground: Ground) -> tuple[int, list[str]]:
    """How many settled contracts were looked at, and what is wrong with them. What a maintainer ruled is not."""
    turns = {ground.issues[place]["id"]: await _turns(ground, *place) for place in ground.issues}
    c, named = tables.contracts.c, list(turns)
    settled = c.status == Status.SETTLED.value, c.kind == ISSUE_FIXED, c.ruling.is_(None), c.issue_id.in_(named)
    rows = list(await tx.execute(select(tables.contracts).where(*settled)))
    aside = {issue: await disputes.set_aside_of_issue(tx, issue) or 0 for issue in named}
    unanswered = await _unanswered(tx)
    wrong = [
        why
        for row in rows
        if (why := _what_is_wrong(row, turns[row.issue_id], aside[row.issue_id], row.id in unanswered))
    ]
    return len(rows), wrong


async def _unanswered(tx: Tx) -> set[int]:
    """Contracts with a dispute that no maintainer decided."""
    d = tables.disputes.c
    return set((await tx.execute(select(d.contract_id).where(d.state == DisputeState.UNANSWERED.value))).scalars())


def _too_late(row: Row[Any], known: list[Turned]) -> bool:
    """Another reason for which the terms say VOID was given to a good close that was backed, or after maturation."""
    if len(known) < 2 or known[-1].reason not in Terms.from_text(row.terms_text).void_reasons:
        return False
    before, last = known[-2:]
    good = before.reason == "completed" and before.at <= row.maturation_at
    return good and (row.backed or last.at > row.maturation_at)


def _what_is_wrong(row: Row[Any], turns: list[Turned], aside_at: int, unanswered: bool) -> str | None:
    """FIXED: closed as completed as trading ended, and so, again perhaps, when the contract was settled.

    `aside_at`: a maintainer has set aside closes until then, as not fixing the issue. `unanswered`: a dispute, without
    which a close that nobody stands behind would have counted.
    """
    known = [turn for turn in turns if turn.at <= row.settled_at]
    last = known[-1] if known else None
    then = next((turn for turn in reversed(known) if turn.at <= row.maturation_at), None)
    fixed = all(turn is not None and turn.reason == "completed" for turn in (then, last)) or _too_late(row, known)
    set_aside = last is not None and last.at <= aside_at
    void = last is not None and last.reason in Terms.from_text(row.terms_text).void_reasons
    undecided = unanswered and not row.backed
    right = {Outcome.FIXED: fixed, Outcome.UNFIXED: not fixed or set_aside, Outcome.VOID: void or undecided}
    return (
        None
        if right[Outcome(row.outcome)]
        else f"contract {row.id} was settled {row.outcome} at {row.settled_at}, after {known}"
    )


async def _turns(ground: Ground, owner: int, issue: int) -> list[Turned]:
    """Oldest first."""
    found: list[Turned] = []
    for page in range(1, 1000):
        path = f"{ground.path(owner, issue)}/timeline?per_page={PAGE}&page={page}"
        events: list[dict[str, Any]] = await ground.github.as_person("reader", "GET", path)
        for event in events:
            if event["event"] in ("closed", "reopened"):
                reason = event["state_reason"] if event["event"] == "closed" else None
                found.append(Turned(instant(event["created_at"]), reason))
        if len(events) < PAGE:
            break
    return found
