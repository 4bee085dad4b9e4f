"""`book`: what is on offer."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands import book_drawing
from app.commands.command import Command
from app.commands.grammar import Parts
from app.commands.mending import kept_date, reads
from app.commands.requests import BookRequest
from app.commands.values import date_length
from app.services import looking, views
from app.services.scene import Scene
from app.storage.db import Tx

WHICH = "(numbered | by)?"
"""The contract that is to be shown: a forecast by its number, or one on the issue by its date."""


def build(parts: Parts) -> BookRequest:
    return BookRequest(parts.get("by"), parts.get("numbered"))


def mend_which(name: str, words: Sequence[str], now: int) -> str:
    """The date or the forecast's number, if there is one anywhere among the words."""
    for start, word in enumerate(words):
        if word.startswith("f") and word[1:].isdecimal() and reads("numbered", word, now):
            return f"{name} {word.upper()}"
        date, _ = kept_date(words[start + 1 :], now) if word == "by" else ("", 0)
        count = date_length(words[start:], now)
        if date or count:
            return f"{name} by {date or ' '.join(words[start : start + count])}"
    return name


def mend(words: Sequence[str], now: int) -> str:
    return mend_which("book", words, now)


async def handle(tx: Tx, scene: Scene, request: BookRequest) -> str:
    row = await looking.contract_to_show(tx, scene, request.by_at, request.contract, "book")
    return book_drawing.book(await views.book_view(tx, row, scene.now))


COMMAND = Command(
    name="book",
    usage="book [by DATE | F12]",
    summary="Show the offers that wait, with their numbers.",
    who="Everybody.",
    notes=("Without a date the issue's only contract that is not settled is meant.",),
    examples=("book", "book by end of month", "book F12"),
    rules=WHICH,
    build=build,
    handle=handle,
    mend=mend,
    order=20,
)
