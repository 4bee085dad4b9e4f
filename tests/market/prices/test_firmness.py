"""What somebody must put up to move a price by a tenth of a token (docs/market.md §8)."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from app.market.prices.firmness import MOVE_MILLS, cost_to_move
from app.market.prices.price import Level, Paid, Price, Says, price_of

DEEP = 10**6


def flipped(levels: list[Level]) -> list[Level]:
    return [(1000 - price, units) for price, units in levels]


def test_where_there_is_no_price_nothing_can_be_moved() -> None:
    assert cost_to_move([], []) is None
    assert cost_to_move([], [(200, 200)]) is None
    assert cost_to_move([(200, 200)], [(500, 200)]) is None


def test_what_people_entered_at_is_contradicted_by_one_firm_quote() -> None:
    """11 units asked at 0.09, or a bid at the top: ten tokens and what rounding to whole units adds."""
    assert cost_to_move([], [], Paid(200, 40_000, 160_000)) == 11 * 999
    assert cost_to_move([], [], Paid(20_000, 4_000_000, 16_000_000)) == 501 * 999


def test_a_thin_book_is_bought_up_and_a_bid_left() -> None:
    """The cheaper ask goes, and a bid stands before the dearer one; or as much of it as leaves it too small."""
    assert cost_to_move([(480, 100)], [(500, 50), (700, DEEP)]) == 50 * 500 + 15 * 699
    assert cost_to_move([(480, 100)], [(500, 50), (681, DEEP)]) == 31 * 500 + 21 * 499


def test_a_book_that_is_only_just_firm_is_moved_by_one_unit() -> None:
    assert cost_to_move([(500, DEEP)], [(501, 21), (700, DEEP)]) == 501
    assert price_of([(500, DEEP)], [(501, 20), (700, DEEP)]) == Price(Says.MIDDLE, 600, 600)


def test_a_deep_book_takes_what_stands_within_a_tenth() -> None:
    bids = [(price, DEEP) for price in range(499, 390, -1)]
    asks = [(price, DEEP) for price in range(501, 610)]
    found = cost_to_move(bids, asks)
    assert found is not None and found > 99 * DEEP * 501


BOOKS = st.tuples(
    st.lists(st.tuples(st.integers(300, 499), st.integers(1, 200)), max_size=5, unique_by=lambda level: level[0]),
    st.lists(st.tuples(st.integers(500, 700), st.integers(1, 200)), max_size=5, unique_by=lambda level: level[0]),
)


def moved(before: Price | None, after: Price | None) -> bool:
    assert before is not None and before.mills is not None
    return after is not None and (after.low >= before.mills + MOVE_MILLS or after.high <= before.mills - MOVE_MILLS)


@given(BOOKS)
def test_more_behind_the_quotes_costs_no_less(book: tuple[list[Level], list[Level]]) -> None:
    """With ten times as much at each price, whoever moves it pays no less."""
    bids, asks = sorted(book[0], reverse=True), sorted(book[1])
    more_bids, more_asks = ([(price, 10 * units) for price, units in half] for half in (bids, asks))
    assume(price_of(bids, asks) == price_of(more_bids, more_asks))
    told, then = cost_to_move(bids, asks), cost_to_move(more_bids, more_asks)
    assert told is None or then is None or told <= then


@given(BOOKS, st.integers(1, 999), st.integers(1, 200), st.booleans())
def test_one_offer_for_less_than_what_is_told_moves_nothing(
    book: tuple[list[Level], list[Level]], price: int, units: int, bid: bool
) -> None:
    """An offer that waits, of a size that costs less than what is told."""
    bids, asks = sorted(book[0], reverse=True), sorted(book[1])
    before = price_of(bids, asks)
    told = cost_to_move(bids, asks)
    assume(before is not None and before.mills is not None and told is not None)
    if bid:
        assume((not asks or price < asks[0][0]) and told is not None and units * price < told)
        after = price_of(sorted([*bids, (price, units)], reverse=True), asks)
    else:
        assume((not bids or price > bids[0][0]) and told is not None and units * (1000 - price) < told)
        after = price_of(bids, sorted([*asks, (price, units)]))
    assert not moved(before, after)
