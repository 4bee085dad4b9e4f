"""The price of one contract, and which contract speaks for an issue (docs/market.md §8).

Nothing here can be had for a few tokens: a quote counts once it is firm, and what was paid counts by its whole. Pure
integer functions; prices are mills of FIXED, for a forecast of TRUE. Levels come best price first, without offers that
fill wholly or not at all and without suspended ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from app.market.terms.contract import UNIT_MILLS

Level = tuple[int, int]
"""(price, units)"""

FIRM_MILLS = 10_000
FIRM_SHARE = 40
"""A quote is firm once this much stands behind it, or this part of the contract's escrow if that is more."""

NEAR_MILLS = 200
"""Two prices farther apart have no middle that says anything."""


class Says(StrEnum):
    """Kind of a price."""

    MIDDLE = "middle"
    BETWEEN = "between"
    ENTERED = "entered at"
    AT_LEAST = "at least"
    AT_MOST = "at most"


@dataclass(frozen=True, slots=True)
class Price:
    """Value of FIXED, as far as the market shows it.

    `low` and `high` are the two ends for BETWEEN; for all others both are the price that is named.
    """

    says: Says
    low: int
    high: int

    @property
    def mills(self) -> int | None:
        """One price, where there is one."""
        return self.low if self.says in (Says.MIDDLE, Says.ENTERED) else None


@dataclass(frozen=True, slots=True)
class Paid:
    """Payments of all holders of a contract for the units they hold, by side; zero without units."""

    open_interest: int = 0
    fixed_mills: int = 0
    unfixed_mills: int = 0

    @property
    def escrow_mills(self) -> int:
        return UNIT_MILLS * self.open_interest


NOTHING_PAID = Paid()


def firm_bid(bids: Iterable[Level], escrow_mills: int) -> int | None:
    """The price of the bid that reaches what makes it firm, from the best down; None if all together do not."""
    return _firm(((price, units * price) for price, units in bids), escrow_mills)


def firm_ask(asks: Iterable[Level], escrow_mills: int) -> int | None:
    """The same from the other side: an ask puts up what UNFIXED costs."""
    return _firm(((price, units * (UNIT_MILLS - price)) for price, units in asks), escrow_mills)


def _firm(staked: Iterable[tuple[int, int]], escrow_mills: int) -> int | None:
    """Prices with what is put up at each. A fortieth of the escrow is compared times forty: nothing is rounded."""
    needed, total = max(FIRM_MILLS * FIRM_SHARE, escrow_mills), 0
    for price, mills in staked:
        total += mills * FIRM_SHARE
        if total >= needed:
            return price
    return None


def price_between(bid: int | None, ask: int | None, paid: Paid = NOTHING_PAID) -> Price | None:
    """The price that these firm quotes and what was paid come to; None where they say nothing."""
    if bid is not None and ask is not None:
        middle = (bid + ask) // 2
        return Price(Says.MIDDLE, middle, middle) if ask - bid <= NEAR_MILLS else Price(Says.BETWEEN, bid, ask)
    entered = entered_at(paid)
    if entered is not None and (bid is None or bid <= entered) and (ask is None or entered <= ask):
        return Price(Says.ENTERED, entered, entered)
    if bid is not None:
        return Price(Says.AT_LEAST, bid, bid)
    return Price(Says.AT_MOST, ask, ask) if ask is not None else None


def entered_at(paid: Paid) -> int | None:
    """The price at which the holders of both sides came in; None if they came in too far apart, or nobody holds."""
    units = paid.open_interest
    apart = abs(paid.fixed_mills + paid.unfixed_mills - paid.escrow_mills)
    if not units or apart > NEAR_MILLS * units:
        return None
    return (paid.fixed_mills + paid.escrow_mills - paid.unfixed_mills) // 2 // units


def price_of(bids: Iterable[Level], asks: Iterable[Level], paid: Paid = NOTHING_PAID) -> Price | None:
    """The price of one contract by itself."""
    escrow = paid.escrow_mills
    return price_between(firm_bid(bids, escrow), firm_ask(asks, escrow), paid)


class Candidate(Protocol):
    """A contract that may speak for its issue. `says_something`: it has a price."""

    @property
    def round(self) -> int: ...
    @property
    def open_interest(self) -> int: ...
    @property
    def maturation_at(self) -> int: ...
    @property
    def id(self) -> int: ...
    @property
    def says_something(self) -> bool: ...


C = TypeVar("C", bound=Candidate)


def headline(open_contracts: Sequence[C]) -> C | None:
    """The one of an issue's open contracts that speaks for it: newest round, most open interest, latest maturation.

    Of contracts with equally many units one without a price gives way: making a later date costs next to nothing.
    """
    return max(
        open_contracts,
        key=lambda one: (one.round, one.open_interest, one.says_something, one.maturation_at, -one.id),
        default=None,
    )
