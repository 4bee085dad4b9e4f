"""A comment that quotes one of ours: which of the commands in the quotation did we not write there ourselves?"""

from __future__ import annotations

from app.commands import notices
from app.commands.board import board
from app.commands.quotation import Quoted, foreign, written
from app.commands.registry import commands
from app.services import views
from app.storage import answers
from app.storage.db import Tx


async def of_others(tx: Tx, issue_id: int, quoted: list[Quoted], now: int) -> bool:
    """Whether a quotation holds a command that no comment of ours shows: somebody may wait for its answer."""
    bodies = [*await answers.bodies(tx, issue_id), board(await views.issue_view(tx, issue_id, now))]
    shown = [f"/bugmark {text}" for one in commands() for text in (*one.examples, one.usage)]
    return bool(foreign(quoted, written([*bodies, *shown, *notices.COMMANDS_SHOWN])))
