"""An offer never fills against its own user; what happens to the own offers it meets instead (docs/market.md §3)."""

from __future__ import annotations

from tests.market.drawing import FIXED, UNFIXED, book, drawing, match, offer, trades
from tests.market.invariants import check


def test_an_offer_that_comes_to_rest_cancels_every_own_counter_offer_it_reached() -> None:
    before = book("ann ask 5 @ 600", "bob ask 5 @ 620", "ann ask 50 @ 700", "ann ask 5 @ 701")
    fills, after = match(before, offer("ann bid 12 @ 700"))
    assert trades(fills) == [("bob", 5, 620)]
    assert drawing(after) == ["ann ask 5 @ 701", "ann bid 7 @ 700"]
    assert [(own.number, volume) for own, volume in fills.cut] == [(1, 5), (3, 50)]
    check(after)


def test_an_offer_that_only_meets_its_own_user_rests_in_its_place() -> None:
    fills, after = match(book("ann ask 5 @ 600"), offer("ann bid 7 @ 600"))
    assert not fills.fills
    assert drawing(after) == ["ann bid 7 @ 600"]
    assert after.reserve("ann") == 7 * 600


def test_if_others_fill_it_an_own_counter_offer_is_cut_by_what_it_would_have_filled() -> None:
    before = book("ann ask 9 @ 600", "bob ask 10 @ 650")
    fills, after = match(before, offer("ann bid 6 @ 700"))
    assert trades(fills) == [("bob", 6, 650)]
    assert drawing(after) == ["ann ask 3 @ 600", "bob ask 4 @ 650"]
    assert after.offers[1].cancelled == 6


def test_an_own_counter_offer_smaller_than_what_is_wanted_is_gone() -> None:
    _, after = match(book("ann ask 5 @ 600", "bob ask 10 @ 650"), offer("ann bid 6 @ 700"))
    assert drawing(after) == ["bob ask 4 @ 650"]


def test_the_newcomers_volume_is_not_reduced() -> None:
    fills, _ = match(book("ann ask 9 @ 600", "bob ask 20 @ 650"), offer("ann bid 15 @ 700"))
    assert trades(fills) == [("bob", 15, 650)]


def test_an_own_counter_offer_that_was_not_passed_stays_whole() -> None:
    before = book("bob ask 6 @ 600", "ann ask 9 @ 600", "ann ask 9 @ 650")
    _, after = match(before, offer("ann bid 6 @ 700"))
    assert drawing(after) == ["ann ask 9 @ 600", "ann ask 9 @ 650"]


def test_each_own_counter_offer_is_cut_by_what_was_still_wanted_when_it_was_passed() -> None:
    """Each for itself: that the first would have filled does not save the second."""
    before = book("ann ask 9 @ 600", "bob ask 5 @ 610", "ann ask 9 @ 620", "carol ask 7 @ 630")
    fills, after = match(before, offer("ann bid 12 @ 700"))
    assert trades(fills) == [("bob", 5, 610), ("carol", 7, 630)]
    assert drawing(after) == ["ann ask 2 @ 620"]


def test_now_or_never_cuts_what_it_passed_though_nobody_filled_it() -> None:
    """It does not come to rest, so the own offer loses what would have filled and no more."""
    fills, after = match(book("ann ask 9 @ 600"), offer("ann bid 6 @ 700 now-or-never"))
    assert not fills.fills
    assert drawing(after) == ["ann ask 3 @ 600"]


def test_a_cut_takes_the_bought_part_first_and_frees_the_units_last() -> None:
    before = book("ann bid 10 @ 300", "carol bid 8 @ 300", holding=["ann 4 unfixed @ 500"])
    assert (before.reserve("ann"), before.units("ann", UNFIXED)) == (6 * 300, (0, 4))
    fills, after = match(before, offer("ann ask 5 @ 300"))
    assert trades(fills) == [("carol", 5, 300)]
    assert (after.reserve("ann"), after.units("ann", UNFIXED)) == (1 * 300, (5, 4))
    _, after = match(before, offer("ann ask 8 @ 300"))
    assert (after.reserve("ann"), after.units("ann", UNFIXED)) == (0, (8 + 2, 2))
    check(after)


def test_units_that_a_cut_frees_are_redeemed_against_free_ones() -> None:
    """ann sells her FIXED at 600 and holds UNFIXED bought meanwhile; her bid takes the sale away."""
    before = book("ann sell fixed 10 @ 600", "ann ask 6 @ 300", "bob bid 6 @ 300", holding=["ann 10 fixed @ 200"])
    assert (before.units("ann", FIXED), before.units("ann", UNFIXED)) == ((0, 10), (6, 0))
    _, after = match(before, offer("ann sell unfixed 5 @ 400"))
    assert drawing(after) == ["ann bid 5 @ 600"]
    assert (after.units("ann", FIXED), after.units("ann", UNFIXED)) == ((9, 0), (0, 5))
    assert after.free("ann") - before.free("ann") == 1_000
    check(after)


def test_the_money_of_cancelled_own_offers_comes_back_but_does_not_pay_for_the_newcomer() -> None:
    before = book("ann ask 5 @ 600")
    _, after = match(before, offer("ann bid 5 @ 600"))
    assert (after.reserve("ann"), after.free("ann") + after.reserve("ann")) == (3_000, 10_000_000)
