"""What the badge of an issue says (docs/market.md §8)."""

from __future__ import annotations

from collections.abc import Sequence

from app.market.contract import Status
from app.services.configs import StoredConfigs
from app.services.contract_views import ContractView
from app.storage import contracts, places, tape
from app.storage.contracts import ContractRow
from app.storage.db import Tx

MOST_LOOKED_AT = 30
"""Contracts; anybody may make more."""


async def badge_price(tx: Tx, owner: str, name: str, number: int, now: int) -> int | str | None:
    """The FIXED price of an issue's nearest open contract, else how its contracts stand ("halted", "settled FIXED").

    "off" where badges are not wanted, None where there is no market or the repository is private. A contract that has
    traded goes before one that has only offers, which anybody can make for a few tokens.
    """
    place = await places.place_by_name(tx, owner, name, number)
    if place is None or place.repository.private:
        return None
    if not (await StoredConfigs().config(tx, place.repository)).badges:
        return "off"
    rows = await contracts.of_issue(tx, place.issue.id)
    trading = [row for row in rows if row.open][:MOST_LOOKED_AT]
    for row in trading:
        if found := await tape.prices(tx, row.id, 1):
            return found[0]
    levels = await tape.levels(tx, [row.id for row in trading], now)
    quotes = [ContractView(row, now, levels[row.id]).quoted for row in trading]
    return next((quote for quote in quotes if quote is not None), None if trading else _state(rows))


def _state(rows: Sequence[ContractRow]) -> str | None:
    """How the contracts of an issue stand of which none is open."""
    if any(row.status is Status.HALTED for row in rows):
        return "halted"
    newest = max(rows, key=lambda row: (row.settled_at or 0, row.id), default=None)
    return f"settled {newest.outcome.value}" if newest and newest.outcome else None
