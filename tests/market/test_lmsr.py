"""The scoring rule beside the vectors that another implementation is tested with.

They are those of Zeitgeist's `zrml-neo-swaps` (github.com/zeitgeistpm/zeitgeist, commit 1edf274e94cb,
`zrml/neo-swaps/src/math/types/math.rs`), which hold amounts as whole numbers of 1/10,000,000,000. It counts what a pool
holds, we what was sold: a reserve r stands for the chance exp(-r / b). Its first ones are from the documentation of
Gnosis's conditional tokens.
"""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.lmsr import (
    b_for,
    cost,
    intervals,
    log_odds_by_date,
    logistic,
    logit,
    most_lost,
    shares,
    units_for,
    units_until,
)

ONE = 10**10
TOLERANCE = 1e-9
LEAST, MOST = 50_000_000, 9_950_000_000
"""The spot prices at which that implementation stops."""

BUYS = [  # reserve, money in, b, units that come out of the pool
    (10 * ONE, 10 * ONE, 144_269_504_088, 58_496_250_072),
    (ONE, ONE, ONE, 7_353_256_641),
    (2 * ONE, 2 * ONE, 2 * ONE, 14_706_513_281),
    (ONE, ONE // 10, 3 * ONE, 386_589_943),
    (100 * ONE, 10 * ONE, 3 * ONE, 998_910_224_189),
    (100 * ONE, ONE // 10, 3 * ONE, 897_465_467_426),
    (0, ONE, ONE, 0),
    (ONE, 0, ONE, 0),
    (30 * ONE, 30 * ONE, ONE - 100_000, 30 * ONE),
    (ONE // 10, 30 * ONE, ONE - 100_000, ONE // 10),
    (30 * ONE, ONE // 10, ONE - 100_000, 276_478_645_689),
    (10_000_000 * ONE, ONE, 144_269_504_088_896_352, 9_999_999_307),
    (100_000_000 * ONE, 100_000_000 * ONE, 434_294_481_903_251_840, 959_041_392_321_093_596),
    (45_757_490_560_675_120, 100_000_000 * ONE, 434_294_481_903_251_840, 41_392_685_158_225_036),
]
SELLS = [  # reserve, units in, b, money out
    (10 * ONE, 10 * ONE, 144_269_504_088, 41_503_749_928),
    (ONE, ONE, ONE, 2_646_743_359),
    (2 * ONE, 2 * ONE, 2 * ONE, 5_293_486_719),
    (17 * ONE, 8 * ONE, 7 * ONE, 4_334_780_553),
    (ONE, 11 * ONE, 33_000_000_000, 41_104_447_891),
    (ONE, 0, ONE, 0),
    (30 * ONE, 30 * ONE, ONE - 100_000, 0),
    (ONE // 10, 30 * ONE, ONE - 100_000, 23_521_354_311),
    (30 * ONE, ONE // 10, ONE - 100_000, 0),
    (10_000_000 * ONE, ONE, 144_269_504_088_896_352, 4_999_999_913),
    (100_000_000 * ONE, 100_000_000 * ONE, 434_294_481_903_251_840, 40_958_607_678_906_404),
    (45_757_490_560_675_120, 100_000_000 * ONE, 434_294_481_903_251_840, 721_246_399_047_171_074),
]
SPOTS = [  # reserve, b, price
    (10 * ONE, 144_269_504_088, ONE // 2),
    (10 * ONE - 58_496_250_072, 144_269_504_088, 3 * ONE // 4),
    (20 * ONE, 144_269_504_088, ONE // 4),
]
POOLS = [  # money, prices, reserves, b
    (10 * ONE, [ONE // 2, ONE // 2], [10 * ONE, 10 * ONE], 144_269_504_089),
    (20 * ONE, [3 * ONE // 4, ONE // 4], [10 * ONE - 58_496_250_072, 20 * ONE], 144_269_504_089),
    (
        444 * ONE,
        [ONE // 10, 2 * ONE // 10, 3 * ONE // 10, 4 * ONE // 10],
        [444 * ONE, 3_103_426_819_252, 2_321_581_629_045, 1_766_853_638_504],
        1_928_267_499_650,
    ),
    (
        100 * ONE,
        [50_000_000, 50_000_000, 50_000_000, 8_500_000_000],
        [100 * ONE, 100 * ONE, 100 * ONE, 30_673_687_183],
        188_739_165_818,
    ),
    (
        100_000_000 * ONE,
        [ONE // 10, 9 * ONE // 10],
        [100_000_000 * ONE, 45_757_490_560_675_125],
        434_294_481_903_251_828,
    ),
]
BUYS_UNTIL = [  # price to reach, b, price now, money
    (9 * ONE // 10, 10 * ONE, ONE // 10, 219_722_457_734),
    (4 * ONE // 10, 10 * ONE, 3 * ONE // 10, 15_415_067_983),
    (4 * ONE // 10, 10 * ONE, 4 * ONE // 10, 0),
    (MOST, 188_739_165_817, LEAST, 999_053_937_034),
    (LEAST + 100_000, 132_117_416_072, LEAST, 1_327_820),
    (MOST, 11_324_349_949, MOST - 100_000, 22_626_081),
]
SELLS_UNTIL = [  # price to reach, b, price now, units
    (ONE // 10, 10 * ONE, 9 * ONE // 10, 439_444_915_467),
    (ONE // 10, 10 * ONE, 2 * ONE // 10, 81_093_021_622),
    (ONE // 10, 10 * ONE, ONE // 10, 0),
    (ONE // 100, 10 * ONE, ONE // 2, 459_511_985_013),
    (12, 10 * ONE, 1_100, 451_815_891_780),
    (LEAST, 11_324_349_949, MOST, 119_886_472_444),
    (LEAST, 186_922_262_798, LEAST + 100_000, 375_349_804),
    (MOST - 100_000, 43_410_008_138, MOST, 87_169_596),
]


def near(found: float, told: int) -> bool:
    """Tell if they agree to a billionth, absolutely or of the amount."""
    return math.isclose(found, told / ONE, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def chance_of(reserve: int, b: int) -> float:
    return math.exp(-reserve / b)


@pytest.mark.parametrize(("reserve", "money", "b", "told"), BUYS)
def test_buying_gives_as_many_units_as_elsewhere(reserve: int, money: int, b: int, told: int) -> None:
    """A pool makes a whole set of the money and gives what it holds beside it."""
    got = units_for(chance_of(reserve, b), money / ONE, b / ONE) - money / ONE
    assert near(got, told)


@pytest.mark.parametrize(("reserve", "units", "b", "told"), SELLS)
def test_giving_back_brings_as_much_as_elsewhere(reserve: int, units: int, b: int, told: int) -> None:
    assert near(-cost(chance_of(reserve, b), -units / ONE, b / ONE), told)


@pytest.mark.parametrize(("reserve", "b", "told"), SPOTS)
def test_the_chance_follows_from_what_was_sold_as_elsewhere(reserve: int, b: int, told: int) -> None:
    """The other outcome's reserve is such that both chances make 1; a reserve is what was not sold."""
    other = -b * math.log1p(-chance_of(reserve, b))
    assert near(shares([0.5, 0.5], [-reserve, -other], b)[0], told)


@pytest.mark.parametrize(("money", "prices", "reserves", "b"), POOLS)
def test_depth_and_money_belong_together_as_elsewhere(
    money: int, prices: list[int], reserves: list[int], b: int
) -> None:
    chances = [price / ONE for price in prices]
    assert near(b_for(money / ONE, min(chances)), b)
    assert near(most_lost(min(chances), b / ONE), money)
    for chance, reserve in zip(chances, reserves, strict=True):
        assert near(most_lost(chance, b / ONE), reserve)


@pytest.mark.parametrize(("target", "b", "now", "told"), BUYS_UNTIL)
def test_buying_up_to_a_price_costs_as_much_as_elsewhere(target: int, b: int, now: int, told: int) -> None:
    units = units_until(now / ONE, target / ONE, b / ONE)
    assert near(cost(now / ONE, units, b / ONE), told)


@pytest.mark.parametrize(("target", "b", "now", "told"), SELLS_UNTIL)
def test_selling_down_to_a_price_takes_as_many_units_as_elsewhere(target: int, b: int, now: int, told: int) -> None:
    assert near(-units_until(now / ONE, target / ONE, b / ONE), told)


chances = st.floats(0.001, 0.999)
depths = st.floats(1, 1_000)


@given(chances, st.floats(-500, 500), depths)
def test_money_and_units_are_inverse(chance: float, units: float, b: float) -> None:
    money = cost(chance, units, b)
    if abs(units) / b < 20:
        assert math.isclose(units_for(chance, money, b), units, rel_tol=1e-6, abs_tol=1e-6)
    assert min(0.0, units) <= money <= max(0.0, units)


@given(chances)
def test_log_odds_and_chance_are_inverse(chance: float) -> None:
    assert math.isclose(logistic(logit(chance)), chance, rel_tol=1e-12)


def test_far_out_a_chance_is_nothing_or_all() -> None:
    assert logistic(-1e9) < 1e-300
    assert logistic(1e9) == 1.0


def test_intervals_are_what_lies_between_the_dates() -> None:
    assert intervals([0.25, 0.5]) == [0.25, 0.25, 0.5]


@given(
    st.lists(st.tuples(chances, st.integers(-300, 300)), min_size=1, max_size=5),
    st.integers(20, 500),
)
def test_later_dates_are_never_less_likely_whatever_was_sold(dates: list[tuple[float, int]], b: int) -> None:
    by_date = sorted(chance for chance, _ in dates)
    found = [odds for odds in log_odds_by_date(by_date, [sold for _, sold in dates], b) if odds is not None]
    assert all(earlier <= later + 1e-9 for earlier, later in itertools.pairwise(found))


def test_selling_one_date_moves_all_of_them() -> None:
    before, after = log_odds_by_date([0.25, 0.5], [0, 0], 100), log_odds_by_date([0.25, 0.5], [50, 0], 100)
    assert before == [pytest.approx(logit(0.25)), pytest.approx(0.0)]
    first, second = after
    assert first == pytest.approx(logit(0.25) + 0.5)
    assert second is not None
    assert second == pytest.approx(logit((0.25 * math.exp(0.5) + 0.25) / (0.25 * math.exp(0.5) + 0.75)))


def test_nothing_is_said_of_a_date_that_cannot_be_any_more() -> None:
    assert log_odds_by_date([0.0, 0.5], [0, 0], 100) == [None, pytest.approx(0.0)]
