"""Quotes of the market maker: what it asks and bids, what it has money for, and when it says nothing."""

import itertools
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.maker import Dated, Quote, Style, dates_mills, ladder_mills, quotes, unit_for
from app.market.maker_news import QUIET_SECONDS, News, Reason, silence
from tests.market.naive import maker as naive

RICH = Style(10**9)
DAY = 86_400


def one(chance: float, sold: int = 0, style: Style = RICH) -> list[Quote]:
    """Quotes of a single contract in which so much was sold."""
    fixed, unfixed = max(0, -sold), max(0, sold)
    return list(quotes(style, [Dated(3, 100, chance, True, fixed, unfixed)], News(), 0).quotes)


def prices(found: list[Quote], bid: bool) -> list[int]:
    return [quote.price_mills for quote in found if quote.bid is bid]


def test_around_a_half_six_rungs_a_side_with_fifty_mills_between() -> None:
    found = one(0.5)
    assert prices(found, bid=False) == [525, 550, 575, 599, 623, 646]
    assert prices(found, bid=True) == [475, 450, 425, 401, 377, 354]
    assert {quote.volume for quote in found} == {10}


def test_around_a_fifth_the_spread_is_33_mills() -> None:
    found = one(0.2)
    assert (prices(found, bid=False)[0], prices(found, bid=True)[0]) == (217, 184)


def test_the_innermost_quotes_come_first() -> None:
    assert [quote.price_mills for quote in one(0.5)[:4]] == [525, 475, 550, 450]


def test_after_a_rung_is_sold_the_next_one_is_dearer_and_it_is_bought_back_where_it_began() -> None:
    found = one(0.5, sold=10)
    assert prices(found, bid=False)[0] == 550
    assert prices(found, bid=True)[0] == 500  # of the units it holds: that bid needs no money
    assert next(quote for quote in found if quote.bid).need_mills == 0


def test_a_rung_that_is_partly_sold_goes_on_and_one_with_too_few_units_is_skipped() -> None:
    found = one(0.5, sold=3)
    asks = [quote for quote in found if not quote.bid]
    bids = [quote for quote in found if quote.bid]
    assert [(quote.price_mills, quote.volume) for quote in asks[:2]] == [(525, 7), (550, 10)]
    assert [(quote.price_mills, quote.volume, quote.units) for quote in bids[:2]] == [(475, 10, 3), (450, 10, 0)]
    assert one(0.5, sold=7)[0].price_mills == 550


def test_prices_near_certainty_are_not_quoted() -> None:
    assert prices(one(0.975), bid=False) == [978, 980]
    assert prices(one(0.999), bid=False) == []
    assert prices(one(0.999), bid=True)[0] <= 980
    assert prices(one(0.001), bid=True) == []


def test_the_budget_of_a_ladder_follows_from_its_depth() -> None:
    assert ladder_mills(Style(0, b=100, unit=10), 0.5) == 64_570
    assert ladder_mills(Style(0, b=100, unit=10), 0.2) == 154_650
    assert ladder_mills(Style(0, b=25, unit=unit_for(25)), 0.5) == 15_555 < 1000 * 25 * math.log(2)


def test_the_budget_of_several_dates_is_that_of_the_least_likely_interval() -> None:
    assert dates_mills(Style(0), [0.3, 0.1, 0.2, 0.4]) == 230_259


def test_outer_rungs_are_left_out_when_the_money_is_short() -> None:
    found = one(0.5, style=Style(20_000))
    assert len(found) == 4
    assert sum(quote.need_mills for quote in found) == 18_500


@pytest.mark.parametrize("budget", [0, 4_000])
def test_without_a_budget_nothing_is_quoted_and_it_says_so(budget: int) -> None:
    found = quotes(Style(budget), [Dated(3, 100, 0.5)], News(), 0)
    assert not found.quotes
    assert found.silent[3].reason is Reason.NO_BUDGET
    assert found.silent[3].sentence == "The market maker's budget for this issue is used up."


def test_of_several_contracts_only_those_that_trade_are_quoted() -> None:
    found = quotes(RICH, [Dated(3, 100, 0.2, trades=False), Dated(5, 200, 0.5)], News(), 0)
    assert {quote.contract for quote in found.quotes} == {5}
    assert found.silent[3].reason is Reason.NOT_TRADING


def test_a_decided_date_is_said_to_be_one() -> None:
    found = quotes(Style(10**9, b=10, unit=100), [Dated(3, 100, 0.5, True, 0, 0)], News(), 0)
    assert found.silent[3].reason is Reason.DECIDED


@pytest.mark.parametrize(
    ("news", "reason", "until"),
    [
        (News(known=False), Reason.NO_ANSWER, None),
        (News(history=False), Reason.NO_HISTORY, None),
        (News(closed=True, linked_at=5), Reason.CLOSED, None),
        (News(linked_at=5), Reason.LINKED, 5 + QUIET_SECONDS),
        (News(linked_at=5, assigned_at=9), Reason.ASSIGNED, 9 + QUIET_SECONDS),
        (News(stopped_at=5), Reason.BY_HAND, None),
        (News(stopped_at=5, started_at=4), Reason.BY_HAND, None),
    ],
)
def test_news_silence_the_maker_with_a_reason(news: News, reason: Reason, until: int | None) -> None:
    found = quotes(RICH, [Dated(3, 100, 0.5), Dated(5, 200, 0.6)], news, 10)
    assert not found.quotes
    assert {(silent.reason, silent.until_at) for silent in found.silent.values()} == {(reason, until)}
    assert found.silent[3].sentence.endswith(".")


def test_it_starts_again_by_hand_or_after_seven_quiet_days() -> None:
    assert silence(News(linked_at=5, started_at=6), 10) is None
    assert silence(News(stopped_at=5, started_at=6), 10) is None
    assert silence(News(linked_at=5), 5 + QUIET_SECONDS - 1) is not None
    assert silence(News(linked_at=5), 5 + QUIET_SECONDS) is None


@pytest.mark.parametrize("wrong", [{"b": 0}, {"unit": 4}, {"rungs": 0}, {"budget_mills": -1}])
def test_a_style_that_cannot_be_quoted_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="is"):
        Style(**{"budget_mills": 1, **wrong})


groups = st.lists(st.tuples(st.floats(0.001, 0.999), st.integers(-250, 250)), min_size=1, max_size=4)
styles = st.builds(
    Style, st.integers(0, 400_000), b=st.integers(10, 300), unit=st.integers(5, 30), rungs=st.integers(1, 8)
)


def drawn(group: list[tuple[float, int]]) -> list[Dated]:
    """Dates in their order, with chances that rise."""
    rising = sorted(chance for chance, _ in group)
    sold = [units for _, units in group]
    return [Dated(at, 100 * at, rising[at], True, max(0, -sold[at]), max(0, sold[at])) for at in range(len(group))]


@given(groups, styles)
def test_no_set_of_its_own_quotes_is_a_sure_gain(group: list[tuple[float, int]], style: Style) -> None:
    """Dates are nested: a gain without risk is a bid for an earlier one at no less than an ask for a later one."""
    found = quotes(style, drawn(group), News(), 0).quotes
    for bid, ask in itertools.product(found, found):
        if bid.bid and not ask.bid and bid.contract <= ask.contract:
            assert bid.price_mills < ask.price_mills


@given(groups, styles, st.lists(st.integers(0, 3), min_size=64, max_size=64))
def test_no_basket_of_its_quotes_pays_whatever_happens(
    group: list[tuple[float, int]], style: Style, taken: list[int]
) -> None:
    """Somebody takes some of each; in at least one of the ends there is nothing to gain."""
    found = quotes(style, drawn(group), News(), 0).quotes
    basket = list(zip(found, taken, strict=False))
    paid = sum(units * (-quote.price_mills if quote.bid else quote.price_mills) for quote, units in basket)
    gains = []
    for interval in range(len(group) + 1):
        held = sum((-units if quote.bid else units) for quote, units in basket if interval <= quote.contract)
        gains.append(1000 * held - paid)
    assert min(gains) <= 0


@given(groups, st.integers(10, 300), st.integers(5, 30))
def test_prices_are_those_of_the_rule_reckoned_slowly(group: list[tuple[float, int]], b: int, unit: int) -> None:
    dates = drawn(group)
    found = quotes(Style(10**9, b=b, unit=unit, rungs=4), dates, News(), 0).quotes
    chances, sold = [dated.chance for dated in dates], [dated.sold for dated in dates]
    for at, bid in itertools.product(range(len(dates)), (True, False)):
        mine = [(quote.volume, quote.price_mills) for quote in found if (quote.contract, quote.bid) == (at, bid)]
        slow = naive.rungs(chances, sold, b, unit, at, bid, most=1_000)
        told = [(volume, rounded(price, bid)) for volume, price in slow]
        quoted = [(volume, mills) for volume, mills in told if min(mills) >= 20 and max(mills) <= 980]
        if all(len(mills) == 1 for _, mills in told):
            assert mine == [(volume, *mills) for volume, mills in quoted[:4]]
        else:  # a price so near to a whole mill that either is right
            assert all(any(its == volume and price in mills for its, mills in told) for volume, price in mine)


def rounded(price: Decimal, bid: bool) -> set[int]:
    return {math.floor(1000 * price + nudge) if bid else math.ceil(1000 * price + nudge) for nudge in NUDGES}


NUDGES = (Decimal("-1e-6"), Decimal("1e-6"))


@given(groups, styles)
def test_quotes_hold_no_more_than_the_budget_leaves(group: list[tuple[float, int]], style: Style) -> None:
    found = quotes(style, drawn(group), News(), 0).quotes
    assert sum(quote.need_mills for quote in found) <= style.budget_mills
    assert all(20 <= quote.price_mills <= 980 and quote.volume >= 5 for quote in found)


@given(groups, styles)
def test_it_never_trades_to_the_good_of_others_by_its_own_rule(group: list[tuple[float, int]], style: Style) -> None:
    """Every bid is at most the rule's chance, every ask at least, so that it expects to gain if it is right."""
    dates = drawn(group)
    chances, sold = [dated.chance for dated in dates], [dated.sold for dated in dates]
    for quote in quotes(style, dates, News(), 0).quotes:
        fair = 1000 * naive.chance_by_date(chances, sold, style.b, quote.contract)
        assert quote.price_mills <= fair + Decimal("1e-6") if quote.bid else quote.price_mills >= fair - Decimal("1e-6")
