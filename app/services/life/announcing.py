"""Announcements of a contract's life in its thread: one comment an event, one that waits, one in ten minutes.

A comment that waits is replaced by the next, which says whatever of it is still true: a window counts from the sending
of its announcement, so none may get lost on the way.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.services.life import notices
from app.services.life.notices import Item
from app.storage.engine.db import Tx
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow
from app.storage.people.places import Place
from app.storage.queues import announcements, outbox

TOGETHER_SECONDS = 60
"""Contracts of one issue that are halted, resumed or settled by one event within so long are told of in one comment."""

GATHER_SECONDS = 2
"""So long a comment waits for what the event does to the issue's other contracts, each in its own transaction."""


async def notify(tx: Tx, place: Place, row: ContractRow, key: str, body: Item, now: int) -> None:
    """Have a notice posted in the thread: `key` names the event, of which one comment tells for all its contracts.

    What comes when that comment has been out for a while gets one of its own: nobody is told of an edit.
    """
    await outbox.hold_key(tx, f"announcements:{place.issue.id}")
    own_key = f"{key}:c{row.id}"
    before = await outbox.find(tx, key)
    items = notices.items(before.body) if before else []
    mine = [item for item in items if item["contract"] == row.id]
    if mine and body["notice"] == "resumed":
        key, items = f"{own_key}:{row.amendment}", []
    elif before and not (mine or before.fresh or now - before.created_at < TOGETHER_SECONDS):
        key, items = own_key, []
    due_at = now + GATHER_SECONDS if await contracts.has_siblings(tx, row) else now
    if not items or (before and before.fresh):  # a comment to come, not an edit of one that is out
        taken = await announcements.take_back(tx, place.issue.id, key)
        waited = [item for text in taken for item in notices.items(text)]
        items = [*waited, *items]
        due_at = max(due_at, await announcements.free_at(tx, place.issue.id))
    text = notices.joined([*still_true(items, body), body])
    await outbox.put(tx, key=key, kind="notice", place=place, body=text, now=now, due_at=due_at)


def still_true(waiting: Sequence[Item], newest: Item) -> list[Item]:
    """Items that the newest notice leaves true: all of other contracts, of its own a window whose verdict it is."""
    return [item for item in waiting if item["contract"] != newest["contract"] or _same_window(item, newest)]


def _same_window(item: Item, newest: Item) -> bool:
    return (item["notice"], newest["notice"]) == (notices.WINDOW, "verdict")
