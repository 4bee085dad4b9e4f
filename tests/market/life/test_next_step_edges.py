"""The very seconds on which a contract's life turns (docs/market.md §5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.market.life.facts import Cause, IssueFacts, Watch
from app.market.life.next_step import ASK_AGAIN_SECONDS, NO_ANSWER_DAYS, RETURN_SECONDS, look
from app.market.life.steps import Announce, Extend, OpenWindow, Resume, Settle, Wait
from app.market.terms.contract import Outcome

DAY = 86_400
MATURES = 1_000_000
CLOSED_AT = MATURES - 5_000

OPEN = Watch(MATURES, DAY, announced_at=0)
"""Windows are announced as they open."""
CLOSING = replace(
    OPEN,
    cause=Cause.CLOSED,
    window_opened_at=CLOSED_AT,
    window_ends_at=CLOSED_AT + DAY,
    backed=True,
    verdict=Outcome.FIXED,
)
EARLY = replace(CLOSING, dispute_window_seconds=1_000, window_ends_at=CLOSED_AT + 1_000)
"""Its window ends before maturation."""

IS_OPEN = IssueFacts(closed=False, completed=False)
FIXED_THEN = IssueFacts(closed=True, completed=True, closed_at=CLOSED_AT)
NOT_PLANNED = IssueFacts(closed=True, completed=False, closed_at=CLOSED_AT)
GONE = replace(IS_OPEN, gone="deleted")


# -- gone ---------------------------------------------------------------------------------------------------------


def test_news_that_the_issue_went_dates_it_where_nobody_else_does() -> None:
    """A webhook told of it; the API, asked later, knows only that it is gone."""
    news = replace(OPEN, cause=Cause.GONE, window_opened_at=CLOSED_AT)
    assert look(news, GONE, True, CLOSED_AT + 9) == OpenWindow(CLOSED_AT, CLOSED_AT + DAY, Cause.GONE)
    assert look(news, GONE, True, MATURES + 1) == OpenWindow(CLOSED_AT, CLOSED_AT + DAY, Cause.GONE)


def test_the_window_of_an_issue_that_went_is_not_dated_anew_when_looked_at_after_maturation() -> None:
    window = replace(OPEN, cause=Cause.GONE, window_opened_at=CLOSED_AT, window_ends_at=CLOSED_AT + DAY)
    assert look(replace(window, verdict=Outcome.VOID), GONE, True, MATURES + 1) == Wait(CLOSED_AT + DAY)


def test_an_issue_that_goes_at_maturation_is_void_and_a_second_later_is_not() -> None:
    at_last = replace(GONE, gone_at=MATURES)
    assert look(OPEN, at_last, True, MATURES) == OpenWindow(MATURES, MATURES + DAY, Cause.GONE)
    late = replace(GONE, gone_at=MATURES + 1)
    assert look(OPEN, late, True, MATURES + 1) == OpenWindow(MATURES, MATURES + DAY, Cause.MATURED)


def test_going_is_set_aside_with_everything_of_that_second() -> None:
    aside = replace(OPEN, set_aside_at=CLOSED_AT)
    assert look(aside, replace(GONE, gone_at=CLOSED_AT), True, CLOSED_AT + 9) == Wait(MATURES)
    later = look(aside, replace(GONE, gone_at=CLOSED_AT + 1), True, CLOSED_AT + 9)
    assert later == OpenWindow(CLOSED_AT + 1, CLOSED_AT + 1 + DAY, Cause.GONE)


# -- what is taken back -------------------------------------------------------------------------------------------


def test_at_maturation_it_is_too_late_to_resume_a_close_that_was_set_aside() -> None:
    aside = replace(CLOSING, set_aside_at=CLOSED_AT)
    assert look(aside, FIXED_THEN, True, MATURES - 1) == Resume()
    assert look(aside, FIXED_THEN, True, MATURES) == Announce(Outcome.UNFIXED)


@pytest.mark.parametrize("at", [CLOSED_AT, MATURES])
def test_a_reopening_of_the_closes_own_second_or_of_maturation_leaves_the_window_alone(at: int) -> None:
    """In the first it was closed again within the second, in the second it came too late."""
    assert look(CLOSING, replace(FIXED_THEN, reopenings=(at,)), True, MATURES + 9) == Wait(CLOSED_AT + DAY)


@pytest.mark.parametrize("at", [CLOSED_AT + 1, MATURES - 1])
def test_a_reopening_between_them_ends_it(at: int) -> None:
    found = look(CLOSING, replace(FIXED_THEN, reopenings=(at,)), True, MATURES + 9)
    assert found == OpenWindow(MATURES, MATURES + 9 + DAY, Cause.MATURED)


def test_an_issue_that_is_open_at_maturation_was_not_seen_open_before_it() -> None:
    assert look(CLOSING, IS_OPEN, True, MATURES - 1) == Resume()
    assert look(CLOSING, IS_OPEN, True, MATURES) == Announce(Outcome.UNFIXED)


# -- windows ------------------------------------------------------------------------------------------------------


def test_a_window_that_ends_at_maturation_ends_with_a_verdict_and_not_with_trade() -> None:
    ending = replace(CLOSING, window_ends_at=MATURES)
    assert look(ending, NOT_PLANNED, True, MATURES - 1) == Announce(Outcome.UNFIXED)
    assert look(replace(ending, window_ends_at=MATURES - 1), NOT_PLANNED, True, MATURES - 2) == Announce(None)


def test_a_window_of_no_length_is_over_at_once() -> None:
    found = replace(CLOSING, dispute_window_seconds=0, window_ends_at=CLOSED_AT)
    assert look(found, FIXED_THEN, True, CLOSED_AT) == Settle(Outcome.FIXED)


def test_a_return_lengthens_the_windows_that_ran_then_and_no_others() -> None:
    """One that opens in the very second of the return ran then."""
    for back_at, ends_at in ((CLOSED_AT - 1, CLOSED_AT + 1_000), (CLOSED_AT, CLOSED_AT + RETURN_SECONDS)):
        watch = replace(OPEN, dispute_window_seconds=1_000, back_at=back_at)
        found = look(watch, FIXED_THEN, True, CLOSED_AT + 9)
        assert found == OpenWindow(CLOSED_AT, ends_at, Cause.CLOSED, True)
    assert look(replace(EARLY, back_at=CLOSED_AT - 1), FIXED_THEN, True, CLOSED_AT + 9) == Wait(CLOSED_AT + 1_000)
    assert look(replace(EARLY, back_at=CLOSED_AT), FIXED_THEN, True, CLOSED_AT + 9) == Extend(
        CLOSED_AT + RETURN_SECONDS
    )


def test_thirty_days_count_where_nothing_else_is_known() -> None:
    undated = replace(OPEN, cause=Cause.CLOSED, unanswered_days=NO_ANSWER_DAYS)
    assert look(undated, None, True, MATURES) == Settle(Outcome.VOID)
    assert isinstance(look(replace(undated, unanswered_days=NO_ANSWER_DAYS - 1), None, True, MATURES * 2), Wait)


def test_news_that_nobody_confirms_is_asked_for_again_soon_whatever_is_disputed() -> None:
    news = replace(OPEN, cause=Cause.CLOSED, window_opened_at=CLOSED_AT, disputed_at=CLOSED_AT)
    assert look(news, None, True, CLOSED_AT + 9) == Wait(CLOSED_AT + 9 + ASK_AGAIN_SECONDS)
