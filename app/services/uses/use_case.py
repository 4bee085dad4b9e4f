"""A use case: what is done for one kind of request, and what guards it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.market.terms.errors import Refusal
from app.services.rules.context import CommandContext
from app.services.uses.results import Result
from app.storage.engine.db import Tx
from app.storage.people.places import Place

Handler = Callable[[Tx, CommandContext, Any], Awaitable[Result]]
"""Does what a request asks for, in one transaction; returns what came of it or raises a Refusal."""

Preparer = Callable[[Any, Place, Any], Awaitable[Any]]
"""Asks GitHub (the oracle) what a request needs to know, before the transaction. None: GitHub gives no answer now."""


@dataclass(frozen=True, slots=True)
class UseCase:
    """`winds_up`: it ends something, and so works where the repository has switched trading off.

    `needs_rights`: GitHub is asked for the user's rights before it runs.
    """

    handle: Handler
    prepare: Preparer | None = None
    winds_up: bool = False
    needs_rights: bool = False


UseCases = Mapping[type[Any], UseCase]
"""Use cases by the type of their requests."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Words that are no request, and why not. `winds_up` as of the use case that they began to name."""

    refusal: Refusal
    winds_up: bool
