"""Our clock beside GitHub's: two answers that disagree stop everything, one that agrees lets it go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.utils import formatdate

import pytest

from app.base.clock import ClockDoubted
from app.github.api.timekeeper import ASK_SECONDS, TOLERANCE_SECONDS, Timekeeper
from app.storage.engine.db import Database
from tests.clocks import START_AT, FakeClock
from tests.github.ground import DAY, Ground, ground_of


class Elapsed:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def keeper() -> Timekeeper:
    return Timekeeper(FakeClock(), Elapsed())


def date(instant: int) -> dict[str, str]:
    return {"Date": formatdate(instant, usegmt=True)}


@pytest.mark.parametrize(
    ("said", "strikes"),
    [
        (START_AT - TOLERANCE_SECONDS, 0),
        (START_AT + 9 + TOLERANCE_SECONDS, 0),
        (START_AT - TOLERANCE_SECONDS - 1, 1),
        (START_AT + 9 + TOLERANCE_SECONDS + 1, 1),
        (START_AT - 45 * DAY, 1),
    ],
)
def test_an_answer_may_lie_a_minute_outside_the_time_for_which_we_waited(said: int, strikes: int) -> None:
    found = keeper()
    found.note(START_AT, START_AT + 9, date(said))
    assert (found.strikes, found.doubted) == (strikes, False)


def test_the_second_answer_decides_and_one_that_agrees_ends_it() -> None:
    found = keeper()
    for _ in range(2):
        found.note(START_AT, START_AT, date(START_AT - DAY))
    assert found.doubted and not found.holds
    found.note(START_AT, START_AT, date(START_AT))
    assert found.holds
    found.note(START_AT, START_AT, date(START_AT + DAY))
    assert found.suspected and not found.holds


@pytest.mark.parametrize(
    "headers", [{}, {"Date": "yesterday"}, {"Date": ""}, {**date(0), "Age": "9"}, {**date(0), "age": "0"}]
)
def test_what_says_no_time_or_comes_from_a_cache_says_nothing(headers: dict[str, str]) -> None:
    found = keeper()
    for _ in range(3):
        found.note(START_AT, START_AT, headers)
    assert (found.strikes, found.uncertain) == (0, True)


def test_a_clock_that_is_set_is_noticed_and_one_that_runs_is_not() -> None:
    clock, elapsed = FakeClock(), Elapsed()
    found = Timekeeper(clock, elapsed)
    found.note(START_AT, START_AT, date(START_AT))
    found.watch()
    for seconds in (1, 3_600, 30 * DAY):
        clock.advance(seconds)
        elapsed.seconds += seconds
        found.watch()
        assert found.holds
    clock.advance(61)
    found.watch()
    assert found.uncertain and found.may_ask()


def test_while_it_is_in_doubt_github_is_asked_every_few_seconds() -> None:
    found = keeper()
    for _ in range(2):
        found.note(START_AT, START_AT, date(0))
    assert found.may_ask() and not found.may_ask()
    elapsed = found.elapsed
    assert isinstance(elapsed, Elapsed)
    elapsed.seconds += ASK_SECONDS
    assert found.may_ask()


# -- asked through the client --------------------------------------------------------------------------------------


@pytest.fixture
async def ground(sqlite_url: str) -> AsyncIterator[Ground]:
    db = Database(sqlite_url)
    async with ground_of(db) as found:
        yield found
    await db.close()


class OwnClock:
    """Ours, which moves without GitHub's."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.ahead = ground, 0

    def now(self) -> int:
        return self.ground.clock.now() + self.ahead


async def test_no_facts_come_from_a_time_that_github_denies(ground: Ground) -> None:
    await ground.open_issue()
    await ground.hear()
    assert await ground.facts()
    clock = OwnClock(ground)
    transport = ground.github._transport
    transport._clock = transport.timekeeper.clock = clock
    clock.ahead = 45 * DAY
    with pytest.raises(ClockDoubted):
        await ground.facts()
    assert transport.timekeeper.doubted
    clock.ahead = 0
    assert await ground.github.clock_holds()
    assert await ground.facts()


async def test_one_odd_answer_is_followed_by_a_second_that_clears_it(ground: Ground) -> None:
    await ground.open_issue()
    await ground.hear()
    assert await ground.github.clock_holds()
    odd = {"kind": "status", "match": "/repos/ann/pump/issues/1", "status": 502, "times": 1, "headers": date(0)}
    await ground.control("POST", "/faults", {"endpoints": odd})
    assert await ground.facts() is None
    assert ground.github._transport.timekeeper.holds


async def test_where_github_is_silent_a_clock_that_was_set_is_believed(ground: Ground) -> None:
    fault = {"kind": "timeout", "match": "/app", "seconds": 0, "times": 1}
    await ground.control("POST", "/faults", {"endpoints": fault})
    assert await ground.github.clock_holds()
