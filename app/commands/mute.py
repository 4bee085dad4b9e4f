"""`mute`: fewer mentions in this repository, and only reactions."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import MuteRequest
from app.language.text import lower
from app.market.exchange.spoken import HandOut
from app.market.terms.mention import Mode


def build(parts: Parts) -> MuteRequest:
    return MuteRequest(Mode.DAILY if "daily" in parts else Mode.NEVER)


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return (HandOut("mute", {"daily": True} if "daily" in map(lower, words) else {}),)


COMMAND = Command(
    name="mute",
    usage="mute [daily]",
    summary="Be answered with reactions only and not be mentioned, in this repository.",
    who="Everybody, for themselves.",
    notes=(
        "🚀 is done, 😕 refused: why a command was refused is not said while you are muted.",
        "`mute daily`: replies go on, and fills mention you once a day (UTC) at most.",
        "Whose offer you fill hears of it all the same, in a short comment; whom you give something, by the reply.",
        "Settlements, disputes and everything else go on as before; `positions` and `offers` tell once you unmute.",
    ),
    examples=("mute", "mute daily"),
    rules="daily?",
    build=build,
    mend=mend,
    stands=False,
    order=33,
)
