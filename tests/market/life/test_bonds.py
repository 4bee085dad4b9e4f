"""Bonds: what they cost, and that none of a forfeited one is lost or made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.life.bonds import bond_mills, forfeited, joining_mills
from app.market.terms.contract import MAX_VOLUME

UNITS = st.integers(1, MAX_VOLUME)


@pytest.mark.parametrize(
    ("units", "open_interest", "by_hand", "by_pull"),
    [
        (1, 1, 1_000, 1_000),
        (10, 10, 1_000, 1_000),
        (11, 11, 1_000, 1_100),
        (20, 20, 1_000, 2_000),
        (21, 21, 1_050, 2_100),
        (200, 200, 10_000, 20_000),
        (1, 201, 1_005, 1_005),
        (10, 10_001, 50_005, 50_005),
    ],
)
def test_the_first_bond(units: int, open_interest: int, by_hand: int, by_pull: int) -> None:
    """50 mills a losing unit, 100 where a merged pull request closed; at least a token and half a percent."""
    assert bond_mills(units, open_interest, by_pull=False, law="2") == by_hand
    assert bond_mills(units, open_interest, by_pull=True, law="2") == by_pull


@pytest.mark.parametrize("by_pull", [False, True])
def test_law_1_asks_50_mills_a_losing_unit_whatever_closed(by_pull: bool) -> None:
    assert bond_mills(200, 200, by_pull=by_pull, law="1") == 10_000
    assert bond_mills(1, 201, by_pull=by_pull, law="1") == 1_005


@pytest.mark.parametrize(("units", "mills"), [(1, 1_000), (20, 1_000), (21, 1_050), (10_000, 500_000)])
def test_joining_takes_50_mills_a_losing_unit_at_least_a_token_and_nothing_for_the_escrow(
    units: int, mills: int
) -> None:
    assert joining_mills(units) == mills


@pytest.mark.parametrize(
    ("mills", "units", "shares"),
    [
        (10_000, {2: 200}, {2: 10_000}),
        (1_000, {2: 1, 3: 1, 4: 1}, {2: 334, 3: 333, 4: 333}),
        (1_001, {9: 1, 3: 1, 4: 1}, {9: 333, 3: 334, 4: 334}),
        (1_000, {2: 1, 3: 2}, {2: 333, 3: 667}),
        (1, {5: 1, 4: 1}, {5: 0, 4: 1}),
        (1_005, {1: 7, 2: 193}, {1: 35, 2: 970}),
    ],
)
def test_a_forfeited_bond_is_shared_by_units(mills: int, units: dict[int, int], shares: dict[int, int]) -> None:
    assert forfeited(mills, units) == shares


@given(st.integers(1, 10**15), st.dictionaries(st.integers(1, 10**6), UNITS, min_size=1, max_size=30))
def test_no_mill_of_a_forfeited_bond_is_lost_or_made(mills: int, units: dict[int, int]) -> None:
    shares, total = forfeited(mills, units), sum(units.values())
    assert sum(shares.values()) == mills
    assert shares.keys() == units.keys()
    for user, held in units.items():
        assert 0 <= shares[user] * total - mills * held + total < 2 * total
    for one, other in zip(sorted(units), sorted(units)[1:], strict=False):
        if units[one] >= units[other]:
            assert shares[one] >= shares[other]


@given(UNITS, UNITS)
def test_a_bond_grows_with_the_units_and_joining_never_costs_more_than_being_first(units: int, more: int) -> None:
    for by_pull in (False, True):
        first = bond_mills(units, units + more, by_pull=by_pull, law="2")
        assert first <= bond_mills(units + more, units + more, by_pull=by_pull, law="2")
        assert joining_mills(units) <= first
