"""The manifest flow: GitHub's page asks, the app is made, and a code brings its credentials once within the hour."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.clock import FixedClock
from sandbox.testing import RunningSandbox
from tests.sandbox.conftest import MANIFEST
from tests.sandbox.receiver import Receiver

BACK = "http://127.0.0.1:9/setup/callback"
FULL = {
    **MANIFEST,
    "url": "https://bugmark.example/",
    "hook_attributes": {"url": "https://bugmark.example/webhook"},
    "redirect_url": BACK,
    "setup_url": "http://127.0.0.1:9/installed",
}


async def posted(sandbox: RunningSandbox, path: str, **fields: str) -> tuple[int, str, str]:
    """Status, text and where it leads."""
    async with sandbox.session.post(sandbox.url + path, data=fields, allow_redirects=False) as answer:
        return answer.status, await answer.text(), answer.headers.get("Location", "")


async def shown(sandbox: RunningSandbox, manifest: Any, path: str = "/settings/apps/new?state=s-1") -> tuple[int, str]:
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    status, page, _ = await posted(sandbox, path, manifest=text)
    return status, page


async def code_for(sandbox: RunningSandbox, **fields: str) -> str:
    wanted = {"manifest": json.dumps(FULL), "name": "BugMark of Ann", "state": "s-1", "owner": "ann", **fields}
    status, _, where = await posted(sandbox, "/_sandbox/page/manifests", **wanted)
    assert (status, where.partition("?")[0]) == (302, BACK)
    query = parse_qs(urlsplit(where).query)
    assert query["state"] == ["s-1"]
    return query["code"][0]


async def test_the_page_shows_what_the_app_wants_and_makes_nothing(sandbox: RunningSandbox) -> None:
    status, page = await shown(sandbox, FULL)
    assert status == 200
    assert 'name="state" value="s-1"' in page and "issues: write" in page and "security_advisory" in page
    assert not sandbox.state.apps
    _, page = await shown(sandbox, FULL, "/organizations/mozilla/settings/apps/new")
    assert "Create GitHub App for mozilla" in page


async def test_the_code_brings_the_credentials_of_the_app(sandbox: RunningSandbox) -> None:
    code = await code_for(sandbox)
    status, body, _ = await sandbox.call("POST", f"/app-manifests/{code}/conversions")
    assert status == 201
    assert (body["name"], body["slug"], body["owner"]["login"]) == ("BugMark of Ann", "bugmark-of-ann", "ann")
    assert body["pem"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert body["webhook_secret"] and body["client_secret"] and body["client_id"]
    status, app, _ = await sandbox.call("GET", "/app", None, sandbox.app_jwt(body))
    assert (status, app["permissions"]["checks"], app["events"]) == (200, "write", MANIFEST["default_events"])
    assert not sandbox.violations


async def test_a_code_is_good_once_and_for_an_hour(sandbox: RunningSandbox, clock: FixedClock) -> None:
    code = await code_for(sandbox)
    assert (await sandbox.call("POST", f"/app-manifests/{code}/conversions"))[0] == 201
    assert (await sandbox.call("POST", f"/app-manifests/{code}/conversions"))[0] == 404
    late = await code_for(sandbox, name="Another")
    clock.advance(3600)
    assert (await sandbox.call("POST", f"/app-manifests/{late}/conversions"))[0] == 404
    assert (await sandbox.call("POST", "/app-manifests/nobody-s/conversions"))[0] == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"default_events": ["installation"]}, "default events unsupported: installation"),
        ({"default_permissions": {"issues": "write"}, "default_events": ["push"]}, "needs the permission contents"),
        ({"default_permissions": {"issues": "full"}}, "permission issues cannot be"),
        ({"name": ""}, "Name can&#39;t be blank"),
        ({"name": "x" * 35}, "Name is too long"),
        ({"url": "bugmark.example"}, "url must be a valid URL"),
        ({"hook_attributes": {}}, "hook_attributes.url must be a valid URL"),
        ({"redirect_url": "javascript:alert(1)"}, "redirect_url must be a valid URL"),
    ],
)
async def test_a_manifest_that_github_refuses_is_refused(
    sandbox: RunningSandbox, change: dict[str, Any], words: str
) -> None:
    status, page = await shown(sandbox, {**FULL, **change})
    assert status == 422
    assert words in page
    assert not sandbox.state.apps


async def test_what_is_no_manifest_is_refused(sandbox: RunningSandbox) -> None:
    assert (await shown(sandbox, "{"))[0] == 422
    assert (await shown(sandbox, "[]"))[0] == 422


async def test_a_name_is_taken_once(sandbox: RunningSandbox) -> None:
    await code_for(sandbox)
    wanted = {"manifest": json.dumps(FULL), "name": "bugmark of ann"}
    status, page, _ = await posted(sandbox, "/_sandbox/page/manifests", **wanted)
    assert status == 422
    assert "Name has already been taken" in page


async def test_installing_leads_to_the_apps_own_page(sandbox: RunningSandbox, hook: Receiver) -> None:
    await code_for(sandbox, manifest=json.dumps({**FULL, "hook_attributes": {"url": hook.url}}))
    await sandbox.control("POST", "/repositories", {"owner": "ann", "name": "pump"})
    path = "/apps/bugmark-of-ann/installations/new"
    async with sandbox.session.get(sandbox.url + path) as answer:
        assert answer.status == 200
    _, _, where = await posted(sandbox, path, owner="ann")
    made = next(iter(sandbox.state.installations.values()))
    assert where == f"http://127.0.0.1:9/installed?installation_id={made.id}&setup_action=install"
    assert re.search("setup_action=update$", (await posted(sandbox, path, owner="ann"))[2])
    assert len(sandbox.state.installations) == 1
    assert (await posted(sandbox, path, owner="nobody"))[0] == 422
