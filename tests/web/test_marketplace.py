"""`POST /webhook/marketplace`: a door of its own with a secret of its own, and none where none is configured."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

from aiohttp.test_utils import TestClient, TestServer

from app.web.server import make_app
from tests.clocks import FakeClock
from tests.web.conftest import SECRETS, Client, Database, MemoryInbox, MemoryPrices, settings

BODY = b'{"action": "purchased"}'
OWN = "the listing's secret"


def signed(secret: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": "marketplace_purchase",
        "X-GitHub-Delivery": "g-1",
        "X-Hub-Signature-256": f"sha256={hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()}",
    }


async def test_without_a_secret_there_is_no_such_door(client: Client) -> None:
    for secret in SECRETS:
        assert (await client.post("/webhook/marketplace", data=BODY, headers=signed(secret))).status == 404


async def test_only_the_listings_own_secret_opens_it(
    clock: FakeClock, inbox: MemoryInbox, prices: MemoryPrices, database: Database
) -> None:
    told, purchases = replace(settings(), marketplace_secrets=(OWN,)), MemoryInbox()
    app = make_app(told, clock, inbox, prices, database.ping, database.backlog, database, purchases)
    async with TestClient(TestServer(app)) as client:
        for secret in SECRETS:
            assert (await client.post("/webhook/marketplace", data=BODY, headers=signed(secret))).status == 401
        assert (await client.post("/webhook/marketplace", data=BODY, headers=signed(OWN))).status == 202
        assert (await client.post("/webhook", data=BODY, headers=signed(OWN))).status == 401
    assert list(purchases.stored) == ["g-1"]
    assert not inbox.stored
