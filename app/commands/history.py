"""`history`: what was traded, by days and fill by fill."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.book import WHICH, mend_which
from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import HistoryRequest
from app.market.exchange.spoken import HandOut
from app.replies import price_table
from app.services.rules.context import CommandContext
from app.services.trading import looking
from app.storage.engine.db import Tx
from app.storage.market import market_data

MOST_DAYS = 30
MOST_TRADES = 20


def build(parts: Parts) -> HistoryRequest:
    return HistoryRequest(parts.get("by"), parts.get("numbered"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return mend_which("history", words, now)


async def handle(tx: Tx, context: CommandContext, request: HistoryRequest) -> str:
    row = await looking.contract_to_show(tx, context, request.by_at, request.contract, "history")
    days = await market_data.days(tx, row.id, MOST_DAYS)
    return price_table.history(row, days, await market_data.trades(tx, row.id, MOST_TRADES))


COMMAND = Command(
    name="history",
    usage="history [by DATE | F12]",
    summary="Show what was traded: the days with their prices and volume, and the last fills.",
    who="Everybody.",
    notes=(
        "Days are those of UTC. A fill of fewer than 5 units counts for the volume and makes no price.",
        "A fill is known by its contract and amendment, such as `c3-17`.",
    ),
    examples=("history", "history by end of month", "history F12"),
    rules=WHICH,
    build=build,
    handle=handle,
    mend=mend,
    stands=False,
    order=22,
)
