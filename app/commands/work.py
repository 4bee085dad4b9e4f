"""`work`: I am working on this issue."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands import answers
from app.commands.command import Command
from app.commands.grammar import Parts
from app.commands.mending import FILLERS, Slots, joined
from app.commands.near import near_number
from app.commands.requests import WorkRequest
from app.commands.words import lower
from app.market.errors import InvalidOffer
from app.market.instants import format_instant
from app.market.money import format_mills, format_price
from app.market.spoken import Blank, HandOut
from app.services import working
from app.services.scene import Scene
from app.storage.db import Tx

_ABOUT = ("on", "for", "with", "now", "me", "i'm", "im", "working")
"""Words that say nothing but what `work` says."""


def build(parts: Parts) -> WorkRequest:
    return WorkRequest(parts.get("amount"), "stop" in parts)


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """Money is put up only where an amount stands alone."""
    said = [word for word in joined([lower(word) for word in words]) if word not in (*FILLERS, *_ABOUT)]
    if not said or said == ["stop"]:
        return (HandOut("work", {"stop": True} if said else {}),)
    if len(said) > 1:
        return (HandOut("work"),)
    return Slots({"amount": near_number("amount", said[0]) or (Blank.AMOUNT,)}).hand_outs("work")


async def handle(tx: Tx, scene: Scene, request: WorkRequest) -> str:
    if request.stop:
        await working.stop(tx, scene)
        return "You are no longer listed as working on this issue. What you hold stays yours."
    _check_enough(scene, request.amount_mills)
    until = format_instant(await working.start(tx, scene))
    listed = f"**You are listed as working on this issue** until {until}; `/bugmark work stop` ends it."
    if request.amount_mills is None:
        return listed
    traded = await working.back(tx, scene, request.amount_mills)
    if traded is None:
        return f"{listed} Nothing was bought: no contract is open on this issue."
    return f"{listed} {await answers.told(tx, scene, traded)}"


def _check_enough(scene: Scene, amount_mills: int | None) -> None:
    price = scene.config.default_price
    if amount_mills is not None and amount_mills < price:
        why = f"{format_mills(amount_mills)} does not buy a single unit at {format_price(price)}."
        raise InvalidOffer(why, f"/bugmark {HandOut('work', {'amount': Blank.AMOUNT}).text}")


COMMAND = Command(
    name="work",
    usage="work [AMOUNT] | work stop",
    summary="Say that you are working on this issue, and buy FIXED for an amount if you like.",
    who="Everybody.",
    notes=(
        "The market comment lists you for 14 days, or until the issue is closed or you say `work stop`: five names, "
        "those who hold FIXED first. Nothing is reserved for anybody.",
        "With an amount you also buy FIXED, as with `offer fixed for AMOUNT now-or-never`: in the contract with the "
        "most open interest, the best offers first, none above the repository's default price for FIXED.",
    ),
    examples=("work", "work 25", "work stop"),
    rules="(amount | stop)?",
    build=build,
    handle=handle,
    mend=mend,
    risks=True,
    order=17,
)
