"""The price of a contract, the contract that speaks for an issue, and the reward on offer (docs/market.md §8)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.market.prices.price import (
    FIRM_MILLS,
    Level,
    Paid,
    Price,
    Says,
    entered_at,
    firm_ask,
    firm_bid,
    headline,
    price_between,
    price_of,
)
from app.market.prices.reward import Ask, reward_mills, stake_of

PRICES = st.integers(1, 999)
UNITS = st.integers(1, 10**6)
LEVELS = st.lists(st.tuples(PRICES, UNITS), max_size=8)
ESCROWS = st.integers(0, 10**7).map(lambda units: 1000 * units)


def middle(mills: int) -> Price:
    return Price(Says.MIDDLE, mills, mills)


def at_least(mills: int) -> Price:
    return Price(Says.AT_LEAST, mills, mills)


def at_most(mills: int) -> Price:
    return Price(Says.AT_MOST, mills, mills)


def entered(mills: int) -> Price:
    return Price(Says.ENTERED, mills, mills)


def bids_of(levels: list[Level]) -> list[Level]:
    return sorted(levels, reverse=True)


def mirrored(levels: list[Level]) -> list[Level]:
    """Bids as asks: FIXED at p is UNFIXED at 1000 − p."""
    return [(1000 - price, units) for price, units in levels]


# -- the examples of the law --------------------------------------------------------------------------------------

FIFTY = (500, 20)
"""20 units at .50 put up just what makes a quote firm."""


def test_the_price_is_the_middle_of_firm_quotes() -> None:
    assert price_of([FIFTY], [(540, 22)]) == middle(520)


def test_five_units_between_the_quotes_move_nothing() -> None:
    assert price_of([(535, 5), FIFTY], [(540, 22)]) == middle(520)


def test_nineteen_units_move_it() -> None:
    assert price_of([(535, 18), FIFTY], [(540, 22)]) == middle(520)
    assert price_of([(535, 19), FIFTY], [(540, 22)]) == middle(537)


def test_a_funder_alone_says_at_most() -> None:
    assert price_of([], [(200, 200)]) == at_most(200)


def test_what_a_funder_and_a_fixer_paid_says_where_they_entered() -> None:
    assert price_of([], [], Paid(200, 40_000, 160_000)) == entered(200)


def test_quotes_far_apart_have_no_middle() -> None:
    assert price_of([(300, 50)], [(500, 50)]) == middle(400)
    assert price_of([(300, 50)], [(501, 50)]) == Price(Says.BETWEEN, 300, 501)


def test_one_quote_says_at_least_or_at_most_and_none_nothing() -> None:
    assert price_of([FIFTY], []) == at_least(500)
    assert price_of([], [FIFTY]) == at_most(500)
    assert price_of([(500, 19)], [(501, 20)]) is None


def test_a_firm_quote_that_contradicts_what_was_paid_goes_before_it() -> None:
    paid = Paid(200, 40_000, 160_000)
    assert price_of([(200, 50)], [], paid) == entered(200)
    assert price_of([(201, 50)], [], paid) == at_least(201)
    assert price_of([], [(200, 50)], paid) == entered(200)
    assert price_of([], [(199, 50)], paid) == at_most(199)


def test_what_was_paid_counts_if_both_sides_came_in_near_each_other() -> None:
    assert entered_at(Paid(10, 4_000, 8_000)) == 300
    assert entered_at(Paid(10, 4_000, 8_001)) is None
    assert entered_at(Paid(10, 2_000, 6_000)) == 300
    assert entered_at(Paid(10, 2_000, 5_999)) is None
    assert entered_at(Paid(3, 1_000, 2_001)) == 333
    assert entered_at(Paid()) is None


def test_a_quote_is_firm_with_ten_tokens_or_a_fortieth_of_the_escrow() -> None:
    assert (firm_bid([(500, 20)], 400_000), firm_bid([(500, 20)], 401_000)) == (500, None)
    assert firm_bid([(500, 20), (400, 1)], 401_000) == 400
    assert (firm_ask([(500, 20)], 400_000), firm_ask([(500, 20)], 401_000)) == (500, None)
    assert firm_ask([(990, 999), (991, 2)], 0) == 991
    assert firm_bid([(500, 19), (100, 4)], 0) is None


# -- firm quotes --------------------------------------------------------------------------------------------------


def firm_by_hand(levels: list[Level], escrow_mills: int) -> int | None:
    needed = max(Fraction(FIRM_MILLS), Fraction(escrow_mills, 40))
    for count in range(1, len(levels) + 1):
        if sum(price * units for price, units in levels[:count]) >= needed:
            return levels[count - 1][0]
    return None


@given(LEVELS, ESCROWS)
def test_the_firm_bid_is_as_the_law_says(levels: list[Level], escrow: int) -> None:
    bids = bids_of(levels)
    assert firm_bid(bids, escrow) == firm_by_hand(bids, escrow)


@given(LEVELS, ESCROWS)
def test_the_firm_ask_is_the_firm_bid_from_the_other_side(levels: list[Level], escrow: int) -> None:
    bid = firm_bid(bids_of(levels), escrow)
    assert firm_ask(mirrored(bids_of(levels)), escrow) == (None if bid is None else 1000 - bid)


@given(LEVELS, PRICES, st.data())
def test_an_offer_for_less_than_ten_tokens_never_outbids_what_others_offer(
    levels: list[Level], price: int, data: st.DataObject
) -> None:
    units = data.draw(st.integers(1, (FIRM_MILLS - 1) // price))
    bids = bids_of(levels)
    before, after = firm_bid(bids, 0), firm_bid(bids_of([*levels, (price, units)]), 0)
    assert before is None or (after is not None and before <= after)
    if after is not None:
        assert after <= bids[0][0]


@given(PRICES, LEVELS, PRICES, st.data())
def test_an_offer_for_less_than_ten_tokens_changes_nothing_where_the_best_bid_is_firm_by_itself(
    best: int, worse: list[Level], price: int, data: st.DataObject
) -> None:
    """The best bid of others has what it takes; what is added there or below, or above it, is not enough."""
    units = data.draw(st.integers(1, (FIRM_MILLS - 1) // price))
    bids = bids_of([(best, -(-FIRM_MILLS // best)), *[level for level in worse if level[0] < best]])
    assert firm_bid(bids_of([*bids, (price, units)]), 0) == firm_bid(bids, 0) == best


@given(LEVELS, LEVELS, st.integers(0, 10**6), st.integers(0, 10**9), st.integers(0, 10**9))
def test_whatever_stands_there_has_a_price_or_none(
    one: list[Level], other: list[Level], interest: int, fixed: int, unfixed: int
) -> None:
    """Crossed books, too: all-or-none offers apart there are none, but nothing that is shown may fail."""
    found = price_of(bids_of(one), sorted(other), Paid(interest, fixed, unfixed))
    if found is not None and found.says is not Says.ENTERED:
        assert 1 <= found.low <= 999 and 1 <= found.high <= 999
        assert (found.mills is None) == (found.says is not Says.MIDDLE)


@given(st.integers(1, 1_000), st.data())
def test_where_people_entered_lies_between_what_both_paid(units: int, data: st.DataObject) -> None:
    fixed = data.draw(st.integers(units, 999 * units))
    unfixed = data.draw(st.integers(units, 999 * units))
    found = entered_at(Paid(units, fixed, unfixed))
    if found is not None:
        low, high = sorted([Fraction(fixed, units), 1000 - Fraction(unfixed, units)])
        assert high - low <= 200
        assert low - 1 < found <= high and 1 <= found <= 999


@given(st.none() | PRICES, st.none() | PRICES, st.none() | PRICES)
def test_more_quotes_never_say_less(bid: int | None, ask: int | None, paid: int | None) -> None:
    assume(bid is None or ask is None or bid < ask)
    found = price_between(bid, ask, Paid(1, paid, 1000 - paid) if paid else Paid())
    assert (found is None) == (bid is None and ask is None and paid is None)
    if found is not None:
        assert (bid or 1) <= found.low <= found.high <= (ask or 999)


# -- which contract speaks ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    id: int
    open_interest: int = 0
    maturation_at: int = 100
    round: int = 1
    says_something: bool = True


def test_the_contract_with_most_open_interest_speaks_then_the_latest() -> None:
    assert headline([]) is None
    rows = [Row(1, 50, 90), Row(2, 40, 300), Row(3, 50, 200)]
    assert headline(rows) == rows[2]
    assert headline([*rows, Row(4, 1, 10, round=2)]) == Row(4, 1, 10, round=2)


def test_a_later_date_without_a_price_silences_nobody() -> None:
    priced, empty = Row(1, 0, 100), Row(2, 0, 900, says_something=False)
    assert headline([priced, empty]) == priced
    assert headline([empty]) == empty
    assert headline([priced, Row(3, 1, 50, says_something=False)]) == Row(3, 1, 50, says_something=False)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30), st.integers(1, 10**6))
def test_contracts_that_nobody_holds_never_take_the_word(dates: list[int], own: int) -> None:
    held = Row(0, 1, own)
    assert headline([held, *[Row(at, 0, when) for at, when in enumerate(dates, 1)]]) == held


# -- the reward on offer ------------------------------------------------------------------------------------------

GRANT = 1_000_000


def unfixed(volume: int, price: int, whole: bool = False) -> Ask:
    """An offer of UNFIXED as whoever buys FIXED from it sees it."""
    return Ask(1000 - price, volume, whole)


@pytest.mark.parametrize("grant", [0, GRANT])
def test_a_funder_of_200_at_80_offers_160(grant: int) -> None:
    funder = unfixed(200, 800)
    assert reward_mills([funder], stake_of(grant)) == 160_000
    assert reward_mills([funder, unfixed(900_000, 1)], stake_of(grant)) == 160_000


def test_a_reward_is_no_larger_than_what_a_newcomer_can_win() -> None:
    assert reward_mills([unfixed(10_000, 200)], stake_of(GRANT)) == 250_000


def test_an_all_or_none_ask_counts_only_if_a_newcomer_can_take_it_whole() -> None:
    assert reward_mills([Ask(549, 2_000, whole=True)], stake_of(GRANT)) == 0
    assert reward_mills([unfixed(2_000, 549, whole=True)], stake_of(0)) == 0
    assert reward_mills([Ask(549, 1_821, whole=True)], stake_of(GRANT)) == 1_821 * 451


def test_a_newcomer_without_a_grant_is_thought_to_have_100_tokens() -> None:
    assert stake_of(0) == 100_000
    assert reward_mills([Ask(500, 1_000)], stake_of(0)) == 100_000


def test_asks_are_bought_from_the_lowest_and_one_too_large_is_passed_over() -> None:
    asks = [Ask(400, 50), Ask(100, 400, whole=True), Ask(100, 200), Ask(801, 5)]
    assert reward_mills(asks, 30_000) == 200 * 900 + 25 * 600
    assert reward_mills(asks, 60_000) == 200 * 900 + 400 * 900


ASKS = st.lists(st.builds(Ask, PRICES, UNITS, st.booleans()), max_size=8)


@given(ASKS, st.integers(1, 10**9))
def test_a_reward_can_be_won_with_its_stake(asks: list[Ask], stake: int) -> None:
    """At the lowest price that there is, a stake wins no more; and taking all of it no more either."""
    found = reward_mills(asks, stake)
    cheap = [ask for ask in asks if ask.price <= 800]
    assert 0 <= found <= sum(ask.units * (1000 - ask.price) for ask in cheap)
    if cheap:
        lowest = min(ask.price for ask in cheap)
        assert found * lowest <= stake * (1000 - lowest)
    else:
        assert found == 0


@given(ASKS, st.integers(801, 999), UNITS, st.integers(1, 10**9))
def test_a_dear_ask_is_no_reward(asks: list[Ask], price: int, units: int, stake: int) -> None:
    assert reward_mills([*asks, Ask(price, units)], stake) == reward_mills(asks, stake)
