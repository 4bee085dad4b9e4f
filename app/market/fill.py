"""Fills and amendments: what is recorded when offers meet and when a contract changes (docs/market.md §1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FillKind(StrEnum):
    EXPAND = "expand"
    TRANSFER = "transfer"
    REDUCE = "reduce"


class AmendmentKind(StrEnum):
    FILL = "fill"
    REDEEM = "redeem"
    HALT = "halt"
    RESUME = "resume"
    SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True)
class Fill:
    """One meeting of two offers: `volume` units at the FIXED price of the older offer, in mills."""

    amendment: int
    bid: int
    ask: int
    buyer: int
    seller: int
    newcomer: int
    volume: int
    price: int
    kind: FillKind


@dataclass(frozen=True, slots=True)
class Amendment:
    """A numbered change of a contract, with open interest and `minted` after it."""

    number: int
    kind: AmendmentKind
    open_interest: int
    minted_mills: int
    at: int
