"""A maker among people who know more: the same seed plays the same, and knowing when to stop is what pays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.maker import Style
from app.market.maker_news import News
from app.simulate.flow import DAY, Following, Life, Numbers, People, play, stream
from bench.informed import POLICIES, Figure, World, drawn, measured, start

STYLE = Style(110_000)
OPEN = Life(30 * DAY)


def steady(now: int) -> float:
    return 1 / 3


def no_news(now: int) -> News:
    return News()


def figure(at: int, issues: int = 30) -> Figure:
    return measured(*POLICIES[at], issues, 1, People())


def test_the_same_seed_plays_the_same_and_another_one_does_not() -> None:
    first, again, other = (
        play(OPEN, steady, Following(STYLE, steady, no_news), People(), stream(seed)) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert first.fills > 0


def test_without_anybody_to_trade_with_nothing_is_won_or_lost() -> None:
    nobody = People(noise_a_day=0)
    told = play(OPEN, steady, Following(STYLE, steady, no_news), nobody, stream(1))
    assert (told.result_mills, told.fills) == (0, 0)
    assert told.quoted == pytest.approx(1.0)
    assert told.distance < 0.01


def test_a_fixer_who_knows_takes_what_the_ladder_gives() -> None:
    life = Life(30 * DAY, closed_at=10 * DAY)
    told = play(life, steady, Following(STYLE, steady, no_news), People(noise_a_day=0), stream(1))
    assert -110_000 <= told.result_mills < -20_000


def test_a_linked_pull_request_ends_the_quotes_before_the_bots_come() -> None:
    life = Life(30 * DAY, closed_at=12 * DAY, links_at=(10 * DAY,))
    world = World(life)
    people = People(noise_a_day=0)
    stopped = play(life, world.truth, Following(STYLE, steady, world.news), people, stream(1))
    stayed = play(life, world.truth, Following(STYLE, steady, no_news), people, stream(1))
    assert stopped.result_mills == 0
    assert stayed.result_mills < -20_000


lives = st.builds(
    Life,
    st.just(30 * DAY),
    st.one_of(st.none(), st.integers(1, 30 * DAY)),
    st.lists(st.integers(0, 30 * DAY), max_size=3).map(lambda found: tuple(sorted(found))),
)


@given(lives, st.integers(0, 10**6), st.integers(5_000, 150_000))
def test_no_life_costs_more_than_the_budget(life: Life, seed: int, budget_mills: int) -> None:
    world = World(life)
    told = play(life, world.truth, Following(Style(budget_mills), world.unlinked, world.news), People(), stream(seed))
    assert told.result_mills >= -budget_mills
    assert 0 <= told.quoted <= 1


def test_the_hazard_and_a_stop_at_the_link_turn_a_loss_into_a_gain() -> None:
    """A part of `make informed`, on fewer issues: those rows whose signs do not hang on a few of them."""
    still, follows, stops = figure(0), figure(4), figure(5)
    assert still.result < -10
    assert follows.result < 0
    assert stops.result > follows.result + 10
    assert stops.distance < still.distance
    assert min(found.worst for found in (still, follows, stops)) >= -110


def test_the_world_is_what_the_hazard_says_it_is() -> None:
    """One issue in three is fixed in time, as everybody believes before there is news."""
    fixed = sum(drawn(5, number).life.fixed for number in range(4_000)) / 4_000
    assert fixed == pytest.approx(start(), abs=0.02)
    assert start() == pytest.approx(1 / 3, abs=0.01)


def test_numbers_go_up_by_one() -> None:
    numbers = Numbers()
    assert [numbers.next(), numbers.next()] == [1, 2]
