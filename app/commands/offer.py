"""`offer`: buy units of a side, at once from whoever offers them or by waiting in the book."""

from app.commands import answers
from app.commands.grammar import BadCommand, Command, Parts
from app.commands.mending import OfferMender
from app.commands.pricing import priced
from app.commands.requests import OfferRequest
from app.market.offer import Action
from app.services import trading
from app.services.trading import Scene
from app.storage.db import Tx


def build(parts: Parts) -> OfferRequest:
    if "spend" in parts and ("deposit" in parts or "profit" in parts):
        raise BadCommand("With `for AMOUNT` the price is said by `at`: `deposit` and `profit` need a volume.")
    return OfferRequest(
        action=Action.BUY,
        side=parts["side"],
        volume=parts.get("volume"),
        amount_mills=parts.get("spend"),
        price=parts.get("at"),
        deposit_mills=parts.get("deposit"),
        profit_mills=parts.get("profit"),
        by_at=parts.get("by"),
        until_at=parts.get("until"),
        now_or_never="now_or_never" in parts,
    )


async def handle(tx: Tx, scene: Scene, request: OfferRequest) -> str:
    result = await trading.offer(tx, scene, priced(request, scene.config), request.by_at)
    return await answers.told(tx, result)


COMMAND = Command(
    name="offer",
    aliases=("buy",),
    usage="offer (fixed|unfixed) (VOLUME | for AMOUNT) [at PRICE | deposit AMOUNT | profit AMOUNT] [by DATE] "
    "[until DATE] [now-or-never]",
    summary="Offer to buy units that pay 1 token each if the issue is fixed (or unfixed) by the date.",
    who="Everybody with enough free money.",
    notes=(
        "Without a price the odds are even: 0.50. The price is that of the side named.",
        "`deposit` is the most you put up, `profit` the most you gain; `for` buys as many units as the money does.",
        "Without `by` the issue's only open contract is meant.",
        "`until` is when the offer expires, without it when the contract matures; `now-or-never` leaves nothing "
        "waiting.",
    ),
    examples=(
        "offer fixed 50 by in 2 weeks",
        "offer unfixed 200 at 0.80 by end of month",
        "offer fixed for 25 at 0.60 now-or-never",
        "offer fixed 100 deposit 40 by friday until tomorrow",
    ),
    rules="side (volume | spend) (at | deposit | profit | by | until | now_or_never)*",
    build=build,
    handle=handle,
    mend=OfferMender("offer", "50", quantities=("for",), prices=("at", "deposit", "profit")),
    order=1,
)
