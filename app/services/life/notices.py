"""Notices of an event for one or several contracts, in one message; and windows that count from its sending."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.market.life.next_step import announced_until
from app.services.life.life_state import watch_of
from app.storage.engine.db import Tx
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow
from app.storage.people import places

Item = dict[str, Any]
"""Notice of one contract."""

WINDOW = "window"


def joined(items: Sequence[Item]) -> str:
    """One message of them, as it waits to be sent."""
    first, *others = items
    return json.dumps({**first, "others": others} if others else first)


def items(text: str) -> list[Item]:
    """The other way round, in the order in which they came."""
    body = json.loads(text)
    others = body.pop("others", [])
    return [body, *others]


async def note_announced(tx: Tx, text: str, now: int) -> None:
    """The thread was told, or GitHub has refused it for good: windows that this announces are open long enough for it.

    Takes the contracts' locks: to be called before anything else is locked.
    """
    told = _windows(text)
    for row in await contracts.hold(tx, told):
        if announces(told[row.id], row):
            ends_at = max(row.window_ends_at or 0, await announced_end(tx, row, now))
            await contracts.change(tx, row.id, announced_at=now, window_ends_at=ends_at)


def _windows(text: str) -> dict[int, Item]:
    """By contract; nothing in a message that is none of ours, which hinders nobody."""
    try:
        return {item["contract"]: item for item in items(text) if item["notice"] == WINDOW}
    except (ValueError, KeyError, AttributeError, TypeError):
        return {}


def announces(item: Item, row: ContractRow) -> bool:
    """Tell if this announces the running window, which nobody was told of yet."""
    same = (row.halt_reason, row.window_opened_at) == (item["cause"], item.get("opened_at", row.window_opened_at))
    return same and row.window_ends_at is not None and row.announced_at is None


async def announced_end(tx: Tx, row: ContractRow, now: int) -> int:
    """Until when a window that is announced now stays open for that."""
    place = await places.place(tx, row.issue_id)
    if place is None:
        return 0
    return announced_until(replace(await watch_of(tx, place, row), announced_at=now))
