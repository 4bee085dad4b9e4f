"""The text of a message as it leaves: replies were written when they were caused, the rest is drawn now."""

from __future__ import annotations

import json

from app.commands.board import board
from app.commands.notices import notice
from app.services import mutes, views
from app.storage import contracts
from app.storage.db import Database
from app.storage.outbox import Message


async def body_of(db: Database, message: Message, now: int) -> str:
    """The Markdown of a comment to be posted, as things stand `now`."""
    if message.kind == "reply":
        return message.body
    async with db.reading() as tx:
        if message.kind == "board":
            return board(await views.issue_view(tx, message.issue_id, now))
        body = json.loads(message.body)
        contract = await contracts.get(tx, body["contract"])
        if contract is None:
            raise LookupError(f"no contract {body['contract']}")
        users = {user for user, *_ in body.get("payouts", ())} | set(body.get("users", ()))
        named = await mutes.named(tx, message.repository_id, users, body.get("spared", ()))
        return notice(body, contract, named)
