"""Stopping and starting a contract's trade, and paying it out, each with its journal entry (docs/market.md §5)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from app.market.exchange.settlement import Payout, halt, resume, settle
from app.market.exchange.state import Changes
from app.market.exchange.voiding import VoidPrice
from app.market.terms.contract import Outcome, Status
from app.services.trading.locked_market import LockedMarket, lock_market
from app.services.trading.locking import hold_all
from app.storage.engine.db import Tx
from app.storage.market import books, contracts
from app.storage.market.contracts import ContractRow

NO_WINDOW: dict[str, Any] = {
    "halt_reason": None,
    "window_opened_at": None,
    "window_ends_at": None,
    "window_planned_at": None,
    "announced_at": None,
    "verdict": None,
    "backed": False,
    "by_pull": False,
    "ruling": None,
    "ruling_price": None,
}
"""Columns of a contract's window when none runs."""


async def lock_markets(tx: Tx, rows: list[ContractRow], cause: str, now: int) -> list[LockedMarket]:
    """These contracts with everybody in them under lock: one locked market for each currency."""
    currencies = sorted({row.currency for row in rows})
    if len(currencies) > 1:
        await hold_all(tx, rows, now=now)
    return [
        await lock_market(tx, {row.id for row in rows if row.currency == currency}, cause=cause, now=now, everyone=True)
        for currency in currencies
    ]


async def stop(locked: LockedMarket, contract_id: int, event_at: int, **values: Any) -> None:
    """Halt, or keep halted, from this event on; `values` are columns that change with it. Settled is final.

    What is due expires first, as before any change, but nothing fills on news: all-or-none offers are tried later.
    """
    row = locked.rows[contract_id]
    if row.status is Status.SETTLED:
        return
    if row.open:
        await locked.expire(())
        amendment = locked.state(row.id).amendment + 1
        await locked.run(partial(halt, locked.market, row.id), f"halt:{row.id}:{amendment}")
        why = "maintainer" if values.get("maintainer_halt") else values.get("halt_reason") or "away"
        await books.note_reason(locked.tx, row.id, amendment, why)
    await contracts.change(
        locked.tx,
        row.id,
        halted_at=locked.now if row.open else row.halted_at,
        halt_event_at=_halted_since(row, event_at),
        **values,
    )


def _halted_since(row: ContractRow, event_at: int) -> int:
    """The first event for which trading is halted; what the API says of a piece of news goes before the news."""
    news = row.halt_reason is not None and row.window_ends_at is None and row.maintainer_halt is None
    if row.open or news or row.halt_event_at is None:
        return event_at
    return min(row.halt_event_at, event_at)


async def start(locked: LockedMarket, contract_id: int, why: str) -> None:
    """Trade again: what came due meanwhile expires, then the book is tried."""
    row = locked.rows[contract_id]
    await locked.expire({row.id})
    amendment = locked.state(row.id).amendment + 1
    await locked.run(partial(resume, locked.market, row.id, now=locked.now), f"resume:{row.id}:{amendment}")
    await books.note_reason(locked.tx, row.id, amendment, why)
    await contracts.change(locked.tx, row.id, halted_at=None, halt_event_at=None)


async def pay_out(
    locked: LockedMarket, contract_id: int, outcome: Outcome, void: VoidPrice | None = None, price: int | None = None
) -> list[Payout]:
    """Settle, once: what came due meanwhile expires, the other offers are cancelled, winners paid, nothing left.

    `void`, `price`: what a VOID reads (`settlement.settle`).
    """
    row = locked.rows[contract_id]
    await locked.expire({row.id})
    payouts: list[Payout] = []

    def pay() -> Changes:
        changes, found = settle(locked.market, row.id, outcome, void, price)
        payouts.extend(found)
        return changes

    locked.rows[row.id] = replace(row, outcome=outcome)
    await locked.run(pay, f"settlement:{row.id}")
    await contracts.change(locked.tx, row.id, outcome=outcome.value, settled_at=locked.now, next_look_at=None)
    return payouts
