"""What every answer carries, and what becomes of a bug."""

from __future__ import annotations

import json

import pytest
import structlog
from aiohttp import web
from aiohttp.web import Application
from pytest_aiohttp.plugin import AiohttpClient

from app.web.listening import make_runner
from tests.clocks import START_AT
from tests.web.conftest import Client, Database


async def broken(_request: web.Request) -> web.Response:
    raise RuntimeError("hush")


async def teapot(_request: web.Request) -> web.Response:
    raise web.HTTPConflict(text="so be it")


async def test_a_healthy_process_says_so(client: Client) -> None:
    response = await client.get("/healthz")
    assert (response.status, await response.json()) == (200, {"ok": True})


async def test_a_database_that_does_not_answer_is_not_healthy(client: Client, database: Database) -> None:
    database.trouble = OSError("hush")
    response = await client.get("/healthz")
    assert (response.status, await response.json()) == (503, {"ok": False})


@pytest.mark.parametrize(
    ("age", "status", "told"),
    [
        (0, 200, {"ok": True, "worker_seconds": 0}),
        (30, 200, {"ok": True, "worker_seconds": 30}),
        (31, 503, {"ok": False, "worker_seconds": 31}),
        (None, 503, {"ok": False, "worker_seconds": None}),
    ],
)
async def test_whoever_asks_about_the_worker_hears_when_its_last_sign_was(
    client: Client, database: Database, age: int | None, status: int, told: dict[str, object]
) -> None:
    database.beat_at = None if age is None else START_AT - age
    response = await client.get("/healthz?worker")
    assert (response.status, await response.json()) == (status, told)
    assert (await client.get("/healthz")).status == 200


async def test_the_front_page_says_what_this_is(client: Client) -> None:
    response = await client.get("/")
    page = await response.text()
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "/bugmark help" in page
    assert 'href="/docs/commands"' in page
    assert "<script" not in page


@pytest.mark.parametrize("path", ["/", "/healthz", "/badge/ann/tool/5.svg", "/webhook", "/none", "/broken"])
async def test_every_answer_carries_the_same_headers(
    application: Application, aiohttp_client: AiohttpClient, path: str
) -> None:
    application.router.add_get("/broken", broken)
    response = await (await aiohttp_client(application)).get(path)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["Server"] == "bugmark"


async def test_a_bug_is_loud_in_the_log_and_plain_outside(
    application: Application, aiohttp_client: AiohttpClient
) -> None:
    application.router.add_get("/broken", broken)
    client = await aiohttp_client(application)
    with structlog.testing.capture_logs() as logs:
        answers = [await (await client.get("/broken")).json() for _ in range(2)]
    assert [entry["incident"] for entry in logs] == [answer["incident"] for answer in answers]
    assert answers[0]["incident"] != answers[1]["incident"]
    assert logs[0]["log_level"] == "error"
    assert "hush" not in json.dumps(answers)


async def test_an_answer_raised_on_purpose_passes(application: Application, aiohttp_client: AiohttpClient) -> None:
    application.router.add_get("/teapot", teapot)
    response = await (await aiohttp_client(application)).get("/teapot")
    assert (response.status, await response.text()) == (409, "so be it")


async def test_the_runner_serves(application: Application) -> None:
    runner = make_runner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert runner.addresses[0][1] > 0
    finally:
        await runner.cleanup()
