"""The budget of a pool: funded by what is missing, capped at what is needed, to the mill (docs/market.md §2)."""

from __future__ import annotations

from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.exchange.pool import Pool
from app.market.exchange.position import Purse
from tests.market.drawing import FIXED

USER = 2


def pooled(number: int, volume: int, price: int) -> Offer:
    return Offer(NewOffer(Action.BUY, FIXED, volume, price, pool=True), number, USER, 3, 99, 0, volume, 40)


def pool(left_mills: int, *offers: Offer) -> Pool:
    return Pool(USER, left_mills, {offer.number: offer for offer in offers})


def test_only_what_is_missing_is_put_into_a_pool() -> None:
    made, purse = pool(300), Purse(1_000, 300)
    made.fund(500, purse)
    assert (made.left_mills, purse) == (500, Purse(800, 500))
    made.fund(499, purse)
    assert (made.left_mills, purse) == (500, Purse(800, 500))


def test_a_single_mill_too_much_is_free_money() -> None:
    made, purse = pool(501, pooled(1, 5, 100), pooled(2, 5, 50)), Purse(0, 501)
    made.cap(purse)
    assert (made.left_mills, purse) == (500, Purse(1, 500))
    made.cap(purse)
    assert (made.left_mills, purse) == (500, Purse(1, 500))


def test_a_pool_without_offers_holds_nothing() -> None:
    made, purse = pool(7), Purse(0, 7)
    made.cap(purse)
    assert (made.left_mills, purse) == (0, Purse(7, 0))


def test_a_pool_that_has_less_than_its_offers_need_keeps_all() -> None:
    made, purse = pool(499, pooled(1, 5, 100)), Purse(0, 499)
    made.cap(purse)
    assert (made.left_mills, purse) == (499, Purse(0, 499))


def test_what_needs_more_than_is_left_is_too_dear_and_what_needs_all_is_not() -> None:
    offers = [pooled(1, 5, 101), pooled(2, 5, 100), pooled(3, 5, 102)]
    made = pool(500, *offers)
    assert made.too_dear() == [offers[0], offers[2]]
    offers[0].suspended = True
    assert made.too_dear() == [offers[2]]


def test_money_for_units_the_pool_bought_comes_back_to_it() -> None:
    made, purse = pool(100), Purse(50, 100)
    made.give_back(30, purse)
    assert (made.left_mills, purse) == (130, Purse(20, 130))
