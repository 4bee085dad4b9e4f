"""`history`: what was traded, by days and fill by fill."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands import price_drawing
from app.commands.book import WHICH, mend_which
from app.commands.command import Command
from app.commands.grammar import Parts
from app.commands.requests import HistoryRequest
from app.market.spoken import HandOut
from app.services import looking
from app.services.scene import Scene
from app.storage import tape
from app.storage.db import Tx

MOST_DAYS = 30
MOST_TRADES = 20


def build(parts: Parts) -> HistoryRequest:
    return HistoryRequest(parts.get("by"), parts.get("numbered"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return mend_which("history", words, now)


async def handle(tx: Tx, scene: Scene, request: HistoryRequest) -> str:
    row = await looking.contract_to_show(tx, scene, request.by_at, request.contract, "history")
    days = await tape.days(tx, row.id, MOST_DAYS)
    return price_drawing.history(row, days, await tape.trades(tx, row.id, MOST_TRADES))


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
    order=22,
)
