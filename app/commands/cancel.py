"""`cancel`: take back offers that still wait."""

from collections.abc import Sequence

from app.commands import answers
from app.commands.command import Command
from app.commands.grammar import Parts
from app.commands.intents import taken_back
from app.commands.requests import CancelRequest
from app.market.spoken import HandOut
from app.services import trading
from app.services.scene import Scene
from app.storage.db import Tx


def build(parts: Parts) -> CancelRequest:
    return CancelRequest(parts.get("offer_id"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return taken_back(words, now)


async def handle(tx: Tx, scene: Scene, request: CancelRequest) -> str:
    return await answers.cancelled(tx, scene, await trading.cancel_offers(tx, scene, request.offer))


COMMAND = Command(
    name="cancel",
    usage="cancel (OFFER | all)",
    summary="Cancel one of your offers, or all you have in this thread.",
    who="The one who made the offer.",
    notes=("What an offer held back is free again at once. What it has bought or sold stays.",),
    examples=("cancel o17", "cancel all"),
    rules="(offer_id | everything)",
    build=build,
    handle=handle,
    mend=mend,
    winds_up=True,
    order=15,
)
