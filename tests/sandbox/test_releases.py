"""Releases: drafts, published, made drafts again, deleted; seen by whom, told to whom."""

from __future__ import annotations

import pytest

from sandbox.clock import FixedClock
from tests.sandbox.conftest import Installed

RELEASES = "/repos/ann/pump/releases"


async def told(installed: Installed) -> list[str]:
    await installed.sandbox.idle()
    return [name.removeprefix("release.") for name in installed.hook.names() if name.startswith("release.")]


async def test_a_release_is_found_by_its_tag_once_it_is_published(installed: Installed, clock: FixedClock) -> None:
    sandbox = installed.sandbox
    draft = await sandbox.as_person("ann", "POST", RELEASES, {"tag_name": "v1/rc 1".replace(" ", "-"), "draft": True})
    assert (draft["draft"], draft["published_at"]) == (True, None)
    path = f"{RELEASES}/tags/v1%2Frc-1"
    assert (await installed.bot("GET", path))[0] == 404
    assert (await installed.bot("GET", RELEASES))[1] == []
    assert (await installed.bot("GET", f"{RELEASES}/{draft['id']}"))[0] == 404
    assert len(await sandbox.as_person("ann", "GET", RELEASES)) == 1
    clock.advance(60)
    await sandbox.as_person("ann", "PATCH", f"{RELEASES}/{draft['id']}", {"draft": False, "name": "One"})
    status, found, _ = await installed.bot("GET", path)
    assert (status, found["name"], found["draft"]) == (200, "One", False)
    assert found["published_at"] > found["created_at"]
    assert found["author"]["login"] == "ann"
    assert await told(installed) == ["created", "edited", "published", "released"]


async def test_a_release_is_made_a_draft_again_and_deleted(installed: Installed) -> None:
    sandbox = installed.sandbox
    made = await sandbox.as_person("ann", "POST", RELEASES, {"tag_name": "v1", "prerelease": True})
    path = f"{RELEASES}/{made['id']}"
    await sandbox.as_person("ann", "PATCH", path, {"tag_name": "v2"})
    assert (await installed.bot("GET", f"{RELEASES}/tags/v1"))[0] == 404
    assert (await installed.bot("GET", f"{RELEASES}/tags/v2"))[0] == 200
    await sandbox.as_person("ann", "PATCH", path, {"draft": True})
    assert (await installed.bot("GET", f"{RELEASES}/tags/v2"))[0] == 404
    await sandbox.as_person("ann", "DELETE", path)
    assert await told(installed) == ["created", "published", "prereleased", "edited", "unpublished", "deleted"]
    assert installed.hook.last("release.edited")["changes"] == {"tag_name": {"from": "v1"}}


async def test_only_who_may_write_makes_releases_and_a_tag_has_one(installed: Installed) -> None:
    sandbox = installed.sandbox
    body = {"tag_name": "v1"}
    assert (await sandbox.call("POST", RELEASES, body, "bob"))[0] in (401, 403)
    assert (await installed.bot("POST", RELEASES, body))[0] == 403
    await sandbox.as_person("ann", "POST", RELEASES, body)
    with pytest.raises(Exception, match="422"):
        await sandbox.as_person("ann", "POST", RELEASES, body)
    assert (await installed.bot("GET", f"{RELEASES}/tags/V1"))[0] == 404


async def test_the_control_publishes_changes_and_deletes(installed: Installed) -> None:
    sandbox = installed.sandbox
    made = await sandbox.control("POST", "/releases", {"repository": "ann/pump", "tag": "v1", "as": "mara"})
    assert (made["tag_name"], made["author"]["login"]) == ("v1", "mara")
    path = f"/releases/ann/pump/{made['id']}"
    assert (await sandbox.control("PATCH", path, {"draft": True}))["published_at"] is None
    await sandbox.control("DELETE", path)
    assert (await sandbox.call("DELETE", f"/_sandbox{path}"))[0] == 404
    assert await told(installed) == ["created", "published", "released", "unpublished", "deleted"]
