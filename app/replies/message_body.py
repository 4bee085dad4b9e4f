"""The text of a message as it leaves: replies were written when they were caused, the rest is drawn now."""

from __future__ import annotations

import json

from app.language.quotation import opened
from app.replies.hearing_notices import HEARINGS, hearing
from app.replies.market_comment import board
from app.replies.notices import most_paid, told_together
from app.replies.unposted import elsewhere
from app.services.life import notices
from app.services.life.notices import Item
from app.services.mentions import mutes
from app.services.views import market_views
from app.storage.engine.db import Database, Tx
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow
from app.storage.queues.outbox import Message


async def body_of(db: Database, message: Message, now: int, public_url: str) -> str:
    """The Markdown of a comment to be posted, as things stand `now`. It says first whose comment it is."""
    return opened(await _body_of(db, message, now, public_url))


async def _body_of(db: Database, message: Message, now: int, public_url: str) -> str:
    if message.kind == "reply":
        return message.body
    async with db.reading() as tx:
        if message.kind == "board":
            unposted = await elsewhere(tx, message.issue_id, now, public_url)
            return board(await market_views.issue_view(tx, message.issue_id, now), unposted)
        body = json.loads(message.body)
        if body["notice"] in HEARINGS:
            return await _hearing(tx, message, body)
        told = [await _told(tx, item, now) for item in notices.items(message.body)]
        paid = {user for item, _ in told for user, *_ in item.get("payouts", ())}
        sold = {user for item, _ in told for user, *_ in item.get("sold", ())}
        users = paid | sold | {user for item, _ in told for user in item.get("users", ())}
        spared = {user for item, _ in told for user in item.get("spared", ())}
        spared |= (paid | sold) - most_paid([item for item, _ in told])
        return told_together(told, await mutes.named(tx, message.repository_id, users, spared))


async def _hearing(tx: Tx, message: Message, body: Item) -> str:
    """A dispute or a ruling, which is told alone."""
    row = await _contract(tx, body["contract"])
    return hearing(body, row, await mutes.named(tx, message.repository_id, set(body["users"]), body["spared"]))


async def _told(tx: Tx, item: Item, now: int) -> tuple[Item, ContractRow]:
    """Notice of a contract as it is now: a window stays open long enough for its readers."""
    row = await _contract(tx, item["contract"])
    if item["notice"] == notices.WINDOW and notices.announces(item, row):
        ends_at = max(item["ends_at"], row.window_ends_at or 0, await notices.announced_end(tx, row, now))
        item = {**item, "ends_at": ends_at}
    return item, row


async def _contract(tx: Tx, number: int) -> ContractRow:
    row = await contracts.get(tx, number)
    if row is None:
        raise LookupError(f"no contract {number}")
    return row
