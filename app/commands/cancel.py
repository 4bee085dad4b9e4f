"""`cancel`: take back offers that still wait."""

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.intents import taken_back
from app.language.requests import CancelRequest
from app.market.exchange.spoken import HandOut
from app.replies import trade_results
from app.services.rules.context import CommandContext
from app.services.trading import offers
from app.storage.engine.db import Tx


def build(parts: Parts) -> CancelRequest:
    return CancelRequest(parts.get("offer_id"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return taken_back(words, now)


async def handle(tx: Tx, context: CommandContext, request: CancelRequest) -> str:
    return await trade_results.cancelled(tx, context, await offers.cancel_offers(tx, context, request.offer))


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
