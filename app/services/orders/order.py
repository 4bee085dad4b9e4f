"""Orders: what somebody wants done, through whichever door they came, and the receipt they get for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from app.language.requests import Request
from app.market.life.facts import IssueFacts
from app.market.terms.errors import Refusal
from app.services.accounts import accounts
from app.services.uses.results import Result
from app.services.uses.use_case import Unread
from app.storage.engine.db import Tx
from app.storage.people import places
from app.storage.people.places import Place
from app.storage.queues.commands import ReceiptKey


class NoAnswer(Exception):
    """GitHub must be asked before these orders may run, and gives no answer; try again later."""


class KeyTaken(Exception):
    """The key belongs to an order of somebody else, or to another one of the same user."""


class Voice(Protocol):
    """A door's way to say what came of an order. A receipt keeps what was said, so saying it again is the same."""

    def done(self, result: Result) -> str: ...

    def refused(self, refusal: Refusal) -> str: ...

    def broken(self) -> str:
        """Say that we failed, and that nothing was changed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The issue as a door's own news shows it: GitHub sent it along with the order."""

    facts: IssueFacts
    labels: frozenset[str]
    author_id: int | None


@dataclass(frozen=True, slots=True)
class Met:
    """The place of a visit: `stored` is the issue as we know it, `place` as the visit's orders see it."""

    stored: Place
    place: Place


Meet = Callable[[Tx], Awaitable[Met]]
"""Makes a place known, or finds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody at a door, with one order or several: who, where, when.

    `cause` names the visit in the journal, if it opens an account. `issued_at`: when the orders were given, and what
    `seen` shows was so; `received_at`: when we heard of it. `seen` None: the door has no news of its own, so GitHub is
    asked. Nothing has a default.
    """

    user_id: int
    login: str
    cause: str
    issued_at: int
    received_at: int
    seen: Seen | None
    meet: Meet
    voice: Voice

    def opening(self, place: Place) -> accounts.Opening:
        return accounts.Opening(self.user_id, self.login, place.repository.owner_id, self.cause, self.issued_at)


@dataclass(frozen=True, slots=True)
class Order:
    """One request of a visit. It is done once for its key."""

    visit: Visit
    request: Request | Unread
    key: ReceiptKey


@dataclass(frozen=True, slots=True)
class Receipt:
    """`answer` is what the door said of the result, or of the refusal."""

    number: int
    done: bool
    answer: str


def at_known(issue_id: int) -> Meet:
    """Meet at an issue that we know. Raises LookupError where we do not."""

    async def meet(tx: Tx) -> Met:
        found = await places.place(tx, issue_id)
        if found is None:
            raise LookupError(f"no issue {issue_id}")
        return Met(found, found)

    return meet
