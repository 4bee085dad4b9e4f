"""Cases that random commands have found: each one was wrong once."""

from __future__ import annotations

import pytest

from app.market.exchange.state import MAX_FILLS
from app.market.terms.errors import InvalidOffer, Refusal
from tests.market.drawing import (
    FIXED,
    MATURATION_AT,
    UNFIXED,
    Scene,
    book,
    crowded,
    drawing,
    give,
    kinds,
    scene,
    suspended,
    trades,
)
from tests.market.invariants import check

EARLY, LATE = 3, 5


def two() -> Scene:
    """Two contracts of one statement: c3 matures before c5."""
    return scene(maturations=((EARLY, MATURATION_AT), (LATE, MATURATION_AT + 1)))


def test_the_rest_of_a_pooled_range_keeps_its_money_where_it_goes_back_to_a_contract_left_before() -> None:
    """c5 is asked first, has nothing; c3 fills 5; the rest goes back to c5, which has the open interest."""
    story = two()
    story.add("bob ask 9 @ 500", LATE)
    story.add("carol bid 9 @ 500", LATE)
    story.add("bob ask 5 @ 400", EARLY)
    story.spread("ann bid 12 @ 500 pool", (EARLY, LATE))
    assert drawing(story, LATE) == ["ann bid 7 @ 500"]
    assert (story.left("ann"), story.reserve("ann")) == (3_500, 3_500)
    check(story)


def test_a_pooled_range_keeps_the_money_for_what_it_still_wants_while_it_sells() -> None:
    """In c5 ann sells units and needs no money; what she then buys in c3 must still be paid for by the pool."""
    story = two()
    give(story, "ann 10 unfixed @ 600", LATE)
    story.add("bob ask 5 @ 300", LATE)
    story.add("bob ask 5 @ 400", EARLY)
    before = story.free("ann")
    fills = story.spread("ann bid 10 @ 500 pool", (EARLY, LATE))
    assert trades(fills) == [("bob", 5, 300), ("bob", 5, 400)]
    assert (story.left("ann"), story.reserve("ann")) == (0, 0)
    assert story.free("ann") - before == 5 * 700 - 5 * 400
    check(story)


def test_suspended_are_all_that_need_more_than_the_fill_left_and_not_only_until_a_redemption_brings_more() -> None:
    """bob's ask would sell 9 FIXED and needs 3 x 467; his bid needs 8 x 499 = 3 992, and so much is in the pool. Buying
    7 UNFIXED at 500 leaves 492: both are suspended, whatever the FIXED that come free then bring."""
    story = book("carol bid 8 @ 500", holding=["bob 9 fixed @ 500 pool"])
    story.add("bob ask 12 @ 533 pool")
    story.add("bob bid 8 @ 499 pool")
    story.add("bob ask 7 @ 500 pool")
    assert suspended(story) == [4, 5]
    assert story.units("bob", FIXED) == (2, 0)
    check(story)


def test_post_only_does_not_come_back_into_a_book_where_a_re_try_would_fill_it() -> None:
    """bob's ten fill only together; ann's five, with carol's, would make them ten."""
    story = two()
    story.add("ann bid 5 @ 500 post-only pool", EARLY)
    story.add("ann bid 5 @ 400 pool", LATE)
    story.add("bob ask 5 @ 400", LATE)
    assert suspended(story) == [1]
    story.add("carol bid 5 @ 500", EARLY)
    story.add("bob ask 10 @ 500 all-or-none", EARLY)
    story.add("ann bid 25 @ 100 pool", LATE)
    before = story.picture()
    with pytest.raises(Refusal):
        story.resume_offer(1)
    assert story.picture() == before


def test_a_small_offer_is_refused_where_a_pools_suspension_keeps_it_from_filling_wholly() -> None:
    """bob's pool has 1 800 left: 2 units at 900 use it up, and his 5 at 300 are gone before ann gets there."""
    story = book("bob ask 5 @ 100 pool", "bob ask 5 @ 700 pool", "carol bid 3 @ 100 now-or-never")
    assert drawing(story) == ["bob ask 2 @ 100", "bob ask 5 @ 700"]
    with pytest.raises(InvalidOffer, match="at least 5 units"):
        story.add("ann bid 4 @ 700")


def test_all_or_none_may_take_all_the_fills_that_a_command_makes() -> None:
    story = crowded(MAX_FILLS)
    assert len(story.add(f"ann bid {5 * MAX_FILLS} @ 500 all-or-none").fills) == MAX_FILLS


def test_the_last_fill_of_a_command_may_take_an_all_or_none_offer() -> None:
    story = crowded(MAX_FILLS - 1)
    story.add("bob ask 5 @ 510 all-or-none")
    assert len(story.add(f"ann bid {5 * MAX_FILLS} @ 510").fills) == MAX_FILLS


def test_what_a_range_that_may_not_rest_leaves_over_is_cancelled_where_it_filled_last() -> None:
    """c5 is looked at first and last; nothing fills there, so there is no offer of hers there either."""
    story = two()
    story.add("ann ask 5 @ 400", LATE)
    story.add("bob ask 5 @ 400", EARLY)
    story.add("ann ask 5 @ 500", LATE)
    changes = story.spread("ann bid 8 @ 500 now-or-never", (EARLY, LATE))
    newcomers = [(made.contract, made.filled, made.cancelled) for made in changes.offers.values() if made.number > 3]
    assert newcomers == [(EARLY, 5, 3)]
    check(story)


def test_an_all_or_none_offer_that_was_suspended_in_the_sweep_is_not_met() -> None:
    """bob's five at 400 take the pool's money; his other five, all or none, are gone before ann gets there."""
    story = book("bob ask 5 @ 400 pool", "bob ask 5 @ 450 pool all-or-none")
    assert trades(story.add("ann bid 10 @ 500")) == [("bob", 5, 400)]
    assert (suspended(story), story.left("bob")) == ([2], 0)
    check(story)


def test_offers_that_a_pool_takes_away_do_not_count_among_the_fills_of_all_or_none() -> None:
    """bob's one unit at 450 is gone once his five at 100 have filled: with it there would be a fill too many."""
    story = book("bob ask 5 @ 450 pool", "carol bid 4 @ 450")
    crowded(MAX_FILLS - 1, story)
    story.add("bob ask 5 @ 100 pool")
    assert len(story.add(f"ann bid {5 * MAX_FILLS} @ 500 all-or-none").fills) == MAX_FILLS


def test_units_that_a_range_is_to_sell_are_not_redeemed_before_it_gets_there() -> None:
    """In c5 ann is to sell the five UNFIXED she holds. Her pool's ask, suspended by what she buys in c3, gives five
    FIXED free there meanwhile: they find nothing to be redeemed with."""
    story = two()
    give(story, "ann 5 fixed @ 500", LATE)
    story.add("ann ask 15 @ 600 pool", LATE)
    story.add("bob bid 5 @ 300", LATE)
    story.add("ann ask 5 @ 300", LATE)
    assert (story.units("ann", FIXED, LATE), story.units("ann", UNFIXED, LATE)) == ((0, 5), (5, 0))
    story.add("carol ask 5 @ 450", LATE)
    story.add("bob ask 5 @ 400", EARLY)
    fills = story.spread("ann bid 10 @ 500 pool", (EARLY, LATE))
    assert list(zip(trades(fills), kinds(fills), strict=True)) == [
        (("bob", 5, 400), "expand"),
        (("carol", 5, 450), "transfer"),
    ]
    assert (story.units("ann", FIXED, LATE), story.units("ann", UNFIXED, LATE)) == ((5, 0), (0, 0))
    check(story)


def test_all_or_none_may_be_filled_because_a_pool_gives_out() -> None:
    """bob's two at 450 would leave carol's five too large; they are gone once his five have filled."""
    story = book("bob ask 5 @ 450 pool", "dave bid 3 @ 450", "bob ask 5 @ 400 pool", "carol ask 5 @ 460 all-or-none")
    fills = story.add("ann bid 10 @ 500 all-or-none")
    assert trades(fills) == [("bob", 5, 400), ("carol", 5, 460)]
    check(story)
