"""The sandbox as a process of its own, as the demo starts it."""

from __future__ import annotations

from pathlib import Path

from sandbox.testing import sandbox_process


async def test_it_says_where_it_is_and_follows_the_clock_file(tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    async with sandbox_process(["--clock", f"file:{offset}", "--no-validate"]) as client:
        before = (await client.control("GET", "/clock"))["now"]
        offset.write_text("86400\n")
        after = (await client.control("GET", "/clock"))["now"]
        assert 86_400 <= after - before < 86_460
        await client.control("POST", "/repositories", {"owner": "ann", "name": "pump"})
        issue = await client.as_person("ann", "POST", "/repos/ann/pump/issues", {"title": "t"})
        assert issue["html_url"] == f"{client.url}/ann/pump/issues/1"
        log = await client.control("GET", "/requests")
        assert [(entry["who"], entry["status"]) for entry in log] == [("ann", 201)]
        assert await client.control("GET", "/requests?since=1") == []
        assert (await client.control("GET", "/idle?quiet=20"))["idle"] is True
