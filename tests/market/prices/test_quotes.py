"""What prices of several dates say together: chances, arbitrage, spark lines (docs/market.md §8)."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.exchange.fill import FillKind
from app.market.prices.price import Level, Paid, Price, Says
from app.market.prices.quotes import (
    Arbitrage,
    Ladder,
    Trade,
    arbitrages,
    chances,
    contradictions,
    side_price,
    spark_points,
    spark_range,
)
from app.market.terms.contract import MAX_VOLUME, Side

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


# -- the chance by date -------------------------------------------------------------------------------------------

NEAR = ladder(1, 100, [(500, 20)], [(540, 22)])


def june(bids: list[Level], asks: list[Level]) -> Ladder:
    return ladder(2, 200, bids, asks)


def said(books: list[Ladder]) -> list[Price | None]:
    return [chance.price for chance in chances(books)]


def test_two_dates_that_agree_have_their_own_chances() -> None:
    books = [NEAR, june([(620, 17)], [(700, 34)])]
    assert said(books) == [Price(Says.MIDDLE, 520, 520), Price(Says.MIDDLE, 660, 660)]
    assert contradictions(books) == []


def test_five_units_at_a_silly_price_contradict_nobody() -> None:
    books = [NEAR, june([], [(10, 5)])]
    assert said(books) == [Price(Says.MIDDLE, 520, 520), Price(Says.AT_LEAST, 500, 500)]
    assert contradictions(books) == []


def test_eleven_units_contradict_and_are_worth_five_tokens_and_more() -> None:
    books = [NEAR, june([], [(10, 11)])]
    assert said(books) == [Price(Says.MIDDLE, 520, 520), Price(Says.AT_MOST, 10, 10)]
    assert [chance.contradicted for chance in chances(books)] == [True, True]
    (found,) = contradictions(books)
    assert (found.units, found.gain_mills) == (11, 5_390)
    assert f"{found.gain_mills / 1000:.1f}" == "5.4"


def test_a_date_without_quotes_lies_between_its_neighbours() -> None:
    books = [NEAR, june([], []), ladder(3, 300, [(620, 17)], [(700, 34)])]
    assert said(books)[1] == Price(Says.MIDDLE, 600, 600)
    assert chances(books)[1].low == 500 and chances(books)[1].high == 700


def test_what_was_paid_counts_where_no_date_contradicts_it() -> None:
    paid = Paid(100, 60_000, 40_000)
    later = Ladder(2, 200, [], [], paid)
    assert said([NEAR, later]) == [Price(Says.MIDDLE, 520, 520), Price(Says.ENTERED, 600, 600)]
    earlier = Ladder(2, 50, [], [], paid)
    assert said([NEAR, earlier]) == [Price(Says.AT_MOST, 540, 540), Price(Says.MIDDLE, 520, 520)]


@st.composite
def firm_ladders(draw: st.DrawFn) -> list[Ladder]:
    """Books of several dates with offers from a few tokens to many, each not crossed by itself."""
    found = []
    for contract in range(1, draw(st.integers(1, 6)) + 1):
        prices = sorted(draw(st.sets(st.integers(1, 999), max_size=5)))
        cut = draw(st.integers(0, len(prices)))
        units = st.integers(1, 200)
        bids = [(price, draw(units)) for price in reversed(prices[:cut])]
        asks = [(price, draw(units)) for price in prices[cut:]]
        found.append(Ladder(contract, draw(st.integers(1, 4)), bids, asks, Paid(draw(st.sampled_from([0, 1_000])))))
    return found


@given(firm_ladders())
def test_where_nothing_contradicts_chances_never_fall_with_later_dates(books: list[Ladder]) -> None:
    found = [chance for chance in chances(books) if not chance.contradicted]
    for earlier, later in combinations(found, 2):
        assert earlier.low is None or (later.low is not None and earlier.low <= later.low)
        assert later.high is None or (earlier.high is not None and earlier.high <= later.high)
    points = [chance.low + chance.high for chance in found if chance.low is not None and chance.high is not None]
    assert points == sorted(points)


@given(firm_ladders())
def test_dates_are_contradicted_if_and_only_if_there_is_something_to_gain(books: list[Ladder]) -> None:
    apart = len({book.maturation_at for book in books}) == len(books)
    contradicted = any(chance.contradicted for chance in chances(books))
    if apart:
        assert contradicted == bool(contradictions(books))
    for one in contradictions(books):
        assert one.gain_mills > 0
        assert one in arbitrages(books)


@given(firm_ladders(), PRICES, st.integers(1, 4), st.booleans())
def test_a_date_made_for_five_units_changes_no_other(books: list[Ladder], price: int, at: int, bid: bool) -> None:
    small = ladder(99, at, [(price, 5)] if bid else [], [] if bid else [(price, 5)])
    after = [chance for chance in chances([*books, small]) if chance.contract != 99]
    assert after == chances(books)
    assert contradictions([*books, small]) == contradictions(books)


# -- single prices ------------------------------------------------------------------------------------------------


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
