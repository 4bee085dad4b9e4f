"""Steps of a contract's life; a look at it takes one of these (docs/market.md §5)."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.life.facts import Cause
from app.market.terms.contract import Outcome


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing changes; look again then."""

    until_at: int


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """Halt (or stay halted) while this window runs. It ends any dispute of the window before it."""

    opened_at: int
    ends_at: int
    cause: Cause
    backed: bool = False


@dataclass(frozen=True, slots=True)
class Extend:
    """The window that runs ends later. `told`: the thread hears of it; else only its announcement was waited for."""

    ends_at: int
    told: bool = True


@dataclass(frozen=True, slots=True)
class Announce:
    """As things stand another verdict will be given; None: trading will resume."""

    verdict: Outcome | None


@dataclass(frozen=True, slots=True)
class Resume:
    """The window is over and trading goes on; a dispute of it is ended."""


@dataclass(frozen=True, slots=True)
class Settle:
    outcome: Outcome


Step = Wait | OpenWindow | Extend | Announce | Resume | Settle
