"""The prices of each day, drawn from the fills (docs/market.md §8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from app.market.terms.contract import UNIT_MILLS
from app.storage.engine.db import Tx
from app.storage.proof import history
from app.storage.proof.audit_reader import Found
from app.storage.proof.history import Trade

PRICE_VOLUME = 5
"""A smaller fill does not make a price (docs/market.md §8)."""


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
