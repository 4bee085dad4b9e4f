"""A contract as the calculation sees it, and the changes a calculation hands back.

A calculation owns the state it is given: it changes it in place and returns what has to be stored. A refusal is raised
before anything is changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.market.book import Book
from app.market.contract import UNIT_MILLS, Side, Status, Terms
from app.market.fill import Amendment, AmendmentKind, Fill
from app.market.journal import AccountKey, Entry, Kind, entry, unit_currency
from app.market.offer import Offer
from app.market.position import Position


@dataclass(slots=True)
class ContractState:
    """Everything about one contract that a command may change. `amendment` is the number of the last amendment."""

    id: int
    terms: Terms
    maturation_at: int
    status: Status = Status.OPEN
    open_interest: int = 0
    minted_mills: int = 0
    amendment: int = 0
    book: Book = field(default_factory=Book)
    positions: dict[tuple[int, Side], Position] = field(default_factory=dict)

    @property
    def escrow_mills(self) -> int:
        return UNIT_MILLS * self.open_interest

    def position(self, user: int, side: Side) -> Position:
        found = self.positions.get((user, side))
        if found is None:
            found = self.positions[user, side] = Position()
        return found

    def free_units(self, user: int, side: Side) -> int:
        found = self.positions.get((user, side))
        return found.free if found else 0


@dataclass(slots=True)
class Changes:
    """What a calculation did, in order: to be stored in one transaction.

    `cut` is (own counter-offer, volume cancelled by the self-trade rule); `sale_volume` how many units of an arriving
    offer were to be paid with units held.
    """

    fills: list[Fill] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    amendments: list[Amendment] = field(default_factory=list)
    offers: dict[int, Offer] = field(default_factory=dict)
    positions: set[tuple[int, Side]] = field(default_factory=set)
    cut: list[tuple[Offer, int]] = field(default_factory=list)
    sale_volume: int = 0


class Recorder:
    """Moves money and units of one contract and writes each step down as a journal entry."""

    def __init__(self, state: ContractState, cause: str, now: int) -> None:
        self.state = state
        self.cause = cause
        self.now = now
        self.changes = Changes()
        self._moves: dict[AccountKey, int] = {}

    def move(self, kind: Kind, owner: int, currency: str, amount: int) -> None:
        key = AccountKey(kind, owner, currency)
        self._moves[key] = self._moves.get(key, 0) + amount

    def money(self, kind: Kind, owner: int, mills: int) -> None:
        self.move(kind, owner, self.state.terms.currency, mills)

    def close_entry(self, key: str) -> None:
        """Write the moves since the last call down as one entry; none if nothing moved."""
        item = entry(key, self.cause, self.now, self._moves)
        self._moves = {}
        if item.postings:
            self.changes.entries.append(item)

    def amend(self, kind: AmendmentKind) -> int:
        state = self.state
        state.amendment += 1
        self.changes.amendments.append(
            Amendment(state.amendment, kind, state.open_interest, state.minted_mills, self.now)
        )
        return state.amendment

    def touch(self, offer: Offer) -> None:
        self.changes.offers[offer.number] = offer

    def gain_units(self, user: int, side: Side, volume: int, paid_mills: int) -> None:
        self.state.position(user, side).gain(volume, paid_mills)
        self._units(Kind.UNITS_FREE, user, side, volume)

    def lose_units(self, user: int, side: Side, volume: int, reserved: bool) -> None:
        self.state.position(user, side).lose(volume, reserved)
        self._units(Kind.UNITS_RESERVED if reserved else Kind.UNITS_FREE, user, side, -volume)

    def reserve_units(self, user: int, side: Side, volume: int) -> None:
        """Hold free units back for a live sell; a negative volume lets reserved ones go."""
        self.state.position(user, side).reserve(volume)
        self._units(Kind.UNITS_FREE, user, side, -volume)
        self._units(Kind.UNITS_RESERVED, user, side, volume)

    def _units(self, kind: Kind, user: int, side: Side, volume: int) -> None:
        if volume:
            self.move(kind, user, unit_currency(self.state.id, side), volume)
            self.changes.positions.add((user, side))

    def issue(self, volume: int, minted_mills: int) -> None:
        """Open interest grows by `volume` units of both sides, entered at `minted_mills` of FIXED money."""
        self.state.open_interest += volume
        self.state.minted_mills += minted_mills
        self._open_interest_moves(volume)

    def retire(self, volume: int) -> None:
        """Open interest shrinks; `minted` keeps its share, rounded up (docs/market.md §5, VOID)."""
        state = self.state
        state.minted_mills -= state.minted_mills * volume // state.open_interest
        state.open_interest -= volume
        self._open_interest_moves(-volume)

    def _open_interest_moves(self, volume: int) -> None:
        self.money(Kind.ESCROW, self.state.id, UNIT_MILLS * volume)
        for side in Side:
            self.move(Kind.UNITS_ISSUED, self.state.id, unit_currency(self.state.id, side), -volume)

    def redeem(self, user: int) -> int:
        """Pay 1000 mills for each pair of free units a user holds, within the entry being written."""
        state = self.state
        pairs = min(state.free_units(user, Side.FIXED), state.free_units(user, Side.UNFIXED))
        if pairs:
            for side in Side:
                self.lose_units(user, side, pairs, reserved=False)
            self.retire(pairs)
            self.money(Kind.FREE, user, UNIT_MILLS * pairs)
        return pairs

    def release(self, offer: Offer, volume: int, key: str) -> None:
        """Cancel `volume` of an offer that stands in the book and give back what was held for it."""
        mills, units = offer.cut(volume)
        self.touch(offer)
        self.money(Kind.RESERVE, offer.user, -mills)
        self.money(Kind.FREE, offer.user, mills)
        if units:
            self.reserve_units(offer.user, offer.gives, -units)
        if not offer.remaining:
            self.state.book.remove(offer)
        if self.redeem(offer.user):
            self.amend(AmendmentKind.REDEEM)
        self.close_entry(key)
