"""Links to replies that were not posted: near GitHub's hourly limit they stay on the app's page."""

from __future__ import annotations

from app.storage.engine.db import Tx
from app.storage.queues import stored_replies

SHOWN_SECONDS = 86_400


async def elsewhere(tx: Tx, issue_id: int, now: int, public_url: str) -> str:
    """A line for the market comment; empty where every answer of the last day was posted."""
    found = await stored_replies.on_page(tx, issue_id, now - SHOWN_SECONDS)
    links = ", ".join(f"[{one.login}]({page(public_url, one.comment_id)})" for one in found)
    return f"GitHub limits how much may be posted, so some answers have a page instead: {links}" if links else ""


def page(public_url: str, comment_id: int) -> str:
    """The address of the reply to a comment."""
    return f"{public_url}/replies/{comment_id:d}"
