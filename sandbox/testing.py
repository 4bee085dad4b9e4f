"""For tests, of this and of other projects: a sandbox in the test's own event loop, or as a process of its own.

async with running_sandbox(FixedClock(1_700_000_000)) as sandbox:
    app = await sandbox.control("POST", "/apps", {"manifest": manifest, "webhook_url": url})
    await sandbox.control("POST", "/repositories", {"owner": "ann", "name": "pump"})
    issue = await sandbox.as_person("bob", "POST", "/repos/ann/pump/issues", {"title": "It leaks"})
    await sandbox.idle()

Whatever was not as GitHub describes it fails the test at the end of the block.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import jwt

from sandbox.application import serve
from sandbox.chance import Chance, make_pem
from sandbox.clock import Clock, FixedClock
from sandbox.endpoints import given
from sandbox.errors import ApiError
from sandbox.server import Sandbox
from sandbox.state import Json, State
from sandbox.validation import KINDS, Violation

AGENT = {"User-Agent": "sandbox-testing"}
ROOT = Path(__file__).resolve().parent.parent
START_AT = 1_700_000_000


@cache
def one_pem() -> str:
    """The same key for all apps of a test run: making one takes long."""
    return make_pem()


def seeded(seed: int = 1) -> Chance:
    return Chance(random.Random(seed), one_pem)


def app_jwt(app_id: int | str, pem: str, now: int) -> str:
    return jwt.encode({"iat": now - 60, "exp": now + 540, "iss": str(app_id)}, pem, algorithm="RS256")


@dataclass
class Client:
    """Calls a sandbox over HTTP, wherever it runs."""

    url: str
    session: aiohttp.ClientSession

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """A call under `/_sandbox`; raises AssertionError with the answer unless it is 2xx."""
        return await self.checked(method, f"/_sandbox{path}", body, {})

    async def as_person(self, login: str, method: str, path: str, body: Any = None) -> Any:
        return await self.checked(method, path, body, {"Authorization": f"token sandbox-{login}"})

    async def checked(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        async with self.session.request(method, self.url + path, json=body, headers={**AGENT, **headers}) as response:
            if response.status >= 300:
                raise AssertionError(f"{method} {path}: {response.status} {await response.text()}")
            return await response.json() if response.status != 204 else None

    async def call(
        self, method: str, path: str, body: Any = None, bearer: str | None = None, **headers: str
    ) -> tuple[int, Any, Any]:
        """Status, JSON body and headers of any call; nothing is followed and nothing raised."""
        sent = {**AGENT, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if bearer:
            sent["Authorization"] = f"Bearer {bearer}"
        url = path if path.startswith("http") else self.url + path
        async with self.session.request(method, url, json=body, headers=sent, allow_redirects=False) as response:
            text = await response.text()
            is_json = response.content_type == "application/json" and text
            return response.status, (await response.json() if is_json else text), response.headers

    async def idle(self, within: float = 600, quiet_millis: int = 0) -> None:
        await self.control("GET", f"/idle?timeout={within}&quiet={quiet_millis}")


@dataclass
class RunningSandbox(Client):
    """A sandbox in this process; its state may be looked into."""

    inside: Sandbox

    @property
    def state(self) -> State:
        return self.inside.state

    @property
    def clock(self) -> Clock:
        return self.inside.clock

    @property
    def violations(self) -> list[Violation]:
        return self.inside.violations.found

    def app_jwt(self, app: Json) -> str:
        return app_jwt(app["id"], app["pem"], self.clock.now())

    async def installation_token(self, app: Json, installation_id: int, narrowed: Json | None = None) -> str:
        path = f"/app/installations/{installation_id}/access_tokens"
        status, body, _ = await self.call("POST", path, narrowed, self.app_jwt(app))
        if status != 201:
            raise ApiError(status, body["message"])
        token: str = body["token"]
        return token


@contextlib.asynccontextmanager
async def running_sandbox(
    clock: Clock | None = None,
    chance: Chance | None = None,
    validate: bool = True,
    hook_timeout: float = 10.0,
    held: Collection[str] = KINDS,
) -> AsyncIterator[RunningSandbox]:
    """Raises AssertionError at its end for violations of the kinds in `held`.

    A test that makes wrong requests on purpose leaves out `request`.
    """
    inside = Sandbox(clock or FixedClock(START_AT), chance or seeded(), validate, hook_timeout)
    runner = await serve(inside, "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            yield RunningSandbox(inside.url, session, inside)
    finally:
        await runner.cleanup()
    if wrong := [violation for violation in inside.violations.found if violation.kind in held]:
        raise AssertionError(f"not as GitHub describes it: {wrong}")


@contextlib.asynccontextmanager
async def sandbox_process(options: Sequence[str] = ()) -> AsyncIterator[Client]:
    """`python -m sandbox` on a free port; `options` as on its command line, say `["--clock", "file:offset"]`."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", *options]
    with tempfile.TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=errors, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        try:
            ready = (await asyncio.wait_for(given(process.stdout).readline(), 600)).decode()
            if not ready.startswith("sandbox ready at "):
                raise RuntimeError(said(errors))
            async with aiohttp.ClientSession() as session:
                yield Client(ready.split()[-1], session)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


def said(errors: Any) -> str:
    errors.seek(0)
    text: str = errors.read().decode(errors="replace")
    return f"the sandbox did not start: {text}"


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
