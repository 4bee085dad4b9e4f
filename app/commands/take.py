"""`take`: the other side of an offer that is there."""

from collections.abc import Sequence

from app.commands.command import Command
from app.language.corrections import FILLERS, Slots, joined, reads
from app.language.grammar import Parts
from app.language.guesses import near_number
from app.language.requests import TakeRequest
from app.language.text import lower
from app.market.exchange.spoken import Blank, HandOut


def build(parts: Parts) -> TakeRequest:
    return TakeRequest(parts["offer_id"], parts.get("volume"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """Require the offer's number: nothing else names it."""
    said = [word for word in joined([lower(word) for word in words]) if word not in FILLERS]
    named = bool(said) and said[0].startswith("o") and reads("offer_id", said[0], now)
    rest = said[1:] if named else []
    if len(rest) > 1:
        return ()
    slots = Slots({"offer_id": (int(said[0][1:]),) if named else (Blank.OFFER,)})
    for word in rest:
        slots.keep("volume", near_number("volume", word), Blank.VOLUME)
    return slots.hand_outs("take")


COMMAND = Command(
    name="take",
    usage="take OFFER [VOLUME]",
    summary="Take the other side of an offer, at its price.",
    who="Everybody with enough free money, but not the one who made the offer.",
    notes=("Without a volume all that is open of the offer is taken. Better or older offers fill first.",),
    examples=("take o17", "take o17 20"),
    rules="offer_id volume?",
    build=build,
    mend=mend,
    risks=True,
    order=13,
)
