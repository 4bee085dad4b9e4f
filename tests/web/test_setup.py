"""The set-up's page: who gets on, for how long, and what it makes of what it is given."""

from __future__ import annotations

import asyncio
import html
import itertools
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, BaseRunner, Request, RequestHandler
from pytest_aiohttp.plugin import AiohttpClient

from app.base.credentials import Credentials, PrintKeeper
from app.github.api.errors import Gone, Unavailable
from app.run.setup import manifest
from app.web.listening import make_runner
from app.web.setup import STATE_SECONDS, Setup
from tests.clocks import FakeClock
from tests.conditions import PATIENCE_SECONDS

FOUND = Credentials(7, "Mine", "https://github.com/apps/mine", "id", "hush-client", "hush-key", "hush-hook")
Client = TestClient[Request, Application]


@dataclass
class Played:
    """A set-up whose GitHub does as it is told; `gate`, while set, holds its answer up."""

    clock: FakeClock
    kept: list[str] = field(default_factory=list)
    trouble: Exception | None = None
    gate: asyncio.Event | None = None
    codes: list[str] = field(default_factory=list)

    def setup(self, say: Callable[[str], object] | None = None) -> Setup:
        numbers = itertools.count(1)
        return Setup(
            manifest=manifest(),
            public_url="https://bugmark.org",
            github_url="https://github.com",
            convert=self.convert,
            keeper=PrintKeeper(say or self.kept.append),
            clock=self.clock,
            new_secret=lambda: f"secret-{next(numbers)}",
        )

    async def convert(self, code: str) -> Credentials:
        self.codes.append(code)
        if self.gate is not None:
            await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        return FOUND


@pytest.fixture
def played(clock: FakeClock) -> Played:
    return Played(clock)


@pytest.fixture
async def client(played: Played, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(played.setup().application())


async def asked(client: Client, **fields: str) -> tuple[int, str]:
    answer = await client.post("/setup", data={"code": "secret-1", "name": "Mine", **fields})
    return answer.status, await answer.text()


async def back(client: Client, state: str, code: str = "abc") -> int:
    return (await client.get("/setup/callback", params={"code": code, "state": state})).status


async def test_the_manifest_has_this_installations_address(client: Client) -> None:
    status, page = await asked(client, public="on")
    found = re.search(r'name="manifest" value="([^"]*)"', page)
    assert status == 200 and found
    wanted = json.loads(html.unescape(found[1]))
    assert (wanted["name"], wanted["public"]) == ("Mine", True)
    assert wanted["hook_attributes"] == {"url": "https://bugmark.org/webhook", "active": True}
    assert wanted["redirect_url"] == "https://bugmark.org/setup/callback"
    assert wanted["setup_url"] == "https://bugmark.org/installed"
    assert "bugmark.example" not in found[1]
    assert 'action="https://github.com/settings/apps/new?state=secret-2"' in page


async def test_what_is_typed_stays_text(client: Client) -> None:
    _, page = await asked(client, name='"><script>alert(1)')
    assert "<script" not in page and "&lt;script&gt;" in page
    for wrong in ({"organization": "a/b?x="}, {"name": ""}, {"name": "x" * 35}, {"code": "secret-2"}, {"code": "é"}):
        assert (await asked(client, **wrong))[0] == 403


async def test_a_state_is_good_once_and_for_an_hour(client: Client, played: Played) -> None:
    await asked(client)
    assert await back(client, "secret-3") == 403
    played.clock.advance(STATE_SECONDS)
    assert await back(client, "secret-2") == 403
    await asked(client)
    await asked(client)
    assert await back(client, "secret-3") == 403, "the one before is void"
    assert played.codes == []
    assert await back(client, "secret-4") == 200
    assert await back(client, "secret-4") == 403
    assert (played.codes, played.kept) == (["abc"], [FOUND.lines()])


async def test_a_callback_without_a_code_leaves_the_state_good(client: Client, played: Played) -> None:
    await asked(client)
    assert await back(client, "secret-2", "../../app") == 400
    assert played.codes == []
    assert await back(client, "secret-2") == 200


async def test_what_passes_can_be_tried_again_and_what_is_spent_cannot(client: Client, played: Played) -> None:
    await asked(client)
    played.trouble = Unavailable(502, "hush")
    assert await back(client, "secret-2") == 502
    played.trouble = Gone(404, "hush")
    assert await back(client, "secret-2") == 502
    played.trouble = None
    assert await back(client, "secret-2") == 403
    assert played.kept == []


async def test_no_page_says_a_secret_or_is_kept(client: Client) -> None:
    pages = [await client.get("/setup"), await client.post("/setup", data={"code": "secret-1", "name": "Mine"})]
    pages.append(await client.get("/setup/callback?code=abc&state=secret-2"))
    for answer in pages:
        assert answer.status == 200
        text = await answer.text()
        assert "hush" not in text and "secret-1" not in text
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert answer.headers["Referrer-Policy"] == "no-referrer"


class AsServed(TestServer):
    """By the runner that `python -m app setup` has; the one for tests cancels what nobody waits for any more."""

    async def _make_runner(self, **_: object) -> BaseRunner:
        return make_runner(self.app)


async def test_a_browser_that_goes_away_leaves_a_set_up_that_is_done(played: Played) -> None:
    found, played.gate = played.setup(), asyncio.Event()
    async with TestClient(AsServed(found.application())) as client:
        await asked(client)
        _, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(b"GET /setup/callback?code=abc&state=secret-2 HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: played.codes == ["abc"])
        again = await (await client.get("/setup/callback?code=abc&state=secret-2")).text()
        assert "the terminal says whether" in again and "Nothing was stored" not in again
        writer.close()
        await until(lambda: any(connection.transport is None for connection in connections(client)))
        played.gate.set()
        await asyncio.wait_for(found.done.wait(), PATIENCE_SECONDS)
    assert (played.codes, played.kept) == (["abc"], [FOUND.lines()])


def connections(client: Client) -> list[RequestHandler]:
    runner = client.server.runner
    assert runner is not None and runner.server is not None
    return runner.server.connections


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not happened():
            await asyncio.sleep(0)


async def test_credentials_that_nobody_reads_are_said_to_be_lost(played: Played, aiohttp_client: AiohttpClient) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    found = played.setup(lambda text: os.write(writing, text.encode()))
    client: Client = await aiohttp_client(found.application())
    await asked(client)
    answer = await client.get("/setup/callback?code=abc&state=secret-2")
    os.close(writing)
    page = await answer.text()
    assert answer.status == 500 and "The credentials are lost" in page and "Broken pipe" in page
    assert "delete the App Mine there and start again" in page
    assert "hush" not in page and not found.done.is_set()


async def test_a_long_body_is_refused(client: Client) -> None:
    assert (await client.post("/setup", data={"code": "x" * 100_000})).status == 413
