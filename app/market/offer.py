"""Offers: what a user wishes for, and what of it is still open (docs/market.md §2).

A bid gains FIXED exposure (buy FIXED, sell UNFIXED), an ask gives it up (sell FIXED, buy UNFIXED). An offer pays with
units it sells and with money: `units_left` and `cash_left` say how much of what is open is paid in which way. A buyer
who holds free units of the other side sells those first, so a buy may have both parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.market.contract import UNIT_MILLS, Side

MAX_VOLUME = 10**9


class Action(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


class OfferState(StrEnum):
    LIVE = "LIVE"
    DONE = "DONE"


def is_bid(action: Action, side: Side) -> bool:
    """Whether such an offer gains FIXED exposure."""
    return (action is Action.BUY) == (side is Side.FIXED)


def book_price(side: Side, price: int) -> int:
    """The price in FIXED: FIXED at p is the same thing as UNFIXED at 1000 - p."""
    return price if side is Side.FIXED else UNIT_MILLS - price


def price_from_deposit(deposit_mills: int, volume: int) -> int:
    """The highest price at which `volume` units cost no more than the deposit."""
    return deposit_mills // volume


def price_from_profit(profit_mills: int, volume: int) -> int:
    """The price at which winning gains no more than `profit_mills`, rounded to the offerer's side."""
    return UNIT_MILLS - profit_mills // volume


@dataclass(frozen=True, slots=True)
class NewOffer:
    """An offer before it has arrived. `price` is of the named side in mills; `until_at` None means maturation."""

    action: Action
    side: Side
    volume: int
    price: int
    until_at: int | None = None
    now_or_never: bool = False


@dataclass(slots=True)
class Offer:
    """An offer with a number. Always: volume = filled + units_left + cash_left + cancelled."""

    number: int
    user: int
    action: Action
    side: Side
    price: int
    volume: int
    until_at: int
    now_or_never: bool
    units_left: int
    cash_left: int
    filled: int = 0
    cancelled: int = 0

    @property
    def bid(self) -> bool:
        return is_bid(self.action, self.side)

    @property
    def fixed_price(self) -> int:
        return book_price(self.side, self.price)

    @property
    def remaining(self) -> int:
        return self.units_left + self.cash_left

    @property
    def gives(self) -> Side:
        """The side whose units pay for the part that is a sale: a bid gives UNFIXED, an ask FIXED."""
        return Side.UNFIXED if self.bid else Side.FIXED

    @property
    def reserve_mills(self) -> int:
        """Money that a live offer holds back: its bought part at its own limit."""
        return self.cash_left * self.price if self.action is Action.BUY else 0

    @property
    def state(self) -> OfferState:
        return OfferState.LIVE if self.remaining else OfferState.DONE

    def take(self, volume: int) -> None:
        """Count a fill; the sale fills first."""
        sold = min(volume, self.units_left)
        self.units_left -= sold
        self.cash_left -= volume - sold
        self.filled += volume

    def cut(self, volume: int) -> tuple[int, int]:
        """Cancel `volume` of what is open, the bought part first; returns (money mills, units) that come free."""
        bought = min(volume, self.cash_left)
        mills = bought * self.price
        self.cash_left -= bought
        self.units_left -= volume - bought
        self.cancelled += volume
        return mills, volume - bought
