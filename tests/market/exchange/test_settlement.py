"""Paying a contract out: FIXED, UNFIXED, VOID by law 1, the fee and the odd mills (docs/market.md §5)."""

from __future__ import annotations

import copy
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.exchange.fill import AmendmentKind
from app.market.exchange.voiding import VoidPrice, split, void_fixed_mills
from app.market.terms.contract import Outcome, Status
from tests.market.drawing import FIXED, IDS, PURSE_MILLS, UNFIXED, Scene, book, earned
from tests.market.invariants import check


def settled(before: Scene, outcome: Outcome, void: VoidPrice | None = None) -> Scene:
    after = copy.deepcopy(before)
    after.settle(outcome, void)
    check(after)
    assert after.state.status is Status.SETTLED
    return after


@pytest.mark.parametrize(("outcome", "ann", "bob"), [(Outcome.FIXED, 10_000, 0), (Outcome.UNFIXED, 0, 10_000)])
def test_a_unit_of_the_winning_side_pays_a_token(outcome: Outcome, ann: int, bob: int) -> None:
    before = book("bob ask 10 @ 300", "ann bid 10 @ 300")
    after = settled(before, outcome)
    assert (earned(before, after, "ann"), earned(before, after, "bob")) == (ann, bob)
    assert (after.escrow, after.fees) == (0, 0)


def test_offers_are_cancelled_and_reserves_come_free() -> None:
    before = book("ann sell fixed 6 @ 600", "bob bid 7 @ 400", "carol ask 5 @ 700", holding=["ann 10 fixed @ 200"])
    after = settled(before, Outcome.UNFIXED)
    assert (after.free("bob"), after.free("carol")) == (PURSE_MILLS, PURSE_MILLS)
    assert [known.cancelled for known in after.offers.values() if known.cancelled] == [6, 7, 5]


def test_units_on_sale_are_paid_like_free_ones() -> None:
    before = book("ann sell fixed 6 @ 600", holding=["ann 10 fixed @ 200"])
    assert earned(before, settled(before, Outcome.FIXED), "ann") == 10_000


def test_settling_is_one_amendment_with_nothing_left() -> None:
    standing = book("bob bid 7 @ 400", holding=["ann 10 fixed @ 200"])
    changes, _ = standing.settle(Outcome.FIXED)
    last = changes.amendments[-1]
    assert (last.kind, last.open_interest, last.minted_mills) == (AmendmentKind.SETTLEMENT, 0, 0)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_contract_that_nobody_holds_settles_with_nothing_to_pay(outcome: Outcome) -> None:
    standing = book("bob bid 7 @ 400", law="1")
    _, payouts = standing.settle(outcome, VoidPrice(0, 0))
    assert (payouts, standing.free("bob")) == ([], PURSE_MILLS)
    check(standing)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_it_cannot_be_done_twice(outcome: Outcome) -> None:
    standing = settled(book(holding=["ann 10 fixed @ 200"]), Outcome.FIXED)
    before = copy.deepcopy(standing.picture())
    with pytest.raises(ValueError, match="settled already"):
        standing.settle(outcome, VoidPrice(1, 2))
    assert standing.picture() == before


def test_a_void_without_a_price_changes_nothing() -> None:
    standing = book("bob bid 7 @ 400", holding=["ann 10 fixed @ 200"], law="1")
    before = copy.deepcopy(standing.picture())
    with pytest.raises(ValueError, match="price"):
        standing.settle(Outcome.VOID)
    assert standing.picture() == before


@pytest.mark.parametrize(("fee_bps", "fee"), [(0, 0), (1, 0), (100, 80), (777, 621), (1_000, 800)])
def test_the_fee_is_the_floor_of_a_part_of_the_gain(fee_bps: int, fee: int) -> None:
    before = book(holding=["ann 10 fixed @ 200"], fee_bps=fee_bps)
    after = settled(before, Outcome.FIXED)
    assert (after.fees, earned(before, after, "ann")) == (fee, 10_000 - fee)


def test_who_loses_pays_no_fee() -> None:
    before = book(holding=["ann 10 fixed @ 200"], fee_bps=1_000)
    after = settled(before, Outcome.UNFIXED)
    assert (after.fees, earned(before, after, "crowd")) == (200, 10_000 - 200)


def test_the_fee_counts_what_the_units_cost_whoever_sold_them() -> None:
    before = book("ann sell fixed 10 @ 900", "bob bid 10 @ 900", holding=["ann 10 fixed @ 200"], fee_bps=1_000)
    after = settled(before, Outcome.FIXED)
    assert (after.fees, earned(before, after, "ann")) == (100, 0)


def test_a_void_bears_no_fee_though_somebody_gains() -> None:
    before = book(holding=["ann 10 fixed @ 200"], fee_bps=1_000, law="1")
    after = settled(before, Outcome.VOID, VoidPrice(9, 10))
    assert (after.fees, earned(before, after, "ann"), earned(before, after, "crowd")) == (0, 9, 9_991)


def test_a_void_gives_those_who_entered_at_the_void_price_their_money_back() -> None:
    before = book(law="1")
    traded = copy.deepcopy(before)
    for line in ("bob ask 7 @ 371", "ann bid 7 @ 371"):
        traded.add(line)
    after = settled(traded, Outcome.VOID, VoidPrice(traded.state.minted_mills, traded.state.open_interest))
    assert (earned(before, after, "ann"), earned(before, after, "bob")) == (0, 0)


def test_a_void_reads_the_pair_of_then_and_the_open_interest_of_now() -> None:
    """Ten units at 333 then; seventeen now: FIXED holders share floor(17 * 3330 / 10) = 5 661."""
    assert void_fixed_mills(17, VoidPrice(3_330, 10)) == 5_661
    before = book(holding=["ann 10 fixed @ 333", "bob 7 fixed @ 900"], law="1")
    after = settled(before, Outcome.VOID, VoidPrice(3_330, 10))
    assert (earned(before, after, "ann"), earned(before, after, "bob")) == (3_330, 2_331)
    assert earned(before, after, "crowd") == 17_000 - 5_661


def test_the_odd_mills_of_a_void_go_by_largest_remainder_then_lowest_user() -> None:
    """20 mills for 3, 3 and 1 of 7 units: 8 4/7, 8 4/7 and 2 6/7; the two odd mills go to carol, then ann."""
    before = book(holding=["bob 3 fixed @ 200", "carol 1 fixed @ 200", "ann 3 fixed @ 200"], law="1")
    after = settled(before, Outcome.VOID, VoidPrice(20, 7))
    assert [earned(before, after, name) for name in ("ann", "bob", "carol")] == [9, 8, 3]
    assert earned(before, after, "crowd") == 7_000 - 20


@pytest.mark.parametrize("price", [0, 1, 500, 1_000])
def test_a_resolver_may_name_another_price(price: int) -> None:
    before = book(holding=["ann 10 fixed @ 200"], law="1")
    after = settled(before, Outcome.VOID, VoidPrice(price, 1))
    assert (earned(before, after, "ann"), earned(before, after, "crowd")) == (10 * price, 10_000 - 10 * price)


def test_payouts_say_what_each_user_got() -> None:
    standing = book(holding=["ann 10 fixed @ 200"], fee_bps=1_000)
    _, payouts = standing.settle(Outcome.FIXED)
    assert [(payout.user, payout.paid_mills, payout.cost_mills, payout.fee_mills) for payout in payouts] == [
        (IDS["ann"], 9_200, 2_000, 800),
        (IDS["crowd"], 0, 8_000, 0),
    ]


@given(
    mills=st.integers(0, 10**15),
    units=st.dictionaries(st.integers(1, 99), st.integers(1, 10**9), min_size=1, max_size=12),
)
def test_a_split_gives_everything_away_and_nobody_more_than_a_mill_too_much(mills: int, units: dict[int, int]) -> None:
    shares = split(mills, units)
    total = sum(units.values())
    assert sum(shares.values()) == mills
    assert all(abs(shares[user] * total - mills * held) < total for user, held in units.items())


@given(mills=st.integers(0, 10**6), units=st.dictionaries(st.integers(1, 9), st.integers(1, 30), min_size=2))
def test_a_split_favours_larger_remainders_then_lower_users(mills: int, units: dict[int, int]) -> None:
    shares, total = split(mills, units), sum(units.values())
    favour = {user: shares[user] - mills * held // total for user, held in units.items()}
    order = sorted(units, key=lambda user: (-(mills * units[user] % total), user))
    assert [favour[user] for user in order] == sorted(favour.values(), reverse=True)
    assert set(favour.values()) <= {0, 1}


def test_a_split_among_nobody_is_empty() -> None:
    assert split(0, {}) == {}


@given(data=st.data())
def test_a_void_of_odd_numbers_conserves_every_mill(data: st.DataObject) -> None:
    names = st.sampled_from(("ann", "bob", "carol", "dave"))
    held = data.draw(st.lists(st.tuples(names, st.integers(1, 13), st.integers(1, 999)), min_size=1, max_size=6))
    standing = book(holding=[f"{name} {volume} fixed @ {price}" for name, volume, price in held], law="1")
    before = Counter(standing.balances)
    pair = VoidPrice(data.draw(st.integers(0, 12_345)), data.draw(st.integers(13, 99)))
    _, payouts = standing.settle(Outcome.VOID, pair)
    check(standing)
    total = sum(volume for _, volume, _ in held)
    assert sum(payout.paid_mills for payout in payouts) == 1_000 * total
    assert min(payout.paid_mills for payout in payouts) >= 0
    assert sum(before.values()) == sum(standing.balances.values()) == 0
    assert not any(sum(standing.units(name, side)) for name in IDS for side in (FIXED, UNFIXED))
