"""The webhook's door: forged, broken, oversized and slow deliveries, and the good ones."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from pytest_aiohttp.plugin import AiohttpClient

from app.base.settings import WEBHOOK_BODY_BYTES
from app.github.api.signature import Verifier
from app.web.door import Door, Overloaded
from tests.clocks import START_AT, FakeClock
from tests.web.conftest import SECRETS, Client, MemoryInbox

GUID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
BODY = b'{"action": "created"}'


def signature(body: bytes, secret: str = SECRETS[0]) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(body: bytes = BODY, **changes: str | None) -> dict[str, str]:
    wanted: dict[str, str | None] = {
        "Content-Type": "application/json",
        "X-GitHub-Delivery": GUID,
        "X-GitHub-Event": "issue_comment",
        "X-Hub-Signature-256": signature(body),
    }
    wanted |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in wanted.items() if value is not None}


async def deliver(client: Client, body: bytes = BODY, **changes: str | None) -> ClientResponse:
    return await client.post("/webhook", data=body, headers=headers(body, **changes))


async def test_a_signed_delivery_is_stored_as_it_came(client: Client, inbox: MemoryInbox) -> None:
    body = b' {"a":\t"\xc3\xa9 \\u0000 \\ud800"}\n'
    response = await deliver(client, body)
    assert (response.status, await response.json()) == (202, {"ok": True})
    assert inbox.stored == {GUID: ("issue_comment", body, START_AT)}


async def test_the_other_secret_is_good_too(client: Client, inbox: MemoryInbox) -> None:
    assert (await deliver(client, X_Hub_Signature_256=signature(BODY, SECRETS[1]))).status == 202
    assert GUID in inbox.stored


async def test_a_repeated_delivery_is_accepted_and_stored_once(client: Client, inbox: MemoryInbox) -> None:
    for _ in range(2):
        assert (await deliver(client)).status == 202
    assert len(inbox.stored) == 1


@pytest.mark.parametrize(
    "forged",
    [
        None,
        "",
        "sha256=",
        "sha256=é",
        "sha1=" + hmac.new(SECRETS[0].encode(), BODY, hashlib.sha1).hexdigest(),
        signature(BODY, "wrong"),
        signature(BODY + b" "),
        signature(BODY).upper(),
    ],
)
async def test_a_forged_delivery_is_401_and_leaves_no_trace(
    client: Client, inbox: MemoryInbox, forged: str | None
) -> None:
    for guid in (GUID, None, "a b"):
        response = await deliver(client, X_Hub_Signature_256=forged, X_GitHub_Delivery=guid)
        assert (response.status, await response.text()) == (401, "401: Unauthorized")
    assert inbox.stored == {}


async def test_a_sha1_signature_beside_no_other_is_not_enough(client: Client) -> None:
    sha1 = "sha1=" + hmac.new(SECRETS[0].encode(), BODY, hashlib.sha1).hexdigest()
    assert (await deliver(client, X_Hub_Signature_256=None, X_Hub_Signature=sha1)).status == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"X_GitHub_Delivery": None},
        {"X_GitHub_Delivery": ""},
        {"X_GitHub_Delivery": "a" * 101},
        {"X_GitHub_Delivery": "a b"},
        {"X_GitHub_Delivery": "é"},
        {"X_GitHub_Delivery": "'; drop table deliveries"},
        {"X_GitHub_Event": None},
        {"X_GitHub_Event": "Issues"},
        {"X_GitHub_Event": "issues-1"},
        {"X_GitHub_Event": "a" * 65},
    ],
)
async def test_a_delivery_without_a_proper_name_is_400(
    client: Client, inbox: MemoryInbox, changes: dict[str, str | None]
) -> None:
    response = await deliver(client, BODY, **changes)
    assert response.status == 400
    assert "missing or malformed" in (await response.json())["error"]
    assert inbox.stored == {}


async def test_a_form_is_refused_with_a_hint(client: Client) -> None:
    body = b"payload=%7B%7D"
    response = await deliver(client, body, Content_Type="application/x-www-form-urlencoded")
    assert response.status == 415
    assert (await response.json())["error"] == "set the webhook's content type to application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{",
        b"{}{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": "\xff"}',
        b'{"a": "\x00"}',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b'{"a":' * 200_000,
        b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"a": ' + b"9" * 5_000 + b"}",
    ],
)
async def test_a_body_that_is_no_json_object_is_400(client: Client, inbox: MemoryInbox, body: bytes) -> None:
    response = await deliver(client, body)
    assert response.status == 400
    assert (await response.json())["error"].startswith("the body is not")
    assert inbox.stored == {}


@given(body=st.binary(max_size=200))
def test_no_signed_body_is_a_500(body: bytes) -> None:
    async def run() -> int:
        app = web.Application()
        app.router.add_post("/webhook", Door(MemoryInbox(), Verifier(SECRETS), FakeClock()).post)
        async with TestClient(TestServer(app)) as client:
            return (await client.post("/webhook", data=body, headers=headers(body))).status

    try:
        expected = 202 if isinstance(json.loads(body.decode()), dict) else 400
    except ValueError:
        expected = 400
    assert asyncio.run(run()) == expected


async def test_a_body_too_long_is_refused_before_it_is_read(client: Client, inbox: MemoryInbox) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    declared = headers() | {"Content-Length": str(WEBHOOK_BODY_BYTES + 1)}
    response = await client.post("/webhook", data=endless(), headers=declared)
    assert response.status == 413
    assert inbox.stored == {}


async def test_a_body_too_long_of_undeclared_length_is_refused(client: Client, inbox: MemoryInbox) -> None:
    async def too_long() -> AsyncIterator[bytes]:
        for _ in range(WEBHOOK_BODY_BYTES // (1 << 20) + 2):
            yield bytes(1 << 20)

    try:
        response = await client.post("/webhook", data=too_long(), headers=headers())
    except ConnectionError:
        pass  # the door closed while the rest was still being sent
    else:
        assert response.status == 413
    assert inbox.stored == {}


async def test_the_largest_body_github_sends_is_taken(client: Client, inbox: MemoryInbox) -> None:
    body = b'{"a": "' + b"x" * 25_000_000 + b'"}'
    response = await client.post("/webhook", data=io.BytesIO(body), headers=headers(body))
    assert response.status == 202
    assert len(inbox.stored[GUID][1]) == len(body)


async def test_a_compressed_body_is_refused_unread(client: Client) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    response = await client.post("/webhook", data=bomb, headers=headers(bomb, Content_Encoding="gzip"))
    assert response.status == 415


async def test_a_sender_too_slow_is_left(inbox: MemoryInbox, clock: FakeClock, aiohttp_client: AiohttpClient) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    app = web.Application()
    app.router.add_post("/webhook", Door(inbox, Verifier(SECRETS), clock, read_seconds=0.1).post)
    client = await aiohttp_client(app)
    assert (await client.post("/webhook", data=slow(), headers=headers())).status == 408


async def never_ending() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.Event().wait()


async def test_slow_senders_shut_out_nobody(
    inbox: MemoryInbox, clock: FakeClock, aiohttp_client: AiohttpClient
) -> None:
    """They need no secret: any signature of the right shape has its body read before it can be checked."""
    door = Door(inbox, Verifier(SECRETS), clock)
    app = web.Application()
    app.router.add_post("/webhook", door.post)
    client = await aiohttp_client(app)
    declared = headers() | {"Content-Length": str(WEBHOOK_BODY_BYTES)}
    slow = [asyncio.create_task(client.post("/webhook", data=never_ending(), headers=declared)) for _ in range(20)]
    while door._waiting_bytes < len(slow):
        await asyncio.sleep(0)
    assert (await deliver(client)).status == 202
    for one in slow:
        one.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


@pytest.mark.parametrize("forged", [None, "", "sha256=" + "0" * 63, "sha1=" + "0" * 40])
async def test_without_a_signature_a_body_is_not_even_read(client: Client, forged: str | None) -> None:
    signed = headers(X_Hub_Signature_256=forged)
    assert (await client.post("/webhook", data=never_ending(), headers=signed)).status == 401


async def test_large_bodies_leave_half_of_the_room_to_others(
    client: Client, inbox: MemoryInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.door.SMALL_BYTES", len(BODY) - 1)
    monkeypatch.setattr("app.web.door.MOST_WAITING_BYTES", 2 * len(BODY) + 1)
    inbox.gate = asyncio.Event()
    large = asyncio.create_task(deliver(client))
    await inbox.waiting.wait()

    async def undeclared() -> AsyncIterator[bytes]:
        yield BODY

    for body in (BODY, undeclared()):
        shed = await client.post("/webhook", data=body, headers=headers(X_GitHub_Delivery="b"))
        assert shed.status == 503
    small = asyncio.create_task(deliver(client, b"{}", X_GitHub_Delivery="c"))
    inbox.gate.set()
    assert ((await large).status, (await small).status) == (202, 202)
    assert list(inbox.stored) == [GUID, "c"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_only_post(client: Client, method: str) -> None:
    response = await client.request(method, "/webhook")
    assert (response.status, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("trouble", [Overloaded(), OSError("disk full: hush"), ValueError("hush")])
async def test_what_cannot_be_stored_is_503(client: Client, inbox: MemoryInbox, trouble: Exception) -> None:
    inbox.trouble = trouble
    response = await deliver(client)
    assert response.status == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "hush" not in await response.text()
    inbox.trouble = None
    assert (await deliver(client)).status == 202


async def test_a_store_that_hangs_is_503(inbox: MemoryInbox, clock: FakeClock, aiohttp_client: AiohttpClient) -> None:
    inbox.gate = asyncio.Event()
    app = web.Application()
    app.router.add_post("/webhook", Door(inbox, Verifier(SECRETS), clock, store_seconds=0.1).post)
    assert (await deliver(await aiohttp_client(app))).status == 503


@pytest.mark.parametrize("bound", ["MOST_WAITING", "MOST_WAITING_BYTES"])
async def test_more_than_can_wait_are_shed_and_room_comes_back(
    client: Client, inbox: MemoryInbox, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(f"app.web.door.{bound}", 1 if bound == "MOST_WAITING" else len(BODY))
    inbox.gate = asyncio.Event()
    first = asyncio.create_task(deliver(client))
    await inbox.waiting.wait()
    shed = await deliver(client, X_GitHub_Delivery="b")
    inbox.gate.set()
    assert (shed.status, (await first).status) == (503, 202)
    assert (await deliver(client, X_GitHub_Delivery="b")).status == 202
    assert list(inbox.stored) == [GUID, "b"]
