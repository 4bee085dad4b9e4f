"""Which of an issue's closes counts for which maturation, and what ends the trade on it for good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.market.life.facts import IssueFacts, Watch
from app.market.life.next_step import closed_for_good

MATURES = 1_000_000
EARLIER = IssueFacts(True, True, closed_at=MATURES - 500, until_at=MATURES + 100)
NOW_CLOSED = IssueFacts(True, True, closed_at=MATURES + 200, before=(EARLIER,))
IS_OPEN = IssueFacts(closed=False, completed=False)
WATCH = Watch(MATURES, 86_400, void_reasons=frozenset({"duplicate"}))


@pytest.mark.parametrize(
    ("instant", "stood"),
    [(MATURES - 501, False), (MATURES - 500, True), (MATURES, True), (MATURES + 99, True), (MATURES + 100, False)],
)
def test_a_close_stands_from_its_own_second_until_what_ends_it(instant: int, stood: bool) -> None:
    assert EARLIER.stood_at(instant) is stood


def test_the_close_that_stood_at_maturation_counts_there() -> None:
    assert NOW_CLOSED.at(MATURES) is EARLIER
    assert NOW_CLOSED.at(MATURES - 501) is NOW_CLOSED
    assert replace(IS_OPEN, before=(EARLIER,)).at(MATURES) is EARLIER


@pytest.mark.parametrize("closed_at", [MATURES - 1, MATURES])
def test_one_that_was_made_in_time_and_still_stands_counts_before_all_earlier_ones(closed_at: int) -> None:
    stands = replace(NOW_CLOSED, closed_at=closed_at)
    assert stands.at(MATURES) is stands


@pytest.mark.parametrize(
    ("facts", "ended"),
    [
        (IS_OPEN, False),
        (IssueFacts(True, True, closed_at=9), True),
        (IssueFacts(True, True), True),
        (IssueFacts(False, True, closed_at=9), False),
        (IssueFacts(True, False, closed_at=9, reason="duplicate"), True),
        (IssueFacts(True, False, closed_at=9, reason="not_planned"), False),
        (IssueFacts(True, False, reason="not_planned"), False),
    ],
)
def test_a_close_as_completed_or_for_a_reason_that_voids_is_for_good(facts: IssueFacts, ended: bool) -> None:
    assert closed_for_good(WATCH, facts) is ended


@pytest.mark.parametrize(("aside_at", "ended"), [(8, True), (9, False), (10, False)])
def test_one_that_a_maintainer_set_aside_is_not(aside_at: int, ended: bool) -> None:
    aside = replace(WATCH, set_aside_at=aside_at)
    assert closed_for_good(aside, IssueFacts(True, True, closed_at=9)) is ended
    assert closed_for_good(aside, IssueFacts(True, True)) is True, "of one that is not dated nobody said so"
