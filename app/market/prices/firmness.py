"""Firmness of a price: the money it takes to move it by a tenth of a token (docs/market.md §8).

Whoever wants to move it up buys FIXED from the cheapest asks, until what is left asks for more, and leaves a firm bid
just below. Down is the same with the sides exchanged. What is found is enough to move the price, and about the least.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.market.prices.price import FIRM_MILLS, FIRM_SHARE, NOTHING_PAID, Level, Paid, Price, price_of
from app.market.terms.contract import UNIT_MILLS

MOVE_MILLS = 100


@dataclass(frozen=True, slots=True)
class _Book:
    bids: Sequence[Level]
    asks: Sequence[Level]
    paid: Paid

    def price(self) -> Price | None:
        return price_of(self.bids, self.asks, self.paid)

    def flipped(self) -> _Book:
        """The same in the price of UNFIXED."""
        paid = Paid(self.paid.open_interest, self.paid.unfixed_mills, self.paid.fixed_mills)
        return _Book(_flipped(self.asks), _flipped(self.bids), paid)


def _flipped(levels: Sequence[Level]) -> list[Level]:
    return [(UNIT_MILLS - price, units) for price, units in levels]


def cost_to_move(bids: Sequence[Level], asks: Sequence[Level], paid: Paid = NOTHING_PAID) -> int | None:
    """Mills to be put up, bought units and offers together; None where there is no price that could move."""
    book = _Book(bids, asks, paid)
    found = book.price()
    at = None if found is None else found.mills
    if at is None:
        return None

    def up(after: _Book) -> bool:
        return _is(after.price(), lambda price: price.low >= at + MOVE_MILLS)

    def down(after: _Book) -> bool:
        return _is(after.flipped().price(), lambda price: price.high <= at - MOVE_MILLS)

    costs = [held for held, after in _attempts(book) if up(after)]
    costs += [held for held, after in _attempts(book.flipped()) if down(after)]
    return min(costs, default=None)


def _is(price: Price | None, wanted: Callable[[Price], bool]) -> bool:
    return price is not None and wanted(price)


def _attempts(book: _Book) -> Iterator[tuple[int, _Book]]:
    """Costs, each with the book after it: any number of the cheapest asks are bought, with and without a bid left."""
    cost, asks, paid = 0, list(book.asks), book.paid
    while True:
        for units in _enough(asks, paid):
            yield from _with_a_bid(*_bought(cost, asks, paid, units), book.bids)
        if not asks:
            return
        cost, asks, paid = _bought(cost, asks, paid, asks[0][1])


def _bought(cost: int, asks: list[Level], paid: Paid, units: int) -> tuple[int, list[Level], Paid]:
    """After buying units of the first level: they are new ones, so both sides have paid for them."""
    if not units:
        return cost, asks, paid
    price, there = asks[0]
    rest = [(price, there - units), *asks[1:]] if units < there else asks[1:]
    mills = units * price
    held = Paid(paid.open_interest + units, paid.fixed_mills + mills, paid.unfixed_mills + units * UNIT_MILLS - mills)
    return cost + mills, rest, held


def _with_a_bid(cost: int, asks: list[Level], paid: Paid, bids: Sequence[Level]) -> Iterator[tuple[int, _Book]]:
    yield cost, _Book(bids, asks, paid)
    price = asks[0][0] - 1 if asks else UNIT_MILLS - 1
    if price:
        units = -(-_needed(paid) // (FIRM_SHARE * price))
        yield cost + units * price, _Book([(price, units), *bids], asks, paid)


def _needed(paid: Paid) -> int:
    """Money that makes a quote firm, times FIRM_SHARE."""
    return max(FIRM_MILLS * FIRM_SHARE, paid.escrow_mills)


def _enough(asks: Sequence[Level], paid: Paid) -> Iterator[int]:
    """None of the first level's units, or as few as take its firmness from a level."""
    yield 0
    if not asks:
        return
    price, there = asks[0]
    staked, share = 0, FIRM_SHARE * (UNIT_MILLS - price)
    for other, units in asks:
        staked += FIRM_SHARE * units * (UNIT_MILLS - other)
        by_itself = (staked - FIRM_MILLS * FIRM_SHARE) // share + 1
        with_escrow = (staked - paid.escrow_mills) // (share + UNIT_MILLS) + 1
        fewest = min(by_itself, with_escrow)
        if 0 < fewest < there:
            yield fewest
