"""Offers: their stance, their price in the book, and an offer as it would be placed anew (docs/market.md §2, §3)."""

from __future__ import annotations

import pytest

from app.market.exchange.offer import Action, NewOffer, Offer, OfferState, book_price, is_bid
from app.market.exchange.spoken import conditions
from app.market.terms.contract import Side
from tests.market.drawing import FIXED, UNFIXED

STANCES = [(Action.BUY, FIXED, True), (Action.SELL, UNFIXED, True), (Action.SELL, FIXED, False)]
STANCES += [(Action.BUY, UNFIXED, False)]
CONDITIONS = {
    "all_or_none": "all-or-none",
    "now_or_never": "now-or-never",
    "post_only": "post-only",
    "pool": "pool",
    "cancel_on_halt": "cancel-on-halt",
}


@pytest.mark.parametrize(("action", "side", "bid"), STANCES)
def test_a_bid_gains_fixed_exposure_and_an_ask_gives_it_up(action: Action, side: Side, bid: bool) -> None:
    assert is_bid(action, side) is bid
    made = Offer(NewOffer(action, side, 5, 300), 1, 2, 3, 99, 0, 5, 40)
    assert (made.bid, made.gives) == (bid, UNFIXED if bid else FIXED)


def test_fixed_at_a_price_is_the_same_as_unfixed_at_what_a_token_leaves() -> None:
    assert (book_price(FIXED, 300), book_price(UNFIXED, 300)) == (300, 700)
    for side in Side:
        made = Offer(NewOffer(Action.BUY, side, 5, 300), 1, 2, 3, 99, 0, 5, 40)
        assert made.fixed_price == book_price(side, 300)


def test_an_offer_knows_when_it_was_made() -> None:
    assert Offer(NewOffer(Action.BUY, FIXED, 5, 300), 1, 2, 3, 99, 0, 5, 40).created_at == 40


@pytest.mark.parametrize("name", [None, *CONDITIONS])
def test_special_are_pooled_and_all_or_none_offers(name: str | None) -> None:
    made = Offer(NewOffer(Action.BUY, FIXED, 5, 300, **({name: True} if name else {})), 1, 2, 3, 99, 0, 5, 40)
    assert made.special is (name in ("pool", "all_or_none"))
    assert (made.held, made.suspended, made.ranging) == (False, False, False)


def test_its_state_is_live_suspended_or_done() -> None:
    made = Offer(NewOffer(Action.BUY, FIXED, 5, 300), 1, 2, 3, 99, 2, 3, 40)
    found = [made.state]
    made.suspended = True
    found.append(made.state)
    assert found == [OfferState.LIVE, OfferState.SUSPENDED]
    assert (made.cut(1), made.cut(4)) == ((1, 0), (2, 2))
    assert (made.state, made.cancelled) == (OfferState.DONE, 5)


@pytest.mark.parametrize("name", [None, *CONDITIONS])
def test_an_offer_placed_anew_is_for_what_is_open_with_the_conditions_it_had(name: str | None) -> None:
    flags = {name: True} if name else {}
    made = Offer(NewOffer(Action.BUY, UNFIXED, 9, 300, 70, **flags), 1, 2, 3, 70, 4, 5, 40)
    made.cut(2)
    assert made.as_new() == NewOffer(Action.BUY, UNFIXED, 7, 300, 70, **flags)


def test_a_sale_placed_anew_is_a_sale() -> None:
    assert Offer(NewOffer(Action.SELL, FIXED, 9, 300), 1, 2, 3, 70, 9, 0, 40).as_new() == NewOffer(
        Action.SELL, FIXED, 9, 300, 70
    )


@pytest.mark.parametrize(("name", "word"), CONDITIONS.items())
def test_a_condition_is_said_as_it_is_typed_of_a_wish_and_of_an_offer(name: str, word: str) -> None:
    new = NewOffer(Action.BUY, FIXED, 5, 300, **{name: True})
    assert conditions(new) == conditions(Offer(new, 1, 2, 3, 99, 0, 5, 40)) == [word]


def test_what_another_condition_implies_is_left_out() -> None:
    assert conditions(NewOffer(Action.BUY, FIXED, 5, 300, post_only=True, cancel_on_halt=True)) == ["post-only"]
    assert conditions(NewOffer(Action.BUY, FIXED, 5, 300)) == []
