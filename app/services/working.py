"""Working on an issue: a name on a list, and FIXED for whoever means it."""

from __future__ import annotations

from app.market.contract import Side
from app.market.errors import NotTrading, Refusal
from app.market.offer import Action, NewOffer
from app.services import trading
from app.services.scene import Scene, refresh_board
from app.services.trading import Traded
from app.storage import contracts, workers
from app.storage.db import Tx

LISTED_SECONDS = 14 * 86_400
CLOSED = "This issue is closed, so there is nothing to work on."


async def start(tx: Tx, scene: Scene) -> int:
    """List the user for two weeks from now; returns until when. Raises NotTrading where the issue is closed."""
    if scene.closed or scene.rejected is not None:
        raise NotTrading(CLOSED, "/bugmark positions")
    until_at = scene.now + LISTED_SECONDS
    await workers.put(tx, scene.place.issue.id, scene.user_id, scene.now, until_at)
    await _show(tx, scene)
    return until_at


async def stop(tx: Tx, scene: Scene) -> None:
    """Take the user off the list. Raises a Refusal."""
    if not await workers.remove(tx, scene.place.issue.id, scene.user_id, scene.now):
        raise Refusal("You are not listed as working on this issue.", "/bugmark work")
    await _show(tx, scene)


async def back(tx: Tx, scene: Scene, amount_mills: int) -> Traded | None:
    """Buy FIXED for that much in the contract with the most open interest: the best asks, none above the default price.

    None where no contract is open. Raises a Refusal.
    """
    rows = [row for row in await contracts.of_issue(tx, scene.place.issue.id, scene.now) if row.open]
    if not rows:
        return None
    best = max(rows, key=lambda row: (row.open_interest, -row.maturation_at))
    price = scene.config.default_price
    new = NewOffer(Action.BUY, Side.FIXED, amount_mills // price, price, now_or_never=True)
    return await trading.offer(tx, scene, new, best.maturation_at)


async def _show(tx: Tx, scene: Scene) -> None:
    """The market comment is made by the first trade and by nothing else."""
    if await contracts.of_thread(tx, scene.place.issue.id):
        await refresh_board(tx, scene.place, scene.now)
