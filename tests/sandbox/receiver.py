"""A webhook receiver of a test: keeps what it is sent and answers what it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Received:
    event: str
    guid: str
    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> Any:
        return json.loads(self.body)

    @property
    def name(self) -> str:
        action = self.payload.get("action")
        return f"{self.event}.{action}" if action else self.event

    def signed_with(self, secret: str) -> bool:
        digest = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return self.headers["X-Hub-Signature-256"] == f"sha256={digest}"


@dataclass
class Receiver:
    url: str = ""
    status: int = 202
    hanging: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    received: list[Received] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        headers = dict(request.headers)
        event, guid = headers["X-GitHub-Event"], headers["X-GitHub-Delivery"]
        self.received.append(Received(event, guid, headers, await request.read()))
        if self.hanging:
            await self.ended.wait()
        return web.Response(status=self.status)

    def names(self) -> list[str]:
        return [one.name for one in self.received]

    def last(self, name: str) -> Any:
        return [one for one in self.received if one.name == name][-1].payload


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/webhook", receiver.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"
    try:
        yield receiver
    finally:
        receiver.ended.set()
        await runner.cleanup()
