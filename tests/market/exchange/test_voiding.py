"""Law 2: a VOID gives money back as far as the escrow goes (docs/market.md §5), in the core and the naive market."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.exchange.settlement import Payout
from app.market.exchange.voiding import LAW_1, Stake, VoidPrice, stakes_of, void_payouts
from app.market.terms.contract import Outcome
from tests.market.drawing import IDS, book, terms
from tests.market.invariants import check, check_void
from tests.market.tale import EARLY, Tale

LAW_2 = terms()


def void(tale: Tale, price: int | None = None) -> dict[str, int]:
    """What a VOID pays everybody, by name; the core and the naive market agree, and so does what was said before."""
    venue, state = tale.twins.venue, tale.twins.venue.market.contracts[EARLY]
    told = void_payouts(state.terms, stakes_of(state), None, price)
    before = {user: purse.free_mills + purse.reserve_mills for user, purse in venue.market.purses.items()}
    assert tale.twins.settle(EARLY, Outcome.VOID, 0, 1, price)
    tale.twins.check()
    after = {user: purse.free_mills + purse.reserve_mills for user, purse in venue.market.purses.items()}
    assert {user: after[user] - before[user] for user in told} == told
    return {name: after[user] - before[user] for name, user in IDS.items() if user in told}


def net_paid(tale: Tale, name: str) -> int:
    return tale.twins.venue.market.contracts[EARLY].net_paid[IDS[name]]


def base() -> Tale:
    tale = Tale()
    tale.add("adam buy unfixed 200 @ 800")
    tale.add("beth buy fixed 200 @ 200")
    return tale


# Example H


def test_h_1_whoever_held_from_the_start_gets_all_back() -> None:
    assert void(base()) == {"adam": 160_000, "beth": 40_000}


def test_h_2_what_a_gainer_took_comes_from_whoever_claims_more_than_half() -> None:
    tale = base()
    tale.add("beth sell fixed 200 @ 400")
    tale.add("charles buy fixed 200 @ 400")
    assert net_paid(tale, "beth") == -40_000
    assert void(tale) == {"adam": 120_000, "charles": 80_000}
    assert tale.earned("beth") == 40_000


def test_h_3_what_a_loser_left_goes_to_whoever_claims_less_than_half() -> None:
    tale = base()
    tale.add("adam sell unfixed 200 @ 700")
    tale.add("bobby buy unfixed 200 @ 700")
    assert net_paid(tale, "adam") == 20_000
    assert void(tale) == {"beth": 60_000, "bobby": 140_000}


def test_h_4_a_trade_with_oneself_sets_no_price() -> None:
    tale = Tale()
    tale.add("ann buy fixed 5 @ 999")
    tale.add("bob buy unfixed 5 @ 1")
    tale.add("carol buy unfixed 975 @ 800")
    tale.add("ann buy fixed 975 @ 200")
    assert void(tale) == {"ann": 4_995 + 195_000, "bob": 5, "carol": 780_000}


def test_h_5_the_worst_that_can_be_done_leaves_half_a_token_a_unit() -> None:
    tale = Tale()
    tale.add("carol buy unfixed 400 @ 800")
    tale.add("ann buy fixed 400 @ 200")
    tale.add("ann sell fixed 400 @ 999")
    tale.add("bob buy fixed 400 @ 999")
    assert void(tale) == {"bob": 200_000, "carol": 200_000}


@pytest.mark.parametrize("price", [600, 500, 400])
def test_h_5_whoever_paid_half_or_less_loses_nothing(price: int) -> None:
    tale = Tale()
    tale.add(f"carol buy unfixed 400 @ {price}")
    tale.add(f"ann buy fixed 400 @ {1000 - price}")
    tale.add("ann sell fixed 400 @ 999")
    tale.add("bob buy fixed 400 @ 999")
    assert void(tale)["carol"] == 400 * min(price, 500)


def test_h_6_odd_mills_go_by_largest_remainder() -> None:
    """The third paid in 1300 for what is one unit now: the claim is the token that it can bring."""
    stakes = {1: Stake(3, 0, 1_000), 2: Stake(0, 2, 1_201), 3: Stake(0, 1, 1_300)}
    assert void_payouts(LAW_2, stakes) == {1: 1_000, 2: 1_143, 3: 857}


# Claims


def test_net_paid_counts_fills_and_redemptions_and_stays_with_who_left() -> None:
    tale = base()
    tale.add("charles buy fixed 50 @ 300")
    tale.add("beth sell fixed 50 @ 300")
    tale.add("charles buy unfixed 20 @ 650")
    tale.add("ann buy fixed 20 @ 350")
    assert net_paid(tale, "beth") == 40_000 - 15_000
    assert net_paid(tale, "charles") == 15_000 - 20 * 350
    assert net_paid(tale, "ann") == 20 * 350
    tale.add("beth sell fixed 150 @ 900")
    tale.add("bob buy fixed 150 @ 900")
    assert net_paid(tale, "beth") == 25_000 - 135_000


def test_a_redeemed_pair_takes_a_token_out() -> None:
    """Charles waited for FIXED before he held UNFIXED, so the two meet as a pair: he leaves with 0.10 gained."""
    tale = base()
    tale.add("charles buy fixed 10 @ 400")
    tale.add("charles buy unfixed 10 @ 590")
    tale.add("adam sell unfixed 10 @ 590")
    tale.add("beth sell fixed 10 @ 400")
    assert net_paid(tale, "charles") == 4_000 + 5_900 - 10_000
    assert void(tale) == {"adam": 160_000 - 5_900 - 100, "beth": 36_000}


def test_pairs_that_offers_hold_back_are_redeemed_by_the_void_itself() -> None:
    tale = base()
    tale.add("beth sell fixed 200 @ 990")
    tale.add("charles buy fixed 20 @ 300")
    tale.add("ann buy unfixed 20 @ 700")
    tale.add("charles sell fixed 20 @ 980")
    tale.add("dave buy fixed 15 @ 400")
    tale.add("charles buy unfixed 15 @ 600")
    state = tale.twins.venue.market.contracts[EARLY]
    charles = stakes_of(state)[IDS["charles"]]
    assert (charles.fixed, charles.unfixed, charles.pairs, charles.net_paid_mills) == (20, 15, 15, 15_000)
    assert void(tale)["charles"] == 15_000


def test_whoever_took_out_more_than_was_paid_in_claims_nothing() -> None:
    """What is missing is shared by the two who claim more than half: 227 3/11 and 272 8/11 are left above it."""
    stakes = {1: Stake(1, 0, -5_000), 2: Stake(9, 0, 7_000), 3: Stake(0, 10, 8_000)}
    assert void_payouts(LAW_2, stakes) == {1: 0, 2: 4_500 + 227, 3: 5_000 + 273}


def test_two_equal_remainders_give_the_odd_mill_to_the_lower_id() -> None:
    stakes = {4: Stake(0, 1, 700), 2: Stake(0, 1, 700), 9: Stake(2, 0, 601)}
    assert void_payouts(LAW_2, stakes) == {2: 700, 4: 699, 9: 601}
    over = {4: Stake(0, 1, 300), 2: Stake(0, 1, 300), 9: Stake(2, 0, 1_399)}
    assert void_payouts(LAW_2, over) == {2: 301, 4: 300, 9: 1_399}


@pytest.mark.parametrize(("price", "paid"), [(None, {1: 2_000, 2: 8_000}), (1, {1: 2_000, 2: 8_000})])
def test_a_named_price_changes_nothing_where_all_get_back_what_they_paid(
    price: int | None, paid: dict[int, int]
) -> None:
    stakes = {1: Stake(10, 0, 2_000), 2: Stake(0, 10, 8_000)}
    assert void_payouts(LAW_2, stakes, None, price) == paid


@pytest.mark.parametrize(
    ("price", "adam", "charles"), [(400, 120_000, 80_000), (200, 160_000, 40_000), (300, 140_000, 60_000)]
)
def test_a_resolvers_price_is_the_half_of_each_side(price: int, adam: int, charles: int) -> None:
    """Example H 2: the 40 tokens that Beth took come from those who claim more than the price gives them."""
    tale = base()
    tale.add("beth sell fixed 200 @ 400")
    tale.add("charles buy fixed 200 @ 400")
    assert void(tale, price) == {"adam": adam, "charles": charles}


def test_a_void_by_law_2_bears_no_fee_and_reads_no_pair() -> None:
    standing = book(holding=["ann 10 fixed @ 200"], fee_bps=1_000)
    other = copy.deepcopy(standing)
    _, paid = standing.settle(Outcome.VOID, VoidPrice(9_999, 10))
    assert paid == other.settle(Outcome.VOID)[1]
    assert [(one.paid_mills, one.cost_mills, one.fee_mills) for one in paid] == [(2_000, 2_000, 0), (8_000, 8_000, 0)]
    check(standing)


def test_nobody_holds_anything() -> None:
    assert void_payouts(LAW_2, {}) == {}
    assert void_payouts(LAW_2, {1: Stake(0, 0, -40)}) == {}
    assert void_payouts(terms(law=LAW_1), {1: Stake(0, 0, -40)}, VoidPrice(1, 1)) == {}


def test_law_1_pays_at_the_pair_and_redeems_pairs_first() -> None:
    stakes = {1: Stake(7, 2, 0), 2: Stake(0, 5, 0)}
    assert void_payouts(terms(law=LAW_1), stakes, VoidPrice(1, 3)) == {1: 2_001, 2: 4_999}
    assert void_payouts(terms(law=LAW_1), stakes, None, 200) == {1: 3_000, 2: 4_000}
    with pytest.raises(ValueError, match=r"^a VOID needs its price$"):
        void_payouts(terms(law=LAW_1), stakes)


# Everything else


def payouts(stakes: dict[int, Stake], price: int | None = None) -> list[Payout]:
    found = void_payouts(LAW_2, stakes, None, price)
    return [Payout(user, mills - 1_000 * stakes[user].pairs, 0, 0) for user, mills in found.items()]


@given(data=st.data(), price=st.one_of(st.none(), st.integers(1, 999)))
def test_every_payout_lies_between_claim_and_half_and_they_sum_to_the_escrow(
    data: st.DataObject, price: int | None
) -> None:
    units = st.lists(st.integers(1, 40), min_size=1, max_size=6)
    fixed = data.draw(units)
    interest = sum(fixed)
    unfixed: list[int] = []
    while (left := interest - sum(unfixed)) > 0:
        unfixed.append(data.draw(st.integers(1, left)))
    holders = [*((count, 0) for count in fixed), *((0, count) for count in unfixed)]
    paid = data.draw(st.lists(st.integers(-3_000, 60_000), min_size=len(holders), max_size=len(holders)))
    stakes = {user: Stake(*held, mills) for user, (held, mills) in enumerate(zip(holders, paid, strict=True), 1)}
    check_void(stakes, payouts(stakes, price), 500 if price is None else price)
