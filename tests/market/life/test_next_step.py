"""What becomes of a contract, as a table: what it remembers, what GitHub says, the instant; the step that follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.market.life.facts import ANSWER_SECONDS, Cause, IssueFacts, Watch
from app.market.life.next_step import (
    ASK_AGAIN_SECONDS,
    ASK_WHILE_AWAY_SECONDS,
    MATURATION_WINDOW_SECONDS,
    NO_ANSWER_DAYS,
    RETURN_SECONDS,
    another_day,
    close_event,
    look,
    needs_answer,
)
from app.market.life.steps import Announce, Extend, OpenWindow, Resume, Settle, Step, Wait
from app.market.terms.contract import Outcome

DAY = 86_400
WINDOW = DAY
MATURES = 1_000_000
CLOSED_AT = MATURES - 5_000
LATE = MATURES + 1

OPEN = Watch(MATURES, WINDOW, announced_at=0)
"""Windows are announced as they open."""
NEWS = replace(OPEN, cause=Cause.CLOSED, window_opened_at=CLOSED_AT)
"""Halted on the news of a close; the API has not been asked yet."""
CLOSING = replace(NEWS, window_ends_at=CLOSED_AT + WINDOW, backed=True, verdict=Outcome.FIXED)
EARLY = replace(CLOSING, dispute_window_seconds=1_000, window_ends_at=CLOSED_AT + 1_000)
"""Its window ends before maturation."""
MATURED = replace(
    OPEN,
    cause=Cause.MATURED,
    window_opened_at=MATURES,
    window_ends_at=MATURES + WINDOW,
    verdict=Outcome.UNFIXED,
)

IS_OPEN = IssueFacts(closed=False, completed=False)
FIXED_THEN = IssueFacts(closed=True, completed=True, closed_at=CLOSED_AT)
FIXED_LAST = IssueFacts(closed=True, completed=True, closed_at=MATURES)
FIXED_LATE = IssueFacts(closed=True, completed=True, closed_at=LATE)
FIXED_AGAIN = IssueFacts(closed=True, completed=True, closed_at=CLOSED_AT + 500)
NO_INSTANT = IssueFacts(closed=True, completed=True)
NOT_PLANNED = IssueFacts(closed=True, completed=False, closed_at=CLOSED_AT)
"""So do a duplicate and a reason never seen before look: closed, and not as completed."""

TO_MATURATION = Wait(MATURES)
CLOSE_WINDOW = OpenWindow(CLOSED_AT, CLOSED_AT + WINDOW, Cause.CLOSED, backed=True)
MATURATION_WINDOW = OpenWindow(MATURES, MATURES + WINDOW, Cause.MATURED)

CASES: list[tuple[str, Watch, IssueFacts | None, int, Step]] = [
    ("nothing has happened", OPEN, IS_OPEN, CLOSED_AT, TO_MATURATION),
    ("nobody answers before maturation", OPEN, None, CLOSED_AT, TO_MATURATION),
    ("a good close halts", OPEN, FIXED_THEN, CLOSED_AT + 9, CLOSE_WINDOW),
    (
        "a close at maturation counts",
        OPEN,
        FIXED_LAST,
        MATURES,
        OpenWindow(MATURES, MATURES + WINDOW, Cause.CLOSED, True),
    ),
    ("a close after maturation does not", OPEN, FIXED_LATE, LATE, MATURATION_WINDOW),
    ("a good close found after maturation counts", OPEN, FIXED_THEN, LATE, CLOSE_WINDOW),
    ("a close without an instant does not count", OPEN, NO_INSTANT, CLOSED_AT, TO_MATURATION),
    ("not planned does nothing before maturation", OPEN, NOT_PLANNED, CLOSED_AT, TO_MATURATION),
    ("not planned matures as open", OPEN, NOT_PLANNED, MATURES, MATURATION_WINDOW),
    ("an open issue matures", OPEN, IS_OPEN, MATURES, MATURATION_WINDOW),
    ("one second before it does not", OPEN, IS_OPEN, MATURES - 1, TO_MATURATION),
    ("nobody need answer for maturation to halt", OPEN, None, MATURES, MATURATION_WINDOW),
    ("the API confirms the news", NEWS, FIXED_THEN, CLOSED_AT + 9, CLOSE_WINDOW),
    ("the API says otherwise", NEWS, IS_OPEN, CLOSED_AT + 9, Resume()),
    ("the API says not planned", NEWS, NOT_PLANNED, CLOSED_AT + 9, Resume()),
    ("the API says otherwise after maturation", NEWS, IS_OPEN, LATE, MATURATION_WINDOW),
    ("the API knows of a later close", NEWS, FIXED_LATE, LATE, MATURATION_WINDOW),
    ("nobody answers about the news", NEWS, None, CLOSED_AT + 9, Wait(CLOSED_AT + 9 + ASK_AGAIN_SECONDS)),
    ("the window runs", CLOSING, FIXED_THEN, CLOSED_AT + 9, Wait(CLOSED_AT + WINDOW)),
    ("its last second too", CLOSING, FIXED_THEN, CLOSED_AT + WINDOW - 1, Wait(CLOSED_AT + WINDOW)),
    ("at its end the issue is fixed", CLOSING, FIXED_THEN, CLOSED_AT + WINDOW, Settle(Outcome.FIXED)),
    ("fixed settles before maturation", EARLY, FIXED_THEN, CLOSED_AT + 1_000, Settle(Outcome.FIXED)),
    ("reopened before maturation", CLOSING, IS_OPEN, MATURES - 1, Resume()),
    ("reopened at the end of an early window", EARLY, IS_OPEN, CLOSED_AT + 1_000, Resume()),
    (
        "closed again",
        CLOSING,
        FIXED_AGAIN,
        MATURES - 1,
        OpenWindow(CLOSED_AT + 500, CLOSED_AT + 500 + WINDOW, Cause.CLOSED, True),
    ),
    ("reopened after maturation, within the window", CLOSING, IS_OPEN, LATE, Announce(Outcome.UNFIXED)),
    ("and that was announced", replace(CLOSING, verdict=Outcome.UNFIXED), IS_OPEN, LATE, Wait(CLOSED_AT + WINDOW)),
    (
        "and closed again within it",
        replace(CLOSING, verdict=Outcome.UNFIXED),
        FIXED_LATE,
        LATE,
        Announce(Outcome.FIXED),
    ),
    ("reopened after maturation, at its end", CLOSING, IS_OPEN, CLOSED_AT + WINDOW, Settle(Outcome.UNFIXED)),
    ("and closed again after maturation", CLOSING, FIXED_LATE, CLOSED_AT + WINDOW, Settle(Outcome.FIXED)),
    ("the reason changes, the window stays", CLOSING, NOT_PLANNED, CLOSED_AT + 9, Announce(Outcome.UNFIXED)),
    ("and trading will resume", EARLY, NOT_PLANNED, CLOSED_AT + 9, Announce(None)),
    ("the reason changed, maturation to come", EARLY, NOT_PLANNED, CLOSED_AT + 1_000, Resume()),
    ("the reason changed, maturation past", CLOSING, NOT_PLANNED, CLOSED_AT + WINDOW, Settle(Outcome.UNFIXED)),
    ("nobody answers while it runs", CLOSING, None, CLOSED_AT + 9, Wait(CLOSED_AT + 9 + ASK_AGAIN_SECONDS)),
    ("nobody answers at its end", CLOSING, None, CLOSED_AT + WINDOW, Wait(CLOSED_AT + WINDOW + ASK_AGAIN_SECONDS)),
    ("maturation's window runs", MATURED, IS_OPEN, LATE, Wait(MATURES + WINDOW)),
    ("at its end: open", MATURED, IS_OPEN, MATURES + WINDOW, Settle(Outcome.UNFIXED)),
    ("at its end: not planned", MATURED, NOT_PLANNED, MATURES + WINDOW, Settle(Outcome.UNFIXED)),
    ("at its end: closed late", MATURED, FIXED_LATE, MATURES + WINDOW, Settle(Outcome.UNFIXED)),
    ("a good close found in it", MATURED, FIXED_THEN, LATE, replace(CLOSE_WINDOW, ends_at=LATE + WINDOW)),
    (
        "a good close found at its end",
        MATURED,
        FIXED_THEN,
        MATURES + WINDOW,
        replace(CLOSE_WINDOW, ends_at=MATURES + 2 * WINDOW),
    ),
    ("nobody answers in it", MATURED, None, LATE, Wait(LATE + ASK_AGAIN_SECONDS)),
]


@pytest.mark.parametrize(("watch", "facts", "now", "step"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_look(watch: Watch, facts: IssueFacts | None, now: int, step: Step) -> None:
    assert look(watch, facts, True, now) == step


@pytest.mark.parametrize(
    ("window", "backed_seconds", "unbacked_seconds"),
    [
        (0, 0, 2 * DAY),
        (3_600, 3_600, 2 * DAY),
        (DAY, DAY, 2 * DAY),
        (DAY + 1, DAY + 1, 2 * DAY + 2),
        (7 * DAY, 7 * DAY, 14 * DAY),
    ],
)
def test_an_unbacked_close_doubles_the_window(window: int, backed_seconds: int, unbacked_seconds: int) -> None:
    for watch in (OPEN, NEWS):
        for backed, seconds in ((True, backed_seconds), (False, unbacked_seconds)):
            found = look(replace(watch, dispute_window_seconds=window), FIXED_THEN, backed, CLOSED_AT + 9)
            assert found == OpenWindow(CLOSED_AT, CLOSED_AT + seconds, Cause.CLOSED, backed=backed)


@pytest.mark.parametrize(("window", "seconds"), [(0, MATURATION_WINDOW_SECONDS), (900, 900), (901, 901), (DAY, DAY)])
def test_maturation_leaves_time_for_late_events(window: int, seconds: int) -> None:
    found = look(replace(OPEN, dispute_window_seconds=window), IS_OPEN, False, MATURES + 70)
    assert found == OpenWindow(MATURES, MATURES + seconds, Cause.MATURED)


@pytest.mark.parametrize("watch", [NEWS, CLOSING, EARLY, MATURED])
def test_asking_in_vain_on_thirty_days_voids_and_time_alone_does_not(watch: Watch) -> None:
    """Once the window has ended, or where it is a close that was never confirmed."""
    due_at = watch.window_opened_at if watch.window_ends_at is None else watch.window_ends_at
    assert due_at is not None
    for now in (due_at, due_at + 1_000 * DAY):
        for days in (0, 1, NO_ANSWER_DAYS - 1):
            assert look(replace(watch, unanswered_days=days), None, False, now) == Wait(now + ASK_AGAIN_SECONDS)
        assert look(replace(watch, unanswered_days=NO_ANSWER_DAYS), None, False, now) == Settle(Outcome.VOID)


def test_before_a_verdict_is_due_asking_in_vain_voids_nothing() -> None:
    for watch in (OPEN, CLOSING, MATURED):
        asked = replace(watch, unanswered_days=NO_ANSWER_DAYS)
        now = MATURES - 1 if watch.cause is None else (watch.window_ends_at or 0) - 1
        assert isinstance(look(asked, None, False, now), Wait)
        assert not needs_answer(watch, now)


@pytest.mark.parametrize(
    ("last_at", "now", "counts"),
    [
        (None, 5 * DAY, True),
        (5 * DAY, 6 * DAY - 1, False),
        (5 * DAY, 6 * DAY, True),
        (6 * DAY - 1, 6 * DAY, True),
        (50 * DAY, 6 * DAY, False),
    ],
)
def test_days_are_those_of_the_calendar_and_a_clock_that_ran_ahead_counts_once(
    last_at: int | None, now: int, counts: bool
) -> None:
    assert another_day(last_at, now) is counts


def test_a_verdict_that_takes_the_place_of_another_can_be_disputed_however_late_it_is_found() -> None:
    """Nothing would be left of the close's own window, which is enough where nothing else was announced."""
    late = MATURES + 5 * DAY
    told = replace(MATURED, window_ends_at=late + 9)
    assert look(told, FIXED_THEN, True, late) == replace(CLOSE_WINDOW, ends_at=late + WINDOW)
    unbacked = look(told, FIXED_THEN, False, LATE)
    assert unbacked == OpenWindow(CLOSED_AT, CLOSED_AT + 2 * DAY, Cause.CLOSED)
    assert look(replace(told, verdict=None), FIXED_THEN, True, late) == replace(CLOSE_WINDOW, ends_at=late + WINDOW)
    assert look(replace(told, verdict=Outcome.FIXED), FIXED_THEN, True, late) == CLOSE_WINDOW
    for untold in (OPEN, NEWS):
        assert look(untold, FIXED_THEN, True, late) == CLOSE_WINDOW


def test_a_window_that_ended_long_ago_is_judged_by_what_is_said_now() -> None:
    for facts, outcome in ((FIXED_THEN, Outcome.FIXED), (IS_OPEN, Outcome.UNFIXED)):
        assert look(CLOSING, facts, True, MATURES + 100 * DAY) == Settle(outcome)


def test_looking_never_goes_back_in_time() -> None:
    """It waits for instants to come only, resumes before maturation only, settles after a window only."""
    for watch in (OPEN, NEWS, CLOSING, EARLY, MATURED):
        for facts in (IS_OPEN, FIXED_THEN, FIXED_LATE, NOT_PLANNED, None):
            for now in (CLOSED_AT, CLOSED_AT + 999, CLOSED_AT + 1_000, MATURES - 1, MATURES, LATE, MATURES + WINDOW):
                step = look(watch, facts, True, now)
                assert not isinstance(step, Wait) or step.until_at > now, (watch, facts, now)
                assert not isinstance(step, Settle | Resume) or watch.cause is not None
                assert not isinstance(step, Resume) or now < MATURES
                assert not isinstance(step, Settle) or now >= (watch.window_ends_at or MATURES)


def test_a_reopening_before_maturation_that_comes_to_light_after_it_ends_the_window() -> None:
    closed_late = replace(FIXED_LATE, closed_since=FIXED_LATE.closed_at, reopenings=(CLOSED_AT + 5,))
    assert look(CLOSING, closed_late, True, LATE) == OpenWindow(MATURES, LATE + WINDOW, Cause.MATURED)
    matured = MATURED
    assert look(matured, closed_late, True, MATURES + WINDOW) == Settle(Outcome.UNFIXED)


def test_an_open_issue_tells_that_it_was_reopened_before_maturation() -> None:
    """It is maturation's window that counts, undisputed or not, and not the end of the close's."""
    reopened = replace(IS_OPEN, reopenings=(MATURES - 5,))
    for watch in (CLOSING, replace(CLOSING, backed=False, disputed_at=MATURES - 60)):
        assert look(watch, reopened, True, LATE) == OpenWindow(MATURES, LATE + WINDOW, Cause.MATURED)
    after = replace(IS_OPEN, reopenings=(LATE,))
    assert look(CLOSING, after, True, CLOSED_AT + WINDOW) == Settle(Outcome.UNFIXED)


STOOD = replace(FIXED_THEN, until_at=LATE)
"""It stood at maturation, and was over a second later."""


@pytest.mark.parametrize("now_is", [IS_OPEN, replace(FIXED_LATE, closed_at=LATE + 5)])
def test_a_close_that_stood_at_maturation_opens_its_window_whenever_it_is_found(now_is: IssueFacts) -> None:
    facts = replace(now_is, reopenings=(LATE,), before=(STOOD,))
    assert look(OPEN, facts, True, LATE + 9) == CLOSE_WINDOW
    assert look(MATURED, facts, True, LATE + 9) == replace(CLOSE_WINDOW, ends_at=LATE + 9 + WINDOW)
    outcome = Outcome.FIXED if now_is.closed else Outcome.UNFIXED
    assert look(replace(CLOSING, verdict=outcome), facts, True, LATE + 9) == Wait(CLOSED_AT + WINDOW)
    assert look(CLOSING, facts, True, CLOSED_AT + WINDOW) == Settle(outcome)


def test_a_close_that_did_not_stand_at_maturation_or_was_set_aside_opens_none() -> None:
    for over in (replace(STOOD, until_at=MATURES), replace(STOOD, closed_at=LATE, until_at=LATE + 5)):
        assert look(OPEN, replace(IS_OPEN, before=(over,)), True, LATE + 9) == MATURATION_WINDOW
    aside = replace(OPEN, set_aside_at=CLOSED_AT)
    assert look(aside, replace(IS_OPEN, before=(STOOD,)), True, LATE + 9) == MATURATION_WINDOW


def test_a_reopening_after_maturation_leaves_the_window_alone() -> None:
    closed_late = replace(FIXED_LATE, closed_since=FIXED_LATE.closed_at, reopenings=(MATURES + 1,))
    assert look(CLOSING, closed_late, True, MATURES + 100 * DAY) == Settle(Outcome.FIXED)


# -- not planned, duplicate ---------------------------------------------------------------------------------------

VOIDS = replace(OPEN, void_reasons=frozenset({"not_planned", "duplicate"}))
"""Its terms say VOID for both."""
REJECTED = IssueFacts(closed=True, completed=False, closed_at=CLOSED_AT, reason="not_planned")
REJECTING = replace(
    VOIDS,
    cause=Cause.REJECTED,
    window_opened_at=CLOSED_AT,
    window_ends_at=CLOSED_AT + WINDOW,
    verdict=Outcome.VOID,
)
REJECTING_EARLY = replace(REJECTING, window_ends_at=CLOSED_AT + 1_000)


@pytest.mark.parametrize("reason", ["not_planned", "duplicate"])
def test_where_the_terms_say_void_the_close_opens_the_window(reason: str) -> None:
    facts = replace(REJECTED, reason=reason)
    assert look(VOIDS, facts, True, CLOSED_AT + 9) == OpenWindow(CLOSED_AT, CLOSED_AT + WINDOW, Cause.REJECTED)
    assert look(OPEN, facts, True, CLOSED_AT + 9) == TO_MATURATION
    assert look(REJECTING, facts, True, CLOSED_AT + 9) == Wait(CLOSED_AT + WINDOW)
    assert look(REJECTING, facts, True, CLOSED_AT + WINDOW) == Settle(Outcome.VOID)
    assert look(REJECTING_EARLY, facts, True, CLOSED_AT + 1_000) == Settle(Outcome.VOID)


def test_after_maturation_a_close_as_not_planned_changes_nothing() -> None:
    late = replace(REJECTED, closed_at=LATE)
    assert look(VOIDS, late, True, LATE) == MATURATION_WINDOW
    assert look(replace(MATURED, void_reasons=VOIDS.void_reasons), late, True, MATURES + WINDOW) == Settle(
        Outcome.UNFIXED
    )


def test_reopened_before_maturation_a_void_window_is_over() -> None:
    assert look(REJECTING, IS_OPEN, True, CLOSED_AT + 9) == Resume()


def test_a_reason_never_seen_before_opens_no_window_and_counts_as_open_at_the_end() -> None:
    strange = replace(REJECTED, reason="eaten_by_the_dog")
    assert look(VOIDS, strange, True, CLOSED_AT + 9) == TO_MATURATION
    assert look(replace(EARLY, void_reasons=VOIDS.void_reasons), strange, True, CLOSED_AT + 1_000) == Resume()
    assert look(MATURED, strange, True, MATURES + WINDOW) == Settle(Outcome.UNFIXED)


def test_a_change_of_reason_never_moves_a_running_window() -> None:
    """Whatever it changes to, what follows from the new reason follows at the window's end."""
    now_rejected = replace(REJECTED, closed_at=CLOSED_AT + 500, closed_since=CLOSED_AT)
    voids = replace(EARLY, void_reasons=VOIDS.void_reasons, backed=False)
    assert look(voids, now_rejected, True, CLOSED_AT + 600) == Announce(None)
    after = OpenWindow(CLOSED_AT + 500, CLOSED_AT + 2_000, Cause.REJECTED)
    assert look(voids, now_rejected, True, CLOSED_AT + 1_000) == after
    now_fixed = replace(FIXED_AGAIN, closed_since=CLOSED_AT)
    assert look(replace(REJECTING_EARLY, verdict=None), now_fixed, True, CLOSED_AT + 600) == Wait(CLOSED_AT + 1_000)
    then = OpenWindow(CLOSED_AT + 500, CLOSED_AT + 1_000 + WINDOW, Cause.CLOSED, True)
    assert look(REJECTING_EARLY, now_fixed, True, CLOSED_AT + 1_000) == then


# -- discussions, deletions, transfers ----------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["discussion", "deleted", "transferred"])
@pytest.mark.parametrize("last", [IS_OPEN, FIXED_THEN, NOT_PLANNED])
def test_gone_before_maturation_is_void_through_a_window_from_that_event(gone: str, last: IssueFacts) -> None:
    """GitHub closes what becomes a discussion, as completed: that is no good close."""
    facts = replace(last, gone=gone, gone_at=CLOSED_AT)
    window = OpenWindow(CLOSED_AT, CLOSED_AT + WINDOW, Cause.GONE)
    for watch in (OPEN, replace(OPEN, cause=Cause.GONE, window_opened_at=CLOSED_AT)):
        assert look(watch, facts, True, CLOSED_AT + 9) == window
    going = replace(
        OPEN,
        cause=Cause.GONE,
        window_opened_at=CLOSED_AT,
        window_ends_at=CLOSED_AT + WINDOW,
        verdict=Outcome.VOID,
    )
    assert look(going, facts, True, CLOSED_AT + 9) == Wait(CLOSED_AT + WINDOW)
    assert look(going, facts, True, CLOSED_AT + WINDOW) == Settle(Outcome.VOID)


@pytest.mark.parametrize("gone", ["discussion", "deleted", "transferred"])
def test_gone_within_the_window_of_an_unbacked_close_it_is_void_through_a_window_of_its_own(gone: str) -> None:
    facts = replace(FIXED_THEN, gone=gone, gone_at=CLOSED_AT + 60)
    unbacked = replace(CLOSING, backed=False)
    window = OpenWindow(CLOSED_AT + 60, CLOSED_AT + 90 + WINDOW, Cause.GONE)
    assert look(unbacked, facts, True, CLOSED_AT + 90) == window


@pytest.mark.parametrize("gone", ["discussion", "deleted", "transferred"])
def test_after_a_backed_close_nothing_that_makes_the_issue_go_takes_the_verdict_back(gone: str) -> None:
    facts = replace(FIXED_THEN, gone=gone, gone_at=CLOSED_AT + 60)
    assert look(CLOSING, facts, False, CLOSED_AT + 90) == Wait(CLOSED_AT + WINDOW)
    assert look(CLOSING, facts, False, CLOSED_AT + WINDOW) == Settle(Outcome.FIXED)
    assert look(EARLY, facts, False, CLOSED_AT + 1_000) == Settle(Outcome.FIXED)
    aside = replace(EARLY, set_aside_at=CLOSED_AT)  # what a maintainer set aside decides nothing
    assert look(aside, facts, False, CLOSED_AT + 90) == OpenWindow(CLOSED_AT + 60, CLOSED_AT + 1_090, Cause.GONE)


def test_after_a_backed_close_or_maturation_a_reason_that_voids_changes_nothing() -> None:
    """Where the terms say VOID of it. A reopening is no such act: what the issue is closed as then counts."""
    voids = VOIDS.void_reasons
    turned = replace(REJECTED, closed_at=CLOSED_AT + 500, closed_since=CLOSED_AT)
    assert look(replace(EARLY, void_reasons=voids), turned, True, CLOSED_AT + 600) == Wait(CLOSED_AT + 1_000)
    assert look(replace(EARLY, void_reasons=voids), turned, True, CLOSED_AT + 1_000) == Settle(Outcome.FIXED)
    late = replace(REJECTED, closed_at=LATE, closed_since=CLOSED_AT)
    for backed in (True, False):
        closing = replace(CLOSING, backed=backed, void_reasons=voids)
        assert look(closing, late, True, CLOSED_AT + WINDOW) == Settle(Outcome.FIXED)
        again = replace(late, closed_since=LATE, reopenings=(LATE,))
        assert look(closing, again, True, CLOSED_AT + WINDOW) == Settle(Outcome.UNFIXED)
    assert look(replace(CLOSING), late, True, CLOSED_AT + WINDOW) == Settle(Outcome.UNFIXED)


def test_nobody_told_when_it_went_counts_from_when_we_learnt_of_it() -> None:
    facts = replace(IS_OPEN, gone="deleted")
    assert look(OPEN, facts, True, CLOSED_AT) == OpenWindow(CLOSED_AT, CLOSED_AT + WINDOW, Cause.GONE)
    assert look(OPEN, facts, True, LATE) == MATURATION_WINDOW


@pytest.mark.parametrize(("last", "outcome"), [(FIXED_THEN, Outcome.FIXED), (IS_OPEN, Outcome.UNFIXED)])
def test_gone_after_maturation_the_last_known_state_counts(last: IssueFacts, outcome: Outcome) -> None:
    facts = replace(last, gone="deleted", gone_at=LATE)
    watch = CLOSING if outcome is Outcome.FIXED else MATURED
    assert look(watch, facts, True, MATURES + WINDOW) == Settle(outcome)


def test_what_was_not_gone_after_all_trades_on() -> None:
    """It was transferred to where the App is installed."""
    going = replace(OPEN, cause=Cause.GONE, window_opened_at=CLOSED_AT, window_ends_at=CLOSED_AT + WINDOW)
    assert look(going, IS_OPEN, True, CLOSED_AT + 9) == Resume()
    assert look(going, NOT_PLANNED, True, CLOSED_AT + 9) == Resume()
    assert look(going, IS_OPEN, True, LATE) == replace(MATURATION_WINDOW, ends_at=LATE + WINDOW)
    assert look(going, FIXED_THEN, True, CLOSED_AT + 9) == replace(CLOSE_WINDOW, ends_at=CLOSED_AT + 9 + WINDOW)


# -- the App is away ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("watch", [OPEN, CLOSING, MATURED])
def test_away_each_time_on_thirty_days_it_is_void_and_by_time_alone_it_is_not(watch: Watch) -> None:
    away = replace(watch, away_at=CLOSED_AT, unanswered_days=NO_ANSWER_DAYS)
    for now in (CLOSED_AT, MATURES + 100 * DAY):
        for days in (0, NO_ANSWER_DAYS - 1):
            step = look(replace(away, away_days=days), None, False, now)
            extended = isinstance(step, Extend) and watch.cause is not None
            assert step == Wait(now + ASK_WHILE_AWAY_SECONDS) or extended
        assert look(replace(away, away_days=NO_ANSWER_DAYS), None, False, now) == Settle(Outcome.VOID)


def test_a_window_that_ran_while_the_app_was_away_ends_a_day_after_the_return_or_later() -> None:
    back_at = CLOSED_AT + 3 * DAY
    closed = OpenWindow(CLOSED_AT, back_at + RETURN_SECONDS, Cause.CLOSED, True)
    assert look(replace(OPEN, back_at=back_at), FIXED_THEN, True, back_at) == closed
    assert look(replace(CLOSING, back_at=back_at), FIXED_THEN, True, back_at) == Extend(back_at + RETURN_SECONDS)
    extended = replace(CLOSING, back_at=back_at, window_ends_at=back_at + RETURN_SECONDS)
    assert look(extended, FIXED_THEN, True, back_at) == Wait(back_at + RETURN_SECONDS)
    assert look(replace(OPEN, back_at=CLOSED_AT - 1), FIXED_THEN, True, CLOSED_AT) == CLOSE_WINDOW
    long_window = replace(OPEN, back_at=CLOSED_AT + 60, dispute_window_seconds=7 * DAY)
    assert look(long_window, FIXED_THEN, True, CLOSED_AT + 60) == OpenWindow(
        CLOSED_AT, CLOSED_AT + 7 * DAY, Cause.CLOSED, True
    )


# -- disputes -----------------------------------------------------------------------------------------------------

DISPUTED_AT = CLOSED_AT + 60
ANSWER_BY = DISPUTED_AT + ANSWER_SECONDS
DISPUTED = replace(CLOSING, disputed_at=DISPUTED_AT)


@pytest.mark.parametrize("watch", [DISPUTED, replace(EARLY, disputed_at=DISPUTED_AT)])
def test_a_dispute_holds_settlement_maturation_or_not(watch: Watch) -> None:
    for now in (CLOSED_AT + 1_000, MATURES, CLOSED_AT + WINDOW, ANSWER_BY - 1):
        assert look(watch, FIXED_THEN, True, now) == Wait(ANSWER_BY)


def test_a_reopening_before_maturation_ends_the_dispute() -> None:
    assert look(DISPUTED, IS_OPEN, True, MATURES - 1) == Resume()
    reopened = replace(FIXED_LATE, closed_since=LATE, reopenings=(CLOSED_AT + 90,))
    assert look(DISPUTED, reopened, True, LATE) == replace(MATURATION_WINDOW, ends_at=LATE + WINDOW)


@pytest.mark.parametrize(
    ("watch", "facts", "outcome"),
    [
        (DISPUTED, FIXED_THEN, Outcome.FIXED),
        (DISPUTED, IS_OPEN, Outcome.UNFIXED),
        (replace(DISPUTED, backed=False), FIXED_THEN, Outcome.VOID),
        (replace(DISPUTED, backed=False), IS_OPEN, Outcome.VOID),
        (replace(MATURED, disputed_at=MATURES + 60), IS_OPEN, Outcome.UNFIXED),
        (replace(REJECTING, disputed_at=DISPUTED_AT), REJECTED, Outcome.VOID),
    ],
)
def test_unanswered_for_seven_days_the_state_counts_unless_the_close_was_unbacked(
    watch: Watch, facts: IssueFacts, outcome: Outcome
) -> None:
    last = (watch.disputed_at or 0) + ANSWER_SECONDS
    assert look(watch, facts, True, last - 1) == Wait(last)
    assert look(watch, facts, True, last) == Settle(outcome)


def test_a_window_longer_than_seven_days_is_not_cut_by_a_dispute() -> None:
    watch = replace(DISPUTED, window_ends_at=CLOSED_AT + 14 * DAY)
    assert look(watch, FIXED_THEN, True, ANSWER_BY) == Wait(CLOSED_AT + 14 * DAY)


@pytest.mark.parametrize("ruling", list(Outcome))
def test_a_ruling_is_the_verdict_at_the_end_of_the_window(ruling: Outcome) -> None:
    watch = replace(CLOSING, ruling=ruling, verdict=ruling)
    assert look(watch, FIXED_THEN, True, LATE) == Wait(CLOSED_AT + WINDOW)
    for facts in (FIXED_THEN, FIXED_LATE):
        assert look(watch, facts, True, CLOSED_AT + WINDOW) == Settle(ruling)


@pytest.mark.parametrize("ruling", list(Outcome))
def test_a_ruling_is_paid_without_an_answer_once_one_has_come_since_maturation(ruling: Outcome) -> None:
    """Until then the issue may have been reopened in time, and nobody told us; after 30 days the ruling stands."""
    end = CLOSED_AT + WINDOW
    for closing, ends_at in ((CLOSING, end), (EARLY, CLOSED_AT + 1_000)):
        ruled = replace(closing, ruling=ruling, verdict=ruling)
        for answered_at in (0, MATURES - 1):
            unsure = replace(ruled, answered_at=answered_at, unanswered_days=NO_ANSWER_DAYS - 1)
            assert look(unsure, None, False, ends_at) == Wait(ends_at + ASK_AGAIN_SECONDS)
            assert look(unsure, None, False, ends_at + 99 * DAY) == Wait(ends_at + 99 * DAY + ASK_AGAIN_SECONDS)
            assert look(replace(unsure, unanswered_days=NO_ANSWER_DAYS), None, False, ends_at) == Settle(ruling)
        sure = replace(ruled, answered_at=MATURES)
        assert look(sure, None, False, end - 1) == (
            Settle(ruling) if closing is EARLY else Wait(end - 1 + ASK_AGAIN_SECONDS)
        )
        assert look(sure, None, False, end) == Settle(ruling)


def test_a_close_that_was_set_aside_does_not_count_but_the_next_does() -> None:
    aside = replace(OPEN, set_aside_at=CLOSED_AT)
    assert look(aside, FIXED_THEN, True, CLOSED_AT + 9) == TO_MATURATION
    assert look(aside, FIXED_THEN, True, MATURES) == MATURATION_WINDOW
    assert close_event(aside, FIXED_THEN) is None
    again = OpenWindow(CLOSED_AT + 500, CLOSED_AT + 500 + WINDOW, Cause.CLOSED, True)
    assert look(aside, FIXED_AGAIN, True, CLOSED_AT + 600) == again


def test_the_issues_other_contracts_resume_with_it_before_their_maturation() -> None:
    aside = replace(CLOSING, set_aside_at=CLOSED_AT)
    assert look(aside, FIXED_THEN, True, MATURES - 1) == Resume()


def test_a_close_set_aside_fixes_no_sibling_that_matured_meanwhile() -> None:
    """Its verdict is told anew at once, and nobody's unanswered dispute makes it VOID."""
    for backed in (True, False):
        aside = replace(CLOSING, set_aside_at=CLOSED_AT, backed=backed)
        assert look(aside, FIXED_THEN, True, MATURES) == Announce(Outcome.UNFIXED)
        told = replace(aside, verdict=Outcome.UNFIXED)
        assert look(told, FIXED_THEN, True, MATURES) == Wait(CLOSED_AT + WINDOW)
        assert look(told, FIXED_THEN, True, CLOSED_AT + WINDOW) == Settle(Outcome.UNFIXED)
        disputed = replace(told, disputed_at=DISPUTED_AT)
        assert look(disputed, FIXED_THEN, True, ANSWER_BY) == Settle(Outcome.UNFIXED)
    ruled = replace(CLOSING, set_aside_at=CLOSED_AT, ruling=Outcome.FIXED, verdict=Outcome.FIXED)
    assert look(ruled, FIXED_THEN, True, CLOSED_AT + WINDOW) == Settle(Outcome.FIXED)
    later = replace(MATURED, set_aside_at=MATURES + 60)  # a sibling's close, after this one's end
    assert look(later, IS_OPEN, True, later.due_at) == Settle(Outcome.UNFIXED)


def test_where_a_close_was_set_aside_the_next_one_opens_its_window_at_once() -> None:
    """Trade does not resume in between: a forecast may have come true by something else."""
    aside = replace(CLOSING, set_aside_at=CLOSED_AT)
    other = replace(FIXED_THEN, closed_at=CLOSED_AT + 60, closed_since=CLOSED_AT)
    again = OpenWindow(CLOSED_AT + 60, CLOSED_AT + 60 + WINDOW, Cause.CLOSED, True)
    assert look(aside, other, True, CLOSED_AT + 90) == again
