"""The rules of docs/market.md, worked by hand: the naive market comes to these numbers, and so does the core.

Both prices of a bid and of an ask are of FIXED. c3 (EARLY) and c5 (LATE) are contracts of one statement.
"""

from __future__ import annotations

import pytest

from app.market.terms.contract import Outcome
from tests.market.drawing import MATURATION_AT, NAMES
from tests.market.tale import EARLY, LATE, Tale

DAY = 86_400


# §6


def base(fee_bps: int = 0, law: str = "2") -> Tale:
    tale = Tale(fee_bps, law=law)
    tale.add("adam buy unfixed 200 @ 800")
    assert tale.held("adam") == 160_000
    tale.add("beth buy fixed 200 @ 200")
    assert tale.fills() == [(2, 1, 200, 200, "expand")]
    return tale


def partial_work(law: str = "2") -> Tale:
    tale = base(law=law)
    tale.wait(8 * DAY)
    tale.add("beth sell fixed 200 @ 400")
    tale.add("charles buy fixed 200 @ 400")
    assert tale.fills() == [(4, 3, 200, 400, "transfer")]
    return tale


@pytest.mark.parametrize(("outcome", "beth", "adam"), [("FIXED", 160_000, -160_000), ("UNFIXED", -40_000, 40_000)])
def test_a_base_case(outcome: str, beth: int, adam: int) -> None:
    tale = base()
    tale.twins.settle(EARLY, Outcome(outcome), 0, 1)
    assert (tale.earned("beth"), tale.earned("adam")) == (beth, adam)


@pytest.mark.parametrize(("outcome", "charles", "adam"), [("FIXED", 120_000, -160_000), ("UNFIXED", -80_000, 40_000)])
def test_b_partial_work(outcome: str, charles: int, adam: int) -> None:
    tale = partial_work()
    assert tale.earned("beth") == 40_000
    tale.twins.settle(EARLY, Outcome(outcome), 0, 1)
    assert (tale.earned("beth"), tale.earned("charles"), tale.earned("adam")) == (40_000, charles, adam)


def test_c_selling_the_other_side() -> None:
    tale = base()
    tale.add("adam sell unfixed 200 @ 700")
    tale.add("bobby buy unfixed 200 @ 700")
    assert tale.fills() == [(3, 4, 200, 300, "transfer")]
    assert (tale.earned("adam"), tale.units("beth", "fixed")) == (-20_000, (200, 0))


def test_d_getting_out_by_buying() -> None:
    tale = base()
    tale.add("beth buy unfixed 200 @ 600")
    assert (tale.held("beth"), tale.units("beth", "fixed")) == (0, (0, 200))
    tale.add("charles buy fixed 200 @ 400")
    assert tale.fills() == [(4, 3, 200, 400, "transfer")]
    assert tale.earned("beth") == 40_000


def test_e_both_leave() -> None:
    tale = base()
    tale.add("beth sell fixed 200 @ 350")
    tale.add("adam sell unfixed 200 @ 650")
    assert tale.fills() == [(4, 3, 200, 350, "reduce")]
    assert (tale.earned("beth"), tale.earned("adam"), tale.interest()) == (30_000, -30_000, 0)


def test_f_crowd() -> None:
    tale = Tale()
    fans = ["ann", "bob", "carol", "dave"]
    for fan in fans:
        tale.add(f"{fan} buy unfixed 20 @ 900")
    tale.add("fay buy fixed 100 @ 100 all-or-none")
    assert not tale.fills()
    tale.add("eve buy unfixed 20 @ 900")
    assert tale.fills() == [(5, number, 20, 100, "expand") for number in (1, 2, 3, 4, 6)]
    assert tale.interest() == 100
    assert [tale.earned(fan) for fan in (*fans, "eve")] == [-18_000] * 5


def test_g_improvement() -> None:
    tale = Tale()
    tale.add("ann buy unfixed 10 @ 900")
    tale.add("bob buy unfixed 10 @ 800")
    tale.add("carol buy fixed 15 @ 300")
    assert tale.fills() == [(3, 1, 10, 100, "expand"), (3, 2, 5, 200, "expand")]
    assert tale.earned("carol") == -2_000


def test_law_1_h_void() -> None:
    tale = partial_work(law="1")
    deleted_at = 16 * DAY
    tale.wait(deleted_at - 3_600)
    tale.add("bobby buy unfixed 500 @ 10")
    tale.add("ann buy fixed 500 @ 990")
    pair = tale.naive.void_pair(EARLY, deleted_at - 7 * DAY)
    assert pair == (40_000, 200)
    tale.twins.settle(EARLY, Outcome.VOID, *pair)
    assert (tale.earned("charles"), tale.earned("adam")) == (40_000 - 80_000, 0)
    assert (tale.earned("ann"), tale.earned("bobby")) == (-500 * 790, 500 * 790)


def test_i_fee() -> None:
    tale = base(fee_bps=1_000)
    tale.twins.settle(EARLY, Outcome.FIXED, 0, 1)
    assert (tale.fees(), tale.earned("beth")) == (16_000, 160_000 - 16_000)


# §2, all-or-none


def test_all_or_none_fills_wholly_best_price_then_oldest() -> None:
    tale = Tale()
    tale.add("bob ask 5 @ 500")
    tale.add("carol ask 5 @ 400")
    tale.add("dave ask 5 @ 400")
    tale.add("ann bid 12 @ 500 all-or-none")
    assert tale.fills() == [(4, 2, 5, 400, "expand"), (4, 3, 5, 400, "expand"), (4, 1, 2, 500, "expand")]


def test_all_or_none_fills_not_at_all_where_a_unit_is_missing() -> None:
    tale = Tale()
    tale.add("bob ask 11 @ 400")
    tale.add("ann bid 12 @ 500 all-or-none")
    assert not tale.fills()
    assert tale.book() == ["bob ask 11 @ 400", "ann bid 12 @ 500"]
    assert tale.held("ann") == 6_000


def test_all_or_none_with_now_or_never_is_gone_if_it_fails() -> None:
    tale = Tale()
    tale.add("bob ask 11 @ 400")
    tale.add("ann bid 12 @ 500 now-or-never all-or-none")
    assert (tale.fills(), tale.book(), tale.held("ann")) == ([], ["bob ask 11 @ 400"], 0)


def test_an_all_or_none_counter_offer_larger_than_what_is_still_wanted_is_skipped() -> None:
    tale = Tale()
    tale.add("bob ask 8 @ 400 all-or-none")
    tale.add("carol ask 5 @ 450 all-or-none")
    tale.add("dave ask 5 @ 500")
    tale.add("ann bid 10 @ 500 all-or-none")
    assert tale.fills() == [(4, 1, 8, 400, "expand"), (4, 3, 2, 500, "expand")]


def test_no_better_combination_is_searched_for() -> None:
    """carol's and dave's fives would make ten; bob's eight come first."""
    tale = Tale()
    tale.add("bob ask 8 @ 400 all-or-none")
    tale.add("carol ask 5 @ 450 all-or-none")
    tale.add("dave ask 5 @ 460 all-or-none")
    tale.add("ann bid 10 @ 500 all-or-none")
    assert not tale.fills()


def test_a_plain_newcomer_skips_an_all_or_none_offer_that_is_too_large_and_goes_on() -> None:
    tale = Tale()
    tale.add("bob ask 20 @ 400 all-or-none")
    tale.add("carol ask 6 @ 450")
    tale.add("ann bid 10 @ 500")
    assert tale.fills() == [(3, 2, 6, 450, "expand")]
    assert tale.book() == ["bob ask 20 @ 400", "ann bid 4 @ 500"]


def test_the_pass_of_all_or_none_knows_that_a_pool_gives_out() -> None:
    """After bob's first five his pool is empty and his other five are gone: there are not ten."""
    tale = Tale()
    tale.add("bob ask 5 @ 400 pool")
    tale.add("bob ask 5 @ 450 pool")
    tale.add("ann bid 10 @ 500 all-or-none")
    assert not tale.fills()
    assert tale.book() == ["bob ask 5 @ 400", "bob ask 5 @ 450", "ann bid 10 @ 500"]


def test_a_failed_all_or_none_cancels_nothing_and_rests_crossed_with_its_owners_offers() -> None:
    tale = Tale()
    tale.add("ann ask 5 @ 400")
    tale.add("ann bid 10 @ 500 all-or-none")
    assert tale.book() == ["ann ask 5 @ 400", "ann bid 10 @ 500"]


def crowd_of_bids(tale: Tale) -> None:
    """Fifty all-or-none bids at 100 to 149, five of each of ten people: o1 is the worst, o50 the best."""
    for number in range(50):
        tale.add(f"{NAMES[number // 5]} bid 5 @ {100 + number} all-or-none")


def test_fifty_all_or_none_bids_and_fifty_asks_rest_in_a_contract() -> None:
    tale = Tale()
    crowd_of_bids(tale)
    tale.refuse("crowd bid 5 @ 100 all-or-none")
    tale.add("crowd bid 5 @ 100")
    tale.add("ann bid 5 @ 100 all-or-none", LATE)
    for number in range(50):
        tale.add(f"{NAMES[1 + number // 5]} ask 5 @ {900 - number} all-or-none", LATE)
    tale.refuse("ann ask 5 @ 900 all-or-none", LATE)
    tale.add("ann ask 5 @ 899 all-or-none", LATE)
    assert tale.naive.history.displaced == [53]


def test_five_all_or_none_offers_of_a_user_rest_in_a_contract_bids_and_asks_together() -> None:
    tale = Tale()
    for line in ("bid 5 @ 100", "bid 5 @ 200", "ask 5 @ 900", "ask 5 @ 800", "bid 5 @ 300"):
        tale.add(f"ann {line} all-or-none")
    tale.refuse("ann bid 5 @ 400 all-or-none")
    tale.refuse("ann ask 5 @ 700 all-or-none")
    tale.add("ann bid 5 @ 400 all-or-none", LATE)
    tale.add("ann bid 5 @ 400 all-or-none now-or-never")
    tale.cancel("ann", 3)
    tale.add("ann bid 5 @ 400 all-or-none")


def test_a_better_price_takes_the_place_of_the_worst_and_of_these_of_the_youngest() -> None:
    tale = Tale()
    for number in range(50):
        tale.add(f"{NAMES[number // 5]} bid 5 @ {100 if number in (7, 31) else 200} all-or-none")
    assert tale.naive.history.displaced == []
    tale.refuse("crowd bid 5 @ 100 all-or-none")
    tale.add("crowd bid 5 @ 101 all-or-none")
    assert tale.naive.history.displaced == [32]
    assert (tale.held(NAMES[31 // 5]), tale.earned(NAMES[31 // 5])) == (4 * 5 * 200, -4 * 5 * 200)
    tale.add("crowd bid 5 @ 150 all-or-none")
    assert tale.naive.history.displaced == [32, 8]


def test_the_rest_of_a_range_takes_a_place_where_it_waits() -> None:
    """Nobody holds anything, so that is the one at the range's end; the other has room and is not asked."""
    tale = Tale()
    for number in range(50):
        tale.add(f"{NAMES[number // 5]} bid 5 @ {100 + number} all-or-none", LATE)
    tale.refuse_spread("crowd bid 5 @ 100 all-or-none")
    tale.spread("crowd bid 5 @ 101 all-or-none")
    assert (tale.naive.history.displaced, len(tale.book(LATE)), tale.book(EARLY)) == ([1], 50, [])


def test_what_is_displaced_gives_its_pools_money_back() -> None:
    tale = Tale()
    tale.add("ann bid 50 @ 100 pool all-or-none")
    tale.add("ann bid 10 @ 100 pool", LATE)
    for number in range(49):
        tale.add(f"{NAMES[1 + number // 5]} bid 5 @ {101 + number} all-or-none")
    assert (tale.left("ann"), tale.earned("ann")) == (5_000, -5_000)
    tale.add("crowd bid 5 @ 500 all-or-none")
    assert (tale.left("ann"), tale.earned("ann"), tale.suspended()) == (1_000, -1_000, [])


def test_what_is_displaced_frees_its_units() -> None:
    tale = Tale()
    tale.hold("ann 5 unfixed @ 500")
    tale.add("ann bid 5 @ 100 all-or-none")
    assert tale.units("ann", "unfixed") == (0, 5)
    for number in range(49):
        tale.add(f"{NAMES[1 + number // 5]} bid 5 @ {101 + number} all-or-none")
    tale.add("crowd bid 5 @ 500 all-or-none")
    assert (len(tale.book()), tale.units("ann", "unfixed")) == (50, (5, 0))


def test_a_suspended_all_or_none_offer_comes_back_only_to_a_place() -> None:
    """ann's 200 at 100 came first; when her pool has money again all places are taken by better ones."""
    tale = Tale()
    tale.add("ann bid 200 @ 100 pool all-or-none")
    crowd = [name for name in NAMES if name != "ann"]
    for number in range(49):
        tale.add(f"{crowd[number // 5]} bid 5 @ {101 + number} all-or-none")
    other = tale.add("ann bid 20 @ 100 pool", LATE)
    tale.add("dave ask 20 @ 100", LATE)
    assert tale.suspended() == [1]
    tale.add("crowd bid 5 @ 300 all-or-none")
    assert (tale.naive.history.displaced, other) == ([], 51)
    tale.add("ann bid 200 @ 100 pool", LATE)
    assert tale.suspended() == [1]
    tale.cancel("crowd", 53)
    assert tale.suspended() == []


# §2, re-tries


def test_a_re_tried_offer_keeps_its_place_and_each_fill_is_at_the_price_of_the_older() -> None:
    """bob's ask is older than ann's bid, carol's is newer: 400 and 600; ann held 6 000 and gets 1 000 back."""
    tale = Tale()
    tale.add("bob ask 5 @ 400")
    tale.add("ann bid 10 @ 600 all-or-none")
    tale.add("carol ask 5 @ 500")
    assert tale.fills() == [(2, 1, 5, 400, "expand"), (2, 3, 5, 600, "expand")]
    assert (tale.earned("ann"), tale.earned("carol")) == (-5_000, -2_000)


def test_re_tries_take_the_highest_bid_then_the_oldest() -> None:
    tale = Tale()
    for line in ("ann bid 11 @ 600 all-or-none", "bob bid 11 @ 650 all-or-none", "carol bid 11 @ 650 all-or-none"):
        tale.add(line)
    tale.add("dave ask 6 @ 500")
    tale.add("dave ask 5 @ 500")
    assert tale.fills() == [(2, 4, 6, 650, "expand"), (2, 5, 5, 650, "expand")]


def test_re_tries_go_through_bids_then_asks_and_from_the_start_after_a_fill() -> None:
    """1 and 2 stand in the way; the halt takes them. Then 5, the highest, still fails; 3 fills with 4, 5 with 6."""
    tale = Tale()
    tale.add("ann ask 5 @ 500 all-or-none cancel-on-halt")
    tale.add("bob bid 6 @ 650 all-or-none cancel-on-halt")
    tale.add("carol bid 12 @ 600 all-or-none")
    tale.add("dave ask 12 @ 590 all-or-none")
    tale.add("eve bid 13 @ 620 all-or-none")
    tale.add("fay ask 13 @ 610 all-or-none")
    assert not tale.fills()
    tale.twins.halt(EARLY)
    tale.twins.resume(EARLY)
    assert tale.fills() == [(3, 4, 12, 600, "expand"), (5, 6, 13, 620, "expand")]


def blocked(until: str = "", dave: str = " until 2001") -> Tale:
    """Carol's seven and dave's five would be ann's twelve, but bob's eight come first and leave four."""
    tale = Tale()
    tale.add(f"bob ask 8 @ 400{until} all-or-none")
    tale.add("carol ask 7 @ 450 all-or-none")
    tale.add(f"dave ask 5 @ 460{dave} all-or-none")
    tale.add("ann bid 12 @ 500 all-or-none")
    assert not tale.fills()
    return tale


UNBLOCKED = [(4, 2, 7, 450, "expand"), (4, 3, 5, 460, "expand")]


def test_a_cancel_is_a_change_after_which_is_tried() -> None:
    tale = blocked()
    tale.cancel("bob", 1)
    assert tale.fills() == UNBLOCKED


def test_an_expiry_is_a_change_after_which_is_tried_whenever_the_sweep_runs() -> None:
    """bob's eight end at 2000, dave's five at 2001: in between ann's fill, also if nobody looks before 3000."""
    tale = blocked(" until 2000")
    tale.wait(3_000)
    assert tale.fills() == UNBLOCKED


def test_nothing_is_tried_while_the_contract_is_halted_but_on_resume() -> None:
    tale = blocked()
    tale.twins.halt(EARLY)
    tale.cancel("bob", 1)
    assert not tale.fills()
    tale.twins.resume(EARLY)
    assert tale.fills() == UNBLOCKED


def test_nothing_is_tried_at_maturation() -> None:
    """All expire then, bob's first."""
    tale = blocked(dave="")
    tale.wait(MATURATION_AT)
    assert (tale.fills(), tale.book()) == ([], [])


def test_on_resume_what_is_due_expires_before_anything_is_tried() -> None:
    tale = blocked()
    tale.twins.halt(EARLY)
    tale.cancel("bob", 1)
    tale.twins.venue.now = 2_001
    tale.twins.resume(EARLY)
    assert (tale.fills(), tale.book()) == ([], ["carol ask 7 @ 450", "ann bid 12 @ 500"])


def test_a_cut_is_a_change_after_which_is_tried() -> None:
    """ann changes her ten to the eight that can be had."""
    tale = Tale()
    tale.add("bob ask 8 @ 400")
    number = tale.add("ann bid 10 @ 500 all-or-none")
    tale.cancel("ann", number, keep=8)
    assert tale.fills() == [(2, 1, 8, 400, "expand")]


def test_a_re_tried_offer_cuts_the_own_offers_it_passed() -> None:
    tale = Tale()
    tale.add("ann ask 12 @ 400")
    tale.add("ann bid 10 @ 500 all-or-none")
    tale.add("bob ask 5 @ 450")
    tale.add("carol ask 5 @ 450")
    assert tale.fills() == [(2, 3, 5, 500, "expand"), (2, 4, 5, 500, "expand")]
    assert tale.book() == ["ann ask 2 @ 400"]


# §2, post-only


def test_post_only_is_refused_if_it_would_fill_by_itself() -> None:
    tale = Tale()
    tale.add("bob ask 5 @ 500")
    tale.refuse("ann bid 5 @ 500 post-only")
    tale.add("ann bid 5 @ 499 post-only")


def test_post_only_is_refused_if_a_re_try_would_fill_it() -> None:
    """bob's ten need ann's five beside carol's."""
    tale = Tale()
    tale.add("carol bid 5 @ 500")
    tale.add("bob ask 10 @ 500 all-or-none")
    tale.refuse("ann bid 5 @ 500 post-only")
    tale.add("ann bid 5 @ 499 post-only")


def test_post_only_is_refused_if_its_arrival_lets_others_fill() -> None:
    """Coming to rest it would take bob's own eight out of ann's way."""
    tale = blocked()
    tale.refuse("bob bid 8 @ 400 post-only")
    tale.add("bob bid 8 @ 399 post-only")


@pytest.mark.parametrize("other", ["all-or-none", "now-or-never"])
def test_post_only_goes_neither_with_all_or_none_nor_with_now_or_never(other: str) -> None:
    Tale().refuse(f"ann bid 5 @ 500 post-only {other}")


# §2, pools


def budget() -> Tale:
    """Any one of two issues with the same 100 tokens."""
    tale = Tale()
    tale.add("ann bid 200 @ 500 pool", EARLY)
    tale.add("ann bid 200 @ 500 pool", LATE)
    assert (tale.left("ann"), tale.earned("ann")) == (100_000, -100_000)
    return tale


def test_pooled_offers_share_the_largest_of_their_needs() -> None:
    tale = Tale(purse_mills=7_000)
    tale.add("ann bid 10 @ 500 pool", EARLY)
    tale.add("ann bid 9 @ 500 pool", LATE)
    assert (tale.left("ann"), tale.earned("ann")) == (5_000, -5_000)
    tale.refuse("ann bid 10 @ 701 pool", LATE)
    tale.add("ann bid 10 @ 700 pool", LATE)
    assert (tale.left("ann"), tale.earned("ann")) == (7_000, -7_000)


def test_a_fill_takes_its_cost_and_what_needs_more_than_is_left_is_suspended() -> None:
    tale = budget()
    tale.add("bob ask 50 @ 500", LATE)
    assert (tale.left("ann"), tale.suspended()) == (75_000, [1])
    assert (tale.book(EARLY), tale.book(LATE)) == ([], ["ann bid 150 @ 500"])
    tale.add("bob ask 150 @ 500", LATE)
    assert (tale.left("ann"), tale.suspended()) == (0, [1])


def test_suspended_offers_do_not_fill() -> None:
    tale = budget()
    tale.add("bob ask 200 @ 500", LATE)
    tale.fills()
    tale.add("carol ask 200 @ 500", EARLY)
    assert not tale.fills()


def test_within_a_sweep_too_a_pooled_offer_is_suspended() -> None:
    tale = Tale()
    tale.add("bob ask 10 @ 400 pool")
    tale.add("bob ask 10 @ 450 pool")
    tale.add("carol ask 10 @ 460")
    tale.add("ann bid 20 @ 500")
    assert tale.fills() == [(4, 1, 10, 400, "expand"), (4, 3, 10, 460, "expand")]
    assert (tale.suspended(), tale.left("bob")) == ([2], 0)


def test_a_fill_better_than_the_limit_leaves_more_and_what_nobody_needs_is_free() -> None:
    """100 at 300 instead of 500 cost 30 000 of 100 000; the most that is still needed is 50 000."""
    tale = Tale()
    tale.add("ann bid 100 @ 500 pool", LATE)
    tale.add("bob ask 100 @ 300", EARLY)
    tale.add("ann bid 200 @ 500 pool", EARLY)
    assert (tale.left("ann"), tale.suspended()) == (50_000, [])
    assert tale.earned("ann") == -30_000 - 50_000


def test_money_from_selling_what_the_pool_bought_comes_back_to_it() -> None:
    """200 units sold at 600 bring 120 000: the pool holds no more than the 100 000 that an offer needs."""
    tale = budget()
    tale.add("bob ask 200 @ 500", LATE)
    assert (tale.left("ann"), tale.suspended()) == (0, [1])
    tale.add("ann sell fixed 200 @ 600", LATE)
    tale.add("carol bid 100 @ 600", LATE)
    assert (tale.left("ann"), tale.suspended()) == (60_000, [1])
    tale.add("carol bid 100 @ 600", LATE)
    assert (tale.left("ann"), tale.suspended()) == (100_000, [])
    assert tale.earned("ann") == -80_000
    assert tale.book(EARLY) == ["ann bid 200 @ 500"]


def mixed() -> Tale:
    """ann has six FIXED of the pool and four of her own, at 400; her other pooled offer needs 5 000 of 2 600."""
    tale = Tale()
    tale.add("ann bid 50 @ 100 pool", LATE)
    tale.add("bob ask 10 @ 400")
    tale.add("ann bid 6 @ 400 pool")
    tale.add("ann bid 4 @ 400")
    assert (tale.left("ann"), tale.suspended()) == (2_600, [1])
    assert tale.earned("ann") == -5_000 - 1_600
    return tale


def test_what_was_not_bought_by_the_pool_keeps_its_share() -> None:
    """Of ten units five are sold: floor(6 x 5 / 10) = 3 of them were the pool's."""
    tale = mixed()
    tale.add("carol bid 5 @ 700")
    tale.add("ann sell fixed 5 @ 700")
    assert tale.left("ann") == 2_600 + 3 * 700
    assert tale.earned("ann") == -6_600 + 2 * 700


def test_a_redeemed_unit_of_the_pool_brings_it_half_a_token() -> None:
    """ann's ask, placed before, brings six UNFIXED: six pairs bring 6 000, half of it for the six of the pool."""
    tale = Tale()
    tale.add("ann ask 6 @ 450")
    tale.add("ann bid 50 @ 100 pool", LATE)
    tale.add("bob ask 6 @ 400")
    tale.add("ann bid 6 @ 400 pool")
    assert (tale.left("ann"), tale.earned("ann")) == (2_600, -5_000 - 3_300)
    tale.add("dave bid 6 @ 450")
    assert tale.units("ann", "fixed") == (0, 0)
    assert (tale.left("ann"), tale.earned("ann")) == (5_000, -8_300 + 3_000 + 600)


def test_money_from_settling_what_the_pool_bought_comes_back_to_it() -> None:
    """Ten units pay 10 000, six tenths to the pool; it needs no more than 5 000, the rest is free."""
    tale = mixed()
    tale.twins.settle(EARLY, Outcome.FIXED, 0, 1)
    assert (tale.left("ann"), tale.suspended()) == (5_000, [])
    assert tale.earned("ann") == -6_600 + 10_000 - 2_400


def test_a_new_pooled_offer_raises_the_budget_and_brings_others_back() -> None:
    tale = mixed()
    tale.add("ann bid 10 @ 400 pool", EARLY)
    assert (tale.left("ann"), tale.suspended()) == (4_000, [1])
    tale.add("ann bid 10 @ 600 pool", EARLY)
    assert (tale.left("ann"), tale.suspended()) == (6_000, [])


def test_an_offer_that_comes_back_has_lost_its_place() -> None:
    tale = mixed()
    tale.add("carol bid 50 @ 100", LATE)
    tale.add("ann bid 10 @ 500 pool", EARLY)
    assert tale.book(LATE) == ["carol bid 50 @ 100", "ann bid 50 @ 100"]


def test_an_offer_that_comes_back_fills_on_arrival_and_sells_what_is_held_then() -> None:
    """ann holds 20 UNFIXED in c5 by now: of her 50 they are sold first, and only 30 need money: 3 000."""
    tale = mixed()
    tale.hold("ann 20 unfixed @ 500", LATE)
    tale.add("carol ask 25 @ 90", LATE)
    assert not tale.fills()
    tale.add("ann bid 8 @ 400 pool", EARLY)
    kinds = [(bid, volume, price, kind) for bid, _, volume, price, kind in tale.fills()]
    assert kinds == [(1, 20, 90, "transfer"), (1, 5, 90, "expand")]


def test_a_suspended_offer_gives_its_units_free_and_may_be_cancelled_or_expire() -> None:
    tale = Tale()
    tale.hold("ann 4 unfixed @ 500", LATE)
    number = tale.add("ann bid 10 @ 500 pool", LATE)
    tale.add("ann bid 9 @ 500 until 2000 pool", EARLY)
    assert (tale.left("ann"), tale.units("ann", "unfixed", LATE)) == (4_500, (0, 4))
    tale.add("bob ask 5 @ 500", EARLY)
    assert (tale.left("ann"), tale.suspended()) == (2_000, [number])
    assert tale.units("ann", "unfixed", LATE) == (4, 0)
    tale.cancel("ann", number)
    tale.wait(2_000)
    assert (tale.left("ann"), tale.suspended(), tale.book()) == (0, [], [])


def test_only_buy_offers_have_a_pool() -> None:
    tale = Tale()
    tale.hold("ann 10 fixed @ 500")
    tale.refuse("ann sell fixed 10 @ 600 pool")


# §2, ranges


def test_a_buyer_of_fixed_takes_the_best_price_then_the_latest_maturation_then_the_oldest() -> None:
    tale = Tale()
    tale.add("bob ask 5 @ 400", EARLY)
    tale.add("carol ask 5 @ 400", LATE)
    tale.add("dave ask 5 @ 390", EARLY)
    tale.add("eve ask 5 @ 400", LATE)
    late, early = tale.spread("ann bid 18 @ 400")
    assert tale.fills() == [
        (early, 3, 5, 390, "expand"),
        (late, 2, 5, 400, "expand"),
        (late, 4, 5, 400, "expand"),
        (early, 1, 3, 400, "expand"),
    ]


def test_a_buyer_of_unfixed_takes_the_earliest_maturation_first() -> None:
    tale = Tale()
    tale.add("bob bid 5 @ 400", LATE)
    tale.add("carol bid 5 @ 400", EARLY)
    early, late = tale.spread("ann ask 7 @ 400")
    assert tale.fills() == [(2, early, 5, 400, "expand"), (1, late, 2, 400, "expand")]


def test_the_rest_of_a_range_goes_where_most_open_interest_is() -> None:
    tale = Tale()
    tale.hold("eve 6 fixed @ 500", EARLY)
    tale.hold("eve 5 fixed @ 500", LATE)
    tale.spread("ann bid 10 @ 400")
    assert (tale.book(EARLY), tale.book(LATE)) == (["ann bid 10 @ 400"], [])


def test_the_rest_of_a_range_counts_its_own_fills_as_open_interest() -> None:
    tale = Tale()
    tale.hold("eve 6 fixed @ 500", EARLY)
    tale.hold("eve 5 fixed @ 500", LATE)
    tale.add("bob ask 5 @ 300", LATE)
    tale.spread("ann bid 11 @ 400")
    assert (tale.book(EARLY), tale.book(LATE)) == ([], ["ann bid 6 @ 400"])


def test_of_equal_open_interest_the_latest_maturation_and_so_where_there_is_none() -> None:
    tale = Tale()
    tale.spread("ann bid 10 @ 400")
    assert tale.book(LATE) == ["ann bid 10 @ 400"]
    tale.hold("eve 5 fixed @ 500", EARLY)
    tale.hold("eve 5 fixed @ 500", LATE)
    tale.spread("bob bid 10 @ 400")
    assert tale.book(LATE) == ["ann bid 10 @ 400", "bob bid 10 @ 400"]


def test_all_or_none_counts_the_sum_of_a_range() -> None:
    tale = Tale()
    tale.add("bob ask 5 @ 400", EARLY)
    tale.add("carol ask 5 @ 400", LATE)
    tale.spread("ann bid 11 @ 400 all-or-none")
    assert not tale.fills()
    assert tale.book(LATE) == ["carol ask 5 @ 400", "ann bid 11 @ 400"]
    tale.spread("dave bid 10 @ 400 all-or-none")
    assert [fill[2] for fill in tale.fills()] == [5, 5]


def test_a_range_sells_in_each_contract_what_is_held_there() -> None:
    """ann has 4 UNFIXED in c5: of the five she gets there four are a sale."""
    tale = Tale()
    tale.hold("ann 4 unfixed @ 500", LATE)
    before = tale.earned("ann")
    tale.add("bob ask 5 @ 300", LATE)
    tale.add("bob ask 5 @ 300", EARLY)
    late, early = tale.spread("ann bid 10 @ 300")
    assert [(fill[0], fill[2], fill[4]) for fill in tale.fills()] == [
        (late, 4, "transfer"),
        (late, 1, "expand"),
        (early, 5, "expand"),
    ]
    assert tale.earned("ann") - before == 4 * 700 - 6 * 300


def test_a_range_needs_its_volume_at_its_limit_free() -> None:
    tale = Tale(purse_mills=6_000)
    tale.hold("ann 4 unfixed @ 250", LATE)
    tale.refuse_spread("ann bid 10 @ 501")
    tale.spread("ann bid 10 @ 500")
    assert tale.held("ann") == 6 * 500


def test_the_self_trade_rule_in_a_range_is_of_each_contract() -> None:
    """Where it rests (c5) her own ask is gone wholly. In c3 one loses what others filled after it was passed: dave's
    four; the other, passed after that, loses nothing."""
    tale = Tale()
    tale.hold("eve 5 fixed @ 500", LATE)
    tale.add("ann ask 12 @ 300", EARLY)
    tale.add("ann ask 50 @ 300", LATE)
    tale.add("dave ask 5 @ 350", LATE)
    tale.cancel("dave", tale.twins.venue.numbers, keep=4)
    tale.add("ann ask 20 @ 360", EARLY)
    tale.spread("ann bid 10 @ 400")
    assert (tale.book(EARLY), tale.book(LATE)) == (["ann ask 8 @ 300", "ann ask 20 @ 360"], ["ann bid 6 @ 400"])


def test_a_range_is_not_for_sales() -> None:
    tale = Tale()
    tale.hold("ann 10 fixed @ 500")
    tale.refuse_spread("ann sell fixed 5 @ 400")


# §2, changes; §3, self-trade; §5, halts


def test_a_smaller_volume_keeps_its_place_and_gives_the_bought_part_back_first() -> None:
    tale = Tale()
    tale.hold("ann 4 unfixed @ 500")
    number = tale.add("ann bid 10 @ 300")
    tale.add("bob bid 10 @ 300")
    tale.cancel("ann", number, keep=6)
    assert (tale.book(), tale.held("ann")) == (["ann bid 6 @ 300", "bob bid 10 @ 300"], 600)
    tale.cancel("ann", number, keep=3)
    assert (tale.held("ann"), tale.units("ann", "unfixed")) == (0, (1, 3))


def test_own_all_or_none_and_post_only_offers_that_were_passed_go_wholly() -> None:
    tale = Tale()
    tale.add("ann ask 8 @ 400 all-or-none")
    tale.add("ann ask 30 @ 410 post-only")
    tale.add("ann ask 30 @ 420")
    tale.add("bob ask 10 @ 450")
    tale.add("ann bid 10 @ 500")
    assert [fill[1] for fill in tale.fills()] == [4]
    assert tale.book() == ["ann ask 20 @ 420"]


def test_an_own_all_or_none_offer_too_large_to_be_met_stays_if_others_fill_the_newcomer() -> None:
    tale = Tale()
    tale.add("ann ask 12 @ 400 all-or-none")
    tale.add("bob ask 10 @ 450")
    tale.add("ann bid 10 @ 500")
    assert tale.book() == ["ann ask 12 @ 400"]
    tale.add("ann bid 10 @ 500")
    assert tale.book() == ["ann ask 12 @ 400", "ann bid 10 @ 500"]


def test_a_halt_cancels_what_asked_for_it_and_suspended_offers_stay() -> None:
    tale = budget()
    tale.add("bob bid 5 @ 300 cancel-on-halt", EARLY)
    tale.add("carol bid 5 @ 300", EARLY)
    tale.add("bob ask 200 @ 500", LATE)
    tale.twins.halt(EARLY)
    assert (tale.book(), tale.held("bob"), tale.suspended()) == (["carol bid 5 @ 300"], 0, [1])


def test_nothing_comes_back_while_the_contract_is_halted() -> None:
    tale = budget()
    tale.add("bob ask 200 @ 500", LATE)
    tale.twins.halt(EARLY)
    tale.add("ann bid 200 @ 500 pool", LATE)
    assert tale.suspended() == [1]
    tale.twins.resume(EARLY)
    assert (tale.suspended(), tale.book(EARLY)) == ([], ["ann bid 200 @ 500"])


def test_money_that_is_given_or_put_up_as_a_bond_is_free_money() -> None:
    tale = Tale(purse_mills=5_000)
    tale.add("ann bid 5 @ 500")
    assert not tale.twins.give(1, 2, 2_501)
    assert tale.twins.give(1, 2, 500)
    assert tale.twins.post_bond(1, 2_000)
    assert (tale.earned("ann"), tale.earned("bob")) == (-5_000, 500)
    assert tale.twins.end_bond(1, upheld=False)
    assert (tale.earned("ann"), tale.fees()) == (-5_000, 2_000)
    tale.twins.check()
