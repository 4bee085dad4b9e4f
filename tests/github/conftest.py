"""A client that talks to a played GitHub."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from app.github.api.client import GitHub, open_session
from app.github.api.transport import Timeouts
from tests.clocks import FakeClock
from tests.github.play import Play, reply, settings


@pytest.fixture
async def play() -> AsyncIterator[Play]:
    """Installations 1 and 2, and a repository 7 named ann/tool."""
    play = Play()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", play.handle)
    async with TestServer(app) as server:
        play.url = str(server.make_url("/")).rstrip("/")
        for installation_id in (1, 2):
            play.on(f"POST /app/installations/{installation_id}/access_tokens", play.token)
        play.on("GET /repositories/7", reply({"id": 7, "full_name": "ann/tool"}))
        yield play


@pytest.fixture
async def github(play: Play, clock: FakeClock) -> AsyncIterator[GitHub]:
    async with open_session() as session:
        yield GitHub(settings(play.url), clock, session, Timeouts(connect=5, total=5))
