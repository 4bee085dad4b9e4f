"""The comments that tell of disputes and rulings, however many they concern."""

from __future__ import annotations

from typing import Any

import pytest

from app.replies.hearing_notices import hearing
from app.replies.reply import MAX_BODY
from tests.replies.showing import DAY, NOW, forecast, row

NAMES = {number: f"@user{number}" for number in range(1, 400)}


def dispute(**changed: Any) -> dict[str, Any]:
    body = {
        "notice": "dispute",
        "contract": 1,
        "verdict": "FIXED",
        "said": [[1, "it crashes"]],
        "answer_by_at": NOW + 7 * DAY,
        "ends_at": NOW + DAY,
        "unanswered": "state",
        "heard": [2, 3],
    }
    return body | changed


def ruling(**changed: Any) -> dict[str, Any]:
    body = {
        "notice": "ruling",
        "contract": 1,
        "by": 9,
        "outcome": "FIXED",
        "price": None,
        "reason": "I tried it",
        "upheld": False,
        "aside": False,
        "due_at": NOW + DAY,
        "bonds": [[1, 10_000]],
        "heard": [2],
    }
    return body | changed


def test_a_dispute_says_who_why_until_when_and_whom_it_concerns() -> None:
    told = hearing(dispute(), row(), {**NAMES, 1: "**user1**"})
    assert "**c1 is disputed.** **user1** says that **FIXED** is wrong: `it crashes`." in told
    assert "decides: `/bugmark resolve (fixed|unfixed|void) on c1 REASON`." in told
    assert "`/bugmark dispute on c1 REASON`" in told
    assert "This concerns @user2, @user3." in told
    assert "Joined by" not in told


@pytest.mark.parametrize(
    ("unanswered", "holds"),
    [
        ("state", "the state of the issue decides, and every bond comes back."),
        ("void", "it is VOID, because the close is not backed, and every bond comes back."),
        (
            "void, forfeited",
            "it is VOID, because the close is not backed, and every bond goes to those whom FIXED would have paid.",
        ),
    ],
)
def test_a_dispute_says_what_silence_brings(unanswered: str, holds: str) -> None:
    assert holds in hearing(dispute(unanswered=unanswered), row(), NAMES)


def test_a_forecast_is_true_or_false() -> None:
    told = hearing(dispute(verdict="UNFIXED"), forecast(4), NAMES)
    assert "**F4 is disputed.**" in told and "that **FALSE** is wrong" in told
    assert "is decided: TRUE.**" in hearing(ruling(), forecast(4), NAMES)


def test_a_crowd_is_listed_as_far_as_a_comment_goes() -> None:
    said = [[number, "x" * 5_000] for number in range(1, 200)]
    told = hearing(dispute(said=said, heard=list(range(200, 399))), row(), NAMES)
    assert len(told) < MAX_BODY
    assert "; and 178 more." in told
    assert told.count("@user") == 1 + 20 + 50
    assert "@user249 and 149 more." in told
    ruled = hearing(ruling(bonds=[[number, 1_000] for number in range(1, 61)], heard=[]), row(), NAMES)
    assert "@user50 (1.00), 10 more go to fees." in ruled


def test_nobody_else_is_concerned() -> None:
    assert "This concerns" not in hearing(dispute(heard=[]), row(), NAMES)


@pytest.mark.parametrize(
    ("changed", "holds"),
    [
        ({}, "The bond of @user1 (10.00) goes to fees."),
        ({"upheld": True}, "The bond of @user1 (10.00) goes back."),
        ({"upheld": True, "bonds": [[1, 9], [2, 8]]}, "The bonds of @user1 (0.009), @user2 (0.008) go back."),
        ({"outcome": "VOID"}, "It settles as VOID after"),
        ({"outcome": "VOID", "price": 400}, "is decided: VOID, at 0.40 for FIXED.**"),
        ({"aside": True}, "This close is set aside, and trading resumes."),
    ],
)
def test_a_ruling_says_what_follows(changed: dict[str, Any], holds: str) -> None:
    told = hearing(ruling(**changed), row(), NAMES)
    assert "@user9 says: `I tried it`." in told
    assert holds in told


def test_a_close_set_aside_lifts_no_maintainer_s_halt() -> None:
    told = hearing(ruling(aside=True), row(maintainer_halt="a leak"), NAMES)
    assert "This close is set aside, and the market stays halted." in told
