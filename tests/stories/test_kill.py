"""kill -9 of web or worker at twenty points of a conversation: same balances, one reply for each comment."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from app.github.sweep import EVERY_SECONDS
from app.storage.db import Database
from app.worker import LEASE_SECONDS
from bench.servers import free_port
from sandbox.clock import clock_from
from sandbox.testing import running_sandbox
from tests.stories.conftest import DAY, Thread, install_app, wait_for

KILLS = 20
LATEST_KILL_SECONDS = 0.4
STEP_SECONDS = 1.0
TAKEN_OVER_SECONDS = max(LEASE_SECONDS, EVERY_SECONDS) + 10
"""After this what a dead worker held is taken over, and what a dead web did not take in is asked for again."""


@dataclass
class Programs:
    """Web and worker as processes of their own."""

    environment: dict[str, str]
    log: Path
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, name: str) -> None:
        with self.log.open("ab") as output:
            self.running[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "app", name, env=self.environment, stdout=output, stderr=output
            )

    async def kill(self, name: str) -> None:
        process = self.running[name]
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL, "it had ended by itself"

    async def stop(self) -> None:
        for process in self.running.values():
            if process.returncode is None:
                process.terminate()
                await process.wait()


@dataclass
class Trouble:
    """Kills one of the programs a random while after each thing that is done."""

    thread: Thread
    programs: Programs
    chance: random.Random
    killed: int = 0

    async def strike(self) -> None:
        victim = self.chance.choice(["serve", "worker"])
        await asyncio.sleep(self.chance.random() * LATEST_KILL_SECONDS)
        await self.programs.kill(victim)
        self.killed += 1
        await self.programs.start(victim)
        await self.ready()
        self.thread.move(TAKEN_OVER_SECONDS)

    async def ready(self) -> None:
        """Until the web answers; the worker, started with it, is about to."""

        async def look() -> str | None:
            with contextlib.suppress(aiohttp.ClientError):
                async with self.thread.session.get(f"{self.thread.app_url}/healthz") as answer:
                    return "ready" if answer.status == 200 else None
            return None

        await wait_for(look, lambda: "the web does not come up")

    async def say(self, person: str, text: str, strikes: int = 3) -> None:
        comment = await self.thread.comment(person, text)
        for _ in range(strikes):
            await self.strike()
        await self.appears(f"reply:{comment}")

    async def appears(self, marker: str) -> None:
        """Wait for the bot's comment, letting time go by for whatever waits to be taken over."""
        while not any(found["body"].startswith(f"<!-- bugmark:{marker}") for found in await self.thread.comments()):
            await asyncio.sleep(STEP_SECONDS)
            self.thread.move(TAKEN_OVER_SECONDS)


@asynccontextmanager
async def killable(url: str, folder: Path) -> AsyncIterator[Trouble]:
    clock, port = folder / "clock", free_port()
    async with running_sandbox(clock_from(f"file:{clock}")) as sandbox, aiohttp.ClientSession() as session:
        thread = Thread(session, sandbox.url, f"http://127.0.0.1:{port}", clock, Database(url))
        app = await install_app(thread)
        environment = {
            **os.environ,
            "BUGMARK_DATABASE_URL": url,
            "BUGMARK_GITHUB_API_URL": sandbox.url,
            "BUGMARK_APP_ID": str(app["id"]),
            "BUGMARK_PRIVATE_KEY": app["pem"],
            "BUGMARK_WEBHOOK_SECRET": app["webhook_secret"],
            "BUGMARK_PUBLIC_URL": thread.app_url,
            "BUGMARK_CLOCK": f"file:{clock}",
            "PORT": str(port),
        }
        programs = Programs(environment, folder / "log")
        for name in ("serve", "worker"):
            await programs.start(name)
        try:
            await thread.open_issue()
            yield Trouble(thread, programs, random.Random(7))
        finally:
            await programs.stop()
            await thread.db.close()


@pytest.mark.timeout(300)
async def test_kill_9_at_twenty_points_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async with killable(sqlite_url, tmp_path) as trouble:
        thread = trouble.thread
        by = thread.day(60)
        await trouble.say("adam", f"/bugmark offer unfixed 200 at 0.80 by {by}")
        await trouble.say("beth", f"/bugmark offer fixed 200 at 0.20 by {by}", strikes=4)
        await trouble.say("beth", "/bugmark sell fixed 200 at 0.40")
        await trouble.say("charles", f"/bugmark offer fixed 200 at 0.40 by {by}", strikes=4)
        await thread.close()
        for _ in range(3):
            await trouble.strike()
        await trouble.appears("window:")
        thread.move(DAY + 1)
        for _ in range(3):
            await trouble.strike()
        await trouble.appears("settlement:")
        assert trouble.killed == KILLS
        await thread.board("settled FIXED")
        money = {person: await thread.money(person) for person in ("adam", "beth", "charles")}
        assert money == {"adam": ("840.00", "0.00"), "beth": ("1,040.00", "0.00"), "charles": ("1,120.00", "0.00")}
        markers = Counter(
            comment["body"].splitlines()[0] for comment in await thread.comments() if comment["user"]["type"] == "Bot"
        )
        assert set(markers.values()) == {1}, markers
        kinds = Counter(marker.split(":")[1] for marker in markers)
        assert kinds == {"reply": 7, "board": 1, "window": 1, "settlement": 1}
        await thread.check()
