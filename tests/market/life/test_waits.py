"""What a window and a dispute wait for: their announcement, and us, where we did not run (docs/market.md §5)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.life.facts import ANSWER_SECONDS, Cause, IssueFacts, Watch, answer_due_at
from app.market.life.next_step import ASK_AGAIN_SECONDS, announced_until, look, window_seconds
from app.market.life.outages import Outage, caught_up, free_at, run_until
from app.market.life.steps import Extend, OpenWindow, Resume, Settle, Step, Wait
from app.market.terms.contract import Outcome

HOUR, DAY = 3_600, 86_400
MATURES = 1_000_000
CLOSED_AT = MATURES - 5_000
ENDS_AT = CLOSED_AT + DAY

OPEN = Watch(MATURES, DAY)
CLOSING = replace(
    OPEN,
    cause=Cause.CLOSED,
    window_opened_at=CLOSED_AT,
    window_ends_at=ENDS_AT,
    planned_ends_at=ENDS_AT,
    backed=True,
    verdict=Outcome.FIXED,
)
"""Nobody was told of it yet."""
TOLD = replace(CLOSING, announced_at=CLOSED_AT)
FIXED = IssueFacts(closed=True, completed=True, closed_at=CLOSED_AT)
IS_OPEN = IssueFacts(closed=False, completed=False)


# -- the announcement ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("announced_at", "until_at"),
    [
        (None, 0),
        (CLOSED_AT, CLOSED_AT + 12 * HOUR),
        (ENDS_AT - 60, ENDS_AT - 60 + 12 * HOUR),
        (ENDS_AT + 3 * DAY, ENDS_AT + 3 * DAY + 12 * HOUR),
        (ENDS_AT + 7 * DAY - HOUR, ENDS_AT + 7 * DAY),
        (ENDS_AT + 30 * DAY, ENDS_AT + 7 * DAY),
    ],
)
def test_who_is_told_late_has_twelve_hours_and_nobody_waits_more_than_seven_days_for_it(
    announced_at: int | None, until_at: int
) -> None:
    assert announced_until(replace(CLOSING, announced_at=announced_at)) == until_at


@pytest.mark.parametrize(
    ("watch", "seconds"),
    [
        (TOLD, DAY),
        (replace(TOLD, backed=False), 2 * DAY),
        (replace(TOLD, dispute_window_seconds=0), 0),
        (replace(TOLD, dispute_window_seconds=0, backed=False), 2 * DAY),
        (replace(TOLD, dispute_window_seconds=60, cause=Cause.MATURED), 15 * 60),
        (replace(TOLD, dispute_window_seconds=60, cause=Cause.GONE), 60),
    ],
)
def test_a_window_has_the_length_that_its_cause_gives_it(watch: Watch, seconds: int) -> None:
    assert window_seconds(watch) == seconds


def test_a_short_window_is_open_for_its_whole_length_from_when_it_was_announced() -> None:
    short = replace(CLOSING, dispute_window_seconds=HOUR, window_ends_at=CLOSED_AT + HOUR)
    late = replace(short, planned_ends_at=CLOSED_AT + HOUR, announced_at=CLOSED_AT + 50 * 60)
    assert look(late, FIXED, True, CLOSED_AT + HOUR) == Extend(CLOSED_AT + 110 * 60, told=False)


def test_a_window_that_nobody_was_told_of_goes_on_by_the_hour_for_seven_days() -> None:
    watch, now = CLOSING, ENDS_AT
    while isinstance(step := look(watch, FIXED, True, now), Extend):
        assert not step.told and now < step.ends_at <= now + HOUR
        watch, now = replace(watch, window_ends_at=step.ends_at), step.ends_at
    assert (step, now) == (Settle(Outcome.FIXED), ENDS_AT + 7 * DAY)


def test_what_nobody_was_told_of_resumes_and_ends_before_maturation_as_ever() -> None:
    assert look(CLOSING, IS_OPEN, True, CLOSED_AT + 60) == Resume()
    assert look(CLOSING, FIXED, True, ENDS_AT - 1) == Wait(ENDS_AT)


def test_a_window_of_no_length_waits_for_nobody() -> None:
    watch = replace(CLOSING, dispute_window_seconds=0, window_ends_at=CLOSED_AT, planned_ends_at=CLOSED_AT)
    assert look(watch, FIXED, True, CLOSED_AT) == Settle(Outcome.FIXED)


def test_windows_of_before_this_was_known_end_as_they_would_have() -> None:
    old = replace(CLOSING, planned_ends_at=None, announced_at=CLOSED_AT)
    assert look(old, FIXED, True, ENDS_AT) == Settle(Outcome.FIXED)


# -- outages of ours ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "free_after_hours"), [(1, 1), (2, 2), (12, 12), (13, 12), (42 * 24, 12)])
def test_an_outage_holds_up_for_its_length_and_for_twelve_hours_at_most(hours: int, free_after_hours: int) -> None:
    down = Outage(CLOSED_AT, CLOSED_AT + hours * HOUR)
    assert free_at([down]) == down.ended_at + free_after_hours * HOUR


def test_a_window_that_would_have_ended_while_we_were_down_ends_later_and_the_thread_is_told() -> None:
    back_at = ENDS_AT + 3 * DAY
    down = replace(TOLD, outages=(Outage(CLOSED_AT + 60, back_at),))
    for facts in (FIXED, None):
        assert look(down, facts, True, back_at) == Extend(back_at + 12 * HOUR)
    later = replace(down, window_ends_at=back_at + 12 * HOUR, planned_ends_at=back_at + 12 * HOUR)
    assert look(later, FIXED, True, back_at + 12 * HOUR - 1) == Wait(back_at + 12 * HOUR)
    assert look(later, FIXED, True, back_at + 12 * HOUR) == Settle(Outcome.FIXED)


def test_a_window_found_after_an_outage_is_open_as_long() -> None:
    """The issue was closed, and its window would have been over, while we were down."""
    back_at = ENDS_AT + 3 * DAY
    found = look(replace(OPEN, outages=(Outage(CLOSED_AT - 60, back_at, False),)), FIXED, True, back_at)
    assert found == OpenWindow(CLOSED_AT, back_at + 12 * HOUR, Cause.CLOSED, True)


def test_an_outage_that_is_long_past_holds_up_nothing() -> None:
    past = replace(TOLD, outages=(Outage(CLOSED_AT - 9 * DAY, CLOSED_AT - 2 * DAY),))
    assert look(past, FIXED, True, ENDS_AT) == Settle(Outcome.FIXED)


def test_nothing_ends_before_what_came_meanwhile_was_dealt_with() -> None:
    down = Outage(CLOSED_AT, CLOSED_AT + 2 * HOUR, caught_up=False)
    behind = replace(TOLD, outages=(down,))
    assert look(behind, FIXED, True, ENDS_AT) == Extend(ENDS_AT + HOUR, told=False)
    disputed = replace(behind, disputed_at=CLOSED_AT - 60)
    due_at = disputed.due_at
    assert look(disputed, FIXED, True, due_at) == Wait(due_at + ASK_AGAIN_SECONDS)
    ruled = replace(behind, ruling=Outcome.UNFIXED)
    assert look(ruled, FIXED, True, ENDS_AT) == Wait(ENDS_AT + ASK_AGAIN_SECONDS)
    for watch in (behind, ruled, disputed):
        there = replace(watch, outages=(replace(down, caught_up=True),))
        assert isinstance(look(there, FIXED, True, due_at), Settle)


def test_an_unanswered_dispute_counts_only_the_days_in_which_we_ran() -> None:
    disputed_at = CLOSED_AT + 60
    down = Outage(disputed_at + DAY, disputed_at + 4 * DAY)
    assert answer_due_at(disputed_at, ()) == disputed_at + ANSWER_SECONDS
    assert answer_due_at(disputed_at, (down,)) == disputed_at + ANSWER_SECONDS + 3 * DAY
    before = Outage(disputed_at - 9 * DAY, disputed_at - 2 * DAY)
    assert answer_due_at(disputed_at, (before,)) == disputed_at + ANSWER_SECONDS
    around = Outage(disputed_at - DAY, disputed_at + DAY)
    assert answer_due_at(disputed_at, (around,)) == disputed_at + ANSWER_SECONDS + DAY


def test_a_dispute_whose_last_minute_fell_into_an_outage_is_open_for_half_a_day_after_it() -> None:
    disputed_at = CLOSED_AT + 60
    down = Outage(disputed_at + ANSWER_SECONDS - 60, disputed_at + 9 * DAY)
    watch = replace(TOLD, disputed_at=disputed_at, outages=(down,))
    assert watch.due_at == down.ended_at + 12 * HOUR


OUTAGES = st.lists(st.integers(1, 10**6), min_size=0, max_size=8, unique=True).map(
    lambda cuts: [Outage(begin, end) for begin, end in list(pairwise(sorted(cuts)))[::2]]
)


@given(OUTAGES, st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_span_is_over_when_we_ran_for_as_long(outages: list[Outage], since_at: int, seconds: int) -> None:
    end_at = run_until(since_at, seconds, outages)
    down = sum(max(0, min(one.ended_at, end_at) - max(one.began_at, since_at)) for one in outages)
    assert end_at - since_at - down == seconds
    assert caught_up(outages)


@given(
    st.sampled_from([CLOSING, TOLD, replace(TOLD, backed=False), replace(TOLD, disputed_at=CLOSED_AT + 60)]),
    OUTAGES,
    st.integers(CLOSED_AT, CLOSED_AT + 60 * DAY),
    st.sampled_from([FIXED, IS_OPEN, None]),
)
def test_no_verdict_before_everything_that_it_waits_for(
    watch: Watch, outages: list[Outage], now: int, facts: IssueFacts | None
) -> None:
    moved = tuple(Outage(CLOSED_AT + one.began_at, CLOSED_AT + one.ended_at) for one in outages)
    step: Step = look(replace(watch, outages=moved), facts, True, now)
    if isinstance(step, Settle):
        assert now >= free_at(moved)
        assert watch.announced_at is not None or now >= ENDS_AT + 7 * DAY
        assert watch.disputed_at is None or now >= run_until(watch.disputed_at, ANSWER_SECONDS, moved)
    assert not isinstance(step, Wait | Extend) or (step.until_at if isinstance(step, Wait) else step.ends_at) > now
