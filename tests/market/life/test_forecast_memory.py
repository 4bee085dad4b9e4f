"""What a forecast remembers, written and read back; and what of it outlives what GitHub tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.market.life.forecast_memory import (
    LAG_SECONDS,
    Act,
    Known,
    MilestoneFacts,
    MilestoneIssue,
    known_act,
    known_issue,
    known_milestone,
    published_at_the_end,
    since_the_end,
    told_of_act,
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


PUBLISHED, LATE = Act(600, 5, "dana"), Act(BY + 1, 5, "dana")


def remembered(at: int, act: Act | None) -> Known:
    return Known(at, told_of_act(act))


def test_a_merge_or_publication_is_remembered_and_so_is_that_there_was_none() -> None:
    assert known_act(remembered(BY, PUBLISHED)) == (True, PUBLISHED)
    assert known_act(remembered(BY, Act(600))) == (True, Act(600))
    assert known_act(remembered(BY, None)) == (True, None)
    assert known_act(Known()) == (False, None)


@pytest.mark.parametrize(
    ("found", "known", "now", "counts"),
    [
        (None, remembered(BY - 9, PUBLISHED), BY - 1, None),  # deleted in time
        (PUBLISHED, remembered(BY - 9, None), BY - 1, PUBLISHED),
        (PUBLISHED, Known(), BY + 9, PUBLISHED),
        (None, Known(), BY + 9, None),
        (PUBLISHED, remembered(BY - 9, None), BY, PUBLISHED),  # the first answer at the end
        (None, remembered(BY - 9, PUBLISHED), BY, PUBLISHED),  # deleted after the last answer before it
        (LATE, remembered(BY - 9, PUBLISHED), BY + 9, PUBLISHED),  # and published anew
        (None, remembered(BY, PUBLISHED), BY + 9, PUBLISHED),
        (LATE, remembered(BY, PUBLISHED), BY + 9, PUBLISHED),
        (PUBLISHED, remembered(BY, None), BY + 9, None),  # an older release got the tag
        (Act(BY - LAG_SECONDS), remembered(BY, None), BY + 9, None),
        (Act(BY - LAG_SECONDS + 1), remembered(BY, None), BY + 9, Act(BY - LAG_SECONDS + 1)),
        (LATE, remembered(BY, None), BY + 9, None),
    ],
)
def test_a_release_counts_as_it_stood_at_its_end(found: Act | None, known: Known, now: int, counts: Act | None) -> None:
    assert published_at_the_end(found, known, BY, now) == counts
