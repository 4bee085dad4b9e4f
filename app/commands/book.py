"""`book`: what is on offer."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.corrections import Slots, reads
from app.language.date_guesses import near_date
from app.language.grammar import Parts
from app.language.requests import BookRequest
from app.language.text import lower
from app.language.values import MOST_DATE_WORDS
from app.market.exchange.spoken import HandOut

WHICH = "(numbered | by)?"
"""The contract that is to be shown: a forecast by its number, or one on the issue by its date."""


def build(parts: Parts) -> BookRequest:
    return BookRequest(parts.get("by"), parts.get("numbered"))


def mend_which(name: str, words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """The date or the forecast's number, if there is one anywhere among the words. To look costs nothing."""
    said = [lower(word) for word in words]
    for start, word in enumerate(said):
        if word.startswith("f") and word[1:].isdecimal() and reads("numbered", word, now):
            return (HandOut(name, {"numbered": int(word[1:])}),)
        rest = said[start + (word == "by") :]
        for count in range(min(len(rest), MOST_DATE_WORDS), 0, -1):
            found = near_date(" ".join(rest[:count]), now)
            if found:
                return Slots({"by": found}).hand_outs(name)
    return (HandOut(name),)


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return mend_which("book", words, now)


COMMAND = Command(
    name="book",
    usage="book [by DATE | F12]",
    summary="Show the offers that wait, with their numbers.",
    who="Everybody.",
    notes=("Without a date the issue's only contract that is not settled is meant.",),
    examples=("book", "book by end of month", "book F12"),
    rules=WHICH,
    build=build,
    mend=mend,
    stands=False,
    order=20,
)
