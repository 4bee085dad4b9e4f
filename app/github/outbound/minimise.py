"""Replies that a user's commands shared are minimised as outdated once a newer one is there."""

from __future__ import annotations

import json

from app.github.api import queries
from app.github.api.client import GitHub
from app.storage.engine.db import Tx
from app.storage.people import places
from app.storage.queues import outbox, stored_replies, told
from app.storage.queues.outbox import Message
from app.thread.lasting import concerns_others

MOST_AN_HOUR = 60
"""Limit for each installation; minimising only tidies up, and the rest stays as it is."""

HOUR_SECONDS = 3600


async def want(tx: Tx, message: Message, now: int) -> None:
    """After a reply: have the one before it minimised, unless it concerns somebody else."""
    old = await stored_replies.outgrown_by(tx, message)
    if old is None or stored_replies.mentions_somebody(old.body):
        return
    if await concerns_others(tx, [record for batch in await told.batches(tx, old.key) for record in batch.records]):
        return
    key = f"minimise:{old.comment_id}"
    lately = await stored_replies.minimised_since(tx, message.installation_id, now - HOUR_SECONDS)
    if lately >= MOST_AN_HOUR or await outbox.knows(tx, key):
        return
    place = await places.place(tx, message.issue_id)
    if place is not None:
        body = json.dumps({"id": old.node_id})
        await outbox.put(tx, key=key, kind="minimise", place=place, body=body, now=now)


async def minimise(github: GitHub, message: Message) -> None:
    """Raises GitHubError."""
    await github.query(message.installation_id, queries.MINIMISE, json.loads(message.body))
