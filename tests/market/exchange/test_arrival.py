"""What an offer must be to be let in, how long it lasts, and how it leaves (docs/market.md §2, §5)."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.exchange.offer import Action, NewOffer, price_from_deposit, price_from_profit
from app.market.terms.contract import MAX_VOLUME, Outcome
from app.market.terms.errors import (
    InsufficientFunds,
    InsufficientUnits,
    InvalidOffer,
    NotTrading,
    Refusal,
    UnknownOffer,
)
from tests.market.drawing import FIXED, IDS, MATURATION_AT, NOW, PURSE_MILLS, UNFIXED, book, drawing, scene
from tests.market.invariants import check

ANN, BOB = IDS["ann"], IDS["bob"]


@pytest.mark.parametrize("price", [-1, 0, 1_000, 1_001])
def test_a_price_is_1_to_999_mills(price: int) -> None:
    with pytest.raises(InvalidOffer):
        scene().place(ANN, NewOffer(Action.BUY, FIXED, 5, price))


@pytest.mark.parametrize("volume", [-5, 0, MAX_VOLUME + 1])
def test_a_volume_is_1_to_a_thousand_million_units(volume: int) -> None:
    with pytest.raises(InvalidOffer):
        scene().place(ANN, NewOffer(Action.BUY, FIXED, volume, 1, now_or_never=True))


@pytest.mark.parametrize("price", [1, 999])
def test_the_outermost_prices_are_let_in(price: int) -> None:
    open_book = scene()
    open_book.place(ANN, NewOffer(Action.BUY, FIXED, 5, price))
    open_book.place(BOB, NewOffer(Action.BUY, UNFIXED, 5, 1000 - price))
    assert (open_book.cost("ann", FIXED), open_book.cost("bob", UNFIXED)) == (5 * price, 5 * (1000 - price))


@pytest.mark.parametrize("until", [NOW - 1, NOW, MATURATION_AT + 1])
def test_until_is_later_than_now_and_not_later_than_maturation(until: int) -> None:
    with pytest.raises(InvalidOffer):
        book(f"ann bid 5 @ 500 until {until}")


@pytest.mark.parametrize("until", [NOW + 1, MATURATION_AT])
def test_the_first_and_the_last_instant_that_until_may_name(until: int) -> None:
    assert book(f"ann bid 5 @ 500 until {until}").state.book.offers[1].until_at == until


def test_an_offer_without_until_lasts_until_maturation() -> None:
    standing = book("ann bid 5 @ 500")
    standing.now = MATURATION_AT - 1
    assert not standing.expire()
    standing.now = MATURATION_AT
    standing.expire()
    assert (drawing(standing), standing.free("ann")) == ([], PURSE_MILLS)


def test_trading_ends_at_maturation() -> None:
    late = scene()
    late.now = MATURATION_AT - 1
    late.add("ann bid 5 @ 500")
    late.now = MATURATION_AT
    with pytest.raises(NotTrading):
        late.add("bob bid 5 @ 500")


def test_an_offer_that_is_due_by_a_commands_instant_does_not_meet_it() -> None:
    standing = book("bob ask 5 @ 500 until 2000", "carol ask 5 @ 600")
    standing.now = 2_000
    assert [fill.seller for fill in standing.add("ann bid 5 @ 700").fills] == [IDS["carol"]]
    assert (standing.offers[1].cancelled, standing.reserve("bob")) == (5, 0)


def test_offers_expire_in_the_order_of_until_then_number() -> None:
    standing = book("ann bid 5 @ 500 until 3000", "bob bid 5 @ 400 until 2000", "ann bid 5 @ 300 until 2000")
    standing.now = 3_000
    assert standing.expire() == [2, 3, 1]


def test_it_does_not_matter_when_the_sweep_runs() -> None:
    swept = book("bob ask 5 @ 500 until 2000", "ann bid 5 @ 400 until 2500", "carol ask 5 @ 600")
    late = copy.deepcopy(swept)
    for now in (2_000, 2_400, 2_500):
        swept.now = now
        swept.expire()
    for standing in (swept, late):
        standing.now = 3_000
        standing.add("dave bid 7 @ 700")
    assert [item.postings for item in swept.entries] == [item.postings for item in late.entries]
    assert swept.fills == late.fills


def test_money_that_is_free_before_is_not_free_after() -> None:
    poor = scene(purse_mills=5_000)
    poor.add("ann bid 9 @ 500")
    with pytest.raises(InsufficientFunds) as refused:
        poor.add("ann bid 5 @ 101")
    assert (refused.value.need_mills, refused.value.free_mills) == (505, 500)
    poor.add("ann bid 5 @ 100")
    assert (poor.free("ann"), poor.reserve("ann")) == (0, 5_000)


def test_money_that_comes_free_at_an_expiry_pays_for_the_next_command() -> None:
    poor = scene(purse_mills=5_000)
    poor.add("ann bid 10 @ 500 until 2000")
    poor.now = 2_000
    poor.add("ann bid 10 @ 500")
    assert poor.reserve("ann") == 5_000


def test_a_sale_needs_the_units_free_and_no_money() -> None:
    standing = book("ann sell fixed 6 @ 400", holding=["ann 10 fixed @ 200"])
    with pytest.raises(InsufficientUnits) as refused:
        standing.add("ann sell fixed 5 @ 400")
    assert (refused.value.need, refused.value.free) == (5, 4)
    standing.add("ann bid 5 @ 100")
    assert standing.units("ann", FIXED) == (4, 6)


def test_a_refusal_names_a_command_that_would_do() -> None:
    poor = scene(purse_mills=5_000)
    with pytest.raises(InsufficientFunds) as refused:
        poor.add("ann bid 20 @ 333")
    correction = refused.value.correction
    assert correction is not None and correction.startswith("/bugmark offer fixed 15 at 33.3% by ")
    with pytest.raises(InsufficientUnits) as unheld:
        poor.add("ann sell fixed 5 @ 333")
    assert unheld.value.correction == "/bugmark positions"


REFUSED = [
    ("ann bid 4 @ 500", InvalidOffer),
    ("ann bid 0 @ 500", InvalidOffer),
    ("ann bid 5 @ 1000", InvalidOffer),
    ("ann bid 5 @ 500 until 1000", InvalidOffer),
    ("ann bid 10000000 @ 999", InsufficientFunds),
    ("ann sell fixed 11 @ 400", InsufficientUnits),
    ("dave sell unfixed 5 @ 400", InsufficientUnits),
]


@pytest.mark.parametrize(("line", "refusal"), REFUSED)
def test_a_refused_offer_leaves_everything_as_it_was(line: str, refusal: type[Refusal]) -> None:
    standing = book("bob ask 5 @ 600", "carol bid 6 @ 300", "ann ask 5 @ 650", holding=["ann 10 fixed @ 200"])
    before = copy.deepcopy(standing.picture())
    with pytest.raises(refusal) as refused:
        standing.add(line)
    assert standing.picture() == before
    assert refused.value.sentence
    assert (refused.value.correction or "/bugmark ").startswith("/bugmark ")


def test_cancelling_gives_money_and_units_back() -> None:
    standing = book("ann bid 10 @ 300", holding=["ann 4 unfixed @ 500"])
    number = standing.numbers
    standing.cancel(ANN, number)
    assert (standing.reserve("ann"), standing.units("ann", UNFIXED)) == (0, (4, 0))
    assert standing.offers[number].cancelled == 10
    check(standing)


@pytest.mark.parametrize("number", [1, 2, 3, 99])
def test_only_a_live_offer_of_ones_own_can_be_cancelled(number: int) -> None:
    standing = book("bob ask 5 @ 600", "ann bid 5 @ 600", "bob ask 5 @ 600")
    before = copy.deepcopy(standing.picture())
    with pytest.raises(UnknownOffer):
        standing.cancel(ANN, number)
    assert standing.picture() == before


def test_a_halted_contract_takes_no_offers_but_lets_them_go() -> None:
    standing = book("ann bid 5 @ 500 until 2000", "bob bid 5 @ 400", "carol bid 5 @ 300")
    standing.halt()
    with pytest.raises(NotTrading):
        standing.add("dave ask 5 @ 300 now-or-never")
    standing.cancel(BOB, 2)
    standing.now = 2_000
    standing.expire()
    assert drawing(standing) == ["carol bid 5 @ 300"]


def test_resuming_lets_what_came_due_expire_and_trades_again() -> None:
    standing = book("ann bid 5 @ 500 until 2000", "carol bid 5 @ 300")
    standing.halt()
    standing.now = 2_500
    standing.resume()
    assert drawing(standing) == ["carol bid 5 @ 300"]
    assert [fill.buyer for fill in standing.add("dave ask 5 @ 300").fills] == [IDS["carol"]]
    check(standing)


def test_halting_twice_is_halting_once() -> None:
    standing = scene()
    assert [amendment.kind for amendment in standing.halt().amendments] == ["halt"]
    assert not standing.halt().amendments
    assert [amendment.kind for amendment in standing.resume().amendments] == ["resume"]
    assert not standing.resume().amendments


@pytest.mark.parametrize("again", ["halt", "resume"])
def test_settled_is_final(again: str) -> None:
    standing = book(holding=["ann 10 fixed @ 200"])
    standing.settle(Outcome.FIXED)
    before = copy.deepcopy(standing.picture())
    with pytest.raises(ValueError, match="settled already"):
        getattr(standing, again)()
    with pytest.raises(NotTrading):
        standing.add("bob bid 5 @ 500")
    assert standing.picture() == before


def test_a_deposit_names_the_highest_price_it_can_pay() -> None:
    assert (price_from_deposit(40_000, 200), price_from_deposit(1_000, 3)) == (200, 333)


def test_a_profit_names_the_price_at_which_winning_gains_no_more() -> None:
    assert (price_from_profit(160_000, 200), price_from_profit(1_000, 3)) == (200, 667)


@pytest.mark.parametrize(("deposit_mills", "volume"), [(4, 5), (5_000, 5)])
def test_a_deposit_that_makes_no_price_is_refused(deposit_mills: int, volume: int) -> None:
    with pytest.raises(InvalidOffer):
        scene().place(ANN, NewOffer(Action.BUY, FIXED, volume, price_from_deposit(deposit_mills, volume)))


@pytest.mark.parametrize(("profit_mills", "volume"), [(4, 5), (5_000, 5)])
def test_a_profit_that_makes_no_price_is_refused(profit_mills: int, volume: int) -> None:
    with pytest.raises(InvalidOffer):
        scene().place(ANN, NewOffer(Action.BUY, FIXED, volume, price_from_profit(profit_mills, volume)))


@given(mills=st.integers(1, 10**12), volume=st.integers(1, MAX_VOLUME))
def test_deposit_and_profit_are_limits_and_one_mill_more_would_break_them(mills: int, volume: int) -> None:
    price = price_from_deposit(mills, volume)
    assert volume * price <= mills < volume * (price + 1)
    price = price_from_profit(mills, volume)
    assert volume * (1000 - price) <= mills < volume * (1000 - price + 1)
