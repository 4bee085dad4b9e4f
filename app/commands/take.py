"""`take`: the other side of an offer that is there."""

from collections.abc import Sequence

from app.commands import answers
from app.commands.command import Command
from app.commands.grammar import Parts
from app.commands.mending import reads
from app.commands.requests import TakeRequest
from app.services import trading
from app.services.scene import Scene
from app.storage.db import Tx


def build(parts: Parts) -> TakeRequest:
    return TakeRequest(parts["offer_id"], parts.get("volume"))


def mend(words: Sequence[str], now: int) -> str:
    """Without a number that can be read: the book shows which there are."""
    if not words or not reads("offer_id", words[0], now):
        return "book"
    volume = [word for word in words[1:] if reads("volume", word, now)][:1]
    return " ".join(["take", words[0], *volume])


async def handle(tx: Tx, scene: Scene, request: TakeRequest) -> str:
    return await answers.told(tx, scene, await trading.take(tx, scene, request.offer, request.volume))


COMMAND = Command(
    name="take",
    usage="take OFFER [VOLUME]",
    summary="Take the other side of an offer, at its price.",
    who="Everybody with enough free money, but not the one who made the offer.",
    notes=("Without a volume all that is open of the offer is taken. Better or older offers fill first.",),
    examples=("take o17", "take o17 20"),
    rules="offer_id volume?",
    build=build,
    handle=handle,
    mend=mend,
    order=13,
)
