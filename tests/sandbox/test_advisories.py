"""GitHub's global advisories: found by what they say, told to whoever asked."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.clock import FixedClock
from tests.sandbox.conftest import Installed

ID = "GHSA-2222-3333-4444"
OTHER = "GHSA-2222-3333-5555"
PIP = {"ecosystem": "pip", "package": "pump", "vulnerable_version_range": "< 1.2", "first_patched_version": "1.2"}
NPM = {"ecosystem": "npm", "package": "@ann/pump"}


async def save(installed: Installed, ghsa_id: str = ID, **new: Any) -> Any:
    return await installed.sandbox.control("PUT", f"/advisories/{ghsa_id}", new)


async def test_an_advisory_is_published_updated_and_withdrawn(installed: Installed, clock: FixedClock) -> None:
    await save(installed, summary="It leaks", severity="high", cve_id="CVE-2023-1", vulnerabilities=[PIP, NPM])
    clock.advance(60)
    await save(installed, severity="critical")
    clock.advance(60)
    await save(installed, withdrawn=True)
    await save(installed, summary="Nobody hears this", silent=True)
    await installed.sandbox.idle()
    names = ["security_advisory.published", "security_advisory.updated", "security_advisory.withdrawn"]
    assert installed.hook.names()[1:] == names
    payload = installed.hook.last("security_advisory.published")
    assert set(payload) == {"action", "security_advisory"}
    assert payload["security_advisory"]["vulnerabilities"][0]["first_patched_version"] == {"identifier": "1.2"}
    status, found, _ = await installed.bot("GET", f"/advisories/{ID}")
    assert (status, found["severity"], found["summary"]) == (200, "critical", "Nobody hears this")
    assert (found["published_at"], found["withdrawn_at"]) == ("2023-11-14T22:13:20Z", "2023-11-14T22:15:20Z")
    assert [one["package"]["name"] for one in found["vulnerabilities"]] == ["pump", "@ann/pump"]
    assert (await installed.bot("GET", f"/advisories/{OTHER}"))[0] == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [OTHER, ID]),
        ("direction=asc", [ID, OTHER]),
        ("ecosystem=npm", [OTHER]),
        ("severity=high", [ID]),
        ("cve_id=CVE-2023-1", [ID]),
        ("affects=pump", [ID]),
        ("affects=@ann/pump@1.0,nothing", [OTHER]),
        ("is_withdrawn=true", []),
        ("type=unreviewed", []),
        (f"ghsa_id={ID}", [ID]),
        ("published=2023-11-14", [ID]),
        ("published=%3E2023-11-14", [OTHER]),
        ("published=%3C=2023-11-14", [ID]),
        ("published=2023-11-15..2023-11-30", [OTHER]),
        ("updated=%3C2023-11-14", []),
        ("modified=2023-11-14..*", [OTHER, ID]),
    ],
)
async def test_advisories_are_found_by(installed: Installed, clock: FixedClock, query: str, found: list[str]) -> None:
    await save(installed, summary="One", severity="high", cve_id="CVE-2023-1", vulnerabilities=[PIP])
    clock.advance(86_400)
    await save(installed, OTHER, summary="Two", severity="low", vulnerabilities=[NPM])
    status, listed, _ = await installed.sandbox.call("GET", f"/advisories?{query}")
    assert (status, [one["ghsa_id"] for one in listed]) == (200, found)


async def test_advisories_are_paged_by_cursor(installed: Installed, clock: FixedClock) -> None:
    for n in range(5):
        await save(installed, f"GHSA-2222-2222-222{n + 2}", summary=str(n))
        clock.advance(1)
    seen: list[str] = []
    url = "/advisories?per_page=2"
    while url:
        _, listed, headers = await installed.bot("GET", url)
        seen += [one["summary"] for one in listed]
        url = headers.get("Link", "").partition(">")[0].lstrip("<")
    assert seen == ["4", "3", "2", "1", "0"]
    assert (await installed.bot("GET", "/advisories?published=soon"))[0] == 422
    assert (await installed.bot("GET", "/advisories?after=nothing"))[0] == 422
