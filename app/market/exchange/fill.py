"""Fills and amendments: what is recorded when offers meet and when a contract changes (docs/market.md §1)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


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
    RESTORED = "restored"  # an older backup was restored: what follows has numbers that were never handed out


class Fill(NamedTuple):
    """One meeting of two offers: `volume` units at the FIXED price of the older offer, in mills.

    `newcomer` is the offer that arrived or was tried; `sold`: it paid with units.
    """

    contract: int
    amendment: int
    bid: int
    ask: int
    buyer: int
    seller: int
    newcomer: int
    volume: int
    price: int
    kind: FillKind
    sold: bool


class Amendment(NamedTuple):
    """A numbered change of a contract, with open interest and `minted` after it."""

    contract: int
    number: int
    kind: AmendmentKind
    open_interest: int
    minted_mills: int
