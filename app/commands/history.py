"""`history`: what was traded, by days and fill by fill."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.book import WHICH, mend_which
from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import HistoryRequest
from app.market.exchange.spoken import HandOut


def build(parts: Parts) -> HistoryRequest:
    return HistoryRequest(parts.get("by"), parts.get("numbered"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return mend_which("history", words, now)


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
    mend=mend,
    stands=False,
    order=22,
)
