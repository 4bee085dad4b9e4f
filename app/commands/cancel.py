"""`cancel`: take back offers that still wait."""

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.intents import taken_back
from app.language.requests import CancelRequest
from app.market.exchange.spoken import HandOut


def build(parts: Parts) -> CancelRequest:
    return CancelRequest(parts.get("offer_id"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return taken_back(words, now)


COMMAND = Command(
    name="cancel",
    usage="cancel (OFFER | all)",
    summary="Cancel one of your offers, or all you have in this thread.",
    who="The one who made the offer.",
    notes=("What an offer held back is free again at once. What it has bought or sold stays.",),
    examples=("cancel o17", "cancel all"),
    rules="(offer_id | everything)",
    build=build,
    mend=mend,
    order=15,
)
