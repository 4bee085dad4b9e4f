"""The endpoints of sweep and doctor × every fault; all others are in tests/stories/test_fault_matrix.py."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.doctor.finding import Mark
from app.doctor.github import github as doctor
from app.github.client import GitHub, open_session
from app.github.sweep import Sweep
from app.settings import Settings
from app.storage.db import Database
from sandbox.clock import FixedClock
from sandbox.testing import START_AT, RunningSandbox, running_sandbox
from tests.faults import FAULTS, TIMEOUTS, possible
from tests.sandbox.conftest import MANIFEST
from tests.sandbox.receiver import Receiver, receiving

DELIVERIES = {"GET": "^GET /app/hook/deliveries$", "POST": r"^POST /app/hook/deliveries/\d+/attempts$"}
DOCTORS = ("/app", "/app/hook/config", "/app/installations", "/app/hook/deliveries")


@dataclass
class Post:
    """An app whose webhooks come to a receiver."""

    sandbox: RunningSandbox
    hook: Receiver
    clock: FixedClock
    github: GitHub
    settings: Settings

    async def fault(self, match: str, fault: str) -> None:
        await self.sandbox.control("POST", "/faults", {"endpoints": {"match": match, **FAULTS[fault]}})


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    clock = FixedClock(START_AT)
    async with running_sandbox(clock, validate=False) as sandbox, receiving() as hook, open_session() as session:
        app: Any = await sandbox.control("POST", "/apps", {"manifest": MANIFEST, "webhook_url": hook.url})
        settings = Settings(
            database_url="sqlite+aiosqlite:///none.db",
            github_api_url=sandbox.url,
            app_id=str(app["id"]),
            private_key=app["pem"],
            webhook_secrets=(app["webhook_secret"],),
            public_url=f"http://{uuid.uuid4()}.example",
        )
        yield Post(sandbox, hook, clock, GitHub(settings, clock, session, TIMEOUTS), settings)


async def lose_one(post: Post) -> None:
    await post.sandbox.control("POST", "/repositories", {"owner": "ann", "name": "pump"})
    await post.sandbox.control("POST", "/faults", {"deliveries": {"kind": "lose"}})
    app = next(iter(post.sandbox.state.apps))
    await post.sandbox.control("POST", "/installations", {"app_id": app, "owner": "ann"})
    await post.sandbox.idle()
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
    assert all(plan.times == 1 for plan in post.sandbox.inside.endpoint_faults.planned), "it struck"


@pytest.mark.parametrize(("path", "fault"), [(path, fault) for path in DOCTORS for fault in possible("GET")])
async def test_the_doctor_says_what_it_could_not_read(post: Post, path: str, fault: str) -> None:
    await post.fault(f"^GET {path}$", fault)
    found = [finding async for finding in doctor(post.settings, post.github)]
    struck = {finding.what for finding in found if finding.mark is not Mark.OK}
    assert struck, fault
    assert post.settings.webhook_secrets[0] not in str(found)
