"""A command, as each module of one describes its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.language.grammar import Parts
from app.language.requests import Request
from app.market.exchange.spoken import HandOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that explains itself. Examples are what follows `/bugmark `, and each of them parses.

    `mend` makes commands to copy out of one that could not be read: it gets the words after the name and the comment's
    instant; it makes none where it is not sure. `risks`: it may cost money or units, or decides for others.
    `for_others`: what it does concerns everybody in the thread, so that its answer is never folded away. `stands`: the
    reply says beside its answer where its user stands then; not so after a question, whose answer is all. `order` is
    the place in the help; its tens are the group there. What is done for the request that `build` makes, and what
    guards it, says the table of use cases (`services/uses`).
    """

    name: str
    usage: str
    summary: str
    who: str
    examples: tuple[str, ...]
    build: Callable[[Parts], Request]
    mend: Callable[[Sequence[str], int], tuple[HandOut, ...]]
    rules: str = ""
    notes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    risks: bool = False
    for_others: bool = False
    stands: bool = True
    order: int = 39
