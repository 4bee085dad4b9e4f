"""`work`: I am working on this issue."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.corrections import FILLERS, Slots, joined
from app.language.grammar import Parts
from app.language.guesses import near_number
from app.language.requests import WorkRequest
from app.language.text import lower
from app.market.exchange.spoken import Blank, HandOut

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
    mend=mend,
    risks=True,
    order=17,
)
