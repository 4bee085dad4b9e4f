"""What a contract remembers of its life, read together; and whether a close is backed (docs/market.md §5)."""

from __future__ import annotations

from app.market.life.facts import Cause, IssueFacts, Watch
from app.market.terms.statement import ISSUE_FIXED
from app.storage.engine.db import Tx
from app.storage.market import contracts, disputes, exposure, last_known
from app.storage.market.contracts import ContractRow
from app.storage.people import absences
from app.storage.people.places import Place
from app.storage.queues import outages


async def watch_of(tx: Tx, place: Place, row: ContractRow) -> Watch:
    absence = await absences.of(tx, place.repository.id)
    dispute = await disputes.waiting(tx, row.id)
    return Watch(
        maturation_at=row.maturation_at,
        dispute_window_seconds=row.terms.dispute_window_seconds,
        cause=Cause(row.halt_reason) if row.halt_reason else None,
        window_opened_at=row.window_opened_at,
        window_ends_at=row.window_ends_at,
        backed=row.backed,
        verdict=row.verdict,
        disputed_at=dispute.at if dispute else None,
        ruling=row.ruling,
        set_aside_at=await _set_aside_at(tx, row),
        away_at=absence.away_at if absence and absence.back_at is None else None,
        back_at=absence.back_at if absence else None,
        void_reasons=row.terms.void_reasons if row.kind == ISSUE_FIXED else frozenset(),
        answered_at=(await last_known.of(tx, row.id)).at,
        planned_ends_at=row.window_planned_at,
        announced_at=row.announced_at,
        unanswered_days=row.unanswered_days,
        away_days=absence.days if absence and absence.back_at is None else 0,
        outages=await outages.known(tx),
    )


async def _set_aside_at(tx: Tx, row: ContractRow) -> int | None:
    own = row.kind == ISSUE_FIXED
    return await (disputes.set_aside_of_issue(tx, row.issue_id) if own else disputes.set_aside_of(tx, row.id))


async def backed(tx: Tx, row: ContractRow, facts: IssueFacts) -> bool:
    """Somebody who stands behind the close had no position at its instant, in any contract on the same thing.

    Nor has one now, as its window opens: a command made before the close may have filled after it.
    """
    close = facts.at(row.maturation_at)
    if close.closed_at is None:
        return False
    rows = await contracts.of_issue(tx, row.issue_id) if row.kind == ISSUE_FIXED else [row]
    then = [one.id for one in rows if one.settled_at is None or one.settled_at > close.closed_at]
    for user in close.may_back:
        if not await exposure.held(tx, then, user, close.closed_at) and not await exposure.held(tx, then, user):
            return True
    return False
