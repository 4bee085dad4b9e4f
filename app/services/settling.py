"""From news about an issue to a paid winner. News only wakes us: the verdict comes from what GitHub's API says."""

from __future__ import annotations

import json
from typing import Protocol

from app.market.contract import Outcome, Side, Status
from app.market.life import (
    VOID_LOOK_BACK_SECONDS,
    IssueFacts,
    OpenWindow,
    Resume,
    Settle,
    Wait,
    Watch,
    look,
)
from app.market.settlement import Payout, VoidPrice, halt, resume, settle
from app.market.state import ContractState
from app.services.trading import refresh_board, store
from app.storage import contracts, outbox, places
from app.storage.contracts import ContractRow
from app.storage.db import Database, Tx
from app.storage.places import Place

CLOSED, MATURED, GONE = "closed", "matured", "gone"

LOOK_SECONDS = 180
"""A contract that is being looked at is left alone by others for so long: longer than asking GitHub takes."""


class Oracle(Protocol):
    """Tells what has become of an issue."""

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        """The issue as the API gives it now; None when there is no answer."""


async def note_news(tx: Tx, place: Place, facts: IssueFacts, now: int) -> None:
    """An event or a comment showed the issue in this state.

    A good close stops trading at once; whatever does not fit what a contract remembers has GitHub asked.
    """
    halted = False
    for found in sorted(await contracts.of_issue(tx, place.issue.id), key=lambda row: row.id):
        good_close = facts.good_close_at(found.maturation_at)
        if found.open and good_close is not None:
            await _halt(tx, found.id, CLOSED, good_close, None, now)
            halted = True
        elif found.status is Status.HALTED:
            await contracts.change(tx, found.id, next_look_at=now)
    if halted:
        await refresh_board(tx, place, now)


async def note_gone(tx: Tx, place: Place, now: int) -> None:
    """The issue was deleted or left the repository: trading stops, and a VOID is reckoned from this instant."""
    for found in sorted(await contracts.of_issue(tx, place.issue.id), key=lambda row: row.id):
        if found.open and now < found.maturation_at:
            await _halt(tx, found.id, GONE, now, now + found.terms.dispute_window_seconds, now)


async def look_at(db: Database, oracle: Oracle, contract_id: int, now: int) -> None:
    """Ask what has become of a contract's issue and take the step that follows. Safe to run any number of times.

    News that comes while GitHub is asked moves the next look: the answer may be older than the news and is dropped.
    """
    mine = now + LOOK_SECONDS
    place = await _begin_look(db, contract_id, mine)
    if place is None:
        return
    facts = await oracle.issue_facts(place)
    async with db.transaction() as tx:
        row = await contracts.get(tx, contract_id, lock=True)
        if row is not None and row.status is not Status.SETTLED and row.next_look_at == mine:
            await _take_step(tx, place, row, facts, now)


async def _begin_look(db: Database, contract_id: int, until_at: int) -> Place | None:
    """Where to look. If this look fails the next is at `until_at`, after those of contracts that can be looked at."""
    async with db.transaction() as tx:
        row = await contracts.get(tx, contract_id, lock=True)
        if row is None or row.status is Status.SETTLED:
            return None
        await contracts.change(tx, row.id, next_look_at=until_at)
        return await places.place(tx, row.issue_id)


async def _take_step(tx: Tx, place: Place, row: ContractRow, facts: IssueFacts | None, now: int) -> None:
    state = await contracts.load(tx, row)
    step = look(_watch(row), facts, facts is not None and _backed(state, facts), now)
    match step:
        case Wait(until_at):
            await contracts.change(tx, row.id, next_look_at=max(until_at, now + 1))
        case OpenWindow(opened_at, ends_at, by_close, backed):
            await _halt(tx, row.id, CLOSED if by_close else MATURED, opened_at, ends_at, now)
            body = {
                "notice": "window",
                "contract": row.id,
                "by_close": by_close,
                "backed": backed,
                "ends_at": ends_at,
            }
            if by_close or state.open_interest:  # where nobody holds anything the market comment says enough
                await _notify(tx, place, f"window:{row.id}:{opened_at}", body, now)
            await refresh_board(tx, place, now)
        case Resume():
            await _resume(tx, place, row, state, now)
        case Settle(outcome):
            await _settle(tx, place, row, state, outcome, facts, now)


def _watch(row: ContractRow) -> Watch:
    return Watch(
        row.status,
        row.maturation_at,
        row.terms.dispute_window_seconds,
        row.halt_reason == CLOSED,
        row.window_opened_at,
        row.window_ends_at,
    )


def _backed(state: ContractState, facts: IssueFacts) -> bool:
    """Closed by somebody with triage rights who has no position."""
    if not facts.closer_may_triage or facts.closed_by is None:
        return False
    return not any(state.position(facts.closed_by, side).units for side in Side)


async def _halt(tx: Tx, contract_id: int, reason: str, opened_at: int, ends_at: int | None, now: int) -> None:
    """Stop trading while a window runs; `ends_at` None until the API has told how long it is."""
    row = await contracts.get(tx, contract_id, lock=True)
    if row is None or row.status is Status.SETTLED:
        return
    state = await contracts.load(tx, row)
    if row.open:
        await store(tx, state, halt(state, f"{reason}:{row.id}:{opened_at}", now), now)
    await contracts.change(
        tx,
        row.id,
        halted_at=now if row.open else row.halted_at,
        halt_reason=reason,
        window_opened_at=opened_at,
        window_ends_at=ends_at,
        next_look_at=now if ends_at is None else max(ends_at, now),
    )


async def _resume(tx: Tx, place: Place, row: ContractRow, state: ContractState, now: int) -> None:
    await places.lock_users(tx, {found.user for found in state.book.offers.values()})
    changes = resume(state, f"resume:{row.id}:{state.amendment + 1}", now)
    await store(tx, state, changes, now)
    await contracts.change(
        tx,
        row.id,
        halted_at=None,
        halt_reason=None,
        window_opened_at=None,
        window_ends_at=None,
        next_look_at=row.maturation_at,
    )
    await _notify(tx, place, f"resume:{row.id}:{state.amendment}", {"notice": "resumed", "contract": row.id}, now)
    await refresh_board(tx, place, now)


async def _settle(
    tx: Tx,
    place: Place,
    row: ContractRow,
    state: ContractState,
    outcome: Outcome,
    facts: IssueFacts | None,
    now: int,
) -> None:
    users = {user for user, _ in state.positions} | {found.user for found in state.book.offers.values()}
    await places.lock_users(tx, users)
    void = await _void_price(tx, row, now) if outcome is Outcome.VOID else None
    changes, payouts = settle(state, outcome, f"settlement:{row.id}", now, void)
    await store(tx, state, changes, now)
    await contracts.change(tx, row.id, outcome=outcome.value, settled_at=now, next_look_at=None)
    body = {
        "notice": "settled",
        "contract": row.id,
        "outcome": outcome.value,
        "closed_by": facts.closed_by if facts else None,
        "closer": facts.closer if facts else "",
        "closed_at": facts.closed_at if facts else None,
        "payouts": [_payout(item) for item in payouts],
    }
    if payouts:
        await _notify(tx, place, f"settlement:{row.id}", body, now)
    await refresh_board(tx, place, now)


async def _void_price(tx: Tx, row: ContractRow, now: int) -> VoidPrice:
    """As it stood seven days before what halted the contract, whenever we learnt of it."""
    event_at = now if row.window_opened_at is None else row.window_opened_at
    return await contracts.void_price(tx, row.id, event_at - VOID_LOOK_BACK_SECONDS)


def _payout(item: Payout) -> list[int]:
    return [item.user, item.paid_mills, item.cost_mills, item.fee_mills]


async def _notify(tx: Tx, place: Place, key: str, body: dict[str, object], now: int) -> None:
    await outbox.put(tx, key=key, kind="notice", place=place, body=json.dumps(body), now=now)
