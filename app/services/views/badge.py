"""Text of an issue's badge (docs/market.md §8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.market.prices.price import Price
from app.market.terms.contract import Status
from app.services.rules.in_force import StoredConfigs
from app.services.views import market_views
from app.services.views.state_words import short
from app.storage.engine.db import Tx
from app.storage.market import contracts, market_data
from app.storage.market.contracts import ContractRow
from app.storage.people import places


@dataclass(frozen=True, slots=True)
class BadgeTold:
    """The price of an issue's open contracts, `traded` if it ever was; without an open one `state` says how they stand.

    Open contracts without a price: neither.
    """

    price: Price | None = None
    traded: bool = False
    state: str = ""


async def badge(tx: Tx, owner: str, name: str, number: int, now: int) -> BadgeTold | None:
    """None where there is no market, the repository is private, or it wants no badges: nobody can tell which."""
    place = await places.place_by_name(tx, owner, name, number)
    if place is None or place.repository.private:
        return None
    if not (await StoredConfigs().config(tx, place.repository)).badges:
        return None
    rows = await contracts.of_issue(tx, place.issue.id, now)
    speaker = market_views.speaking(await market_views.readings(tx, [row for row in rows if row.open], now))
    if speaker is None:
        state = _state(rows)
        return BadgeTold(state=state) if state else None
    return BadgeTold(speaker.price, bool((await market_data.marks(tx, [speaker.id], 1))[speaker.id]))


def _state(rows: Sequence[ContractRow]) -> str:
    """Name the state of an issue's contracts, none of which is open."""
    halted = next((row for row in rows if row.status is Status.HALTED), None)
    newest = max(rows, key=lambda row: (row.settled_at or 0, row.id), default=None)
    if halted is None and (newest is None or newest.outcome is None):
        return ""
    speaker = halted or newest
    return short(speaker) if speaker else ""
