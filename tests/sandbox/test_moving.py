"""Issues that are transferred, made into discussions or duplicates."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Installed

ISSUE = "/repos/ann/pump/issues/1"


async def second(installed: Installed, covered: bool = True, private: bool = False) -> None:
    """A second repository of the same owner, under the app or not."""
    await installed.sandbox.control("POST", "/repositories", {"owner": "ann", "name": "valve", "private": private})
    if covered:
        await installed.sandbox.control("PUT", f"/installations/{installed.installation_id}/repositories/valve")


async def transfer(installed: Installed, to: str = "ann/valve") -> Any:
    return await installed.sandbox.control("POST", "/issues/ann/pump/1/transfer", {"to": to, "as": "carol"})


async def test_a_transferred_issue_is_a_new_one_that_the_old_number_leads_to(installed: Installed) -> None:
    await second(installed)
    old = await installed.issue()
    comment = await installed.comment()
    new = await transfer(installed)
    assert new["id"] != old["id"]
    assert (new["number"], new["title"], new["user"]["login"]) == (1, "It leaks", "bob")
    status, _, headers = await installed.bot("GET", ISSUE)
    assert status == 301
    assert headers["Location"].endswith("/repositories/700000002/issues/1")
    assert (await installed.bot("GET", headers["Location"]))[1]["id"] == new["id"]
    assert (await installed.bot("POST", f"{ISSUE}/comments", {"body": "x"}))[0] == 307
    comments = (await installed.bot("GET", "/repos/ann/valve/issues/1/comments"))[1]
    assert [(one["body"], one["id"] == comment["id"]) for one in comments] == [("Me too", False)]
    assert (await installed.bot("GET", "/repos/ann/pump/issues"))[1] == []
    timeline = (await installed.bot("GET", "/repos/ann/valve/issues/1/timeline"))[1]
    assert timeline[-1]["event"] == "transferred"


async def test_reactions_go_along_and_are_apart_from_then_on(installed: Installed) -> None:
    await second(installed)
    await installed.issue()
    comment = (await installed.comment())["id"]
    path = "/repos/ann/{}/issues/comments/{}/reactions"
    await installed.sandbox.as_person("bob", "POST", path.format("pump", comment), {"content": "eyes"})
    await transfer(installed)
    ((new, moved),) = installed.sandbox.state.repositories[700_000_002].issues[1].comments.items()
    await installed.sandbox.as_person("carol", "POST", path.format("valve", new), {"content": "rocket"})
    left = installed.sandbox.state.repositories[700_000_001].issues[1].comments[comment]
    assert [one.content for one in moved.reactions.values()] == ["eyes", "rocket"]
    assert [one.content for one in left.reactions.values()] == ["eyes"]


async def test_both_ends_of_a_transfer_are_told(installed: Installed) -> None:
    await second(installed)
    old = await installed.issue()
    new = await transfer(installed)
    await installed.sandbox.idle()
    gone, come = installed.hook.received[-2:]
    assert (gone.name, come.name) == ("issues.transferred", "issues.opened")
    assert (gone.payload["issue"]["id"], gone.payload["changes"]["new_issue"]["id"]) == (old["id"], new["id"])
    assert gone.payload["changes"]["new_repository"]["full_name"] == "ann/valve"
    assert (come.payload["issue"]["id"], come.payload["changes"]["old_issue"]["id"]) == (new["id"], old["id"])
    assert come.payload["changes"]["old_repository"]["full_name"] == "ann/pump"


async def test_a_transfer_to_where_the_app_is_not(installed: Installed) -> None:
    await second(installed, covered=False, private=True)
    await installed.issue()
    await transfer(installed)
    await installed.sandbox.idle()
    assert installed.hook.names()[-1] == "issues.transferred"
    assert (await installed.bot("GET", ISSUE))[0] == 404
    bearer = installed.sandbox.app_jwt(installed.app)
    assert (await installed.sandbox.call("GET", "/repos/ann/valve/installation", bearer=bearer))[0] == 404


async def test_only_to_another_repository_of_the_same_owner(installed: Installed) -> None:
    await installed.sandbox.control("POST", "/repositories", {"owner": "eve", "name": "pump"})
    await installed.issue()
    for to in ("eve/pump", "ann/pump"):
        with pytest.raises(AssertionError, match="422"):
            await transfer(installed, to)


async def test_a_discussion_is_a_closed_issue_that_only_the_timeline_tells_apart(installed: Installed) -> None:
    await installed.issue()
    await installed.sandbox.control("POST", "/issues/ann/pump/1/discussion")
    issue = (await installed.bot("GET", ISSUE))[1]
    assert (issue["state"], issue["locked"]) == ("closed", True)
    timeline = (await installed.bot("GET", f"{ISSUE}/timeline"))[1]
    assert [event["event"] for event in timeline] == ["converted_to_discussion", "locked", "closed"]
    await installed.sandbox.idle()
    assert installed.hook.names()[-2:] == ["issues.locked", "issues.closed"]


async def test_a_duplicate_names_its_canonical_issue(installed: Installed) -> None:
    await installed.issue()
    await installed.issue("It leaks, too")
    closed = await installed.sandbox.control("POST", "/issues/ann/pump/2/close", {"duplicate_of": 1})
    assert closed["state_reason"] == "duplicate"
    timeline = (await installed.bot("GET", "/repos/ann/pump/issues/2/timeline"))[1]
    assert [event["event"] for event in timeline] == ["marked_as_duplicate", "closed"]


async def test_a_bot_closes(installed: Installed) -> None:
    await installed.issue()
    closed = await installed.sandbox.control("POST", "/issues/ann/pump/1/close", {"as": "stale[bot]"})
    assert (closed["closed_by"]["login"], closed["closed_by"]["type"]) == ("stale[bot]", "Bot")
