"""`GET /metrics`: numbers for whoever holds the token, and for nobody else."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from pytest_aiohttp.plugin import AiohttpClient

from app.web import door
from app.web.server import make_app
from tests.clocks import FakeClock
from tests.web.conftest import TOKEN, Client, Database, MemoryInbox, MemoryPrices, settings
from tests.web.test_door import deliver
from tests.web.test_marketplace import BODY, OWN, signed

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
OUTCOMES = {name: f'bugmark_deliveries_total{{outcome="{name}"}}' for name in door.OUTCOMES}
LINE = re.compile(r'(# (HELP|TYPE) bugmark_[a-z_]+ .+|bugmark_[a-z_]+(\{[a-z]+="[a-z]+"\})? \d+)\Z')


async def measured(client: Client) -> dict[str, int]:
    response = await client.get("/metrics", headers=HEADERS)
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = (await response.text()).splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    return {name: int(value) for name, value in (line.split() for line in lines if line[0] != "#")}


async def test_what_waits_is_told_in_numbers(client: Client) -> None:
    found = await measured(client)
    assert found == {
        "bugmark_deliveries_waiting": 3,
        "bugmark_deliveries_oldest_seconds": 90,
        'bugmark_dead_letters{what="delivery"}': 1,
        'bugmark_dead_letters{what="message"}': 4,
        'bugmark_outbox_waiting{kind="board"}': 0,
        'bugmark_outbox_waiting{kind="reply"}': 2,
        'bugmark_outbox_late_seconds{kind="board"}': 0,
        'bugmark_outbox_late_seconds{kind="reply"}': 30,
        "bugmark_looks_due": 6,
        "bugmark_entries_unsealed": 5,
        "bugmark_worker_heartbeat_seconds": 4,
        "bugmark_workers": 2,
        "bugmark_seals_total": 12,
        **dict.fromkeys(OUTCOMES.values(), 0),
    }


async def test_what_came_of_deliveries_is_counted(client: Client, inbox: MemoryInbox) -> None:
    await deliver(client)
    await deliver(client)
    await deliver(client, X_Hub_Signature_256="sha256=no")
    inbox.trouble = OSError("disk full")
    await deliver(client)
    found = await measured(client)
    told = {name: found[sample] for name, sample in OUTCOMES.items()}
    assert told == {"stored": 1, "known": 1, "refused": 1, "failed": 1, "shed": 0}


async def test_what_came_of_the_marketplaces_webhooks_is_counted_apart(
    clock: FakeClock, inbox: MemoryInbox, prices: MemoryPrices, database: Database, aiohttp_client: AiohttpClient
) -> None:
    listed, purchases = replace(settings(), marketplace_secrets=(OWN,)), MemoryInbox()
    app = make_app(listed, clock, inbox, prices, database.ping, database.backlog, database, purchases)
    client = await aiohttp_client(app)
    for secret in (OWN, OWN, "a stranger's"):
        await client.post("/webhook/marketplace", data=BODY, headers=signed(secret))
    purchases.trouble = OSError("disk full")
    assert (await client.post("/webhook/marketplace", data=BODY, headers=signed(OWN))).status == 503
    found = await measured(client)
    told = {name: found[f'bugmark_purchases_total{{outcome="{name}"}}'] for name in door.OUTCOMES}
    assert told == {"stored": 1, "known": 1, "refused": 1, "failed": 1, "shed": 0}
    assert not any(found[sample] for sample in OUTCOMES.values())


@pytest.mark.parametrize(
    "header", [None, "", TOKEN, "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
async def test_without_the_token_nothing_is_told(client: Client, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = await client.get("/metrics", headers=headers)
    assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "bugmark_" not in await response.text()


async def test_there_is_no_such_page_unless_a_token_is_set(
    clock: FakeClock, inbox: MemoryInbox, prices: MemoryPrices, database: Database, aiohttp_client: AiohttpClient
) -> None:
    unset = replace(settings(), metrics_token="")
    client = await aiohttp_client(make_app(unset, clock, inbox, prices, database.ping, database.backlog, database))
    for headers in ({}, HEADERS, {"Authorization": "Bearer "}):
        assert (await client.get("/metrics", headers=headers)).status == 404


async def test_a_database_that_does_not_answer_is_no_backlog_of_nothing(client: Client, database: Database) -> None:
    database.trouble = OSError("hush")
    response = await client.get("/metrics", headers=HEADERS)
    assert response.status == 503
    assert "hush" not in await response.text()
