"""A comment that quotes one of ours: which of the commands in the quotation did we not write there ourselves?"""

from __future__ import annotations

from app.commands.registry import commands
from app.language.quotation import Quoted, foreign, written
from app.replies import notices
from app.replies.market_comment import board
from app.services.views import market_views
from app.storage.engine.db import Tx
from app.storage.queues import stored_replies


async def of_others(tx: Tx, issue_id: int, quoted: list[Quoted], now: int) -> bool:
    """Tell if a quotation holds a command that no comment of ours shows: somebody may wait for its answer."""
    bodies = [*await stored_replies.bodies(tx, issue_id), board(await market_views.issue_view(tx, issue_id, now))]
    shown = [f"/bugmark {text}" for one in commands() for text in (*one.examples, one.usage)]
    return bool(foreign(quoted, written([*bodies, *notices.COMMANDS_SHOWN]), written(shown)))
