"""Permission to make contracts in a thread."""

from __future__ import annotations

from app.market.contract import Status
from app.market.errors import NotTrading
from app.services.scene import Scene
from app.storage import contracts
from app.storage.db import Tx

HALTED = "A maintainer has halted the market of this thread."


async def check_market(tx: Tx, scene: Scene) -> None:
    """Raises NotTrading where a maintainer has halted the thread's market: no new contract gets around that."""
    rows = await contracts.of_thread(tx, scene.place.issue.id)
    if any(row.maintainer_halt is not None and row.status is not Status.SETTLED for row in rows):
        raise NotTrading(HALTED, "/bugmark book")
