"""`sell`: give up units that one holds."""

from app.commands import answers
from app.commands.grammar import Command, Parts
from app.commands.mending import OfferMender
from app.commands.requests import OfferRequest
from app.market.offer import Action
from app.services import trading
from app.services.trading import Scene
from app.storage.db import Tx


def build(parts: Parts) -> OfferRequest:
    return OfferRequest(
        action=Action.SELL,
        side=parts["side"],
        volume=parts.get("volume"),
        amount_mills=None,
        price=parts.get("at"),
        deposit_mills=None,
        profit_mills=None,
        by_at=parts.get("by"),
        until_at=parts.get("until"),
        now_or_never="now_or_never" in parts,
    )


async def handle(tx: Tx, scene: Scene, request: OfferRequest) -> str:
    result = await trading.sell(
        tx,
        scene,
        request.side,
        request.volume,
        request.price,
        by_at=request.by_at,
        until_at=request.until_at,
        now_or_never=request.now_or_never,
    )
    return await answers.told(tx, result)


COMMAND = Command(
    name="sell",
    usage="sell (fixed|unfixed) (VOLUME|all) [at PRICE] [by DATE] [until DATE] [now-or-never]",
    summary="Sell units that you hold.",
    who="Everybody who holds that many free units.",
    notes=(
        "Without a price you get at once what the book gives, and nothing waits.",
        "`all` is all your free units. Without `by` the only contract in which you hold such units is meant.",
    ),
    examples=("sell fixed 20 at 0.40", "sell fixed all at 0.40", "sell unfixed all by end of month"),
    rules="side (volume | everything) (at | by | until | now_or_never)*",
    build=build,
    handle=handle,
    mend=OfferMender("sell", "all", quantities=("all",), prices=("at",)),
    order=2,
)
