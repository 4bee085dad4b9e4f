"""Replies that their users have outgrown are minimised as outdated: the thread shows each user the newest one."""

from __future__ import annotations

import json

from app.commands.lasting import concerns_others
from app.github import queries
from app.github.client import GitHub
from app.storage import answers, commands, outbox, places
from app.storage.db import Tx
from app.storage.outbox import Message

MOST_AN_HOUR = 60
"""Of each installation; it is only tidying up, and what is left stays as it is."""

HOUR_SECONDS = 3600


async def want(tx: Tx, message: Message, now: int) -> None:
    """After a reply: have the one before it minimised, unless it concerns somebody else."""
    old = await answers.outgrown_by(tx, message)
    if old is None or answers.mentions_somebody(old.body):
        return
    if await concerns_others(tx, await commands.of_comment(tx, old.answers)):
        return
    key = f"minimise:{old.comment_id}"
    lately = await answers.minimised_since(tx, message.installation_id, now - HOUR_SECONDS)
    if lately >= MOST_AN_HOUR or await outbox.knows(tx, key):
        return
    place = await places.place(tx, message.issue_id)
    if place is not None:
        body = json.dumps({"id": old.node_id})
        await outbox.put(tx, key=key, kind="minimise", place=place, body=body, now=now)


async def minimise(github: GitHub, message: Message) -> None:
    """Raises GitHubError."""
    await github.query(message.installation_id, queries.MINIMISE, json.loads(message.body))
