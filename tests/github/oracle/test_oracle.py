"""Who closed an issue and by what, and whether it is there at all, as GitHub's API tells it (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.github.api.errors import Gone
from app.github.oracle.gone import deleted
from app.market.life.facts import IssueFacts
from app.market.terms.contract import Status
from app.storage.engine.db import Database
from app.storage.market import contracts
from tests.clocks import START_AT
from tests.github.ground import Ground, ground_of


@pytest.fixture
async def ground(sqlite_url: str) -> AsyncIterator[Ground]:
    db = Database(sqlite_url)
    async with ground_of(db) as found:
        await found.open_issue()
        yield found
    await db.close()


async def told(ground: Ground, number: int = 1) -> IssueFacts:
    facts = await ground.facts(number)
    assert facts
    return facts


async def close(ground: Ground, by: str = "ann", number: int = 1, **how: Any) -> None:
    await ground.control("POST", f"/issues/ann/pump/{number}/close", {"as": by, **how})


async def role(ground: Ground, login: str, name: str, repository: str = "ann/pump") -> None:
    await ground.control("PUT", "/permissions", {"repository": repository, "login": login, "role": name})


async def merged_pull(ground: Ground, merger: str, repository: str = "ann/pump", **pull: Any) -> int:
    body = {"repository": repository, "title": "Stop it", "as": "dora", "files": {"a": "1"}, **pull}
    number: int = (await ground.control("POST", "/pulls", body))["number"]
    await ground.control("PUT", f"/pulls/{repository}/{number}/merge", {"as": merger})
    return number


async def test_an_open_issue_is_open(ground: Ground) -> None:
    assert await told(ground) == IssueFacts(closed=False, completed=False)


async def test_a_close_by_hand_is_backed_by_a_closer_with_triage_rights(ground: Ground) -> None:
    await role(ground, "tina", "triage")
    ground.clock.advance(5)
    await close(ground, "tina")
    facts = await told(ground)
    assert (facts.may_back, facts.closer, facts.evidence) == ((ground.user("tina"),), "tina", ())
    assert (facts.completed, facts.closed_at, facts.reason) == (True, START_AT + 5, "completed")


@pytest.mark.parametrize("who", ["bob", "stale[bot]"])
async def test_a_close_by_an_author_without_rights_or_by_a_bot_is_backed_by_nobody(ground: Ground, who: str) -> None:
    await close(ground, who)
    facts = await told(ground)
    assert (facts.may_back, facts.closer) == ((), who)


async def test_a_close_by_a_pull_request_is_backed_by_its_merger(ground: Ground) -> None:
    number = await merged_pull(ground, "mona", body="Closes #1")
    facts = await told(ground)
    assert facts.backers == (ground.user("mona"),)
    assert facts.evidence == (f"pull request {number}",)


async def test_a_bot_that_merges_backs_nothing(ground: Ground) -> None:
    number = await merged_pull(ground, "bors[bot]", body="Closes #1")
    facts = await told(ground)
    assert (facts.may_back, facts.closer) == ((), "bors[bot]")
    assert facts.evidence == (f"pull request {number}", "merged by bors")


async def waiting_pull(ground: Ground, **pull: Any) -> str:
    """One that is open and would close the issue; where it is controlled."""
    body = {
        "repository": "ann/pump",
        "title": "Stop it",
        "as": "dora",
        "files": {"a": "1"},
        "body": "Closes #1",
        **pull,
    }
    number = (await ground.control("POST", "/pulls", body))["number"]
    ground.clock.advance(10)
    return f"/pulls/ann/pump/{number}"


async def approve(ground: Ground, pull: str, who: str, **how: Any) -> None:
    await role(ground, who, "write")
    await ground.control("POST", f"{pull}/reviews", {"as": who, **how})


async def test_a_close_by_the_merge_queue_is_backed_by_who_approved_the_last_commit(ground: Ground) -> None:
    pull = await waiting_pull(ground)
    await approve(ground, pull, "tim")
    await ground.control("PUT", f"{pull}/queue", {"as": "stale[bot]"})
    await ground.control("PUT", f"{pull}/queue/merge")
    facts = await told(ground)
    assert (facts.may_back, facts.closer, facts.by_pull) == ((ground.user("tim"),), "github-merge-queue[bot]", True)
    assert facts.evidence == ("pull request 2", "merged by github-merge-queue", "approved by tim")


async def test_a_close_by_the_merge_queue_is_backed_by_who_queued_it_after_the_last_push(ground: Ground) -> None:
    pull = await waiting_pull(ground)
    await ground.control("PUT", f"{pull}/queue", {"as": "mona"})
    await ground.control("PUT", f"{pull}/queue/merge")
    facts = await told(ground)
    assert facts.may_back == (ground.user("mona"),)
    assert facts.evidence == ("pull request 2", "merged by github-merge-queue", "queued by mona")


async def test_what_was_approved_or_queued_before_the_last_push_is_backed_by_nobody(ground: Ground) -> None:
    pull = await waiting_pull(ground)
    await approve(ground, pull, "tim")
    await ground.control("PUT", f"{pull}/queue", {"as": "mona"})
    ground.clock.advance(10)
    await ground.control("PUT", f"{pull}/files", {"files": {"a": "2"}})
    await ground.control("PUT", f"{pull}/merge", {"as": "bors[bot]"})
    facts = await told(ground)
    assert (facts.may_back, facts.evidence) == ((), ("pull request 2", "merged by bors"))


async def test_an_approval_by_somebody_who_may_not_write_there_backs_nothing(ground: Ground) -> None:
    pull = await waiting_pull(ground)
    await ground.control("POST", f"{pull}/reviews", {"as": "tim"})
    await ground.control("PUT", f"{pull}/merge", {"as": "bors[bot]"})
    assert (await told(ground)).may_back == ()


async def test_auto_merge_backs_nothing_though_it_merges_in_the_name_of_a_person(ground: Ground) -> None:
    pull = await waiting_pull(ground)
    await role(ground, "mona", "write")
    await ground.control("PUT", f"{pull}/auto-merge", {"as": "mona"})
    ground.clock.advance(10)
    await ground.control("PUT", f"{pull}/files", {"files": {"a": "2"}})
    await ground.control("PUT", f"{pull}/auto-merge/merge")
    facts = await told(ground)
    assert (facts.may_back, facts.closer) == ((), "mona")
    assert facts.evidence == ("pull request 2", "merged by auto-merge for mona")


async def test_what_auto_merge_queued_after_the_last_push_is_backed_by_nobody(ground: Ground) -> None:
    pull = await waiting_pull(ground)
    await ground.control("PUT", f"{pull}/auto-merge", {"as": "mona"})
    ground.clock.advance(10)
    await ground.control("PUT", f"{pull}/files", {"files": {"a": "2"}})
    ground.clock.advance(10)
    await ground.control("PUT", f"{pull}/queue", {"as": "mona"})
    await ground.control("PUT", f"{pull}/queue/merge")
    assert (await told(ground)).may_back == ()


async def test_approvers_in_another_repository_back_only_with_rights_here(ground: Ground) -> None:
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "lib"})
    await role(ground, "bors[bot]", "write")
    body = {"repository": "ann/lib", "title": "Stop it", "as": "dora", "files": {"a": "1"}, "body": "Closes ann/pump#1"}
    pull = f"/pulls/ann/lib/{(await ground.control('POST', '/pulls', body))['number']}"
    for login in ("tim", "tom"):
        await role(ground, login, "write", "ann/lib")
        await ground.control("POST", f"{pull}/reviews", {"as": login})
    await role(ground, "tom", "triage")
    await ground.control("PUT", f"{pull}/merge", {"as": "bors[bot]"})
    assert (await told(ground)).may_back == (ground.user("tom"),)


async def test_a_close_by_a_commit_is_backed_by_its_pusher_not_by_its_author(ground: Ground) -> None:
    push = {"repository": "ann/pump", "message": "fixes #1", "as": "pat", "author": "dora"}
    made = await ground.control("POST", "/pushes", push)
    facts = await told(ground)
    assert facts.backers == (ground.user("pat"),)
    assert facts.evidence == (f"commit {made['sha'][:7]}",)


async def test_a_commit_that_came_with_a_pull_request_is_backed_by_the_merger(ground: Ground) -> None:
    number = await merged_pull(ground, "mona", title="fixes #1")
    facts = await told(ground)
    assert facts.backers == (ground.user("mona"),)
    assert facts.evidence[0].startswith("commit ")
    assert facts.evidence[0].endswith(f" of pull request {number}")


async def test_work_in_another_repository_backs_only_with_rights_here(ground: Ground) -> None:
    """Whoever merges at home need not have a say here; GitHub lets only some of them close."""
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "lib"})
    await role(ground, "mona", "write")
    number = await merged_pull(ground, "mona", "ann/lib", body="Closes ann/pump#1")
    assert (await told(ground)).backers == (ground.user("mona"),)
    await role(ground, "mona", "none")
    ground.clock.advance(60)
    facts = await told(ground)
    assert (facts.may_back, facts.evidence) == ((), (f"pull request {number} of another repository",))


async def test_a_change_of_reason_is_a_close_by_whoever_changed_it(ground: Ground) -> None:
    await merged_pull(ground, "mona", body="Closes #1")
    ground.clock.advance(60)
    await close(ground, "bob", reason="not_planned")
    ground.clock.advance(60)
    await close(ground, "bob", reason="completed")
    facts = await told(ground)
    assert (facts.may_back, facts.closer, facts.evidence) == ((), "bob", ())
    assert (facts.closed_at, facts.closed_since) == (START_AT + 120, START_AT)


async def test_only_the_last_close_counts(ground: Ground) -> None:
    await merged_pull(ground, "mona", body="Closes #1")
    await ground.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", {"state": "open"})
    ground.clock.advance(60)
    await close(ground, "bob")
    facts = await told(ground)
    assert (facts.may_back, facts.evidence, facts.reopenings) == ((), (), (START_AT,))


async def judged(ground: Ground, **changed: Any) -> None:
    """A contract on the issue whose trade is halted or over."""
    number = await ground.contract({"id": ground.place_of("ann/pump", 1).issue.id})
    async with ground.db.transaction() as tx:
        await contracts.change(tx, number, **changed)


async def test_of_an_open_issue_the_timeline_is_asked_once_a_contract_is_halted(ground: Ground) -> None:
    place = ground.place_of("ann/pump", 1)
    await ground.hear()
    await close(ground)
    await ground.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", {"state": "open"})
    assert (await told(ground)).reopenings == ()
    await judged(ground, status=Status.HALTED.value)
    facts = await ground.oracle.issue_facts(place)
    assert facts and (facts.closed, facts.reopenings) == (False, (START_AT,))


async def test_the_close_that_stood_at_maturation_is_told_with_who_was_behind_it(ground: Ground) -> None:
    await ground.hear()
    await judged(ground, maturation_at=START_AT + 5)
    number = await merged_pull(ground, "mona", body="Closes #1")
    ground.clock.advance(6)
    await ground.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", {"state": "open"})
    ground.clock.advance(6)
    await close(ground, "bob", reason="not_planned")
    facts = await told(ground)
    (stood,) = facts.before
    assert (facts.completed, facts.closed_at, facts.at(START_AT + 5)) == (False, START_AT + 12, stood)
    assert (stood.completed, stood.closed_at, stood.until_at) == (True, START_AT, START_AT + 6)
    assert (stood.backers, stood.evidence) == ((ground.user("mona"),), (f"pull request {number}",))


async def test_a_duplicate_names_the_canonical_issue(ground: Ground) -> None:
    await ground.open_issue()
    await close(ground, number=2, duplicate_of=1)
    facts = await told(ground, 2)
    assert (facts.completed, facts.reason, facts.duplicate_of) == (False, "duplicate", "ann/pump#1")


async def test_where_graphql_is_refused_the_close_counts_as_one_by_hand(ground: Ground) -> None:
    made = await ground.control("POST", "/pushes", {"repository": "ann/pump", "message": "fixes #1", "as": "pat"})
    await ground.control("POST", "/faults", {"endpoints": {"kind": "status", "match": "graphql", "status": 403}})
    facts = await told(ground)
    assert (facts.backers, facts.evidence) == ((ground.user("pat"),), (f"commit {made['sha'][:7]}",))


@pytest.mark.parametrize("what", ["graphql", "timeline", "permission", "issues/1$"])
async def test_trouble_is_no_answer(ground: Ground, what: str) -> None:
    await close(ground)
    fault = {"kind": "status", "match": what, "status": 502, "times": 1}
    await ground.control("POST", "/faults", {"endpoints": fault})
    assert await ground.facts() is None
    assert (await told(ground)).closed


async def test_a_discussion_is_gone(ground: Ground) -> None:
    place = ground.place_of("ann/pump", 1)
    ground.clock.advance(7)
    await ground.control("POST", "/issues/ann/pump/1/discussion")
    facts = await ground.oracle.issue_facts(place)
    assert facts and (facts.gone, facts.gone_at) == ("discussion", START_AT + 7)
    assert not facts.closed, "GitHub closes what becomes a discussion, nobody else did"


async def test_a_deleted_issue_is_gone_and_what_was_known_of_it_stays(ground: Ground) -> None:
    await close(ground)
    place = ground.place_of("ann/pump", 1)
    await ground.control("DELETE", "/issues/ann/pump/1")
    facts = await ground.oracle.issue_facts(place)
    assert facts and (facts.gone, facts.completed, facts.closed_at) == ("deleted", True, START_AT)


async def test_a_repository_that_does_not_answer_is_no_deletion(ground: Ground) -> None:
    place = ground.place_of("ann/pump", 1)
    await ground.control("PATCH", "/repositories/ann/pump", {"private": True})
    await ground.control("DELETE", f"/installations/{ground.installation_id}")
    assert await ground.oracle.issue_facts(place) is None


@pytest.mark.parametrize(
    "message", ["Issues has been disabled in this repository.", "Issues are disabled for this repo"]
)
def test_issues_that_were_switched_off_are_not_deleted(message: str) -> None:
    assert not deleted(Gone(410, message))
    assert deleted(Gone(410, "This issue was deleted"))
