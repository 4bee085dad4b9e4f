"""Redeeming, releasing and suspending, move by move (docs/market.md §2, §3)."""

from __future__ import annotations

import pytest

from app.market.exchange.book import Half
from app.market.exchange.moves import receive, redeem
from app.market.exchange.position import Position, Purse
from app.market.exchange.state import Changes, Market
from tests.market.drawing import FIXED, IDS, UNFIXED, book, suspended

ANN, BOB = IDS["ann"], IDS["bob"]


def test_units_without_their_other_halves_are_not_redeemed() -> None:
    standing = book(holding=["ann 5 fixed @ 500"])
    market, state = standing.market, standing.state
    assert not redeem(market, state, BOB)
    assert not redeem(market, state, ANN)
    state.position(ANN, UNFIXED)
    assert not redeem(market, state, ANN)
    state.position(ANN, UNFIXED).free = 2
    assert redeem(market, state, ANN)
    assert (state.position(ANN, FIXED).free, state.position(ANN, UNFIXED).free, state.open_interest) == (3, 0, 3)


def test_a_cancelled_sale_that_redeems_nothing_is_no_amendment() -> None:
    standing = book("ann sell fixed 5 @ 600", holding=["ann 5 fixed @ 500"])
    changes = standing.cancel(ANN, standing.numbers)
    assert (changes.amendments, changes.all_amendments) == ((), [])


def test_units_taken_away_take_the_pools_share_of_them_and_no_more() -> None:
    own = Position(free=10, cost_mills=4_000)
    assert own.lose(5, reserved=False) == 0
    shared = Position(free=4, reserved=6, cost_mills=4_001, pool_units=7)
    assert shared.lose(3, reserved=True) == 2
    assert shared == Position(free=4, reserved=3, cost_mills=2_801, pool_units=5)


def test_money_of_a_pool_that_is_no_more_is_free_money() -> None:
    market = Market()
    receive(market, ANN, 500, 200)
    assert market.purses[ANN] == Purse(500)


def test_a_suspended_offer_holds_nothing_and_is_told_as_suspended() -> None:
    standing = book("bob ask 5 @ 400 pool", "bob ask 5 @ 450 pool")
    second = standing.market.find(2)
    assert second is not None and second.held is True
    changes = standing.add("ann bid 5 @ 500")
    assert changes.suspended == (second,)
    assert (second.held, second.suspended, suspended(standing)) == (False, True, [2])


# -- the book -----------------------------------------------------------------------------------------------------


def prices(half: Half) -> list[int]:
    assert all(type(price) is int for price in half.prices())
    return half.prices()


def test_prices_of_a_book_are_whole_and_best_first() -> None:
    standing = book("ann bid 5 @ 300", "ann bid 5 @ 400", "bob ask 5 @ 600", "bob ask 5 @ 500").state.book
    assert (prices(standing.bids), prices(standing.asks)) == ([400, 300], [500, 600])
    assert (standing.best_bid, standing.best_ask) == (400, 500)
    assert type(standing.best_ask) is type(standing.best_bid) is int


@pytest.mark.parametrize(("limit", "reached"), [(499, []), (500, [500]), (599, [500]), (600, [500, 600])])
def test_a_limit_reaches_the_offers_that_are_no_dearer(limit: int, reached: list[int]) -> None:
    asks = book("bob ask 5 @ 600", "bob ask 5 @ 500").state.book.asks
    assert [offer.fixed_price for offer in asks.reached(limit)] == asks.prices(limit) == reached
    assert asks.crosses(limit) is bool(reached)


@pytest.mark.parametrize(("limit", "reached"), [(401, []), (400, [400]), (300, [400, 300])])
def test_a_limit_reaches_the_bids_that_are_no_lower(limit: int, reached: list[int]) -> None:
    bids = book("bob bid 5 @ 300", "bob bid 5 @ 400").state.book.bids
    assert [offer.fixed_price for offer in bids.reached(limit)] == bids.prices(limit) == reached
    assert bids.crosses(limit) is bool(reached)


def test_what_a_calculation_did_starts_empty() -> None:
    changes = Changes()
    assert (changes.amendments, changes.cut, changes.suspended, changes.to_retry) == ((), (), (), set())
    assert (changes.users, changes.retried, changes.fees_mills, changes.stopped) == (set(), 0, 0, False)
