"""The code of the manifest flow is changed for credentials; whatever else comes is an error of ours that says none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from app.github.api.client import open_session
from app.github.api.errors import GitHubError, Gone, Invalid, Unavailable
from app.github.api.manifest_code import convert
from app.github.api.transport import Timeouts, Transport
from tests.clocks import FakeClock
from tests.github.play import Play, reply

LINE = "POST /app-manifests/abc/conversions"
GOOD = {
    "id": 4711,
    "name": "BugMark",
    "html_url": "https://github.com/apps/bugmark",
    "client_id": "Iv1",
    "client_secret": "hush-client",
    "webhook_secret": "hush-hook",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nhush\n-----END RSA PRIVATE KEY-----\n",
}


@pytest.fixture
async def transport(play: Play, clock: FakeClock) -> AsyncIterator[Transport]:
    async with open_session() as session:
        yield Transport(session, clock, play.url, "bugmark", Timeouts())


async def test_the_credentials_are_read(play: Play, transport: Transport) -> None:
    play.on(LINE, reply(GOOD, 201))
    found = await convert(transport, "abc")
    assert (found.app_id, found.name, found.client_secret) == (4711, "BugMark", "hush-client")
    assert found.private_key == GOOD["pem"]
    asked = play.last(LINE)
    assert "authorization" not in asked.headers


@pytest.mark.parametrize("code", ["", "a/b", "../app", "a b", "a?x", "é", "a" * 201])
async def test_what_is_no_code_is_not_sent(play: Play, transport: Transport, code: str) -> None:
    with pytest.raises(ValueError, match="not a code"):
        await convert(transport, code)
    assert play.asked == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply({"message": "Not Found"}, 404), Gone),
        (reply({"message": "hm"}, 422), Invalid),
        (reply({"message": "Oops"}, 502), Unavailable),
        (web.Response(status=201, text="hush", content_type="text/html"), Unavailable),
        (reply([], 201), Unavailable),
        (reply({**GOOD, "webhook_secret": None}, 201), Unavailable),
        (reply({**GOOD, "client_id": "two\nlines"}, 201), Unavailable),
        (reply({**GOOD, "pem": "hush"}, 201), Unavailable),
        (reply({}, 302, location="https://elsewhere.example/"), GitHubError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else str(value.status),
)
async def test_anything_else_is_an_error_that_says_no_secret(
    play: Play, transport: Transport, answer: web.Response, kind: type[GitHubError]
) -> None:
    play.on(LINE, answer)
    with pytest.raises(kind) as caught:
        await convert(transport, "abc")
    assert "hush" not in str(caught.value)
