"""An offer never fills against its own user; what happens to the own offers it meets instead (docs/market.md §3)."""

from __future__ import annotations

import pytest

from app.market.exchange.state import MAX_FILLS
from tests.market.drawing import (
    FIXED,
    IDS,
    MATURATION_AT,
    UNFIXED,
    book,
    crowded,
    drawing,
    match,
    offer,
    scene,
    suspended,
    trades,
)
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


@pytest.mark.parametrize("volume", [5, 9, 20])
def test_a_now_or_never_offer_that_trades_nothing_cuts_nothing(volume: int) -> None:
    fills, after = match(book("ann ask 9 @ 600"), offer(f"ann bid {volume} @ 700 now-or-never"))
    assert not (fills.fills or fills.cut)
    assert drawing(after) == ["ann ask 9 @ 600"]


def test_an_own_counter_offer_is_cut_by_no_more_than_what_others_filled_after_it() -> None:
    """The first by carol's three, the second by none: what bob filled came before it."""
    before = book("ann ask 9 @ 610", "bob ask 5 @ 600", "carol ask 5 @ 620", "ann ask 9 @ 630")
    before.cancel(IDS["carol"], 3, keep=3)
    fills, after = match(before, offer("ann bid 20 @ 700 now-or-never"))
    assert trades(fills) == [("bob", 5, 600), ("carol", 3, 620)]
    assert [(own.number, volume) for own, volume in fills.cut] == [(1, 3)]
    assert drawing(after) == ["ann ask 6 @ 610", "ann ask 9 @ 630"]
    check(after)


@pytest.mark.parametrize("condition", ["post-only", "all-or-none"])
@pytest.mark.parametrize(("volume", "left"), [(12, []), (5, ["ann ask 5 @ 600"])])
def test_a_post_only_or_all_or_none_one_goes_wholly_if_others_fill_anything_after_it(
    condition: str, volume: int, left: list[str]
) -> None:
    """bob's is there before ann's own one is passed, carol's three units after it."""
    before = book("bob ask 5 @ 590", f"ann ask 5 @ 600 {condition}", "carol ask 5 @ 620")
    before.cancel(IDS["carol"], 3, keep=3)
    _, after = match(before, offer(f"ann bid {volume} @ 700 now-or-never"))
    assert [line for line in drawing(after) if line.startswith("ann")] == left
    check(after)


def test_an_own_all_or_none_offer_that_would_have_been_skipped_was_not_reached() -> None:
    """beth's fifteen are more than she wants of the other side: both rest."""
    before = book("beth bid 15 @ 500 all-or-none")
    fills, after = match(before, offer("beth ask 10 @ 500"))
    assert not (fills.fills or fills.cut)
    assert drawing(after) == ["beth ask 10 @ 500", "beth bid 15 @ 500"]
    _, after = match(before, offer("beth ask 15 @ 500"))
    assert drawing(after) == ["beth ask 15 @ 500"]
    check(after)


def test_what_is_wanted_when_it_is_passed_says_if_it_would_have_been_skipped() -> None:
    """Bob leaves ann seven, fewer than her own eight: they stay. They go where she comes with nine more."""
    before = book("bob ask 5 @ 590", "ann ask 8 @ 600 all-or-none")
    _, after = match(before, offer("ann bid 12 @ 700"))
    assert drawing(after) == ["ann ask 8 @ 600", "ann bid 7 @ 700"]
    _, after = match(before, offer("ann bid 13 @ 700"))
    assert drawing(after) == ["ann bid 8 @ 700"]
    check(after)


def test_a_failed_all_or_none_offer_cancels_nothing_and_may_rest_crossed_with_its_owners() -> None:
    before = book("ann ask 9 @ 600", "bob ask 5 @ 650")
    for condition, rests in (("", ["ann bid 20 @ 700"]), (" now-or-never", [])):
        fills, after = match(before, offer(f"ann bid 20 @ 700 all-or-none{condition}"))
        assert not (fills.fills or fills.cut)
        assert drawing(after) == ["ann ask 9 @ 600", "bob ask 5 @ 650", *rests]
        check(after)


def test_a_re_tried_offer_cuts_its_owners_as_an_arrival_does() -> None:
    """It waits crossed with ann's own nine until bob and carol offer all it wants; both filled it after them."""
    before = book("ann ask 9 @ 600", "ann bid 8 @ 700 all-or-none", "bob ask 5 @ 650")
    fills, after = match(before, offer("carol ask 6 @ 660"))
    assert [fill.volume for fill in fills.fills] == [5, 3]
    assert [(own.number, volume) for own, volume in fills.cut] == [(1, 8)]
    assert drawing(after) == ["ann ask 1 @ 600", "carol ask 3 @ 660"]
    check(after)


def test_an_offer_that_is_stopped_for_too_many_fills_cuts_what_was_filled_after() -> None:
    story = crowded(MAX_FILLS + 1)
    story.add("ann ask 9 @ 400")
    story.add("ann ask 9 @ 500")
    fills = story.add(f"ann bid {5 * MAX_FILLS + 20} @ 600")
    assert (fills.stopped, len(fills.fills)) == (True, MAX_FILLS)
    assert [(own.fixed_price, volume) for own, volume in fills.cut] == [(400, 9)]


def test_an_offer_that_comes_back_to_its_pool_follows_the_same_rule() -> None:
    """ann's bid was suspended by a fill in another contract, and asked for its place again beside her own ask."""
    story = scene(maturations=((3, MATURATION_AT), (5, MATURATION_AT)))
    story.add("ann bid 10 @ 500 pool", 3)
    story.add("ann bid 10 @ 500 pool", 5)
    story.add("bob ask 10 @ 500", 5)
    assert suspended(story) == [1]
    story.add("ann ask 8 @ 450", 3)
    story.add("carol ask 6 @ 480", 3)
    story.add("ann bid 10 @ 500 pool", 5)
    fills = story.resume_offer(1)
    assert trades(fills) == [("carol", 6, 480)]
    assert drawing(story, 3) == ["ann bid 4 @ 500"]
    check(story)


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
