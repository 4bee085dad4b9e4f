"""Offers: what a user wishes for, and what of it is still open (docs/market.md §2).

A bid gains FIXED exposure (buy FIXED, sell UNFIXED), an ask gives it up (sell FIXED, buy UNFIXED). An offer pays with
units it sells and with money: `units_left` and `cash_left` say how much of what is open is paid in which way. A buyer
who holds free units of the other side sells those first, so a buy may have both parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from app.market.terms.contract import UNIT_MILLS, Side


class Action(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


class OfferState(StrEnum):
    LIVE = "LIVE"
    SUSPENDED = "SUSPENDED"
    DONE = "DONE"


BUY: Final = Action.BUY  # looked up once: enums are slow at it
FIXED: Final = Side.FIXED


def is_bid(action: Action, side: Side) -> bool:
    """Tell if such an offer gains FIXED exposure."""
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


@dataclass(init=False, slots=True)
class NewOffer:
    """An offer before it has arrived. `price` is of the named side in mills; `until_at` None means maturation.

    Nobody changes one. It is not frozen because making it would then take six times as long, and has an `__init__` in
    words because only such a one is compiled.
    """

    action: Action
    side: Side
    volume: int
    price: int
    until_at: int | None
    now_or_never: bool
    all_or_none: bool
    post_only: bool
    pool: bool
    cancel_on_halt: bool

    def __init__(
        self,
        action: Action,
        side: Side,
        volume: int,
        price: int,
        until_at: int | None = None,
        now_or_never: bool = False,
        all_or_none: bool = False,
        post_only: bool = False,
        pool: bool = False,
        cancel_on_halt: bool = False,
    ) -> None:
        self.action = action
        self.side = side
        self.volume = volume
        self.price = price
        self.until_at = until_at
        self.now_or_never = now_or_never
        self.all_or_none = all_or_none
        self.post_only = post_only
        self.pool = pool
        self.cancel_on_halt = cancel_on_halt

    def __deepcopy__(self, memo: dict[int, object]) -> NewOffer:
        return self


FIELDS: Final = (
    "bid",
    "cancelled",
    "cash_left",
    "contract",
    "created_at",
    "filled",
    "fixed_price",
    "held",
    "number",
    "placed",
    "price",
    "ranging",
    "rank",
    "special",
    "suspended",
    "units_left",
    "until_at",
    "user",
    "volume",
)
"""State of an Offer."""


class Offer:
    """An offer with a number. Always: volume = filled + units_left + cash_left + cancelled.

    `rank` is its place in time: of two offers the one with the lower rank is the older. `held`: what is open is held
    back, because it stands in a book. `ranging`: it is meeting several books. `placed` is what was asked for, of which
    action, side and conditions are read; `bid` and `fixed_price` follow from it; `special`: pooled or all-or-none.
    """

    __slots__ = FIELDS

    def __init__(
        self,
        new: NewOffer,
        number: int,
        user: int,
        contract: int,
        until_at: int,
        units_left: int,
        cash_left: int,
        created_at: int,
    ) -> None:
        self.number = self.rank = number
        self.user = user
        self.contract = contract
        self.placed = new
        self.price = price = new.price
        self.volume = units_left + cash_left
        self.until_at = until_at
        self.created_at = created_at
        self.special = new.pool or new.all_or_none
        self.units_left = units_left
        self.cash_left = cash_left
        self.filled = self.cancelled = 0
        self.held = self.suspended = self.ranging = False
        fixed = new.side is FIXED
        self.bid = (new.action is BUY) == fixed
        self.fixed_price = price if fixed else UNIT_MILLS - price

    def __copy__(self) -> Offer:
        """In words, because a compiled class has to be made with its arguments."""
        twin = Offer(self.placed, self.number, self.user, self.contract, self.until_at, 0, 0, self.created_at)
        for name in FIELDS:
            setattr(twin, name, getattr(self, name))
        return twin

    def __deepcopy__(self, memo: dict[int, object]) -> Offer:
        """Copy the offer; both share the wish, which nobody changes."""
        return self.__copy__()

    @property
    def action(self) -> Action:
        return self.placed.action

    @property
    def side(self) -> Side:
        return self.placed.side

    @property
    def now_or_never(self) -> bool:
        return self.placed.now_or_never

    @property
    def all_or_none(self) -> bool:
        return self.placed.all_or_none

    @property
    def post_only(self) -> bool:
        return self.placed.post_only

    @property
    def cancel_on_halt(self) -> bool:
        return self.placed.cancel_on_halt

    @property
    def pooled(self) -> bool:
        return self.placed.pool

    @property
    def remaining(self) -> int:
        return self.units_left + self.cash_left

    @property
    def gives(self) -> Side:
        """The side whose units pay for the part that is a sale: a bid gives UNFIXED, an ask FIXED."""
        return Side.UNFIXED if self.bid else Side.FIXED

    @property
    def need_mills(self) -> int:
        """Money that its bought part needs at its own limit; a sale needs none.

        In the midst of a range it needs all that is still wanted: the next contract may have nothing to sell there.
        """
        return (self.remaining if self.ranging else self.cash_left) * self.price

    @property
    def reserve_mills(self) -> int:
        """Money held back for it alone: that of a pooled offer is held by its pool, a suspended one needs none."""
        return 0 if self.pooled else self.need_mills

    @property
    def state(self) -> OfferState:
        if not self.remaining:
            return OfferState.DONE
        return OfferState.SUSPENDED if self.suspended else OfferState.LIVE

    def as_new(self) -> NewOffer:
        """The offer as it would be placed anew for what is open of it."""
        return replace(self.placed, volume=self.remaining, until_at=self.until_at)

    def cut(self, volume: int) -> tuple[int, int]:
        """Cancel `volume` of what is open, the bought part first; returns the (bought, sold) units given up."""
        bought = min(volume, self.cash_left)
        self.cash_left -= bought
        self.units_left -= volume - bought
        self.cancelled += volume
        return bought, volume - bought
