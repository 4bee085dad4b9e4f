"""The endpoints of sweep and doctor × every fault; all others are in tests/stories/test_fault_matrix.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.base.settings import Settings
from app.doctor.finding import Finding, Mark
from app.doctor.github import github as doctor
from app.github.api.client import GitHub, open_session
from app.github.inbound.redelivery import Sweep
from app.storage.engine.db import Database
from sandbox.clock import FixedClock
from sandbox.server import LoggedRequest
from sandbox.testing import START_AT, RunningSandbox, running_sandbox
from tests.endpoints import unknown
from tests.faults import FAULTS, LIMITS, TIMEOUTS, possible
from tests.sandbox.receiver import Receiver, receiving

DELIVERIES = {"GET": "^GET /app/hook/deliveries$", "POST": r"^POST /app/hook/deliveries/\d+/attempts$"}
DOCTORS = {
    "/app": "GitHub",
    "/app/hook/config": "webhook",
    "/app/hook/deliveries": "webhook secret",
    "/app/installations": "installations",
}
"""What the doctor asks, and which of its findings comes of that alone."""

SOUND = {"GitHub", "permissions", "events", "webhook", "webhook secret", "installations"}


@dataclass
class Post:
    """An app whose webhooks come to a receiver, as its settings say."""

    sandbox: RunningSandbox
    hook: Receiver
    clock: FixedClock
    github: GitHub
    settings: Settings

    async def fault(self, match: str, fault: str) -> None:
        await self.sandbox.control("POST", "/faults", {"endpoints": {"match": match, **FAULTS[fault]}})

    def struck(self, fault: str) -> bool:
        """Whether the one fault that was planned did: a plan has gone when it has struck as often as it may."""
        left = [plan.times or 0 for plan in self.sandbox.inside.endpoint_faults.planned]
        return sum(left) < int(FAULTS[fault].get("times", 1))

    async def install(self) -> None:
        await self.sandbox.control("POST", "/repositories", {"owner": "ann", "name": "pump"})
        app = next(iter(self.sandbox.state.apps))
        await self.sandbox.control("POST", "/installations", {"app_id": app, "owner": "ann"})
        await self.sandbox.idle()

    async def doctor(self) -> list[Finding]:
        return [found async for found in doctor(self.settings, self.github)]


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    clock = FixedClock(START_AT)
    async with running_sandbox(clock, validate=False) as sandbox, receiving() as hook, open_session() as session:
        manifest = yaml.safe_load(Path("app.yml").read_text(encoding="utf-8"))
        app: Any = await sandbox.control("POST", "/apps", {"manifest": manifest, "webhook_url": hook.url})
        settings = Settings(
            database_url="sqlite+aiosqlite:///none.db",
            github_api_url=sandbox.url,
            app_id=str(app["id"]),
            private_key=app["pem"],
            webhook_secrets=(app["webhook_secret"],),
            public_url=hook.url.removesuffix("/webhook"),
        )
        yield Post(sandbox, hook, clock, GitHub(settings, clock, session, TIMEOUTS), settings)
        assert unknown(sandbox.inside.requests) == set()


async def lose_one(post: Post) -> None:
    await post.sandbox.control("POST", "/faults", {"deliveries": {"kind": "lose"}})
    await post.install()
    assert post.hook.received == []


@pytest.mark.parametrize(("method", "fault"), [(method, fault) for method in DELIVERIES for fault in possible(method)])
async def test_what_was_lost_is_brought_back_whatever_strikes_the_sweep(
    sqlite_url: str, post: Post, method: str, fault: str
) -> None:
    await lose_one(post)
    await post.fault(DELIVERIES[method], fault)
    db = Database(sqlite_url)
    sweep = Sweep(db, post.github, post.clock, most_waiting=1_000)
    for _ in range(5):
        post.clock.advance(300)
        await sweep.run()
        await post.sandbox.idle()
    await db.close()
    (lost,) = {one.guid for one in post.sandbox.state.deliveries.values()}
    assert {one.guid for one in post.hook.received} == {lost}
    assert len(post.hook.received) <= 3
    assert post.struck(fault)


async def test_the_doctor_finds_nothing_wrong_where_nothing_is(post: Post) -> None:
    await post.install()
    assert {finding.what: finding.mark for finding in await post.doctor()} == dict.fromkeys(SOUND, Mark.OK)


@pytest.mark.parametrize(("path", "fault"), [(path, fault) for path in DOCTORS for fault in possible("GET")])
async def test_the_doctor_says_what_it_could_not_read(post: Post, path: str, fault: str) -> None:
    await post.install()
    await post.fault(f"^GET {path}$", fault)
    found = await post.doctor()
    bad = [finding.what for finding in found if finding.mark is not Mark.OK]
    assert bad[:1] == [DOCTORS[path]]
    assert len(bad) == 1 or fault in LIMITS, "at a limit nothing more is asked as the App"
    assert post.struck(fault)
    assert not [secret for secret in post.settings.secrets() if secret in str(found)]


def test_an_endpoint_that_nothing_strikes_is_told() -> None:
    paths = {
        "/repositories/7": "ours",
        "/repositories/7/issues/1/timeline?page=2": "ours, by the repository's id",
        "/repos/ann/pump/tags": "not in any table",
        "/rate_limit": "served by the sandbox, and not in any table",
    }
    asked = [
        LoggedRequest(1, 0, "bugmark[bot]", "GET", path, 200, "bugmark (+https://bugmark.example)") for path in paths
    ]
    assert unknown(asked) == {"GET /rate_limit", "GET /repos/ann/pump/tags"}
    assert unknown([LoggedRequest(1, 0, "ann", "GET", "/user", 200, "a browser")]) == set()
