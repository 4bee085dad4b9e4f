"""Repositories deleted and given away, accounts renamed: names lead on, installations hear of it."""

from __future__ import annotations

from tests.sandbox.conftest import MANIFEST, Installed

PUMP = "/repos/ann/pump"


async def test_a_deleted_repository_is_not_found(installed: Installed) -> None:
    await installed.sandbox.control("DELETE", "/repositories/ann/pump")
    await installed.sandbox.idle()
    assert installed.hook.last("repository.deleted")["repository"]["full_name"] == "ann/pump"
    assert (await installed.bot("GET", PUMP))[0] == 404
    await installed.sandbox.control("POST", "/repositories", {"owner": "ann", "name": "pump"})
    assert (await installed.bot("POST", f"{PUMP}/issues", {"title": "x"}))[0] == 403


async def test_a_repository_goes_to_another_owner(installed: Installed) -> None:
    number = (await installed.sandbox.as_person("ann", "GET", PUMP))["id"]
    await installed.issue()
    await installed.sandbox.control("POST", "/repositories", {"owner": "eve", "name": "well", "owner_type": "User"})
    made = await installed.sandbox.control("POST", "/installations", {"app_id": installed.app["id"], "owner": "eve"})
    await installed.sandbox.control("POST", "/repositories/ann/pump/transfer", {"to": "eve"})
    await installed.sandbox.idle()
    told = installed.hook.last("repository.transferred")
    assert told["changes"]["owner"]["from"]["user"]["login"] == "ann"
    assert (told["repository"]["full_name"], told["installation"]["id"]) == ("eve/pump", made["id"])
    assert installed.hook.last("installation_repositories.removed")["installation"]["id"] == installed.installation_id
    assert installed.hook.last("installation_repositories.added")["installation"]["id"] == made["id"]
    token = await installed.sandbox.installation_token(installed.app, made["id"])
    status, body, _ = await installed.sandbox.call("POST", "/repos/eve/pump/issues/1/comments", {"body": "x"}, token)
    assert status == 201, body
    moved, _, headers = await installed.bot("GET", f"{PUMP}/issues/1")
    assert (moved, headers["Location"].endswith(f"/repositories/{number}/issues/1")) == (301, True)
    again = {"to": "eve"}
    assert (await installed.sandbox.call("POST", "/_sandbox/repositories/eve/pump/transfer", again))[0] == 422


async def test_an_account_takes_another_name(installed: Installed) -> None:
    await installed.issue()
    await installed.sandbox.control("PATCH", "/accounts/ann", {"login": "anna"})
    await installed.sandbox.idle()
    told = installed.hook.last("installation_target.renamed")
    assert (told["changes"]["login"]["from"], told["account"]["login"]) == ("ann", "anna")
    assert told["installation"]["id"] == installed.installation_id
    assert (await installed.bot("POST", "/repos/anna/pump/issues/1/comments", {"body": "x"}))[0] == 201
    assert (await installed.bot("GET", f"{PUMP}/issues/1"))[0] == 301
    assert (await installed.sandbox.call("PATCH", "/_sandbox/accounts/anna", {"login": "bob"}))[0] == 422
    assert (await installed.sandbox.call("PATCH", "/_sandbox/accounts/nobody", {"login": "carl"}))[0] == 404
    assert (await installed.sandbox.call("PATCH", "/_sandbox/accounts/anna", {"login": "-"}))[0] == 422


async def test_the_account_s_event_comes_unasked(installed: Installed) -> None:
    manifest = {**MANIFEST, "default_events": ["installation_target"]}
    body = {"manifest": manifest, "webhook_url": installed.hook.url, "name": "Other"}
    status, answer, _ = await installed.sandbox.call("POST", "/_sandbox/apps", body)
    assert (status, "unsupported: installation_target" in answer["message"]) == (422, True)
