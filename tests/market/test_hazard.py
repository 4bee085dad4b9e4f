"""The chance by a date from a repository's own history: made-up histories, whose answer can be reckoned by hand."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.hazard import (
    AGES,
    DAY,
    LIKED,
    Hazard,
    PastIssue,
    TooLittle,
    age_of,
    average_rates,
    exposure,
    hazard_of,
    weight,
)

NOW = 10_000 * DAY


def closed(age_days: float, after_days: float, good: bool = True, *labels: str, reactions: int = 0) -> PastIssue:
    """Opened so many days ago, and closed so long after that."""
    opened_at = NOW - round(age_days * DAY)
    return PastIssue(opened_at, opened_at + round(after_days * DAY), good, frozenset(labels), reactions)


def learnt(past: list[PastIssue], average: tuple[float, ...] | None = None) -> Hazard:
    found = hazard_of(past, NOW, average)
    assert isinstance(found, Hazard)
    return found


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (0, "No issue was closed as completed here; a chance is told from 10 on."),
        (1, "One issue was closed as completed here; a chance is told from 10 on."),
        (9, "9 issues were closed as completed here; a chance is told from 10 on."),
    ],
)
def test_too_little_history_gives_no_chance_and_says_why(count: int, sentence: str) -> None:
    past = [closed(100, 5)] * count + [closed(100, 5, good=False)] * 50
    found = hazard_of(past, NOW)
    assert found == TooLittle(count)
    assert isinstance(found, TooLittle)
    assert found.sentence == sentence


def test_with_too_little_history_the_average_of_all_takes_its_place() -> None:
    rates = (0.01,) * len(AGES)
    found = learnt([closed(100, 5)] * 9, rates)
    assert (found.rates, found.own, found.good_closes) == (rates, False, 9)
    fresh = PastIssue(NOW)
    assert found.chance(fresh, NOW, NOW + 30 * DAY) == pytest.approx(1 - math.exp(-0.3))


def test_the_average_is_that_of_all_histories_and_is_none_where_they_say_too_little() -> None:
    assert average_rates([[closed(10, 5)] * 4, [closed(10, 5)] * 5], NOW) is None
    assert average_rates([[closed(10, 5)] * 5, [closed(10, 5)] * 5], NOW) == learnt([closed(10, 5)] * 10).rates


def test_the_rate_is_closes_and_two_over_days_and_two_closes_of_the_rate_before() -> None:
    """40 issues closed now after a day and a half: each was a day in the first age and half a day in the second."""
    before = (0.1,) * len(AGES)
    found = learnt([closed(1.5, 1.5)] * 40, before)
    first, second = exposure(closed(1.5, 1.5), NOW)[:2]
    assert [first, second] == pytest.approx([1.0, 0.5], rel=0.003)
    assert found.rates[0] == pytest.approx((0 + 2) / (40 * first + 20))
    assert found.rates[1] == pytest.approx((40 + 2) / (40 * second + 20), rel=1e-6)
    assert found.rates[5] == pytest.approx(0.1)


def test_a_year_ago_counts_half() -> None:
    assert weight(NOW - 365 * DAY, NOW) == 0.5
    recent, old = sum(exposure(closed(1, 1), NOW)), sum(exposure(closed(366, 1), NOW))
    assert old == pytest.approx(recent / 2)


@given(st.integers(0, 800), st.integers(0, 800))
def test_days_at_risk_are_the_weight_summed_day_by_day(age: int, after: int) -> None:
    after = min(after, age)
    slow = sum(0.5 ** ((age - day - 0.5) / 365) for day in range(after))
    assert sum(exposure(closed(age, after), NOW)) == pytest.approx(slow, rel=1e-5, abs=1e-9)


def test_a_close_for_another_reason_ends_the_risk_and_is_no_event() -> None:
    rejected = learnt([closed(50, 5)] * 20 + [closed(50, 5, good=False)] * 20)
    alone = learnt([closed(50, 5)] * 20)
    assert rejected.rates[2] < alone.rates[2]


def test_a_label_that_is_closed_quickly_raises_the_chance() -> None:
    quick = [closed(60, 2, True, "bug")] * 30
    slow = [PastIssue(NOW - 60 * DAY, None, False, frozenset({"idea"}))] * 30
    found = learnt([*quick, *slow])
    by = NOW + 7 * DAY
    bug, idea, plain = (
        found.chance(PastIssue(NOW, labels=frozenset(names)), NOW, by) for names in (("bug",), ("idea",), ())
    )
    assert bug > plain > idea
    assert found.factor(PastIssue(NOW, labels=frozenset({"unheard of"}))) == 1.0


def test_of_several_labels_the_one_most_is_known_of_counts() -> None:
    past = [closed(60, 2, True, "bug")] * 30 + [closed(60, 40, True, "bug", "docs")]
    found = learnt(past)
    assert found.factor(PastIssue(NOW, labels=frozenset({"bug", "docs"}))) == found.factors["label bug"]


def test_three_reactions_are_a_group_of_their_own() -> None:
    past = [closed(60, 2, reactions=5)] * 30 + [PastIssue(NOW - 60 * DAY)] * 30
    found = learnt(past)
    assert found.factor(PastIssue(NOW, reactions=3)) == found.factors[LIKED] > 1.0
    assert found.factor(PastIssue(NOW, reactions=2)) == 1.0
    assert found.factor(PastIssue(NOW, labels=frozenset({LIKED}))) == 1.0


def test_what_came_later_is_not_known() -> None:
    """A back-test at an instant learns nothing from after it."""
    past = [closed(100, 5)] * 20
    before = NOW - 98 * DAY
    assert hazard_of(past, before) == TooLittle(0)
    assert hazard_of(past, NOW - 101 * DAY) == TooLittle(0)
    assert closed(100, 5).as_of(before) == PastIssue(NOW - 100 * DAY)


@pytest.mark.parametrize(("days", "age"), [(0, 0), (0.5, 0), (1, 1), (2.9, 1), (3, 2), (364, 7), (365, 8), (9_999, 8)])
def test_ages_begin_at_their_day(days: float, age: int) -> None:
    assert age_of(days) == age


histories = st.lists(
    st.builds(
        closed,
        st.floats(0, 1_000),
        st.floats(0, 1_000),
        st.booleans(),
        st.sampled_from(("bug", "docs", "idea")),
        reactions=st.integers(0, 6),
    ),
    min_size=20,
    max_size=40,
)


@given(histories, st.floats(0, 400), st.lists(st.floats(0, 400), min_size=2, max_size=5))
def test_chances_rise_with_the_date_and_stay_between_nothing_and_all(
    past: list[PastIssue], age: float, ahead: list[float]
) -> None:
    found = hazard_of(past, NOW)
    if isinstance(found, TooLittle):
        assert found.good_closes < 10
        return
    issue = PastIssue(NOW - round(age * DAY))
    chances = [found.chance(issue, NOW, NOW + round(days * DAY)) for days in sorted(ahead)]
    assert chances == sorted(chances)
    assert 0 <= chances[0] <= chances[-1] <= 1


def test_with_more_history_the_chances_are_better() -> None:
    """Brier on made-up repositories, as the paper measured it: more history is better, and all beat one half."""
    scores = {size: brier(size) for size in (15, 400)}
    assert scores[400] < scores[15] < 0.25
    assert scores[400] < 0.21


def brier(size: int) -> float:
    chance = random.Random(7)
    total, count = 0.0, 0
    for _ in range(20):
        quick, slow = chance.uniform(0.02, 0.2), chance.uniform(0.001, 0.01)
        found = hazard_of([drawn(chance, quick, slow, 400) for _ in range(size)], NOW)
        if isinstance(found, TooLittle):
            continue
        for _ in range(60):
            issue = drawn(chance, quick, slow, 0)
            told = found.chance(PastIssue(NOW, labels=issue.labels), NOW, NOW + 30 * DAY)
            came = issue.closed_at is not None and issue.closed_at <= NOW + 30 * DAY
            total, count = total + (told - came) ** 2, count + 1
    return total / count


def drawn(chance: random.Random, quick: float, slow: float, most_age: int) -> PastIssue:
    """Bugs are closed quickly here, ideas slowly."""
    label = chance.choice(("bug", "idea"))
    opened_at = NOW - round(chance.uniform(0, most_age) * DAY)
    closed_at = opened_at + round(chance.expovariate(quick if label == "bug" else slow) * DAY)
    whole = PastIssue(opened_at, closed_at, True, frozenset({label}))
    known = whole.as_of(NOW) if most_age else whole
    assert known is not None
    return known
