"""Webhooks: what is sent, how it is signed, what is on record, and what happens when nobody answers."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from sandbox.clock import FixedClock
from tests.sandbox.conftest import Installed

ISSUE = "/repos/ann/pump/issues/1"


async def test_everything_that_happens_is_told_in_order(installed: Installed) -> None:
    await installed.issue()
    comment = await installed.comment()
    path = f"/repos/ann/pump/issues/comments/{comment['id']}"
    sandbox = installed.sandbox
    await sandbox.as_person("bob", "PATCH", path, {"body": "Me three"})
    await sandbox.as_person("ann", "PATCH", ISSUE, {"title": "It pours", "labels": ["bug"]})
    await sandbox.as_person("ann", "PATCH", ISSUE, {"labels": []})
    await sandbox.as_person("ann", "POST", "/repos/ann/pump/milestones", {"title": "1.0"})
    await sandbox.as_person("ann", "PATCH", ISSUE, {"milestone": 1})
    await sandbox.as_person("ann", "PATCH", ISSUE, {"milestone": None})
    await sandbox.as_person("ann", "PUT", f"{ISSUE}/lock")
    await sandbox.as_person("ann", "DELETE", f"{ISSUE}/lock")
    await sandbox.as_person("ann", "PATCH", ISSUE, {"state": "closed", "state_reason": "not_planned"})
    await sandbox.as_person("ann", "PATCH", ISSUE, {"state": "open"})
    await sandbox.as_person("bob", "DELETE", path)
    await sandbox.control("DELETE", "/issues/ann/pump/1")
    await sandbox.idle()
    assert installed.hook.names() == [
        "installation.created",
        "issues.opened",
        "issue_comment.created",
        "issue_comment.edited",
        "issues.edited",
        "issues.labeled",
        "issues.unlabeled",
        "milestone.created",
        "issues.milestoned",
        "issues.demilestoned",
        "issues.locked",
        "issues.unlocked",
        "issues.closed",
        "issues.reopened",
        "issue_comment.deleted",
        "issues.deleted",
    ]
    assert installed.hook.last("issue_comment.edited")["changes"] == {"body": {"from": "Me too"}}
    closed = installed.hook.last("issues.closed")["issue"]
    assert (closed["state"], closed["state_reason"]) == ("closed", "not_planned")


async def test_a_payload_shows_the_moment_of_its_cause(installed: Installed) -> None:
    """Closed before the comment's delivery went out: the comment's payload still says open."""
    await installed.issue()
    await installed.comment()
    await installed.sandbox.as_person("bob", "PATCH", ISSUE, {"state": "closed"})
    await installed.sandbox.idle()
    assert installed.hook.last("issue_comment.created")["issue"]["state"] == "open"


async def test_deliveries_are_signed_and_named(installed: Installed) -> None:
    await installed.issue()
    await installed.sandbox.idle()
    received = installed.hook.received[-1]
    assert received.signed_with(installed.app["webhook_secret"])
    assert not received.signed_with("another secret")
    sha1 = hmac.new(installed.app["webhook_secret"].encode(), received.body, "sha1").hexdigest()
    assert received.headers["X-Hub-Signature"] == f"sha1={sha1}"
    assert received.headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert received.headers["X-GitHub-Hook-Installation-Target-ID"] == str(installed.app["id"])
    assert received.headers["X-GitHub-Hook-Installation-Target-Type"] == "integration"
    assert received.payload["installation"]["id"] == installed.installation_id
    assert received.payload["sender"]["login"] == "bob"


async def test_the_apps_own_comments_come_back_to_it(installed: Installed) -> None:
    await installed.issue()
    await installed.bot("POST", f"{ISSUE}/comments", {"body": "I am the bot"})
    await installed.sandbox.idle()
    payload = installed.hook.last("issue_comment.created")
    assert (payload["sender"]["type"], payload["comment"]["user"]["login"]) == ("Bot", "bugmark[bot]")


async def test_only_events_of_the_manifest_and_of_covered_repositories_are_sent(installed: Installed) -> None:
    manifest = {"default_permissions": {"issues": "read"}, "default_events": ["issues"]}
    quiet = {"name": "Quiet", "manifest": manifest, "webhook_url": installed.hook.url}
    app = await installed.sandbox.control("POST", "/apps", quiet)
    await installed.sandbox.control("POST", "/installations", {"app_id": app["id"], "owner": "ann"})
    await installed.sandbox.control("POST", "/repositories", {"owner": "ann", "name": "other"})
    await installed.sandbox.as_person("bob", "POST", "/repos/ann/other/issues", {"title": "t"})
    await installed.sandbox.as_person("bob", "POST", "/repos/ann/other/issues/1/comments", {"body": "x"})
    await installed.sandbox.idle()
    target = "X-GitHub-Hook-Installation-Target-ID"
    told = [(one.headers[target], one.name) for one in installed.hook.received[1:]]
    assert told == [(str(app["id"]), "installation.created"), (str(app["id"]), "issues.opened")]


async def test_repositories_come_and_go_and_the_app_is_uninstalled(installed: Installed) -> None:
    where = f"/installations/{installed.installation_id}"
    await installed.sandbox.control("POST", "/repositories", {"owner": "ann", "name": "other", "private": True})
    await installed.sandbox.control("PUT", f"{where}/repositories/other")
    assert (await installed.bot("GET", "/installation/repositories"))[1]["total_count"] == 2
    await installed.sandbox.control("DELETE", f"{where}/repositories/other")
    assert (await installed.bot("GET", "/repos/ann/other"))[0] == 404
    await installed.sandbox.control("DELETE", where)
    assert (await installed.bot("GET", "/installation/repositories"))[0] == 401
    await installed.sandbox.idle()
    assert installed.hook.names()[1:] == [
        "installation_repositories.added",
        "installation_repositories.removed",
        "installation.deleted",
    ]


async def test_a_failed_delivery_is_not_repeated_until_asked_and_keeps_its_guid(
    installed: Installed, clock: FixedClock
) -> None:
    installed.hook.status = 500
    await installed.issue()
    await installed.sandbox.idle()
    installed.hook.status = 202
    bearer = installed.sandbox.app_jwt(installed.app)
    _, listed, _ = await installed.sandbox.call("GET", "/app/hook/deliveries", bearer=bearer)
    assert [(d["event"], d["status_code"]) for d in listed] == [("issues", 500), ("installation", 202)]
    failed = listed[0]
    status, body, _ = await installed.sandbox.call(
        "POST", f"/app/hook/deliveries/{failed['id']}/attempts", bearer=bearer
    )
    assert (status, body) == (202, {})
    await installed.sandbox.idle()
    assert [one.guid for one in installed.hook.received][1:] == [failed["guid"], failed["guid"]]
    _, listed, _ = await installed.sandbox.call("GET", "/app/hook/deliveries", bearer=bearer)
    again = listed[0]
    assert (again["guid"], again["redelivery"], again["status_code"]) == (failed["guid"], True, 202)
    full = await installed.sandbox.call("GET", f"/app/hook/deliveries/{again['id']}", bearer=bearer)
    assert full[1]["request"]["payload"]["issue"]["title"] == "It leaks"
    clock.advance(3 * 86_400)
    bearer = installed.sandbox.app_jwt(installed.app)
    assert (await installed.sandbox.call("GET", "/app/hook/deliveries", bearer=bearer))[1] == []
    gone = await installed.sandbox.call("POST", f"/app/hook/deliveries/{failed['id']}/attempts", bearer=bearer)
    assert gone[0] == 404


async def deliveries(installed: Installed, query: str = "") -> tuple[Any, Any]:
    bearer = installed.sandbox.app_jwt(installed.app)
    _, body, headers = await installed.sandbox.call("GET", f"/app/hook/deliveries{query}", bearer=bearer)
    return body, headers


async def test_an_answer_after_the_time_limit_and_no_answer_at_all_are_failures_without_a_code(
    installed: Installed,
) -> None:
    installed.hook.hanging = True
    installed.sandbox.inside.hooks.timeout = 0.5
    await installed.issue()
    await installed.sandbox.idle()
    edit = {"webhook_url": "http://127.0.0.1:1/nobody"}
    await installed.sandbox.control("PATCH", f"/apps/{installed.app['id']}", edit)
    await installed.comment()
    await installed.sandbox.idle()
    body, _ = await deliveries(installed, "?status=failure")
    assert [(d["event"], d["status"], d["status_code"]) for d in body] == [
        ("issue_comment", "failed to connect to host", 0),
        ("issues", "timed out", 0),
    ]
    body, _ = await deliveries(installed, "?status=success")
    assert [d["event"] for d in body] == ["installation"]


async def test_deliveries_are_paged_by_cursor(installed: Installed) -> None:
    await installed.issue()
    for n in range(4):
        await installed.comment(str(n))
    await installed.sandbox.idle()
    seen: list[int] = []
    query = "?per_page=2"
    while query:
        body, headers = await deliveries(installed, query)
        seen += [delivery["id"] for delivery in body]
        link = headers.get("Link", "")
        query = "?" + link.split("?")[1].split(">")[0] if link else ""
    assert seen == sorted(installed.sandbox.state.deliveries, reverse=True)
    assert len(seen) == 6


async def test_the_hooks_address_and_secret_can_be_changed_by_the_app(installed: Installed) -> None:
    bearer = installed.sandbox.app_jwt(installed.app)
    new = {"url": installed.hook.url + "?new", "secret": "another secret"}
    status, body, _ = await installed.sandbox.call("PATCH", "/app/hook/config", new, bearer)
    assert (status, body["url"], body["secret"]) == (200, new["url"], "********")
    await installed.issue()
    await installed.sandbox.idle()
    assert installed.hook.received[-1].signed_with("another secret")


@pytest.mark.parametrize("kind", ["User", "Organization"])
async def test_payloads_of_organisations_say_so(installed: Installed, kind: str) -> None:
    await installed.sandbox.control("POST", "/repositories", {"owner": "acme", "name": "pump", "owner_type": kind})
    await installed.sandbox.control("POST", "/installations", {"app_id": installed.app["id"], "owner": "acme"})
    await installed.sandbox.as_person("bob", "POST", "/repos/acme/pump/issues", {"title": "t", "labels": ["bug"]})
    await installed.sandbox.idle()
    payload = installed.hook.last("issues.opened")
    assert ("organization" in payload) == (kind == "Organization")
    assert payload["issue"]["labels"] == []
