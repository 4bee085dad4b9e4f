"""Links to answers that were not posted: near GitHub's hourly limit, or where a repository wants reactions only."""

from __future__ import annotations

from app.services.rules.in_force import wants_reactions
from app.storage.engine.db import Tx
from app.storage.queues import stored_replies

SHOWN_SECONDS = 86_400


async def elsewhere(tx: Tx, issue_id: int, now: int, public_url: str) -> str:
    """A line for the market comment; empty where every answer of the last day was posted."""
    if await wants_reactions(tx, issue_id):
        where = f"[this page]({thread_page(public_url, issue_id)})"
        return f"Comments get a reaction here. The answers, and why a command was refused, are on {where}."
    found = await stored_replies.on_page(tx, issue_id, now - SHOWN_SECONDS)
    links = ", ".join(f"[{one.login}]({page(public_url, one.comment_id)})" for one in found)
    return f"GitHub limits how much may be posted, so some answers have a page instead: {links}" if links else ""


def page(public_url: str, comment_id: int) -> str:
    """The address of the reply to a comment."""
    return f"{public_url}/replies/{comment_id:d}"


def thread_page(public_url: str, issue_id: int) -> str:
    """The address of the answers of a thread that were not posted."""
    return f"{public_url}/replies/issue/{issue_id:d}"
