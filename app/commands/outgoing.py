"""The text of a message as it leaves: replies were written when they were caused, the rest is drawn now."""

from __future__ import annotations

import json

from app.commands.board import board
from app.commands.elsewhere import elsewhere
from app.commands.notices import notice
from app.commands.quotation import opened
from app.services import mutes, views
from app.storage import contracts
from app.storage.db import Database
from app.storage.outbox import Message


async def body_of(db: Database, message: Message, now: int, public_url: str) -> str:
    """The Markdown of a comment to be posted, as things stand `now`. It says first whose comment it is."""
    return opened(await _body_of(db, message, now, public_url))


async def _body_of(db: Database, message: Message, now: int, public_url: str) -> str:
    if message.kind == "reply":
        return message.body
    async with db.reading() as tx:
        if message.kind == "board":
            unposted = await elsewhere(tx, message.issue_id, now, public_url)
            return board(await views.issue_view(tx, message.issue_id, now), unposted)
        body = json.loads(message.body)
        contract = await contracts.get(tx, body["contract"])
        if contract is None:
            raise LookupError(f"no contract {body['contract']}")
        users = {user for user, *_ in body.get("payouts", ())} | set(body.get("users", ()))
        named = await mutes.named(tx, message.repository_id, users, body.get("spared", ()))
        return notice(body, contract, named)
