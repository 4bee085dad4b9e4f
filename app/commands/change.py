"""`change`: an offer that waits, made different."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.corrections import OfferMender, reads
from app.language.grammar import Parts
from app.language.requests import ChangeRequest
from app.language.text import lower
from app.market.exchange.spoken import Blank, HandOut

_MENDER = OfferMender("change", prices=("at",), conditions=())


def build(parts: Parts) -> ChangeRequest:
    return ChangeRequest(parts["offer_id"], parts.get("volume"), parts.get("at"), parts.get("until"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """Without a number, or something to be different, that is left blank."""
    said = [lower(word) for word in words]
    named = bool(said) and said[0].startswith("o") and reads("offer_id", said[0], now)
    slots = _MENDER.read(["fixed", *said[1:]] if named else ["fixed"], now)
    if slots is None or not slots.found.keys() <= {"side", "volume", "at", "until"}:
        return ()
    del slots.found["side"]
    changes = slots.found or {"volume": (Blank.VOLUME,)}
    slots.found = {"offer_id": (int(said[0][1:]),) if named else (Blank.OFFER,), **changes}
    return slots.hand_outs("change")


COMMAND = Command(
    name="change",
    usage="change OFFER [VOLUME] [at PRICE] [until DATE]",
    summary="Change one of your offers: how much of it is open, its price or when it expires.",
    who="The one who made the offer.",
    notes=(
        "A smaller volume alone keeps the offer's number and its place in the book.",
        "Anything else cancels the offer and makes a new one, with a new number, behind the others at its price. What "
        "is not named stays as it was.",
    ),
    examples=("change o17 20", "change o17 at 0.45", "change o17 50 at 0.45 until friday"),
    rules="offer_id (volume (at | until)* | (at | until)+)",
    build=build,
    mend=mend,
    risks=True,
    order=14,
)
