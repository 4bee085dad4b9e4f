"""The set-up's page: who gets on, for how long, and what it makes of what it is given."""

from __future__ import annotations

import html
import itertools
import json
import re
from dataclasses import dataclass, field

import pytest
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request
from pytest_aiohttp.plugin import AiohttpClient

from app.credentials import Credentials, PrintKeeper
from app.github.errors import Gone, Unavailable
from app.setup import manifest
from app.web.setup import STATE_SECONDS, Setup
from tests.clocks import FakeClock

FOUND = Credentials(7, "Mine", "https://github.com/apps/mine", "id", "hush-client", "hush-key", "hush-hook")
Client = TestClient[Request, Application]


@dataclass
class Played:
    """A set-up whose GitHub does as it is told."""

    clock: FakeClock
    kept: list[str] = field(default_factory=list)
    trouble: Exception | None = None
    codes: list[str] = field(default_factory=list)

    def setup(self) -> Setup:
        numbers = itertools.count(1)
        return Setup(
            manifest=manifest(),
            public_url="https://bugmark.org",
            github_url="https://github.com",
            convert=self.convert,
            keeper=PrintKeeper(self.kept.append),
            clock=self.clock,
            new_secret=lambda: f"secret-{next(numbers)}",
        )

    async def convert(self, code: str) -> Credentials:
        self.codes.append(code)
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


async def test_a_long_body_is_refused(client: Client) -> None:
    assert (await client.post("/setup", data={"code": "x" * 100_000})).status == 413
