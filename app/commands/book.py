"""`book`: what is on offer."""

from collections.abc import Sequence

from app.commands import replies
from app.commands.grammar import Command, Parts, date_length
from app.commands.requests import BookRequest
from app.services import trading, views
from app.services.trading import Scene
from app.storage.db import Tx


def build(parts: Parts) -> BookRequest:
    return BookRequest(parts.get("by"))


def mend(words: Sequence[str], now: int) -> str:
    """The date, if there is one anywhere among the words."""
    for start in range(len(words)):
        count = date_length(words[start:], now)
        if count:
            return f"book by {' '.join(words[start : start + count])}"
    return "book"


async def handle(tx: Tx, scene: Scene, request: BookRequest) -> str:
    row = await trading.contract_to_show(tx, scene, request.by_at)
    return replies.book_table(await views.contract_view(tx, row))


COMMAND = Command(
    name="book",
    usage="book [by DATE]",
    summary="Show the offers that wait, with their numbers.",
    who="Everybody.",
    notes=("Without `by` the issue's only open contract is meant.",),
    examples=("book", "book by end of month"),
    rules="by?",
    build=build,
    handle=handle,
    mend=mend,
    order=5,
)
