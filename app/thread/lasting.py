"""Commands whose answers concern others: such a reply is never folded away, whatever its user says later."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.registry import meant
from app.storage.engine.db import Tx
from app.storage.market import journal
from app.storage.queues.commands import CommandRecord


async def concerns_others(tx: Tx, records: Sequence[CommandRecord]) -> bool:
    """Tell if one of them disputed, ruled or halted, or moved somebody else's money or units: a fill, a gift."""
    done = [record for record in records if record.done]
    if any(_for_others(record.text) for record in done):
        return True
    return await journal.moved_others(tx, {f"command:{record.id}": record.user_id for record in done})


def _for_others(text: str) -> bool:
    command = meant(text)
    return command is not None and command.for_others
