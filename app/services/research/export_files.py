"""The files of an export: their columns in order, and where their rows come from (docs/research.md)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from app.market.terms.contract import UNIT_MILLS
from app.storage.engine.db import Tx
from app.storage.proof import history
from app.storage.proof.audit_reader import Found
from app.storage.proof.history import Trade

PRICE_VOLUME = 5
"""A smaller fill does not make a price (docs/market.md §8)."""


class Unit(StrEnum):
    """Type of a column. Amounts may be large: JSON carries them as text."""

    ID = "id"
    INSTANT = "instant"
    AMOUNT = "amount"
    FLAG = "flag"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Sheet:
    columns: dict[str, Unit]
    rows: Callable[[Tx, int], AsyncIterator[Found]]


def _columns(text: str) -> dict[str, Unit]:
    """`name:unit name:unit …`"""
    return {name: Unit(unit) for name, _, unit in (word.partition(":") for word in text.split())}


async def daily_prices(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    """For each contract and day (UTC) with fills: open, high, low and last price, volume, fills, open interest.

    Prices are of FIXED and of fills of at least 5 units; None where there was none.
    """
    day: _Day | None = None
    async for trade in history.all_trades(tx, repository_id):
        date = datetime.fromtimestamp(trade.at, UTC).date().isoformat()
        if day is None or (day.contract, day.date) != (trade.contract, date):
            if day is not None:
                yield day.row()
            day = _Day(trade.contract, date)
        day.add(trade)
    if day is not None:
        yield day.row()


@dataclass(slots=True)
class _Day:
    contract: int
    date: str
    first: int | None = None
    high: int | None = None
    low: int | None = None
    last: int | None = None
    volume: int = 0
    fills: int = 0
    interest: int = 0

    def add(self, trade: Trade) -> None:
        self.volume += trade.volume
        self.fills += 1
        self.interest = trade.interest
        if trade.volume >= PRICE_VOLUME:
            self.first = trade.price if self.first is None else self.first
            self.high = max(trade.price, self.high or 0)
            self.low = min(trade.price, self.low or UNIT_MILLS)
            self.last = trade.price

    def row(self) -> Found:
        prices = self.first, self.high, self.low, self.last
        return self.contract, self.date, *prices, self.volume, self.fills, self.interest


SHEETS = {
    "contracts": Sheet(
        _columns(
            "contract:id issue:id issue_number:id kind:text statement:text statement_sha256:text round:amount"
            " maturation_at:instant currency:text terms:text terms_sha256:text status:text outcome:text"
            " open_interest:amount minted_mills:amount amendments:amount created_at:instant settled_at:instant"
        ),
        history.all_contracts,
    ),
    "offers": Sheet(
        _columns(
            "offer:id contract:id user:id action:text side:text price_mills:amount volume:amount until_at:instant"
            " now_or_never:flag all_or_none:flag post_only:flag cancel_on_halt:flag filled:amount remaining:amount"
            " cancelled:amount state:text created_at:instant"
        ),
        history.all_offers,
    ),
    "fills": Sheet(
        _columns(
            "contract:id amendment:id at:instant kind:text price_mills:amount volume:amount bid_offer:id ask_offer:id"
            " newcomer_offer:id buyer:id seller:id"
        ),
        history.all_fills,
    ),
    "amendments": Sheet(
        _columns("contract:id amendment:id at:instant kind:text open_interest:amount minted_mills:amount"),
        history.all_amendments,
    ),
    "payouts": Sheet(
        _columns(
            "contract:id at:instant outcome:text user:id fixed_units:amount unfixed_units:amount received_mills:amount"
        ),
        history.all_payouts,
    ),
    "prices": Sheet(
        _columns(
            "contract:id date:text open_mills:amount high_mills:amount low_mills:amount last_mills:amount"
            " volume:amount fills:amount open_interest:amount"
        ),
        daily_prices,
    ),
    "users": Sheet(_columns("user:id login:text"), history.all_users),
}
"""In the order in which they are written."""
