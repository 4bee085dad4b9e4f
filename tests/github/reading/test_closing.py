"""Closers and canonical issues, read from what GraphQL gives, whatever shape that has."""

from __future__ import annotations

from typing import Any

import pytest

from app.github.reading.closing import Closer, canonical_from, closer_from, person_from
from app.github.reading.merging import Merge, Person

HOME = {"databaseId": 7}
ELSEWHERE = {"databaseId": 8}
MONA = {"__typename": "User", "login": "mona", "databaseId": 5}


def node(*items: Any) -> Any:
    return {"repository": HOME, "timelineItems": {"nodes": list(items)}}


def closed(closer: Any, minute: int = 1) -> Any:
    return {"__typename": "ClosedEvent", "createdAt": f"1970-01-01T00:{minute:02}:00Z", "closer": closer}


def pull(merged_by: Any = MONA, repository: Any = HOME) -> Any:
    about = {"number": 12, "merged": True, "mergedBy": merged_by, "repository": repository}
    return {"__typename": "PullRequest", **about}


def commit(*pulls: Any, repository: Any = HOME) -> Any:
    brought = {"nodes": list(pulls)}
    return {"__typename": "Commit", "oid": "abc1234def", "repository": repository, "associatedPullRequests": brought}


BY_MONA = Person(5, "mona")


@pytest.mark.parametrize(
    ("closer", "read"),
    [
        (None, None),
        ({"__typename": "ProjectV2"}, None),
        (pull(), Closer("pull request 12", True, Merge(BY_MONA, "mona"))),
        (pull({"__typename": "Bot", "login": "bors"}), Closer("pull request 12", True, Merge(None, "bors"))),
        (pull(None), Closer("pull request 12", True, Merge(None, ""))),
        (pull(MONA, ELSEWHERE), Closer("pull request 12 of another repository", False, Merge(BY_MONA, "mona"))),
        (commit(), Closer("commit abc1234", True)),
        (commit(repository=ELSEWHERE), Closer("commit abc1234", False)),
        (commit({**pull(), "merged": False}), Closer("commit abc1234", True)),
        (commit(pull()), Closer("commit abc1234 of pull request 12", True, Merge(BY_MONA, "mona"))),
    ],
)
def test_what_was_behind_a_close(closer: Any, read: Closer | None) -> None:
    assert closer_from(node(closed(closer)), 60) == read


def test_only_the_close_that_the_timeline_tells_of_counts() -> None:
    both = node(closed(pull(), 1), closed(None, 2))
    assert closer_from(both, 120) is None
    assert closer_from(both, 60) == closer_from(node(closed(pull(), 1)), 60) is not None
    assert closer_from(both, 90) is None
    assert closer_from(node(closed(commit(), 1), closed(pull(), 2)), 120) is not None


def marked(name: str, canonical: Any = None) -> Any:
    return {"__typename": name, "canonical": canonical}


def canonical(repository: Any, private: Any = False) -> Any:
    return {"number": 3, "repository": {**repository, "nameWithOwner": "ann/pump", "isPrivate": private}}


@pytest.mark.parametrize(
    ("items", "named"),
    [
        ([], None),
        ([marked("MarkedAsDuplicateEvent", canonical(HOME))], "ann/pump#3"),
        ([marked("MarkedAsDuplicateEvent", canonical(ELSEWHERE))], "ann/pump#3"),
        ([marked("MarkedAsDuplicateEvent", canonical(HOME, True))], "ann/pump#3"),
        ([marked("MarkedAsDuplicateEvent", canonical(ELSEWHERE, True))], None),
        ([marked("MarkedAsDuplicateEvent", canonical(ELSEWHERE, None))], None),
        ([marked("MarkedAsDuplicateEvent", None)], None),
        ([marked("MarkedAsDuplicateEvent", canonical(HOME)), marked("UnmarkedAsDuplicateEvent")], None),
    ],
)
def test_what_an_issue_duplicates(items: list[Any], named: str | None) -> None:
    """What is private elsewhere is not named: threads are read by others."""
    assert canonical_from(node(*items)) == named


@pytest.mark.parametrize(
    "strange",
    [
        {},
        {"timelineItems": None},
        {"timelineItems": {"nodes": None}},
        {"timelineItems": {"nodes": [None, 1, "x"]}},
        {"timelineItems": {"nodes": [{"__typename": "ClosedEvent"}]}},
        node(closed("x")),
    ],
)
def test_strange_answers_tell_nothing(strange: Any) -> None:
    assert closer_from(strange, 60) is None
    assert canonical_from(strange) is None


def test_people_are_told_from_bots_and_ghosts() -> None:
    assert person_from({"type": "User", "id": 5, "login": "mona"}) == BY_MONA
    for other in (None, {"type": "Bot", "id": 5, "login": "x"}, {"type": "User", "id": True, "login": "x"}, {}):
        assert person_from(other) is None
