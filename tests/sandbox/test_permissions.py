"""What may be done: by installations, by people, in private, renamed, archived and suspended places."""

from __future__ import annotations

import pytest

from sandbox.clock import FixedClock
from tests.sandbox.conftest import Installed


async def test_the_manifest_bounds_what_the_app_may_call(installed: Installed) -> None:
    await installed.sandbox.control(
        "PUT", f"/installations/{installed.installation_id}/permissions", {"permissions": {"issues": "read"}}
    )
    token = await installed.sandbox.installation_token(installed.app, installed.installation_id)
    await installed.issue()
    read = await installed.sandbox.call("GET", "/repos/ann/pump/issues/1", bearer=token)
    write = await installed.sandbox.call("POST", "/repos/ann/pump/issues/1/comments", {"body": "x"}, token)
    contents = await installed.sandbox.call("GET", "/repos/ann/pump/contents/README.md", bearer=token)
    assert (read[0], write[0], contents[0]) == (200, 403, 403)
    assert write[1]["message"] == "Resource not accessible by integration"
    refused = await installed.sandbox.control("GET", "/refused")
    assert [entry["who"] for entry in refused] == ["bugmark[bot]", "bugmark[bot]"]


async def test_permissions_that_are_accepted_are_told_and_fewer_are_not(
    installed: Installed, clock: FixedClock
) -> None:
    where = f"/installations/{installed.installation_id}/permissions"
    granted = []
    for permissions in ({"issues": "read"}, {"issues": "read"}, {"issues": "write", "contents": "read"}):
        clock.advance(60)
        found = await installed.sandbox.control("PUT", where, {"permissions": permissions})
        granted.append(found["updated_at"])
    await installed.sandbox.idle()
    assert installed.hook.names() == ["installation.created", "installation.new_permissions_accepted"]
    told = installed.hook.last("installation.new_permissions_accepted")
    assert told["installation"]["permissions"] == {"metadata": "read", "issues": "write", "contents": "read"}
    assert told["installation"]["updated_at"] == granted[-1] > granted[-2] > granted[0]
    assert [one["full_name"] for one in told["repositories"]] == ["ann/pump"]


async def test_repositories_outside_the_installation(installed: Installed) -> None:
    for name, private in (("open", False), ("shut", True)):
        await installed.sandbox.control("POST", "/repositories", {"owner": "ann", "name": name, "private": private})
        await installed.sandbox.as_person("ann", "POST", f"/repos/ann/{name}/issues", {"title": "t"})
    assert (await installed.bot("GET", "/repos/ann/open/issues/1"))[0] == 200
    assert (await installed.bot("POST", "/repos/ann/open/issues/1/comments", {"body": "x"}))[0] == 403
    assert (await installed.bot("GET", "/repos/ann/shut/issues/1"))[0] == 404
    assert (await installed.bot("POST", "/repos/ann/shut/issues/1/comments", {"body": "x"}))[0] == 404
    assert (await installed.sandbox.call("GET", "/repos/ann/shut/issues/1", bearer="sandbox-bob"))[0] == 404


async def test_a_suspended_installation_gets_no_token_and_no_answer(installed: Installed) -> None:
    where = f"/installations/{installed.installation_id}"
    await installed.sandbox.control("PUT", f"{where}/suspended")
    status, body, _ = await installed.bot("GET", "/repos/ann/pump/issues")
    assert (status, body["message"]) == (403, "This installation has been suspended")
    path, bearer = f"/app{where}/access_tokens", installed.sandbox.app_jwt(installed.app)
    assert (await installed.sandbox.call("POST", path, None, bearer))[0] == 403
    await installed.issue()
    await installed.sandbox.control("DELETE", f"{where}/suspended")
    await installed.sandbox.idle()
    assert installed.hook.names() == ["installation.created", "installation.suspend", "installation.unsuspend"]
    assert (await installed.bot("GET", "/repos/ann/pump/issues"))[0] == 200


@pytest.mark.parametrize(
    ("role", "permission", "push"),
    [("read", "read", False), ("triage", "read", False), ("write", "write", True), ("maintain", "write", True)],
)
async def test_the_permission_endpoint_folds_roles(
    installed: Installed, role: str, permission: str, push: bool
) -> None:
    await installed.sandbox.control("PUT", "/permissions", {"repository": "ann/pump", "login": "bob", "role": role})
    _, body, _ = await installed.bot("GET", "/repos/ann/pump/collaborators/bob/permission")
    assert (body["permission"], body["role_name"], body["user"]["permissions"]["push"]) == (permission, role, push)
    bob = installed.sandbox.state.user_named("bob")
    assert bob and body["user"]["id"] == bob.id
    assert body["user"]["permissions"]["triage"] is (role != "read")


async def test_owners_strangers_and_unknown_people(installed: Installed) -> None:
    await installed.sandbox.as_person("eve", "GET", "/user")
    roles = {}
    for login in ("ann", "eve"):
        _, body, _ = await installed.bot("GET", f"/repos/ann/pump/collaborators/{login}/permission")
        roles[login] = body["role_name"]
    assert roles == {"ann": "admin", "eve": "read"}
    assert (await installed.bot("GET", "/repos/ann/pump/collaborators/nobody/permission"))[0] == 404
    stranger = await installed.sandbox.call("GET", "/repos/ann/pump/collaborators/ann/permission", bearer="sandbox-eve")
    assert stranger[0] == 403


async def test_a_renamed_repository_redirects_until_its_name_is_taken(installed: Installed) -> None:
    await installed.issue()
    await installed.sandbox.control("PATCH", "/repositories/ann/pump", {"name": "valve"})
    status, body, headers = await installed.bot("GET", "/repos/ann/pump/issues/1")
    assert (status, body["message"]) == (301, "Moved Permanently")
    assert "/repositories/700000001/issues/1" in headers["Location"]
    assert (await installed.bot("GET", headers["Location"]))[1]["title"] == "It leaks"
    status, _, headers = await installed.bot("POST", "/repos/ann/pump/issues/1/comments", {"body": "x"})
    assert status == 307
    assert (await installed.bot("POST", headers["Location"], {"body": "x"}))[0] == 201
    await installed.sandbox.control("POST", "/repositories", {"owner": "ann", "name": "pump"})
    assert (await installed.bot("GET", "/repos/ann/pump/issues/1"))[0] == 404
    await installed.sandbox.idle()
    assert installed.hook.last("repository.renamed")["changes"] == {"repository": {"name": {"from": "pump"}}}


async def test_an_archived_repository_is_read_only(installed: Installed) -> None:
    await installed.issue()
    await installed.sandbox.control("PATCH", "/repositories/ann/pump", {"archived": True})
    assert (await installed.bot("POST", "/repos/ann/pump/issues/1/comments", {"body": "x"}))[0] == 403
    assert (await installed.bot("GET", "/repos/ann/pump/issues/1"))[0] == 200


async def test_a_manifest_must_have_the_permission_for_its_events(installed: Installed) -> None:
    for manifest in (
        {"default_events": ["issues"]},
        {"default_events": ["installation"]},
        {"default_permissions": {"issues": "read"}, "default_events": ["push"]},
    ):
        app = {"manifest": manifest, "webhook_url": installed.hook.url}
        status, body, _ = await installed.sandbox.call("POST", "/_sandbox/apps", app)
        assert status == 422
        assert "default events unsupported" in body["message"] or "needs the permission" in body["message"]
