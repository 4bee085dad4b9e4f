"""What a forecast remembers, written and read back; and what of it outlives what GitHub tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.market.life.forecast_memory import (
    Act,
    Known,
    MilestoneFacts,
    MilestoneIssue,
    known_issue,
    known_milestone,
    since_the_end,
    told_of_issue,
    told_of_milestone,
)

BY = 3_600
DONE, OPEN = MilestoneIssue(1, 0, Act(600, 5, "dana")), MilestoneIssue(2, 0, None)


def known(at: int, *issues: MilestoneIssue) -> Known:
    return Known(at, told_of_milestone(None, issues))


def test_an_issue_is_remembered_with_the_act_unless_that_is_set_aside() -> None:
    for act in (Act(600, 5, "dana"), Act(600)):
        told = Known(BY, told_of_issue(12, act))
        assert known_issue(told) == (12, act)
        assert known_issue(replace(told, aside_at=599)) == (12, act)
        assert known_issue(replace(told, aside_at=600)) is None
    assert known_issue(Known()) is None


def test_a_milestone_is_remembered_by_the_issues_that_counted() -> None:
    assert known_milestone(known(BY, DONE, OPEN)) == MilestoneFacts(None, [DONE, OPEN])
    assert known_milestone(Known(BY, told_of_milestone(900, []))) == MilestoneFacts(900, [])
    assert known_milestone(Known()) is None


@pytest.mark.parametrize(
    "found", [[], [DONE], [DONE, replace(OPEN, added_at=BY + 5)], [DONE, OPEN, replace(DONE, number=3)]]
)
def test_since_the_end_its_issues_are_those_of_the_first_answer(found: list[MilestoneIssue]) -> None:
    assert since_the_end(MilestoneFacts(9, found), known(BY, DONE, OPEN), BY) == MilestoneFacts(9, [DONE, OPEN])


def test_before_the_end_and_without_a_memory_it_is_as_it_is_found() -> None:
    found = MilestoneFacts(None, [DONE])
    for memory in (Known(), known(BY - 1, DONE, OPEN)):
        assert since_the_end(found, memory, BY) is found


@pytest.mark.parametrize("now", [None, Act(BY + 60, 6, "tess"), Act(500)])
def test_how_an_issue_stands_that_is_there_is_told_by_github(now: Act | None) -> None:
    found = MilestoneFacts(None, [replace(DONE, closed=now)])
    assert since_the_end(found, known(BY, DONE), BY).issues == [replace(DONE, closed=now)]
