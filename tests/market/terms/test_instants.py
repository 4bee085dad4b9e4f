"""Instants are UTC, wherever the machine stands."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.market.exchange.offer import Action, NewOffer
from app.market.exchange.spoken import spoken, spoken_dates
from app.market.terms.instants import command_date, format_instant, last_second
from tests.market.drawing import FIXED

MIDNIGHT = 1_512_086_400
"""1 December 2017, 00:00 UTC."""


@pytest.fixture(params=["UTC", "Asia/Kolkata", "America/New_York"], autouse=True)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own time zone."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


def test_an_instant_is_written_in_utc() -> None:
    assert format_instant(MIDNIGHT - 1) == "30 Nov 2017 23:59:59 UTC"
    assert format_instant(MIDNIGHT) == "1 Dec 2017 00:00:00 UTC"


def test_a_command_names_the_bare_day_for_its_last_second_only() -> None:
    assert command_date(MIDNIGHT - 1) == "2017-11-30"
    assert command_date(MIDNIGHT) == "2017-12-01T00:00:00Z"
    assert command_date(MIDNIGHT - 2) == "2017-11-30T23:59:58Z"
    assert command_date(MIDNIGHT - 1 - 60) == "2017-11-30T23:58:59Z"
    assert command_date(MIDNIGHT - 1 - 3_600) == "2017-11-30T22:59:59Z"


@pytest.mark.parametrize("second", [0, 1, 43_200, 86_399])
def test_the_last_second_of_a_day(second: int) -> None:
    assert last_second(MIDNIGHT + second) == MIDNIGHT + 86_399
    assert isinstance(last_second(MIDNIGHT + second), int)


def test_the_first_date_of_a_range_means_the_first_second_of_its_day() -> None:
    assert spoken_dates(MIDNIGHT + 86_399, MIDNIGHT) == "2017-12-01..2017-12-01"
    assert spoken_dates(MIDNIGHT + 86_399, MIDNIGHT - 1) == "2017-11-30T23:59:59Z..2017-12-01"


def test_until_is_said_where_it_is_earlier_than_maturation() -> None:
    told = "/bugmark offer fixed 5 at 0.40 by 2017-12-01"
    for until, words in ((None, ""), (MIDNIGHT - 1, " until 2017-11-30"), (MIDNIGHT + 86_399, "")):
        assert spoken(NewOffer(Action.BUY, FIXED, 5, 400, until), MIDNIGHT + 86_399) == told + words
