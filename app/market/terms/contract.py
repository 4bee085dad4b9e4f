"""A contract: its sides, its states and the terms it was made under (docs/market.md §1, §5)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

UNIT_MILLS: Final = 1000
"""Pay-out of one unit of the winning side: one token, in mills."""

MAX_VOLUME: Final = 1_000_000_000
"""Units in one offer."""


class Side(StrEnum):
    FIXED = "FIXED"
    UNFIXED = "UNFIXED"

    @property
    def other(self) -> Side:
        return Side.UNFIXED if self is Side.FIXED else Side.FIXED


class Status(StrEnum):
    OPEN = "OPEN"
    HALTED = "HALTED"
    SETTLED = "SETTLED"


class Outcome(StrEnum):
    FIXED = "FIXED"
    UNFIXED = "UNFIXED"
    VOID = "VOID"

    @property
    def winner(self) -> Side | None:
        return None if self is Outcome.VOID else Side(self.value)


VOID = "VOID"
"""Outcome that terms may name for a close as not planned or as a duplicate; otherwise it is UNFIXED."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Copied from the configuration when the contract is made and never changed after."""

    currency: str
    fee_bps: int
    dispute_window_seconds: int
    not_planned: str
    duplicate: str
    insiders: str
    law: str

    def text(self) -> str:
        """Canonical JSON: what is stored, shown and hashed."""
        return canonical(asdict(self))

    @property
    def void_reasons(self) -> frozenset[str]:
        """Reasons of a close for which the terms say VOID."""
        said = {"not_planned": self.not_planned, "duplicate": self.duplicate}
        return frozenset(reason for reason, outcome in said.items() if outcome == VOID)

    @classmethod
    def from_text(cls, text: str) -> Terms:
        return cls(**json.loads(text))


def canonical(value: object) -> str:
    """The one way to write a value that is hashed: sorted keys, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
