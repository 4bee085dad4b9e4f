"""Rules at the corners where sweeps, ranges, pools and re-tries meet (docs/market.md §2, §3)."""

from __future__ import annotations

import pytest

from app.market.exchange.fill import AmendmentKind
from app.market.exchange.matching import place_range
from app.market.exchange.offer import Action, NewOffer
from app.market.exchange.settlement import settle
from app.market.exchange.state import MAX_FILLS
from app.market.exchange.voiding import VoidPrice
from app.market.terms.contract import Outcome
from app.market.terms.errors import InvalidOffer
from tests.market.drawing import (
    FIXED,
    IDS,
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
from tests.market.tale import EARLY, LATE, Tale


def two() -> Scene:
    """Two contracts of one statement: c3 matures before c5."""
    return scene(maturations=((EARLY, MATURATION_AT), (LATE, MATURATION_AT + 1)))


# -- own counter-offers -------------------------------------------------------------------------------------------


def test_an_own_offer_that_its_pool_suspended_after_it_was_passed_is_not_cancelled_and_those_behind_it_are() -> None:
    """ann passes her pooled five at 400 and her five at 410; buying bob's takes 2 500 of the 3 000 in her pool."""
    story = book("ann ask 5 @ 400 pool", "ann ask 5 @ 410", "bob ask 5 @ 500")
    story.add("ann bid 6 @ 500 pool")
    assert (suspended(story), story.left("ann"), drawing(story)) == ([1], 500, ["ann bid 1 @ 500"])
    check(story)


def test_an_own_all_or_none_offer_of_just_what_is_wanted_would_have_filled() -> None:
    tale = Tale()
    tale.add("ann ask 10 @ 400 all-or-none")
    tale.add("bob ask 10 @ 450")
    tale.add("ann bid 10 @ 500")
    assert tale.book() == []


# -- re-tries -----------------------------------------------------------------------------------------------------


def test_a_re_try_follows_where_a_pool_gave_out_in_another_contract() -> None:
    """bob's eight come before carol's and dave's twelve; what his pool buys in c5 takes them away."""
    tale = Tale()
    tale.add("bob ask 8 @ 400 pool all-or-none")
    tale.add("carol ask 7 @ 450 all-or-none")
    tale.add("dave ask 5 @ 460 all-or-none")
    tale.add("ann bid 12 @ 500 all-or-none")
    tale.add("bob ask 5 @ 400 pool", LATE)
    assert not tale.fills()
    tale.add("eve bid 5 @ 400", LATE)
    assert [fill[1:3] for fill in tale.fills()] == [(5, 5), (2, 7), (3, 5)]


def test_the_rest_of_a_range_lets_all_or_none_offers_fill_where_it_waits() -> None:
    tale = Tale()
    tale.add("carol bid 5 @ 500", LATE)
    tale.add("bob ask 10 @ 500 all-or-none", LATE)
    tale.spread("ann bid 5 @ 500")
    assert [(fill[1], fill[2]) for fill in tale.fills()] == [(2, 5), (2, 5)]


def test_re_tries_count_their_fills_over_all_rounds_and_bids_come_before_asks() -> None:
    """The halt takes what stood in the way. 5 still fails; 3 fills with 4, then 5 with 6."""
    story = book("ann ask 5 @ 500 all-or-none cancel-on-halt", "bob bid 6 @ 650 all-or-none cancel-on-halt")
    for line in ("carol bid 12 @ 600", "dave ask 12 @ 590", "eve bid 13 @ 620", "fay ask 13 @ 610"):
        story.add(f"{line} all-or-none")
    story.halt()
    changes = story.resume()
    assert [(fill.newcomer, fill.volume) for fill in changes.fills] == [(3, 12), (5, 13)]
    assert changes.retried == 2


def test_re_tries_take_the_lowest_ask_then_the_oldest() -> None:
    tale = Tale()
    for line in ("ann ask 11 @ 400 all-or-none", "bob ask 11 @ 350 all-or-none", "carol ask 11 @ 350 all-or-none"):
        tale.add(line)
    tale.add("dave bid 6 @ 500")
    tale.add("dave bid 5 @ 500")
    assert tale.fills() == [(4, 2, 6, 350, "expand"), (5, 2, 5, 350, "expand")]


# -- ranges and pools ---------------------------------------------------------------------------------------------


def kept_apart() -> Scene:
    """In c5 ann's pooled ask is to sell five FIXED, and five UNFIXED are free: no pair as long as it stands."""
    story = two()
    give(story, "ann 5 fixed @ 500", LATE)
    story.add("ann ask 15 @ 600 pool", LATE)
    story.add("bob bid 5 @ 300", LATE)
    story.add("ann ask 5 @ 300", LATE)
    story.add("bob ask 10 @ 400", EARLY)
    assert (story.units("ann", FIXED, LATE), story.units("ann", UNFIXED, LATE)) == ((0, 5), (5, 0))
    return story


@pytest.mark.parametrize("in_range", [False, True])
def test_units_that_come_free_as_a_pool_gives_out_are_redeemed(in_range: bool) -> None:
    """A range holds the five UNFIXED back until it is over, and does not sell them."""
    story = kept_apart()
    line = "ann bid 10 @ 500 pool"
    changes = story.spread(line, (EARLY, LATE)) if in_range else story.add(line, EARLY)
    assert trades(changes) == [("bob", 10, 400)]
    assert [(found.contract, found.kind) for found in changes.amendments] == [(LATE, AmendmentKind.REDEEM)]
    assert story.units("ann", FIXED, LATE) == story.units("ann", UNFIXED, LATE) == (0, 0)
    assert not any(made.ranging for made in changes.offers.values())
    check(story)


def test_the_rest_of_a_range_without_open_interest_waits_where_the_range_ends() -> None:
    story = two()
    new = NewOffer(Action.BUY, FIXED, 9, 400)
    place_range(story.market, [EARLY, LATE], new, numbers=[1, 2], user=IDS["ann"], now=story.now, last=EARLY)
    assert (drawing(story, EARLY), drawing(story, LATE)) == (["ann bid 9 @ 400"], [])


@pytest.mark.parametrize(("full", "let_in"), [(EARLY, False), (LATE, True)])
def test_room_for_the_rest_of_a_range_is_asked_where_it_would_wait(full: int, let_in: bool) -> None:
    """That is c3, which has the open interest."""
    story = two()
    give(story, "bob 5 fixed @ 500", EARLY)
    for price in range(1, 51):
        story.add(f"ann bid 5 @ {price}", full)
    if not let_in:
        with pytest.raises(InvalidOffer, match="50 open offers"):
            story.spread("ann bid 9 @ 400", (EARLY, LATE))
        return
    story.spread("ann bid 9 @ 400", (EARLY, LATE))
    assert drawing(story, EARLY) == ["ann bid 9 @ 400"]


def test_a_pool_is_its_users() -> None:
    assert [(user, pool.user) for user, pool in book("bob ask 5 @ 400 pool").market.pools.items()] == [
        (IDS["bob"], IDS["bob"])
    ]


def test_no_offer_of_a_range_is_ranging_when_it_is_over() -> None:
    story = two()
    story.add("bob ask 5 @ 400", EARLY)
    story.add("carol ask 5 @ 450", LATE)
    changes = story.spread("ann bid 12 @ 500", (EARLY, LATE))
    assert [made.ranging for made in changes.offers.values()] == [False] * 4


# -- the last fill that a command makes ---------------------------------------------------------------------------


def nearly_full(last: str) -> Scene:
    """For all but one of the fills there are offers; of the last offer, bob's, three units are a sale."""
    story = scene()
    give(story, "bob 3 fixed @ 200")
    crowded(MAX_FILLS - 1, story)
    story.add(last)
    return story


def test_an_all_or_none_offer_that_takes_two_fills_does_not_get_the_last_one() -> None:
    story = nearly_full("bob ask 5 @ 510 all-or-none")
    assert len(story.add(f"ann bid {5 * MAX_FILLS} @ 510").fills) == MAX_FILLS - 1
    assert drawing(story) == ["bob ask 5 @ 510"]


def test_a_pooled_offer_may_get_the_last_fill_though_it_would_take_two() -> None:
    story = nearly_full("bob ask 5 @ 510 pool")
    fills = story.add(f"ann bid {5 * MAX_FILLS} @ 510").fills
    assert (len(fills), fills[-1].volume, drawing(story)) == (MAX_FILLS, 3, ["bob ask 2 @ 510"])


def test_what_two_offers_fill_of_each_other_in_several_parts_is_not_wanted_any_more() -> None:
    story = book("bob ask 10 @ 300", "carol ask 5 @ 310", holding=["ann 4 unfixed @ 500", "bob 7 fixed @ 500"])
    fills = story.add("ann bid 10 @ 350")
    assert list(zip(kinds(fills), trades(fills), strict=True)) == [
        ("reduce", ("bob", 4, 300)),
        ("transfer", ("bob", 3, 300)),
        ("expand", ("bob", 3, 300)),
    ]
    assert drawing(story) == ["carol ask 5 @ 310"]


def crowded_bids(count: int, price: int, made: Scene) -> Scene:
    """`count` bids of 5 units, of as many users as it takes."""
    for number in range(count):
        user = 2_000 + number // 50
        if number % 50 == 0:
            made.grant(user, 10**6)
        made.place(user, NewOffer(Action.BUY, FIXED, 5, price))
    return made


@pytest.mark.parametrize(("crowd", "filled"), [(MAX_FILLS - 1, MAX_FILLS), (MAX_FILLS, 0)])
@pytest.mark.parametrize("stance", ["bid", "ask"])
def test_an_all_or_none_offer_that_first_sells_a_unit_takes_a_fill_more_than_it_meets_offers(
    stance: str, crowd: int, filled: int
) -> None:
    story = scene()
    if stance == "bid":
        give(story, "ann 1 unfixed @ 500")
        crowded(crowd, story)
    else:
        give(story, "ann 1 fixed @ 500")
        crowded_bids(crowd, 500, story)
    assert len(story.add(f"ann {stance} {5 * crowd} @ 500 all-or-none").fills) == filled
    check(story)


def test_a_re_try_has_only_the_fills_that_the_command_has_left() -> None:
    """carol's ask takes 400; dave's 3 010 would take 601 more. In a command of their own they may."""
    story = crowded(600)
    crowded_bids(400, 400, story)
    story.add("dave bid 3010 @ 500 all-or-none")
    assert len(story.add("carol ask 2010 @ 400").fills) == 400
    assert len(story.retry().fills) == 601


@pytest.mark.parametrize("pooled", ["", " pool"])
def test_an_all_or_none_range_that_meets_a_pool_fills_over_all_its_contracts(pooled: str) -> None:
    """ann's own pool, if it is not the one that pays, has nothing to do with it."""
    tale = Tale()
    tale.add("ann bid 5 @ 100 pool")
    tale.add("bob ask 5 @ 400 pool")
    tale.add("carol ask 5 @ 400", LATE)
    late, early = tale.spread(f"ann bid 10 @ 400{pooled} all-or-none")
    assert tale.fills() == [(late, 3, 5, 400, "expand"), (early, 2, 5, 400, "expand")]


# -- what is told of an arrival and of its fills ------------------------------------------------------------------


def test_a_fill_tells_whether_the_newcomer_sold() -> None:
    story = book("bob ask 5 @ 500", "ann bid 5 @ 500", "carol bid 5 @ 400")
    assert [fill.sold for fill in story.fills] == [False]
    assert [fill.sold for fill in story.add("ann sell fixed 1 @ 400 now-or-never").fills] == [True]


@pytest.mark.parametrize("condition", ["", " all-or-none"])
def test_an_offer_knows_when_it_came_and_may_be_as_large_as_any(condition: str) -> None:
    story = scene(purse_mills=10**9)
    story.add(f"ann bid 1000000000 @ 1{condition}")
    assert (story.offers[1].created_at, story.offers[1].volume) == (story.now, 10**9)


def test_who_sells_all_of_a_buy_needs_no_money() -> None:
    story = scene(purse_mills=2_500)
    give(story, "ann 5 unfixed @ 500")
    assert story.free("ann") == 0
    story.add("ann bid 5 @ 400 all-or-none")
    assert drawing(story) == ["ann bid 5 @ 400"]


# -- settlement ---------------------------------------------------------------------------------------------------


def test_who_holds_both_sides_is_paid_for_both() -> None:
    """It cannot come to that, for pairs are redeemed at once; but no mill may be lost if it ever does."""
    story = book(holding=["ann 10 fixed @ 400"])
    story.state.unfixed[IDS["ann"]] = story.state.unfixed.pop(IDS["crowd"])
    _, payouts = settle(story.market, story.state.id, Outcome.VOID, VoidPrice(400, 1_000))
    assert [(paid.user, paid.paid_mills, paid.cost_mills) for paid in payouts] == [(IDS["ann"], 10_000, 10_000)]
