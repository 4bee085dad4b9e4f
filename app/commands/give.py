"""`give`: money for somebody else."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.corrections import FILLERS, Slots, joined, reads
from app.language.grammar import Parts
from app.language.guesses import near_number
from app.language.parser import FILLED_IN
from app.language.requests import GiveRequest
from app.language.text import lower
from app.market.exchange.spoken import Blank, HandOut


def build(parts: Parts) -> GiveRequest:
    return GiveRequest(parts["login"], parts["amount"])


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """Take the user and the amount in either order; no user is guessed."""
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
    mend=mend,
    risks=True,
    order=31,
)
