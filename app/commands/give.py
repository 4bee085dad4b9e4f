"""`give`: money for somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.commands.command import Command
from app.commands.grammar import Parts
from app.commands.mending import FILLERS, Slots, joined, reads
from app.commands.near import near_number
from app.commands.reading import FILLED_IN
from app.commands.requests import GiveRequest
from app.commands.words import lower
from app.market.money import format_mills
from app.market.spoken import Blank, HandOut
from app.services import giving, mutes
from app.services.limits import People
from app.services.scene import Scene
from app.storage.db import Tx
from app.storage.places import Place


def build(parts: Parts) -> GiveRequest:
    return GiveRequest(parts["login"], parts["amount"])


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """Whom and how much in either order; nobody is filled in."""
    said = [word for word in joined(words) if lower(word) not in FILLERS and word not in FILLED_IN]
    logins = [word for word in said if word.startswith("@") and reads("login", word, now)]
    plain = [word for word in said if word not in logins]
    amounts = [word for word in plain if near_number("amount", lower(word))]
    rest = [word for word in plain if word not in amounts]
    if not logins and len(rest) == 1 and reads("login", rest[0], now):
        logins, rest = rest, []
    if len(amounts) + len(rest) > 1:
        return ()
    slots = Slots({"login": (logins[0].removeprefix("@"),) if len(logins) == 1 else (Blank.USER,)})
    slots.keep("amount", near_number("amount", lower(amounts[0])) if amounts else (), Blank.AMOUNT)
    return slots.hand_outs("give")


async def prepare(oracle: People, place: Place, request: GiveRequest) -> GiveRequest | None:
    """Names change hands: GitHub says whose this one is now."""
    holder = await oracle.holder_of(place, request.login)
    return None if holder is None else replace(request, holder=holder)


async def handle(tx: Tx, scene: Scene, request: GiveRequest) -> str:
    gift = await giving.give(tx, scene, request.login, request.amount_mills, request.holder)
    named = await mutes.addressed(tx, scene.place.repository.id, {gift.receiver}, scene.now)
    return (
        f"**{gift.giver_login}** gave {named[gift.receiver]} {format_mills(request.amount_mills)}. "
        f"You have {format_mills(gift.free_mills)} free left."
    )


COMMAND = Command(
    name="give",
    usage="give @user AMOUNT",
    summary="Give somebody of your free money.",
    who="Everybody, to somebody who has an account here. Play tokens that were granted have to be traded first.",
    notes=(
        "Play tokens that came as a grant can be given once they were traded: what you pay in fills makes as much of "
        "the grant free to give.",
        "The receiver is mentioned once. A gift cannot be taken back.",
        "Whoever has taken another name on GitHub can be given something after their next command here.",
    ),
    examples=("give @beth 20", "give @beth 12.50"),
    rules="login amount",
    build=build,
    handle=handle,
    prepare=prepare,
    mend=mend,
    risks=True,
    order=31,
)
