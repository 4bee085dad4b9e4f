"""Merges and releases: how GitHub is asked about them, who stands behind them, and what outlives them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from app.github.api.client import GitHub
from app.github.api.errors import Gone, Unavailable
from app.github.oracle import deeds, forecasts
from app.github.reading.forecast_events import read_pull_news, read_release_news
from app.github.reading.payloads import Payload
from app.market.life.facts import IssueFacts
from app.market.life.forecast_memory import Act, Known, told_of_act
from app.market.terms.pull import PullState
from app.market.terms.statement import Milestone, PullMerged, ReleasePublished
from app.services.forecasts.news import PullNews, ReleaseNews
from app.storage.engine.db import Database
from app.storage.people.places import Repository
from tests.clocks import START_AT
from tests.github.ground import DAY, Ground, ground_of
from tests.github.play import Play, reply

BY = START_AT + 3 * DAY
HERE = Repository(7, 1, 9, "ann", "tool", False)
PULL = PullMerged(5, 1, 60, 3600, 7, 12)
V1 = ReleasePublished(5, 1, 60, 3600, 7, "app/v1")
TAG = "GET /repos/ann/tool/releases/tags/app%2Fv1"
MERGED = {"id": 5, "number": 12, "state": "closed", "merged_at": "1970-01-01T00:10:00Z", "node_id": "PR_x"}
OUT = {"tag_name": "app/v1", "draft": False, "published_at": "1970-01-01T00:10:00Z"}
DANA = {"id": 5, "login": "dana", "type": "User"}


@pytest.fixture
async def ground(sqlite_url: str) -> AsyncIterator[Ground]:
    db = Database(sqlite_url)
    async with ground_of(db) as found:
        await found.open_issue()
        yield found
    await db.close()


async def merge_told(ground: Ground, number: int, known: Known | None = None, now: int = BY - DAY) -> IssueFacts:
    place = ground.place_of("ann/pump", 1)
    statement = PullMerged(place.issue.id, 1, START_AT, BY, place.repository.id, number)
    return await forecasts.facts_of(ground.github, place.repository, statement, now, known or Known())


async def open_pull(ground: Ground) -> int:
    body = {"repository": "ann/pump", "title": "Stop it", "as": "dora", "files": {"a": "1"}}
    number = int((await ground.control("POST", "/pulls", body))["number"])
    ground.clock.advance(10)
    return number


async def test_a_merge_by_hand_is_backed_by_the_merger(ground: Ground) -> None:
    number = await open_pull(ground)
    assert not (await merge_told(ground, number)).closed
    await ground.control("PUT", f"/pulls/ann/pump/{number}/merge", {"as": "mona"})
    facts = await merge_told(ground, number)
    mona = ground.user("mona")
    assert (facts.closed_at, facts.closed_by, facts.closer) == (ground.clock.now(), mona, "mona")
    assert (facts.backers, facts.closer_may_triage) == ((mona,), True)
    assert facts.evidence == (f"pull request {number}", "merged by mona")
    assert facts.told == told_of_act(Act(ground.clock.now(), mona, "mona"))


async def test_a_bot_that_merges_and_auto_merge_back_nothing(ground: Ground) -> None:
    by_bot, by_itself = await open_pull(ground), await open_pull(ground)
    await ground.control("PUT", f"/pulls/ann/pump/{by_bot}/merge", {"as": "bors[bot]"})
    await ground.control("PUT", f"/pulls/ann/pump/{by_itself}/auto-merge", {"as": "mona"})
    await ground.control("PUT", f"/pulls/ann/pump/{by_itself}/auto-merge/merge")
    for number in (by_bot, by_itself):
        facts = await merge_told(ground, number)
        assert facts.closed and facts.may_back == ()
    assert facts.evidence == (f"pull request {by_itself}", "merged by auto-merge for mona")


async def test_what_the_queue_merged_is_backed_by_whoever_queued_it_after_the_last_push(ground: Ground) -> None:
    number = await open_pull(ground)
    await ground.control("PUT", f"/pulls/ann/pump/{number}/queue", {"as": "mona"})
    await ground.control("PUT", f"/pulls/ann/pump/{number}/queue/merge")
    assert (await merge_told(ground, number)).may_back == (ground.user("mona"),)


async def test_where_graphql_is_refused_nobody_backs_the_merge(github: GitHub, play: Play) -> None:
    play.on("GET /repos/ann/tool/pulls/12", reply({**MERGED, "merged_by": DANA}))
    play.on("POST /graphql", reply({"data": None, "errors": [{"type": "FORBIDDEN", "message": "no"}]}))
    facts = await forecasts.facts_of(github, HERE, PULL, 900)
    assert (facts.closed_at, facts.closed_by, facts.may_back) == (600, 5, ())
    play.on("POST /graphql", reply({}, 502))
    with pytest.raises(Unavailable):
        await forecasts.facts_of(github, HERE, PULL, 900)


async def test_a_merge_after_the_end_asks_nothing_more(github: GitHub, play: Play) -> None:
    play.on("GET /repos/ann/tool/pulls/12", reply({**MERGED, "merged_at": "1970-01-01T01:00:01Z"}))
    assert not (await forecasts.facts_of(github, HERE, PULL, 4000)).closed
    assert not any("graphql" in line for line in play.lines())


@pytest.mark.parametrize(
    ("told", "now", "true", "gone"),
    [
        (None, 900, False, "deleted"),
        (told_of_act(None), 900, False, "deleted"),
        (told_of_act(None), 3601, False, None),
        (None, 3601, False, "deleted"),
        (told_of_act(Act(600, 5, "dana")), 900, True, None),
        (told_of_act(Act(600, 5, "dana")), 3601, True, None),
        (told_of_act(Act(3601, 5, "dana")), 3700, False, None),
    ],
)
async def test_of_a_pull_request_that_vanished_what_was_known_counts(
    github: GitHub, play: Play, told: str | None, now: int, true: bool, gone: str | None
) -> None:
    known = Known() if told is None else Known(700, told)
    facts = await forecasts.facts_of(github, HERE, PULL, now, known)
    assert (facts.closed, facts.gone) == (true, gone)
    if true:
        assert (facts.closed_at, facts.told, facts.may_back) == (600, told, ())


async def test_a_repository_that_does_not_answer_tells_nothing(github: GitHub, play: Play) -> None:
    play.on("GET /repositories/7", reply({"message": "Not Found"}, 404))
    elsewhere = Repository(8, 1, 9, "ann", "other", False)
    for statement in (PULL, V1):
        with pytest.raises(Gone):
            await forecasts.facts_of(github, elsewhere, statement, 900)
    with pytest.raises(Gone):
        await deeds.state_of_pull(github, elsewhere, 12)
    with pytest.raises(Gone):
        await deeds.is_published(github, elsewhere, "v1")


@pytest.mark.parametrize("tag", ["v1", "app/v1", "v1+build#5", "100%", "%2F", "a&b=c", "ü@2", "release;x"])
async def test_a_tag_is_asked_for_to_the_letter(ground: Ground, tag: str) -> None:
    place = ground.place_of("ann/pump", 1)
    assert not await deeds.is_published(ground.github, place.repository, tag)
    await ground.control("POST", "/releases", {"repository": "ann/pump", "tag": tag})
    assert await deeds.is_published(ground.github, place.repository, tag)
    assert not await deeds.is_published(ground.github, place.repository, f"{tag}x")


@pytest.mark.parametrize(("triage", "backers"), [(True, (5,)), (False, ())])
async def test_a_release_is_backed_by_its_author_with_rights(
    github: GitHub, play: Play, triage: bool, backers: tuple[int, ...]
) -> None:
    play.on(TAG, reply({**OUT, "author": DANA}))
    rights = {"permission": "read", "user": {"id": 5, "permissions": {"triage": triage}}}
    play.on("GET /repos/ann/tool/collaborators/dana/permission", reply(rights))
    facts = await forecasts.facts_of(github, HERE, V1, 900)
    assert (facts.closed_at, facts.closed_by, facts.backers) == (600, 5, backers)
    assert facts.evidence == ("release app/v1",)


async def test_a_release_that_a_bot_made_is_backed_by_nobody(github: GitHub, play: Play) -> None:
    play.on(TAG, reply({**OUT, "author": {"id": 6, "login": "github-actions[bot]", "type": "Bot"}}))
    facts = await forecasts.facts_of(github, HERE, V1, 900)
    assert facts.closed and facts.may_back == ()
    assert not any("permission" in line for line in play.lines())


async def test_a_release_deleted_in_time_is_none_and_later_counts_as_it_was(github: GitHub, play: Play) -> None:
    known = Known(700, told_of_act(Act(600)))
    before, after = [await forecasts.facts_of(github, HERE, V1, now, known) for now in (900, 3600)]
    assert (before.closed, before.gone, before.told) == (False, None, told_of_act(None))
    assert (after.closed, after.closed_at, after.told) == (True, 600, known.told)


async def test_a_tag_given_to_an_older_release_after_the_end_turns_nothing(github: GitHub, play: Play) -> None:
    known = Known(3600, (await forecasts.facts_of(github, HERE, V1, 3600)).told)
    play.on(TAG, reply(OUT))
    assert (await forecasts.facts_of(github, HERE, V1, 3660, Known())).closed, "who remembers nothing is taken in"
    facts = await forecasts.facts_of(github, HERE, V1, 3660, known)
    assert not facts.closed and facts.told == known.told


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (MERGED, PullState.MERGED),
        ({**MERGED, "merged_at": None}, PullState.CLOSED),
        ({**MERGED, "merged_at": None, "state": "open"}, PullState.OPEN),
        (None, PullState.ABSENT),
    ],
)
async def test_how_a_pull_request_stands(
    github: GitHub, play: Play, answer: dict[str, Any] | None, state: PullState
) -> None:
    if answer is not None:
        play.on("GET /repos/ann/tool/pulls/12", reply(answer))
    assert await deeds.state_of_pull(github, HERE, 12) is state


async def test_a_draft_is_no_release(github: GitHub, play: Play) -> None:
    assert not await deeds.is_published(github, HERE, "app/v1")
    play.on(TAG, reply({**OUT, "draft": True}))
    assert not await deeds.is_published(github, HERE, "app/v1")
    play.on(TAG, reply(OUT))
    assert await deeds.is_published(github, HERE, "app/v1")


@pytest.mark.parametrize("statement", [PULL, V1, Milestone(5, 1, 60, 3600, 7, 71, 3, "v1")])
async def test_an_answer_that_is_no_object_is_no_answer(
    github: GitHub, play: Play, statement: PullMerged | ReleasePublished | Milestone
) -> None:
    for line in ("GET /repos/ann/tool/pulls/12", TAG, "GET /repos/ann/tool/milestones/3"):
        play.on(line, reply(["?"]))
    with pytest.raises(Unavailable):
        await forecasts.facts_of(github, HERE, statement, 900)


# -- events -------------------------------------------------------------------------------------------------------


async def sent(ground: Ground, event: str, action: str) -> Payload:
    await ground.sandbox.idle()
    found = [one for one in ground.sandbox.state.deliveries.values() if (one.event, one.action) == (event, action)]
    return Payload(found[-1].payload)


async def test_what_events_tell_of_merges_and_releases(ground: Ground) -> None:
    number, here = await open_pull(ground), ground.place_of("ann/pump", 1).repository.id
    await ground.control("PUT", f"/pulls/ann/pump/{number}/merge", {"as": "mona"})
    news = PullNews(here, number, ground.clock.now())
    assert read_pull_news(await sent(ground, "pull_request", "closed")) == news
    release = await ground.control("POST", "/releases", {"repository": "ann/pump", "tag": "v1"})
    out = ReleaseNews(here, frozenset({"v1"}), ground.clock.now())
    assert read_release_news(await sent(ground, "release", "published")) == out
    path = f"/releases/ann/pump/{release['id']}"
    await ground.control("PATCH", path, {"tag": "v2"})
    changed = replace(out, tags=frozenset({"v1", "v2"}), published_at=None)
    assert read_release_news(await sent(ground, "release", "edited")) == changed
    await ground.control("DELETE", path)
    assert read_release_news(await sent(ground, "release", "deleted")) == replace(changed, tags=frozenset({"v2"}))
