"""One sandbox per test, with an app installed on ann/pump and a receiver for its webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.clock import FixedClock
from sandbox.testing import START_AT, RunningSandbox, running_sandbox
from tests.sandbox.receiver import Receiver, receiving

MANIFEST = {
    "name": "BugMark",
    "default_permissions": {
        "issues": "write",
        "contents": "read",
        "pull_requests": "read",
        "checks": "write",
    },
    "default_events": [
        "issues",
        "issue_comment",
        "label",
        "milestone",
        "repository",
        "push",
        "release",
        "pull_request",
        "check_run",
        "security_advisory",
    ],
}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START_AT)


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def sandbox(clock: FixedClock) -> AsyncIterator[RunningSandbox]:
    """Whatever a test asks, nothing that the sandbox sends may break GitHub's description."""
    async with running_sandbox(clock, held=("answer", "webhook")) as running:
        yield running


@dataclass
class Installed:
    sandbox: RunningSandbox
    hook: Receiver
    app: Any
    installation_id: int
    token: str

    async def bot(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        return await self.sandbox.call(method, path, body, self.token, **headers)

    async def issue(self, title: str = "It leaks", by: str = "bob") -> Any:
        return await self.sandbox.as_person(by, "POST", "/repos/ann/pump/issues", {"title": title, "body": "Drip."})

    async def comment(self, body: str = "Me too", by: str = "bob", number: int = 1) -> Any:
        return await self.sandbox.as_person(by, "POST", f"/repos/ann/pump/issues/{number}/comments", {"body": body})


@pytest.fixture
async def installed(sandbox: RunningSandbox, hook: Receiver) -> Installed:
    app = await sandbox.control("POST", "/apps", {"manifest": MANIFEST, "webhook_url": hook.url})
    await sandbox.control("POST", "/repositories", {"owner": "ann", "name": "pump"})
    made = await sandbox.control(
        "POST", "/installations", {"app_id": app["id"], "owner": "ann", "repositories": ["pump"]}
    )
    token = await sandbox.installation_token(app, made["id"])
    await sandbox.idle()
    return Installed(sandbox, hook, app, made["id"], token)
