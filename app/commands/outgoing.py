"""The text of a message as it leaves: replies were written when they were caused, the rest is drawn now."""

from __future__ import annotations

import json

from app.commands import replies
from app.services import views
from app.storage import contracts, places
from app.storage.db import Database
from app.storage.outbox import Message


async def body_of(db: Database, message: Message) -> str:
    """The Markdown of a comment to be posted."""
    if message.kind == "reply":
        return message.body
    async with db.reading() as tx:
        if message.kind == "board":
            return replies.board(await views.issue_view(tx, message.issue_id))
        body = json.loads(message.body)
        contract = await contracts.get(tx, body["contract"])
        maturation_at = contract.maturation_at if contract else 0
        if body["notice"] == "window":
            return replies.window(body, maturation_at)
        if body["notice"] == "resumed":
            return replies.resumed(body, maturation_at)
        users = {user for user, *_ in body["payouts"]}
        return replies.settled(body, maturation_at, await places.logins(tx, users))
