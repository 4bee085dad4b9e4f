"""What prices say: the implied curve, arbitrage over dates, spark lines (docs/market.md §8)."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.contract import MAX_VOLUME, Side
from app.market.fill import FillKind
from app.market.quotes import (
    Arbitrage,
    Ladder,
    Level,
    Trade,
    arbitrages,
    implied,
    mid,
    reward_mills,
    side_price,
    spark_points,
    spark_range,
)

PRICES = st.integers(1, 999)


def ladder(contract: int, at: int, bids: list[Level], asks: list[Level]) -> Ladder:
    return Ladder(contract, at, bids, asks)


@st.composite
def ladders(draw: st.DrawFn) -> list[Ladder]:
    """Books that do not rest crossed, of some dates; two contracts may share a date."""
    found = []
    for contract in range(1, draw(st.integers(1, 5)) + 1):
        prices = sorted(draw(st.sets(st.integers(1, 30), max_size=6)))
        cut = draw(st.integers(0, len(prices)))
        volume = st.integers(1, 20)
        bids = [(price, draw(volume)) for price in reversed(prices[:cut])]
        asks = [(price, draw(volume)) for price in prices[cut:]]
        found.append(Ladder(contract, draw(st.integers(1, 4)), bids, asks))
    return found


def best_by_hand(earlier: Ladder, later: Ladder) -> tuple[int, int]:
    """Units and gain by trading one unit after the other."""
    bids = [price for price, units in earlier.bids for _ in range(units)]
    asks = [price for price, units in later.asks for _ in range(units)]
    gains = [bid - ask for bid, ask in zip(bids, asks, strict=False) if bid > ask]
    return len(gains), sum(gains)


# -- arbitrage ----------------------------------------------------------------------------------------------------


@given(ladders())
def test_an_arbitrage_is_found_if_and_only_if_there_is_a_riskless_pair(books: list[Ladder]) -> None:
    by_hand = {
        (earlier.contract, later.contract): best_by_hand(earlier, later)
        for earlier in books
        for later in books
        if earlier.maturation_at < later.maturation_at and best_by_hand(earlier, later)[0]
    }
    found = {(one.earlier, one.later): (one.units, one.gain_mills) for one in arbitrages(books)}
    assert found == by_hand


@given(ladders())
def test_an_arbitrage_loses_in_no_case(books: list[Ladder]) -> None:
    """Fixed by the earlier date, only by the later, by neither: never less than both purchases cost."""
    for one in arbitrages(books):
        for later_pays, earlier_unfixed_pays in ((1, 0), (1, 1), (0, 1)):
            back = one.units * 1000 * (later_pays + earlier_unfixed_pays)
            assert back - one.cost_mills >= one.gain_mills > 0


@given(ladders())
def test_the_limits_of_an_arbitrage_reach_its_units(books: list[Ladder]) -> None:
    by_contract = {book.contract: book for book in books}
    for one in arbitrages(books):
        reached_asks = sum(units for price, units in by_contract[one.later].asks if price <= one.ask)
        reached_bids = sum(units for price, units in by_contract[one.earlier].bids if price >= one.bid)
        assert min(reached_asks, reached_bids) >= one.units
        assert one.ask < one.bid


@given(ladders())
def test_the_largest_gain_comes_first(books: list[Ladder]) -> None:
    gains = [one.gain_mills for one in arbitrages(books)]
    assert gains == sorted(gains, reverse=True)


def test_an_arbitrage_over_several_levels() -> None:
    december = ladder(1, 100, [(400, 30), (300, 50), (100, 99)], [(450, 10)])
    march = ladder(2, 200, [(200, 5)], [(250, 60), (290, 100)])
    assert arbitrages([march, december]) == [Arbitrage(1, 2, 80, 290, 300, 30 * 150 + 30 * 50 + 20 * 10)]
    assert arbitrages([march, december])[0].cost_mills == 80_000 - 6_200


def test_equal_prices_and_equal_dates_gain_nothing() -> None:
    assert arbitrages([ladder(1, 100, [(300, 5)], []), ladder(2, 200, [], [(300, 5)])]) == []
    assert arbitrages([ladder(1, 100, [(400, 5)], []), ladder(2, 100, [], [(300, 5)])]) == []
    assert arbitrages([ladder(1, 200, [(400, 5)], []), ladder(2, 100, [], [(300, 5)])]) == []


def test_an_arbitrage_is_no_larger_than_an_offer_may_be() -> None:
    books = [ladder(1, 1, [(500, 3 * MAX_VOLUME)], []), ladder(2, 2, [], [(400, MAX_VOLUME - 1), (450, MAX_VOLUME)])]
    assert arbitrages(books) == [Arbitrage(1, 2, MAX_VOLUME, 450, 500, (MAX_VOLUME - 1) * 100 + 50)]


# -- the implied curve --------------------------------------------------------------------------------------------


@given(st.lists(st.none() | PRICES, max_size=12))
def test_the_implied_chance_never_falls_with_later_dates(prices: list[int | None]) -> None:
    found = implied(prices)
    assert [chance is None for chance in found] == [price is None for price in prices]
    known = [chance for chance in found if chance is not None]
    assert all(earlier <= later for earlier, later in pairwise(known))
    quoted = [price for price in prices if price is not None]
    assert not quoted or min(quoted) <= known[0] <= known[-1] <= max(quoted)


@given(st.lists(PRICES, max_size=12))
def test_prices_that_do_not_contradict_are_the_implied_chances(prices: list[int]) -> None:
    assert implied(sorted(prices)) == sorted(prices)


@given(st.lists(PRICES, min_size=1, max_size=5), st.lists(PRICES, min_size=5, max_size=5))
def test_no_rising_curve_is_nearer_to_the_prices(prices: list[int], other: list[int]) -> None:
    """Least squares; rounding down costs less than one mill a date."""
    found = [chance for chance in implied(prices) if chance is not None]
    rising = sorted(other)[: len(prices)]
    slack = sum(2 * abs(price - chance) + 1 for price, chance in zip(prices, found, strict=True))
    assert _distance(prices, found) <= _distance(prices, rising) + slack


def _distance(prices: list[int], chances: list[int]) -> int:
    return sum((price - chance) ** 2 for price, chance in zip(prices, chances, strict=True))


def test_falling_neighbours_share_their_mean() -> None:
    assert implied([200, 600, 401, 900]) == [200, 500, 500, 900]
    assert implied([500, 400, 300]) == [400, 400, 400]
    assert implied([None, 300, None, 100]) == [None, 200, None, 200]
    assert implied([]) == []


# -- single prices ------------------------------------------------------------------------------------------------


def test_mid_needs_both_sides_and_is_rounded_down() -> None:
    assert mid(200, 305) == 252
    assert (mid(None, 305), mid(200, None), mid(None, None)) == (None, None, None)


def test_the_reward_is_what_all_asks_would_win() -> None:
    assert reward_mills([(200, 200), (350, 10)]) == 200 * 800 + 10 * 650
    assert reward_mills([]) == 0


def test_both_sides_are_worth_a_token_together() -> None:
    assert (side_price(Side.FIXED, 200), side_price(Side.UNFIXED, 200)) == (200, 800)
    assert side_price(Side.FIXED, 200) + side_price(Side.UNFIXED, 200) == 1000


def test_a_fill_is_known_by_contract_and_amendment() -> None:
    assert Trade(3, 17, 0, 500, 10, FillKind.EXPAND).id == "c3-17"


# -- spark lines --------------------------------------------------------------------------------------------------


@given(st.lists(PRICES, max_size=60), st.integers(1, 20))
def test_a_spark_line_ends_at_the_last_price_and_keeps_the_order(prices: list[int], most: int) -> None:
    points = spark_points(prices, most)
    assert len(points) == min(most, len(prices))
    assert points[-1:] == prices[-1:]
    numbered = spark_points(list(range(len(prices))), most)
    assert [prices[at] for at in numbered] == points
    assert all(earlier < later for earlier, later in combinations(numbered, 2))


@given(st.lists(PRICES, min_size=1, max_size=20))
def test_a_spark_line_holds_all_its_prices_and_shows_a_small_move_small(prices: list[int]) -> None:
    low, high = spark_range(prices)
    assert 0 <= low <= min(prices) <= max(prices) <= high <= 1000
    assert high - low == max(200, max(prices) - min(prices))


@pytest.mark.parametrize(
    ("prices", "drawn"),
    [
        ([500, 599], (450, 650)),
        ([500], (400, 600)),
        ([50], (0, 200)),
        ([1], (0, 200)),
        ([999], (800, 1000)),
        ([100, 900], (100, 900)),
        ([300, 500], (300, 500)),
        ([300, 499], (300, 500)),
    ],
)
def test_a_spark_line_is_widened_alike_on_both_sides_within_the_bounds(
    prices: list[int], drawn: tuple[int, int]
) -> None:
    assert spark_range(prices) == drawn
