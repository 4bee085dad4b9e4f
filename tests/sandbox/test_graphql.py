"""GraphQL: who closed an issue and by what; a cut of GitHub's own schema decides which queries are good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts import cut_graphql
from tests.sandbox.conftest import Installed
from tests.sandbox.test_code import merge, open_pull, push

PACKAGE = Path("node_modules/@octokit/graphql-schema/schema.graphql")
CLOSERS = """
query($id: ID!) {
  node(id: $id) {
    ... on Issue {
      plain: stateReason
      stateReason(enableDuplicate: true)
      timelineItems(last: 10, itemTypes: [CLOSED_EVENT, MARKED_AS_DUPLICATE_EVENT]) {
        nodes {
          __typename
          ... on ClosedEvent {
            actor { __typename login }
            closer {
              ... on PullRequest { number mergedBy { login } }
              ... on Commit { oid associatedPullRequests(first: 5) { nodes { number } } }
            }
          }
          ... on MarkedAsDuplicateEvent { canonical { ... on Issue { number repository { nameWithOwner } } } }
        }
      }
    }
  }
}
"""


async def ask(installed: Installed, query: str, **variables: Any) -> Any:
    status, body, _ = await installed.bot("POST", "/graphql", {"query": query, "variables": variables})
    assert status == 200
    return body


async def closed(installed: Installed, number: int = 1) -> Any:
    issue = (await installed.bot("GET", f"/repos/ann/pump/issues/{number}"))[1]
    return (await ask(installed, CLOSERS, id=issue["node_id"]))["data"]["node"]


def test_the_committed_cut_is_cut_from_the_package() -> None:
    assert PACKAGE.exists(), f"{PACKAGE} is missing: run `npm ci` first"
    again = cut_graphql.cut(PACKAGE.read_text(encoding="utf-8"), cut_graphql.USED.read_text(encoding="utf-8"))
    assert cut_graphql.CUT.read_text(encoding="utf-8") == again


async def test_a_pull_request_that_closed_and_who_merged_it(installed: Installed) -> None:
    await installed.issue()
    pull = await open_pull(installed, body="Closes #1")
    await merge(installed, pull["number"], **{"as": "carol"})
    (event,) = (await closed(installed))["timelineItems"]["nodes"]
    assert event["closer"] == {"number": pull["number"], "mergedBy": {"login": "carol"}}


async def test_a_commit_that_closed_and_the_pull_request_it_came_with(installed: Installed) -> None:
    await installed.issue()
    await installed.issue()
    made = await push(installed, "fixes #1")
    (event,) = (await closed(installed))["timelineItems"]["nodes"]
    assert event["closer"] == {"oid": made["sha"], "associatedPullRequests": {"nodes": []}}
    pull = await open_pull(installed, title="fixes #2")
    await merge(installed, pull["number"])
    (event,) = (await closed(installed, 2))["timelineItems"]["nodes"]
    assert event["closer"]["associatedPullRequests"] == {"nodes": [{"number": pull["number"]}]}


async def test_a_duplicate_is_told_to_whoever_knows_the_word(installed: Installed) -> None:
    await installed.issue()
    await installed.issue()
    await installed.sandbox.control("POST", "/issues/ann/pump/2/close", {"as": "stale[bot]", "duplicate_of": 1})
    node = await closed(installed, 2)
    assert (node["plain"], node["stateReason"]) == ("NOT_PLANNED", "DUPLICATE")
    marked, event = node["timelineItems"]["nodes"]
    assert marked["canonical"] == {"number": 1, "repository": {"nameWithOwner": "ann/pump"}}
    assert (event["actor"], event["closer"]) == ({"__typename": "Bot", "login": "stale"}, None)


async def test_what_a_query_may_not_be(installed: Installed) -> None:
    unknown = await ask(installed, '{ node(id: "I_nothing") { id } }')
    assert (unknown["data"], unknown["errors"][0]["type"]) == ({"node": None}, "NOT_FOUND")
    await installed.issue()
    hidden = '{ repository(owner: "eve", name: "x") { id } }'
    assert (await ask(installed, hidden))["errors"][0]["type"] == "NOT_FOUND"
    here = '{ repository(owner: "ann", name: "pump") { issue(number: %s) { timelineItems%s { totalCount } } } }'
    assert "NOT_FOUND" in str(await ask(installed, here % (2, "(last: 1)")))
    assert "MISSING_PAGINATION_BOUNDARIES" in str(await ask(installed, here % (1, "")))
    assert "EXCESSIVE_PAGINATION" in str(await ask(installed, here % (1, "(last: 101)")))
    assert installed.sandbox.violations == []
    assert "errors" in await ask(installed, "{ node }")
    assert "errors" in await ask(installed, "{")
    assert [violation.kind for violation in installed.sandbox.violations] == ["request", "request"]
    assert (await installed.sandbox.call("POST", "/graphql", {"query": "{ node }"}))[0] == 401
    assert (await installed.bot("POST", "/graphql", {"text": "x"}))[0] == 400


async def test_what_was_not_granted_is_not_told(installed: Installed) -> None:
    """GitHub answers the rest, and says what is missing."""
    await installed.issue()
    pull = await open_pull(installed, body="Closes #1")
    await merge(installed, pull["number"])
    where = f"/installations/{installed.installation_id}/permissions"
    await installed.sandbox.control("PUT", where, {"permissions": {"issues": "read"}})
    token = await installed.sandbox.installation_token(installed.app, installed.installation_id)
    issue = (await installed.bot("GET", "/repos/ann/pump/issues/1"))[1]
    body = {"query": CLOSERS, "variables": {"id": issue["node_id"]}}
    _, answer, _ = await installed.sandbox.call("POST", "/graphql", body, token)
    assert answer["data"]["node"]["timelineItems"]["nodes"][0]["closer"] is None
    assert answer["errors"][0]["type"] == "FORBIDDEN"


MINIMIZE = """
mutation($id: ID!) {
  minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) {
    minimizedComment { isMinimized minimizedReason }
  }
}
"""


async def test_a_comment_is_folded_by_an_app_that_may_write(installed: Installed) -> None:
    await installed.issue()
    _, comment, _ = await installed.bot("POST", "/repos/ann/pump/issues/1/comments", {"body": "old news"})
    answer = await ask(installed, MINIMIZE, id=comment["node_id"])
    folded = {"isMinimized": True, "minimizedReason": "outdated"}
    assert answer == {"data": {"minimizeComment": {"minimizedComment": folded}}}
    async with installed.sandbox.session.get(f"{installed.sandbox.url}/ann/pump/issues/1") as page:
        assert "This comment was marked as outdated." in await page.text()
    issue = (await installed.bot("GET", "/repos/ann/pump/issues/1"))[1]
    for wrong in ("IC_nothing", issue["node_id"]):
        assert "NOT_FOUND" in str(await ask(installed, MINIMIZE, id=wrong))
    _, refused, _ = await installed.sandbox.call(
        "POST", "/graphql", {"query": MINIMIZE, "variables": {"id": comment["node_id"]}}, "sandbox-bob"
    )
    assert refused["errors"][0]["type"] == "FORBIDDEN"
