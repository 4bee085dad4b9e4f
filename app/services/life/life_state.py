"""A contract's memory of its life, read together; and the backing of a close (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import Sequence

from app.market.life.facts import Cause, IssueFacts, Watch
from app.market.life.forecast_memory import Known
from app.market.life.outages import Outage
from app.market.terms.statement import ISSUE_FIXED
from app.storage.engine.db import Tx
from app.storage.market import contracts, disputes, exposure, last_known
from app.storage.market.contracts import ContractRow
from app.storage.market.disputes import Dispute
from app.storage.people import absences
from app.storage.people.absences import Absence
from app.storage.people.places import Place
from app.storage.queues import outages


async def watch_of(tx: Tx, place: Place, row: ContractRow) -> Watch:
    return (await watches_of(tx, place, [row]))[row.id]


async def watches_of(tx: Tx, place: Place, rows: Sequence[ContractRow]) -> dict[int, Watch]:
    """Watches of contracts of one repository; as many statements, however many there are."""
    ids = {row.id for row in rows}
    absence = await absences.of(tx, place.repository.id)
    waiting, known = await disputes.all_waiting(tx, ids), await last_known.of_all(tx, ids)
    aside, gone = await _set_aside_at(tx, rows), await outages.known(tx)
    return {
        row.id: _watch(row, absence, waiting.get(row.id), aside.get(row.id), known.get(row.id, Known()), gone)
        for row in rows
    }


def _watch(
    row: ContractRow,
    absence: Absence | None,
    dispute: Dispute | None,
    aside_at: int | None,
    known: Known,
    gone: tuple[Outage, ...],
) -> Watch:
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
        set_aside_at=aside_at,
        away_at=absence.away_at if absence and absence.back_at is None else None,
        back_at=absence.back_at if absence else None,
        void_reasons=row.terms.void_reasons if row.kind == ISSUE_FIXED else frozenset(),
        answered_at=known.at,
        planned_ends_at=row.window_planned_at,
        announced_at=row.announced_at,
        unanswered_days=row.unanswered_days,
        away_days=absence.days if absence and absence.back_at is None else 0,
        outages=gone,
    )


async def _set_aside_at(tx: Tx, rows: Sequence[ContractRow]) -> dict[int, int | None]:
    """A close of an issue is set aside for all contracts on it, what made a forecast true for that one alone."""
    issues = {row.issue_id for row in rows if row.kind == ISSUE_FIXED}
    of_issues = {issue: await disputes.set_aside_of_issue(tx, issue) for issue in sorted(issues)}
    of_forecasts = await disputes.all_set_aside(tx, {row.id for row in rows if row.kind != ISSUE_FIXED})
    return {row.id: of_issues[row.issue_id] if row.kind == ISSUE_FIXED else of_forecasts.get(row.id) for row in rows}


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
