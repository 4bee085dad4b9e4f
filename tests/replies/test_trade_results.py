"""What a trade is told as: the parts that a thread seldom sees."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from app.market.exchange.fill import FillKind
from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.exchange.state import Changes
from app.market.terms.contract import Side, Status
from app.market.terms.statement import ADVISORY, ISSUE_FIXED
from app.replies.trade_results import traded
from app.services.trading.offers import Traded
from app.storage.engine.db import FIRST_IMAGINED
from app.storage.market.contracts import ContractRow
from tests.clocks import START_AT

BY = START_AT + 86_399


def row(kind: str = ISSUE_FIXED) -> ContractRow:
    """What an answer does not look at is left out."""
    values: dict[str, Any] = dict.fromkeys(field.name for field in fields(ContractRow))
    return ContractRow(**{**values, "id": 3, "kind": kind, "maturation_at": BY, "status": Status.OPEN})


def offer(number: int, user: int, side: Side, volume: int, price: int, **conditions: bool) -> Offer:
    new = NewOffer(Action.BUY, side, volume, price, **conditions)
    return Offer(
        new, number=number, user=user, contract=3, until_at=BY, units_left=0, cash_left=volume, created_at=START_AT
    )


def filled(own: Offer, other: Offer, volume: int) -> Changes:
    """An expand between a bid of one's own, the newcomer, and an ask."""
    changes = Changes()
    for found in (own, other):
        found.cash_left -= volume
        found.filled += volume
    price = other.fixed_price
    changes.raw_fills.append((3, 1, own, other, own, volume, price, FillKind.EXPAND, False, volume, volume * price))
    return changes


def test_a_command_that_made_its_last_fill_says_what_is_cancelled() -> None:
    own = offer(2, 1, Side.FIXED, 50, 300)
    changes = filled(own, offer(1, 2, Side.UNFIXED, 20, 800), 20)
    own.cash_left, own.cancelled, changes.stopped = 0, 30, True
    told = traded(Traded(row(), own, changes), {2: "@beth"})
    assert "A command makes at most 1,000 fills; the other 30 of 50 units are cancelled." in told


def test_a_forecast_comes_true_or_false() -> None:
    own = offer(2, 1, Side.FIXED, 50, 300)
    told = traded(Traded(row(ADVISORY), own, filled(own, offer(1, 2, Side.UNFIXED, 20, 800), 20)), {2: "@beth"})
    assert "**Bought 20 TRUE** for 4.00 (0.20 each), with @beth." in told
    assert "If F3 comes TRUE, you get 20.00; if it does not, nothing." in told
    assert "buy 30 TRUE at 0.30. You put up 9.00." in told


def test_an_imagined_offer_has_no_number_to_cancel_by() -> None:
    told = traded(Traded(row(), offer(FIRST_IMAGINED, 1, Side.FIXED, 50, 300), Changes()), {})
    assert told.startswith("**Your offer** waits in the book")
    assert "cancel" not in told


def test_offers_that_the_pool_cannot_pay_any_more_are_named() -> None:
    own = offer(2, 1, Side.FIXED, 50, 300, pool=True)
    changes = filled(own, offer(1, 2, Side.UNFIXED, 20, 800), 20)
    other = offer(7, 1, Side.FIXED, 100, 500, pool=True)
    other.suspended = own.suspended = True
    changes.suspended = [own, other, offer(8, 3, Side.FIXED, 5, 500, pool=True)]
    told = traded(Traded(row(), own, changes), {2: "@beth"}, pool_left_mills=8_000)
    assert "**o2** is suspended: its pool has too little left." in told
    assert "Suspended until your pool has enough again: o7." in told
    assert "o8" not in told


def test_fills_that_only_followed_name_who_was_not_named_yet() -> None:
    own = offer(2, 1, Side.FIXED, 20, 300)
    changes = filled(own, offer(1, 2, Side.UNFIXED, 20, 800), 20)
    bid, ask = offer(4, 2, Side.FIXED, 10, 300, all_or_none=True), offer(5, 3, Side.UNFIXED, 10, 800)
    changes.raw_fills += filled(bid, ask, 10).raw_fills
    changes.retried = 1
    told = traded(Traded(row(), own, changes), {2: "@beth", 3: "@carl"})
    assert told.count("@beth") == 1
    assert "That let all-or-none offers fill: 10 units more, of @carl." in told


def test_fills_at_several_prices_say_which() -> None:
    own = offer(9, 1, Side.FIXED, 100, 500)
    changes = filled(own, offer(1, 2, Side.UNFIXED, 60, 720), 60)
    changes.raw_fills += filled(own, offer(2, 3, Side.UNFIXED, 40, 700), 40).raw_fills
    told = traded(Traded(row(), own, changes), {2: "@beth", 3: "@carl"})
    assert "**Bought 100 FIXED** for 28.80 (60 at 0.28, 40 at 0.30), with @beth, @carl." in told


def test_fills_at_many_prices_say_from_which_to_which() -> None:
    own = offer(9, 1, Side.FIXED, 50, 500)
    changes = Changes()
    for number in range(1, 6):
        changes.raw_fills += filled(own, offer(number, 2, Side.UNFIXED, 10, 1000 - 100 * number), 10).raw_fills
    told = traded(Traded(row(), own, changes), {2: "@beth"})
    assert "**Bought 50 FIXED** for 15.00 (at 0.10 to 0.50), with @beth." in told


def test_own_offers_in_the_way_are_told_together() -> None:
    own = offer(9, 1, Side.FIXED, 50, 300)
    changes = Changes()
    gone = [offer(number, 1, Side.UNFIXED, 10, 800) for number in (4, 5)]
    for one in gone:
        one.cash_left = 0
    changes.cut = [(gone[0], 10), (gone[1], 10), (offer(6, 1, Side.UNFIXED, 20, 750), 7)]
    told = traded(Traded(row(), own, changes), {})
    assert "Your own o4, o5 were cancelled; o6 was cut by 7 units: an offer never fills against its own user." in told


@pytest.mark.parametrize(("user", "whose"), [(2, "o4"), (1, "Your own o4")])
def test_whose_place_it_took_is_told(user: int, whose: str) -> None:
    changes = Changes()
    changes.displaced = [(offer(4, user, Side.FIXED, 10, 100), 10)]
    told = traded(Traded(row(), offer(9, 1, Side.FIXED, 50, 300), changes), {})
    assert f"{whose} was cancelled to make room for it: at most 50 all-or-none offers wait on each side" in told


def test_a_new_contract_names_those_beside_it() -> None:
    result = Traded(row(), offer(2, 1, Side.FIXED, 50, 300), Changes())
    told = traded(result, {}, known=["by 2026-12-01 (FIXED: bid 0.40)"])
    assert "This is a new contract; open here already: by 2026-12-01 (FIXED: bid 0.40)." in told
