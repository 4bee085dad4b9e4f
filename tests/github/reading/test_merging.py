"""Who stands behind what a queue, a bot or auto-merge merged, read from what GraphQL gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.github.reading.merging import Merge, Person, merge_from

MONA, TIM, QUINN = (
    {"__typename": "User", "login": login, "databaseId": number}
    for number, login in enumerate(("mona", "tim", "quinn"), 5)
)
BORS = {"__typename": "Bot", "login": "bors"}
QUEUE = {"__typename": "Bot", "login": "github-merge-queue"}
HEAD, OLDER = "a" * 40, "b" * 40
PUSHED, QUEUED, MERGED = 100, 200, 300


def at(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def review(author: Any, commit: Any = HEAD, state: str = "APPROVED", seconds: int = 150) -> Any:
    return {"state": state, "submittedAt": at(seconds), "commit": {"oid": commit}, "author": author}


def added(who: Any, seconds: int = QUEUED, actor: Any = "same") -> Any:
    actor = who if actor == "same" else actor
    return {"__typename": "AddedToMergeQueueEvent", "createdAt": at(seconds), "actor": actor, "enqueuer": who}


def removed(seconds: int) -> Any:
    return {"__typename": "RemovedFromMergeQueueEvent", "createdAt": at(seconds)}


def enabled(who: Any, seconds: int = 50, kind: str = "AutoMergeEnabledEvent") -> Any:
    return {"__typename": kind, "createdAt": at(seconds), "enabler": who}


def disabled(seconds: int) -> Any:
    return {"__typename": "AutoMergeDisabledEvent", "createdAt": at(seconds)}


def pull(
    merged_by: Any = QUEUE,
    reviews: tuple[Any, ...] = (),
    queued: tuple[Any, ...] = (),
    automatic: tuple[Any, ...] = (),
    forced: int | None = None,
) -> Any:
    return {
        "mergedBy": merged_by,
        "headRefOid": HEAD,
        "latestOpinionatedReviews": {"nodes": list(reviews)},
        "commits": {"nodes": [{"commit": {"oid": HEAD, "committedDate": at(PUSHED)}}]},
        "queued": {"nodes": list(queued)},
        "automatic": {"nodes": list(automatic)},
        "forced": {"nodes": [{"createdAt": at(forced)}] if forced else []},
    }


def backers(found: Any, closed_at: int = MERGED) -> list[str]:
    return [one.login for one in merge_from(found, closed_at).backers]


def test_a_person_who_merged_backs_it_and_nobody_else() -> None:
    found = pull(MONA, (review(TIM),), (added(QUINN),))
    assert merge_from(found, MERGED) == Merge(Person(5, "mona"), "mona")
    assert backers(found) == ["mona"]


@pytest.mark.parametrize("bot", [BORS, QUEUE])
def test_a_bot_backs_nothing_by_itself(bot: Any) -> None:
    assert backers(pull(bot)) == []


@pytest.mark.parametrize("bot", [BORS, QUEUE, None])
def test_an_approval_of_the_last_commit_stands_behind_what_a_bot_merged(bot: Any) -> None:
    assert backers(pull(bot, (review(TIM),))) == ["tim"]


@pytest.mark.parametrize(
    "said",
    [
        review(TIM, OLDER),
        review(TIM, None),
        review(TIM, state="CHANGES_REQUESTED"),
        review(TIM, state="DISMISSED"),
        review(TIM, seconds=MERGED + 1),
        review(BORS),
        review(None),
        {**review(TIM), "submittedAt": None},
        {**review(TIM), "commit": None},
    ],
)
def test_other_reviews_back_nothing(said: Any) -> None:
    assert backers(pull(QUEUE, (said,))) == []


def test_an_approval_counts_up_to_the_close_itself() -> None:
    assert backers(pull(QUEUE, (review(TIM, seconds=MERGED),))) == ["tim"]


@pytest.mark.parametrize("bot", [BORS, QUEUE])
def test_whoever_queued_it_after_the_last_push_stands_behind_it(bot: Any) -> None:
    assert backers(pull(bot, queued=(added(MONA),))) == ["mona"]


@pytest.mark.parametrize(
    ("queued", "changed"),
    [
        ((added(MONA, PUSHED),), {}),
        ((added(MONA, PUSHED - 1),), {}),
        ((added(MONA),), {"forced": QUEUED}),
        ((added(MONA),), {"forced": QUEUED + 1}),
        ((added(MONA, MERGED + 1),), {}),
        ((added(MONA, actor=BORS),), {}),
        ((added(MONA, actor=TIM),), {}),
        ((added(None, actor=MONA),), {}),
        ((added(BORS),), {}),
    ],
)
def test_queued_before_the_last_push_or_not_by_hand_backs_nothing(queued: Any, changed: Any) -> None:
    assert backers(pull(QUEUE, queued=queued, **changed)) == []


def test_the_last_one_who_queued_it_counts() -> None:
    assert backers(pull(QUEUE, queued=(added(MONA, 150), removed(160), added(TIM)))) == ["tim"]


def test_taken_out_of_the_queue_again_only_the_queue_itself_could_have_merged_it() -> None:
    """What the queue tells as it merges is no withdrawal; a bot that merges what was taken out is backed by nobody."""
    queued = added(MONA), removed(MERGED)
    assert backers(pull(QUEUE, queued=queued)) == ["mona"]
    assert backers(pull(BORS, queued=queued)) == []


def test_without_the_last_commit_s_date_nobody_queued_it_after_the_last_push() -> None:
    strange: tuple[Any, ...] = (None, {"nodes": []}, {"nodes": [{"commit": {"oid": OLDER, "committedDate": at(1)}}]})
    for commits in strange:
        assert backers({**pull(QUEUE, queued=(added(MONA),)), "commits": commits}) == []


@pytest.mark.parametrize("kind", ["AutoMergeEnabledEvent", "AutoSquashEnabledEvent", "AutoRebaseEnabledEvent"])
def test_auto_merge_backs_nothing(kind: str) -> None:
    found = pull(MONA, automatic=(enabled(MONA, kind=kind),))
    assert merge_from(found, MERGED).automatic
    assert backers(found) == []


def test_an_approval_of_the_last_commit_stands_behind_what_auto_merge_merged() -> None:
    assert backers(pull(MONA, (review(TIM),), automatic=(enabled(MONA),))) == ["tim"]


def test_auto_merge_that_was_switched_off_or_was_somebody_else_s_is_none() -> None:
    assert backers(pull(MONA, automatic=(enabled(MONA), disabled(60)))) == ["mona"]
    assert backers(pull(MONA, automatic=(enabled(TIM),))) == ["mona"]


@pytest.mark.parametrize("who", [MONA, None])
def test_what_auto_merge_put_into_the_queue_nobody_did(who: Any) -> None:
    assert backers(pull(QUEUE, queued=(added(MONA),), automatic=(enabled(who),))) == []
    assert backers(pull(QUEUE, queued=(added(MONA),), automatic=(enabled(who), disabled(QUEUED + 1)))) == []
    assert backers(pull(QUEUE, queued=(added(MONA),), automatic=(enabled(who), disabled(QUEUED - 1)))) == ["mona"]


def test_everybody_is_named_once_and_told_as_evidence() -> None:
    found = merge_from(pull(QUEUE, (review(TIM), review(MONA)), (added(MONA),)), MERGED)
    assert [one.login for one in found.backers] == ["tim", "mona"]
    assert found.told("somebody") == ("merged by github-merge-queue", "approved by tim, mona", "queued by mona")
    assert merge_from(pull(MONA), MERGED).told("mona") == ()
    automatic = merge_from(pull(MONA, automatic=(enabled(MONA),)), MERGED)
    assert automatic.told("mona") == ("merged by auto-merge for mona",)


@pytest.mark.parametrize("strange", [None, 1, "x", [], {"nodes": None}, {"nodes": 1}, {"nodes": [None, 1, {}]}])
def test_strange_answers_back_nothing(strange: Any) -> None:
    for name in ("latestOpinionatedReviews", "commits", "queued", "automatic", "forced", "headRefOid"):
        merge_from({**pull(QUEUE, (review(TIM),), (added(MONA),), (enabled(MONA),)), name: strange}, MERGED)
    assert backers(dict.fromkeys(pull(), strange)) == []
