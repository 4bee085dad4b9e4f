"""Matching, rule by rule (docs/market.md §2, §3), with the book drawn. Everybody starts with 10 000 tokens."""

from __future__ import annotations

import copy

import pytest

from app.market.exchange.arrival import MAX_LIVE_OFFERS, MAX_LIVE_OFFERS_OF_USER
from app.market.exchange.offer import Action, NewOffer
from app.market.exchange.state import MAX_FILLS
from app.market.terms.contract import Side
from app.market.terms.errors import InsufficientFunds, InvalidOffer
from tests.market.drawing import (
    FIXED,
    IDS,
    UNFIXED,
    book,
    crowded,
    drawing,
    earned,
    give,
    kinds,
    match,
    offer,
    scene,
    suspended,
    trades,
)
from tests.market.invariants import check


def test_a_bid_takes_the_cheapest_ask_first_and_pays_the_resting_price() -> None:
    before = book("bob ask 5 @ 650", "carol ask 5 @ 600")
    fills, after = match(before, offer("ann bid 7 @ 700"))
    assert trades(fills) == [("carol", 5, 600), ("bob", 2, 650)]
    assert earned(before, after, "ann") == -(5 * 600 + 2 * 650)
    assert drawing(after) == ["bob ask 3 @ 650"]


def test_an_ask_takes_the_highest_bid_first_and_keeps_the_improvement() -> None:
    before = book("bob bid 5 @ 600", "carol bid 5 @ 650")
    fills, after = match(before, offer("ann ask 7 @ 550"))
    assert trades(fills) == [("carol", 5, 650), ("bob", 2, 600)]
    assert earned(before, after, "ann") == -(5 * 350 + 2 * 400)
    assert (after.reserve("ann"), after.reserve("bob")) == (0, 3 * 600)


def test_at_one_price_the_older_offer_fills_first() -> None:
    before = book("bob ask 5 @ 600", "carol ask 5 @ 600", "bob ask 5 @ 600")
    fills, after = match(before, offer("ann bid 8 @ 600"))
    assert [(fill.ask, fill.volume) for fill in fills.fills] == [(1, 5), (2, 3)]
    assert drawing(after) == ["carol ask 2 @ 600", "bob ask 5 @ 600"]


def test_offers_that_do_not_meet_rest_and_hold_back_what_they_need() -> None:
    fills, after = match(book("bob ask 5 @ 701"), offer("ann bid 7 @ 700"))
    assert not fills.fills
    assert drawing(after) == ["bob ask 5 @ 701", "ann bid 7 @ 700"]
    assert (after.reserve("ann"), after.reserve("bob")) == (7 * 700, 5 * 299)


def test_what_does_not_fill_rests_at_its_own_limit() -> None:
    before = book("bob ask 5 @ 600")
    _, after = match(before, offer("ann bid 12 @ 700"))
    assert drawing(after) == ["ann bid 7 @ 700"]
    assert after.reserve("ann") == 7 * 700
    assert earned(before, after, "ann") == -5 * 600


def test_a_buy_of_unfixed_is_an_ask_at_a_thousand_less_its_price() -> None:
    assert drawing(book("bob buy unfixed 5 @ 350", "ann bid 6 @ 600")) == ["bob ask 5 @ 650", "ann bid 6 @ 600"]


def test_a_sale_of_unfixed_is_a_bid_at_a_thousand_less_its_price() -> None:
    after = book("ann sell unfixed 5 @ 350", holding=["ann 5 unfixed @ 400"])
    assert drawing(after) == ["ann bid 5 @ 650"]
    assert (after.reserve("ann"), after.units("ann", UNFIXED)) == (0, (0, 5))


FOUR_ROWS = [
    # F, U, kind, F's cash, U's cash, escrow
    ("ann buy fixed 10 @ 300", "bob buy unfixed 10 @ 700", "expand", -3_000, -7_000, 10_000),
    ("ann buy fixed 10 @ 300", "bob sell fixed 10 @ 300", "transfer", -3_000, 3_000, 0),
    ("ann sell unfixed 10 @ 700", "bob buy unfixed 10 @ 700", "transfer", 7_000, -7_000, 0),
    ("ann sell unfixed 10 @ 700", "bob sell fixed 10 @ 300", "reduce", 7_000, 3_000, -10_000),
]


@pytest.mark.parametrize("gainer_is_older", [True, False])
@pytest.mark.parametrize(("gainer", "giver", "kind", "gainer_cash", "giver_cash", "escrow"), FOUR_ROWS)
def test_the_table_of_fills(
    gainer: str, giver: str, kind: str, gainer_cash: int, giver_cash: int, escrow: int, gainer_is_older: bool
) -> None:
    holding = [f"{line.split()[0]} 10 {line.split()[2]} @ 500" for line in (gainer, giver) if line.split()[1] == "sell"]
    before = book(holding=holding)
    first, second = (gainer, giver) if gainer_is_older else (giver, gainer)
    standing = copy.deepcopy(before)
    standing.add(first)
    fills, after = match(standing, offer(second))
    assert kinds(fills) == [kind]
    assert (earned(before, after, "ann"), earned(before, after, "bob")) == (gainer_cash, giver_cash)
    assert after.escrow - before.escrow == escrow
    assert (after.reserve("ann"), after.reserve("bob"), drawing(after)) == (0, 0, [])
    check(after)


def test_a_buyer_who_holds_the_other_side_sells_it_first_and_buys_the_rest() -> None:
    before = book("bob ask 10 @ 300", holding=["ann 4 unfixed @ 500"])
    fills, after = match(before, offer("ann bid 10 @ 300"))
    assert [(fill.kind, fill.volume) for fill in fills.fills] == [("transfer", 4), ("expand", 6)]
    assert earned(before, after, "ann") == 4 * 700 - 6 * 300
    assert (after.units("ann", UNFIXED), after.units("ann", FIXED)) == ((0, 0), (6, 0))


def test_a_buyer_who_holds_the_other_side_reserves_its_units_instead_of_money() -> None:
    after = book("ann bid 10 @ 300", holding=["ann 4 unfixed @ 500"])
    assert (after.reserve("ann"), after.units("ann", UNFIXED)) == (6 * 300, (0, 4))


def test_how_much_of_a_buy_is_a_sale_is_fixed_when_it_arrives() -> None:
    """ann's bid was for money; the UNFIXED she gains later are not sold by it but redeemed."""
    before = book("ann bid 10 @ 300", "ann ask 6 @ 600", "carol bid 6 @ 600")
    assert (before.reserve("ann"), before.units("ann", UNFIXED)) == (10 * 300, (6, 0))
    fills, after = match(before, offer("bob ask 10 @ 300"))
    assert kinds(fills) == ["expand"]
    assert (after.units("ann", FIXED), after.units("ann", UNFIXED)) == ((4, 0), (0, 0))
    assert earned(before, after, "ann") == 6 * 1000 - 10 * 300


def test_both_may_be_partly_sales_and_each_part_makes_its_own_fill() -> None:
    before = book("bob ask 10 @ 300", holding=["ann 4 unfixed @ 500", "bob 7 fixed @ 500"])
    fills, after = match(before, offer("ann bid 10 @ 350"))
    assert [(fill.kind, fill.volume) for fill in fills.fills] == [("reduce", 4), ("transfer", 3), ("expand", 3)]
    assert earned(before, after, "ann") == 4 * 700 - 6 * 300
    assert earned(before, after, "bob") == 7 * 300 - 3 * 700
    check(after)


def test_the_whole_reserve_at_the_limit_must_be_free_even_if_the_fill_would_be_cheaper() -> None:
    poor = scene(purse_mills=3_500)
    poor.add("bob ask 5 @ 300")
    with pytest.raises(InsufficientFunds):
        poor.add("ann bid 5 @ 701")
    assert trades(poor.add("ann bid 5 @ 700")) == [("bob", 5, 300)]
    assert poor.free("ann") == 3_500 - 5 * 300


def test_now_or_never_cancels_what_does_not_fill() -> None:
    before = book("bob ask 5 @ 600")
    fills, after = match(before, offer("ann bid 12 @ 700 now-or-never"))
    assert trades(fills) == [("bob", 5, 600)]
    assert drawing(after) == []
    assert (after.reserve("ann"), after.offers[after.numbers].cancelled) == (0, 7)


def test_now_or_never_that_sells_gives_the_units_back() -> None:
    _, after = match(book(holding=["ann 5 fixed @ 200"]), offer("ann sell fixed 5 @ 400 now-or-never"))
    assert after.units("ann", FIXED) == (5, 0)


def test_a_small_offer_is_refused_unless_it_fills_wholly_or_is_now_or_never() -> None:
    standing = book("bob ask 5 @ 600", "bob ask 5 @ 610")
    standing.add("carol bid 7 @ 700")
    assert drawing(standing) == ["bob ask 3 @ 610"]
    with pytest.raises(InvalidOffer, match="at least 5 units"):
        match(standing, offer("ann bid 4 @ 700"))
    assert trades(match(standing, offer("ann bid 4 @ 700 now-or-never"))[0]) == [("bob", 3, 610)]
    assert trades(match(standing, offer("ann bid 3 @ 700"))[0]) == [("bob", 3, 610)]
    assert drawing(match(standing, offer("ann bid 5 @ 600"))[1])[-1] == "ann bid 5 @ 600"


def test_a_small_offer_does_not_fill_wholly_against_its_own_user() -> None:
    with pytest.raises(InvalidOffer, match="at least 5 units"):
        match(book("ann ask 5 @ 600"), offer("ann bid 4 @ 700"))


def test_a_small_rest_of_a_large_enough_offer_stays() -> None:
    assert drawing(match(book("bob ask 5 @ 600"), offer("ann bid 6 @ 600"))[1]) == ["ann bid 1 @ 600"]


def test_a_command_makes_a_thousand_fills_and_the_rest_is_cancelled() -> None:
    after = crowded(MAX_FILLS + 1)
    fills = after.add(f"ann bid {5 * MAX_FILLS + 7} @ 500")
    assert len(fills.fills) == MAX_FILLS == 1_000
    assert (after.offers[after.numbers].filled, after.offers[after.numbers].cancelled) == (5_000, 7)
    assert (len(after.state.book.offers), after.reserve("ann")) == (1, 0)
    check(after)


def test_all_or_none_that_needs_more_fills_than_a_command_makes_counts_as_not_fillable() -> None:
    after = crowded(MAX_FILLS + 1)
    assert not after.add(f"ann bid {5 * MAX_FILLS + 5} @ 500 all-or-none").fills
    assert drawing(after)[-1] == f"ann bid {5 * MAX_FILLS + 5} @ 500"
    check(after)


def test_the_thousandth_fill_may_be_a_part_of_a_meeting() -> None:
    """bob's offer is a sale of 3 and a purchase of 2: only the sale is still within the bound."""
    after = scene()
    give(after, "bob 3 fixed @ 200")
    after = crowded(MAX_FILLS - 1, after)
    after.add("bob ask 5 @ 510")
    fills = after.add(f"ann bid {5 * MAX_FILLS} @ 520").fills
    assert (len(fills), fills[-1].kind, fills[-1].volume) == (MAX_FILLS, "transfer", 3)
    assert drawing(after) == ["bob ask 2 @ 510"]
    check(after)


def test_after_a_thousand_fills_the_rest_stays_if_nothing_more_would_have_filled() -> None:
    after = crowded(MAX_FILLS)
    assert len(after.add(f"ann bid {5 * MAX_FILLS + 7} @ 500").fills) == MAX_FILLS
    assert drawing(after) == ["ann bid 7 @ 500"]


def test_after_a_thousand_fills_own_counter_offers_are_not_left_crossed() -> None:
    after = crowded(MAX_FILLS)
    after.add("ann ask 5 @ 510")
    assert len(after.add(f"ann bid {5 * MAX_FILLS + 7} @ 520").fills) == MAX_FILLS
    assert drawing(after) == ["ann bid 7 @ 520"]
    check(after)


def test_own_counter_offers_behind_the_last_fill_of_a_stopped_command_stay() -> None:
    after = crowded(MAX_FILLS + 1)
    after.add("ann ask 5 @ 510")
    after.add(f"ann bid {5 * MAX_FILLS + 7} @ 520")
    assert drawing(after) == ["1020 ask 5 @ 500", "ann ask 5 @ 510"]
    check(after)


def test_a_user_may_have_fifty_live_offers_in_a_contract() -> None:
    full = crowded(MAX_LIVE_OFFERS_OF_USER)
    ask = NewOffer(Action.BUY, UNFIXED, 5, 500)
    with pytest.raises(InvalidOffer, match="50 open offers"):
        full.place(1_000, ask)
    full.place(IDS["ann"], ask)
    full.cancel(1_000, 1)
    full.place(1_000, ask)
    assert MAX_LIVE_OFFERS_OF_USER == 50


def test_suspended_offers_are_not_live_ones() -> None:
    """dave's fill empties the pool: fifty are suspended, and there is room for as many."""
    story = scene()
    for price in range(100, 150):
        story.add(f"ann bid 10 @ {price} pool")
    with pytest.raises(InvalidOffer, match="50 open offers"):
        story.add("ann bid 5 @ 99")
    story.add("dave ask 8 @ 149")
    assert len(suspended(story)) == 49
    story.add("ann bid 5 @ 99")
    check(story)


def test_who_has_fifty_live_offers_may_still_place_what_does_not_rest() -> None:
    full = crowded(MAX_LIVE_OFFERS_OF_USER)
    full.add("ann bid 5 @ 400")
    assert trades(full.place(1_000, NewOffer(Action.BUY, UNFIXED, 5, 600))) == [("ann", 5, 400)]
    assert not full.place(1_000, NewOffer(Action.BUY, UNFIXED, 5, 600, now_or_never=True)).fills


def test_a_contract_has_at_most_five_thousand_live_offers() -> None:
    full = crowded(MAX_LIVE_OFFERS)
    assert len(full.state.book.offers) == MAX_LIVE_OFFERS == 5_000
    with pytest.raises(InvalidOffer, match=r"^This contract's book is full \(5,000 open offers\)\.$") as refused:
        full.add("ann ask 5 @ 500")
    assert refused.value.correction == "/bugmark offer unfixed 5 at 0.50 by 1970-04-26T17:46:40Z now-or-never"
    full.add("ann bid 5 @ 500")
    full.add("ann ask 5 @ 500")


def test_the_same_book_from_both_sides() -> None:
    """Everything said of FIXED holds of UNFIXED: the mirrored story has the same volumes and cash."""
    mirror = {FIXED: UNFIXED, UNFIXED: FIXED}
    lines = ["bob ask 9 @ 310", "ann bid 7 @ 400", "carol bid 8 @ 300", "bob ask 5 @ 290", "ann ask 9 @ 280"]
    one, other = scene(), scene()
    for line in lines:
        user, new = offer(line)
        one.place(user, new)
        other.place(user, NewOffer(new.action, mirror[new.side], new.volume, new.price))
    assert [(fill.volume, fill.price) for fill in one.fills] == [
        (fill.volume, 1000 - fill.price) for fill in other.fills
    ]
    for name in ("ann", "bob", "carol"):
        assert one.free(name) == other.free(name)
        assert [one.units(name, side) for side in Side] == [other.units(name, mirror[side]) for side in Side]


def test_volumes_of_a_thousand_million_are_exact() -> None:
    rich = scene(purse_mills=10**12)
    rich.add("bob ask 1000000000 @ 1")
    assert kinds(rich.add("ann bid 1000000000 @ 999")) == ["expand"]
    assert (rich.free("ann"), rich.free("bob")) == (10**12 - 10**9, 10**12 - 999 * 10**9)
    check(rich)
