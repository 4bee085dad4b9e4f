"""The market that a calculation works on, and the changes it returns.

A calculation owns the market it is given: it changes it in place and returns what was touched. A refusal is raised
before anything is changed.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from app.market.exchange.book import Book
from app.market.exchange.fill import Amendment, AmendmentKind, Fill, FillKind
from app.market.exchange.offer import Offer
from app.market.exchange.pool import Pool
from app.market.exchange.position import Position, Purses
from app.market.terms.contract import UNIT_MILLS, Side, Status, Terms

RawFill = tuple[int, int, Offer, Offer, Offer, int, int, FillKind, bool, int, int]
"""(contract, amendment, bid, ask, newcomer, volume, price, kind, newcomer sold, open interest and minted after it)"""


@dataclass(slots=True)
class ContractState:
    """Everything about one contract that a command may change. `amendment` is the number of the last amendment.

    `fixed`, `unfixed`: positions by user, also of those who hold nothing any more, for what they paid.
    """

    id: int
    terms: Terms
    maturation_at: int
    status: Status = Status.OPEN
    open_interest: int = 0
    minted_mills: int = 0
    amendment: int = 0
    book: Book = field(default_factory=Book)
    fixed: dict[int, Position] = field(default_factory=dict)
    unfixed: dict[int, Position] = field(default_factory=dict)

    @property
    def escrow_mills(self) -> int:
        return UNIT_MILLS * self.open_interest

    @property
    def net_paid(self) -> dict[int, int]:
        """Net paid by each user, in mills: the sum is the escrow."""
        found = {user: held.net_paid_mills for user, held in self.fixed.items()}
        for user, held in self.unfixed.items():
            found[user] = found.get(user, 0) + held.net_paid_mills
        return found

    def net_paid_by(self, user: int) -> int:
        fixed, unfixed = self.fixed.get(user), self.unfixed.get(user)
        return (fixed.net_paid_mills if fixed else 0) + (unfixed.net_paid_mills if unfixed else 0)

    def holders(self, side: Side) -> dict[int, Position]:
        """Positions of one side by user."""
        return self.fixed if side is Side.FIXED else self.unfixed

    def position(self, user: int, side: Side) -> Position:
        holders = self.holders(side)
        found = holders.get(user)
        if found is None:
            found = holders[user] = Position()
        return found

    def free_units(self, user: int, side: Side) -> int:
        found = self.holders(side).get(user)
        return found.free if found else 0

    def trades(self, now: int) -> bool:
        return self.status is Status.OPEN and now < self.maturation_at

    def retire(self, volume: int) -> None:
        """Open interest shrinks; `minted` keeps its share, rounded up (docs/market.md §5, VOID)."""
        self.minted_mills -= self.minted_mills * volume // self.open_interest
        self.open_interest -= volume


@dataclass(slots=True)
class Market:
    """Contracts of one currency that a command may change, the money of those concerned and their pools."""

    contracts: dict[int, ContractState] = field(default_factory=dict)
    purses: Purses = field(default_factory=Purses)
    pools: dict[int, Pool] = field(default_factory=dict)

    def add(self, state: ContractState) -> ContractState:
        self.contracts[state.id] = state
        return state

    def find(self, number: int) -> Offer | None:
        """A live or suspended offer."""
        for state in self.contracts.values():
            offer = state.book.offers.get(number) or state.book.suspended.get(number)
            if offer is not None:
                return offer
        return None


NOTHING: Final[frozenset[int]] = frozenset()

MAX_FILLS: Final = 1_000
"""More a command does not make."""


class Changes:
    """Result of a calculation. Everybody whose money or units it moved owns one of `touched` or is in `users`.

    `cut`: (own counter-offer, volume cancelled by the self-trade rule). `displaced`: (all-or-none offer whose place a
    better one took, volume that was open of it). `retried`: how many of the fills, the last ones, came from re-tries.
    `to_retry`: contracts whose all-or-none offers are to be tried by another calculation: a pool's offers left their
    books, or this one may make no more fills. `room`: how many it may make. `stopped`: it would have made more.
    """

    __slots__ = (
        "amendments",
        "cut",
        "dead",
        "displaced",
        "fees_mills",
        "raw_fills",
        "retried",
        "room",
        "stopped",
        "suspended",
        "to_retry",
        "touched",
        "users",
    )

    def __init__(self, room: int = MAX_FILLS) -> None:
        self.room = room
        self.raw_fills: list[RawFill] = []
        self.touched: list[Offer] = []
        self.dead: list[Offer] = []
        self.amendments: Sequence[Amendment] = ()  # seldom needed: an empty constant costs nothing
        self.cut: Sequence[tuple[Offer, int]] = ()
        self.displaced: Sequence[tuple[Offer, int]] = ()
        self.suspended: Sequence[Offer] = ()
        self.to_retry: Set[int] = NOTHING
        self.users: Set[int] = NOTHING
        self.retried = self.fees_mills = 0
        self.stopped = False

    @property
    def offers(self) -> dict[int, Offer]:
        """The touched ones by number, in the order in which they were first touched."""
        return {offer.number: offer for offer in self.touched}

    @property
    def fills(self) -> list[Fill]:
        return [
            Fill(contract, number, bid.number, ask.number, bid.user, ask.user, new.number, volume, price, kind, sold)
            for contract, number, bid, ask, new, volume, price, kind, sold, _, _ in self.raw_fills
        ]

    @property
    def all_amendments(self) -> list[Amendment]:
        """Those of the fills too, in the order of their numbers."""
        of_fills = [Amendment(raw[0], raw[1], AmendmentKind.FILL, raw[-2], raw[-1]) for raw in self.raw_fills]
        return sorted([*of_fills, *self.amendments])

    @property
    def touched_users(self) -> set[int]:
        return {offer.user for offer in self.touched}.union(self.users)

    def amend(self, state: ContractState, kind: AmendmentKind) -> None:
        state.amendment += 1
        made = Amendment(state.id, state.amendment, kind, state.open_interest, state.minted_mills)
        self.amendments = (*self.amendments, made)
