"""A command, as each module of one describes its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.language.grammar import Parts
from app.language.requests import Request
from app.market.exchange.spoken import HandOut
from app.services.rules.context import CommandContext
from app.storage.engine.db import Tx
from app.storage.people.places import Place

Handler = Callable[[Tx, CommandContext, Any], Awaitable[str]]
"""Does what a request asks for, in one transaction; returns the answer in Markdown or raises a Refusal."""

Preparer = Callable[[Any, Place, Any], Awaitable[Any]]
"""Asks GitHub (the oracle) what a request needs to know, before the transaction. None: GitHub gives no answer now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that explains itself. Examples are what follows `/bugmark `, and each of them parses.

    `mend` makes commands to copy out of one that could not be read: it gets the words after the name and the comment's
    instant; it makes none where it is not sure. `risks`: it may cost money or units, or decides for others.
    `winds_up`: it ends something, and so works where the repository has switched trading off. `needs_rights`: GitHub is
    asked for the user's rights before it runs. `for_others`: what it does concerns everybody in the thread, so that its
    answer is never folded away. `stands`: the reply says beside its answer where its user stands then; not so after a
    question, whose answer is all. `order` is the place in the help; its tens are the group there.
    """

    name: str
    usage: str
    summary: str
    who: str
    examples: tuple[str, ...]
    build: Callable[[Parts], Request]
    handle: Handler
    mend: Callable[[Sequence[str], int], tuple[HandOut, ...]]
    prepare: Preparer | None = None
    rules: str = ""
    notes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    risks: bool = False
    winds_up: bool = False
    needs_rights: bool = False
    for_others: bool = False
    stands: bool = True
    order: int = 39
