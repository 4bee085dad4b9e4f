"""What becomes of a contract, as a table: what it remembers, what GitHub says, the instant; the step that follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.market.contract import Outcome, Status
from app.market.life import (
    ASK_AGAIN_SECONDS,
    MATURATION_WINDOW_SECONDS,
    NO_ANSWER_SECONDS,
    IssueFacts,
    OpenWindow,
    Resume,
    Settle,
    Step,
    Wait,
    Watch,
    look,
)

DAY = 86_400
WINDOW = DAY
MATURES = 1_000_000
CLOSED_AT = MATURES - 5_000
LATE = MATURES + 1

OPEN = Watch(Status.OPEN, MATURES, WINDOW)
NEWS = Watch(Status.HALTED, MATURES, WINDOW, True, CLOSED_AT, None)
"""Halted on the news of a close; the API has not been asked yet."""
CLOSING = replace(NEWS, window_ends_at=CLOSED_AT + WINDOW)
EARLY = Watch(Status.HALTED, MATURES, 1_000, True, CLOSED_AT, CLOSED_AT + 1_000)
"""Its window ends before maturation."""
MATURED = Watch(Status.HALTED, MATURES, WINDOW, False, MATURES, MATURES + WINDOW)

IS_OPEN = IssueFacts(closed=False, completed=False)
FIXED_THEN = IssueFacts(closed=True, completed=True, closed_at=CLOSED_AT)
FIXED_LAST = IssueFacts(closed=True, completed=True, closed_at=MATURES)
FIXED_LATE = IssueFacts(closed=True, completed=True, closed_at=LATE)
FIXED_AGAIN = IssueFacts(closed=True, completed=True, closed_at=CLOSED_AT + 500)
NO_INSTANT = IssueFacts(closed=True, completed=True)
NOT_PLANNED = IssueFacts(closed=True, completed=False, closed_at=CLOSED_AT)
"""So do a duplicate and a reason never seen before look: closed, and not as completed."""

TO_MATURATION = Wait(MATURES)
CLOSE_WINDOW = OpenWindow(CLOSED_AT, CLOSED_AT + WINDOW, by_close=True, backed=True)
MATURATION_WINDOW = OpenWindow(MATURES, MATURES + WINDOW, by_close=False, backed=False)

CASES: list[tuple[str, Watch, IssueFacts | None, int, Step]] = [
    ("nothing has happened", OPEN, IS_OPEN, CLOSED_AT, TO_MATURATION),
    ("nobody answers before maturation", OPEN, None, CLOSED_AT, TO_MATURATION),
    ("a good close halts", OPEN, FIXED_THEN, CLOSED_AT + 9, CLOSE_WINDOW),
    ("a close at maturation counts", OPEN, FIXED_LAST, MATURES, OpenWindow(MATURES, MATURES + WINDOW, True, True)),
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
        OpenWindow(CLOSED_AT + 500, CLOSED_AT + 500 + WINDOW, True, True),
    ),
    ("reopened after maturation, within the window", CLOSING, IS_OPEN, LATE, Wait(CLOSED_AT + WINDOW)),
    ("reopened after maturation, at its end", CLOSING, IS_OPEN, CLOSED_AT + WINDOW, Settle(Outcome.UNFIXED)),
    ("and closed again after maturation", CLOSING, FIXED_LATE, CLOSED_AT + WINDOW, Settle(Outcome.FIXED)),
    ("the reason changes, the window stays", CLOSING, NOT_PLANNED, CLOSED_AT + 9, Wait(CLOSED_AT + WINDOW)),
    ("the reason changed, maturation to come", EARLY, NOT_PLANNED, CLOSED_AT + 1_000, Resume()),
    ("the reason changed, maturation past", CLOSING, NOT_PLANNED, CLOSED_AT + WINDOW, Settle(Outcome.UNFIXED)),
    ("nobody answers while it runs", CLOSING, None, CLOSED_AT + 9, Wait(CLOSED_AT + WINDOW)),
    ("nobody answers at its end", CLOSING, None, CLOSED_AT + WINDOW, Wait(CLOSED_AT + WINDOW + ASK_AGAIN_SECONDS)),
    ("maturation's window runs", MATURED, IS_OPEN, LATE, Wait(MATURES + WINDOW)),
    ("at its end: open", MATURED, IS_OPEN, MATURES + WINDOW, Settle(Outcome.UNFIXED)),
    ("at its end: not planned", MATURED, NOT_PLANNED, MATURES + WINDOW, Settle(Outcome.UNFIXED)),
    ("at its end: closed late", MATURED, FIXED_LATE, MATURES + WINDOW, Settle(Outcome.UNFIXED)),
    ("a good close found in it", MATURED, FIXED_THEN, LATE, CLOSE_WINDOW),
    ("a good close found at its end", MATURED, FIXED_THEN, MATURES + WINDOW, CLOSE_WINDOW),
    ("nobody answers in it", MATURED, None, LATE, Wait(MATURES + WINDOW)),
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
    for watch in (OPEN, NEWS, MATURED):
        for backed, seconds in ((True, backed_seconds), (False, unbacked_seconds)):
            found = look(replace(watch, dispute_window_seconds=window), FIXED_THEN, backed, CLOSED_AT + 9)
            assert found == OpenWindow(CLOSED_AT, CLOSED_AT + seconds, by_close=True, backed=backed)


@pytest.mark.parametrize(("window", "seconds"), [(0, MATURATION_WINDOW_SECONDS), (900, 900), (901, 901), (DAY, DAY)])
def test_maturation_leaves_time_for_late_events(window: int, seconds: int) -> None:
    found = look(replace(OPEN, dispute_window_seconds=window), IS_OPEN, False, MATURES + 70)
    assert found == OpenWindow(MATURES, MATURES + seconds, by_close=False, backed=False)


@pytest.mark.parametrize("watch", [NEWS, CLOSING, EARLY, MATURED])
def test_thirty_days_without_an_answer_void(watch: Watch) -> None:
    """Counted from the end of the window, or from the close that was never confirmed."""
    due_at = watch.window_opened_at if watch.window_ends_at is None else watch.window_ends_at
    assert due_at is not None
    last = due_at + NO_ANSWER_SECONDS
    assert look(watch, None, False, last - 1) == Wait(last - 1 + ASK_AGAIN_SECONDS)
    assert look(watch, None, False, last) == Settle(Outcome.VOID)


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
                assert not isinstance(step, Settle | Resume) or watch.status is Status.HALTED
                assert not isinstance(step, Resume) or now < MATURES
                assert not isinstance(step, Settle) or now >= (watch.window_ends_at or MATURES)


def test_a_reopening_before_maturation_that_comes_to_light_after_it_ends_the_window() -> None:
    closed_late = replace(FIXED_LATE, closed_since=FIXED_LATE.closed_at, reopenings=(CLOSED_AT + 5,))
    assert look(CLOSING, closed_late, True, LATE) == OpenWindow(MATURES, MATURES + WINDOW, by_close=False, backed=False)
    matured = replace(CLOSING, opened_by_close=False, window_opened_at=MATURES, window_ends_at=MATURES + WINDOW)
    assert look(matured, closed_late, True, MATURES + WINDOW) == Settle(Outcome.UNFIXED)


def test_a_reopening_after_maturation_leaves_the_window_alone() -> None:
    closed_late = replace(FIXED_LATE, closed_since=FIXED_LATE.closed_at, reopenings=(MATURES + 1,))
    assert look(CLOSING, closed_late, True, MATURES + 100 * DAY) == Settle(Outcome.FIXED)
