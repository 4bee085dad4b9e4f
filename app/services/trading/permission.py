"""Permission to make contracts in a thread."""

from __future__ import annotations

from app.market.terms.contract import Status
from app.market.terms.errors import NotTrading
from app.services.rules.context import CommandContext
from app.storage.engine.db import Tx
from app.storage.market import contracts

HALTED = "A maintainer has halted the market of this thread."


async def check_market(tx: Tx, context: CommandContext) -> None:
    """Raises NotTrading where a maintainer has halted the thread's market: no new contract gets around that."""
    rows = await contracts.of_thread(tx, context.place.issue.id)
    if any(row.maintainer_halt is not None and row.status is not Status.SETTLED for row in rows):
        raise NotTrading(HALTED, "/bugmark book")
