"""What the naive market is made of."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

FIXED, UNFIXED = "FIXED", "UNFIXED"
OTHER = {FIXED: UNFIXED, UNFIXED: FIXED}
MOST_FILLS, MOST_OFFERS_OF_USER, MOST_OFFERS, FEWEST_UNITS = 1_000, 50, 5_000, 5
MOST_ALL_OR_NONE_A_SIDE, MOST_ALL_OR_NONE_OF_USER, MOST_CONTRACTS_OF_A_POOL = 50, 5, 10


class Refused(Exception):
    """The command is refused; nothing has happened."""


@dataclass(frozen=True)
class Wanted:
    """An offer as it is asked for. `until` None: until maturation. `instant` is now-or-never."""

    action: str
    side: str
    volume: int
    price: int
    until: int | None = None
    instant: bool = False
    all_or_none: bool = False
    post_only: bool = False
    pooled: bool = False
    leaves_at_halt: bool = False


@dataclass
class Wish:
    """An offer in a contract. What is open of it is `sale` (paid with units) and `bought` (paid with money)."""

    number: int
    user: int
    contract: int
    wanted: Wanted
    volume: int
    until: int
    sale: int
    bought: int
    rank: int
    filled: int = 0
    cancelled: int = 0
    suspended: bool = False

    def __deepcopy__(self, memo: object) -> Wish:
        return copy.copy(self)

    @property
    def side(self) -> str:
        return self.wanted.side

    @property
    def price(self) -> int:
        return self.wanted.price

    @property
    def gains(self) -> str:
        """The side whose exposure it gains: what it buys, or the other of what it sells."""
        return self.side if self.wanted.action == "BUY" else OTHER[self.side]

    @property
    def gives(self) -> str:
        """The side whose units pay for the sale."""
        return OTHER[self.gains]

    @property
    def fixed_price(self) -> int:
        return self.price if self.side == FIXED else 1000 - self.price

    @property
    def open(self) -> int:
        return self.sale + self.bought

    @property
    def need(self) -> int:
        """The money its bought part needs at its limit."""
        return self.bought * self.price


@dataclass
class Holding:
    """Units of one side. `pool` of them were bought by the user's pool."""

    free: int = 0
    held: int = 0
    cost: int = 0
    pool: int = 0

    def __deepcopy__(self, memo: object) -> Holding:
        return copy.copy(self)

    @property
    def units(self) -> int:
        return self.free + self.held


@dataclass
class Contract:
    """`wishes` are the live and the suspended offers."""

    id: int
    maturation: int
    holdings: dict[tuple[int, str], Holding]
    status: str = "OPEN"
    minted: int = 0
    open_interest: int = 0
    escrow: int = 0
    law: str = "2"
    net_paid: dict[int, int] = field(default_factory=dict)
    """Of each user: paid in less taken out."""
    wishes: list[Wish] = field(default_factory=list)

    def trading(self, now: int) -> bool:
        return self.status == "OPEN" and now < self.maturation

    def live(self) -> list[Wish]:
        return [wish for wish in self.wishes if not wish.suspended]

    def queue(self, gains: str) -> list[Wish]:
        """The live offers that gain a side: best price for the others, then oldest."""
        sign = -1 if gains == FIXED else 1
        found = [wish for wish in self.live() if wish.gains == gains]
        return sorted(found, key=lambda wish: (wish.fixed_price * sign, wish.rank))


@dataclass
class History:
    """What has happened; a copy of a market begins without one."""

    wishes: dict[int, Wish] = field(default_factory=dict)
    fills: list[tuple[int, int, int, int, int, str]] = field(default_factory=list)
    """(contract, bid's number, ask's number, volume, FIXED price, kind), in order."""
    pairs: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(contract, instant, minted, open interest) after each change."""
    displaced: list[int] = field(default_factory=list)
    """All-or-none offers whose place a better one took, in order."""

    def __deepcopy__(self, memo: object) -> History:
        return History()
