"""Where a day is played: a sandbox, web and worker as processes of their own, one clock for all of them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from app.storage.engine.db import Database
from sandbox.testing import Client, app_jwt, free_port, sandbox_process
from tests.chaos.lines import LABEL, START_AT
from tests.chaos.script import REPOSITORIES, Day, Owner

TICK_SECONDS = 0.1
READY_SECONDS = 600
NEXT = re.compile(r'<([^>]+)>; rel="next"')


class Stuck(Exception):
    """What should have happened did not."""


@dataclass(slots=True)
class Timepiece:
    """The clock that app and sandbox read: real time and an offset in a file, moved on in small steps."""

    path: Path
    rate: int

    def __post_init__(self) -> None:
        self.jump_to(START_AT)

    def now(self) -> int:
        return int(time.time()) + int(self.path.read_text())

    def jump_to(self, instant: int) -> None:
        """Only ever forward."""
        if not self.path.exists() or instant > self.now():
            self._write(instant - int(time.time()))

    def move(self, seconds: int) -> None:
        self._write(int(self.path.read_text()) + seconds)

    def _write(self, offset: int) -> None:
        """By rename: nobody reads half a number."""
        new = self.path.with_suffix(".new")
        new.write_text(str(offset))
        new.rename(self.path)

    async def run(self) -> None:
        """One real second is `rate` seconds."""
        owed = 0.0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            owed += TICK_SECONDS * (self.rate - 1)
            self.move(int(owed))
            owed -= int(owed)


@dataclass(slots=True)
class Programs:
    """Web and worker."""

    environment: dict[str, str]
    log: Path
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, name: str) -> None:
        with self.log.open("ab") as output:
            self.running[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "app", name, env=self.environment, stdout=output, stderr=output
            )

    async def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        if await process.wait() != -signal.SIGKILL:
            raise Stuck(f"{name} had ended by itself; see {self.log}")

    async def watch(self) -> None:
        """Nobody ends them but we."""
        while True:
            await asyncio.sleep(1)
            if ended := [name for name, process in self.running.items() if process.returncode is not None]:
                raise Stuck(f"{ended} ended by itself; see {self.log}")

    async def stop(self) -> None:
        for process in self.running.values():
            if process.returncode is None:
                process.terminate()
                await process.wait()


@dataclass(slots=True)
class Ground:
    """Everything that runs, and what GitHub made: `issues` as (owner, index) → where it is now."""

    github: Client
    db: Database
    clock: Timepiece
    programs: Programs
    app: dict[str, Any]
    app_url: str
    owners: list[Owner]
    names: dict[tuple[int, int], str] = field(default_factory=dict)
    owner_ids: dict[int, int] = field(default_factory=dict)
    issues: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)

    async def start(self, name: str) -> None:
        await self.programs.start(name)
        if name == "serve":
            await self.ready()

    async def ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with suppress(aiohttp.ClientError):
                async with self.github.session.get(f"{self.app_url}/healthz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)
        raise Stuck(f"the web does not come up; see {self.programs.log}")

    def full_name(self, owner: int, repository: int) -> str:
        return f"{self.owners[owner].login}/{self.names[owner, repository]}"

    def path(self, owner: int, issue: int) -> str:
        found = self.issues[owner, issue]
        return f"/repos/{self.full_name(owner, found['repository'])}/issues/{found['number']}"

    async def deliveries(self) -> tuple[int, int]:
        """How many attempts of the last three days failed, and how many were asked for again."""
        lost = again = 0
        path = "/app/hook/deliveries?per_page=100"
        while path:
            bearer = app_jwt(self.app["id"], self.app["pem"], self.clock.now())
            _, found, headers = await self.github.call("GET", path, bearer=bearer)
            lost += sum(not 200 <= (attempt["status_code"] or 0) < 300 for attempt in found)
            again += sum(attempt["redelivery"] for attempt in found)
            following = NEXT.search(headers.get("Link", ""))
            path = following[1] if following else ""
        return lost, again

    async def furnish(self, app_id: int) -> None:
        """In one order, so that everything has the same ids in every run."""
        for number, owner in enumerate(self.owners):
            for index, name in enumerate(REPOSITORIES):
                await self._repository(number, index, owner, name)
        everybody = sorted({person for owner in self.owners for person in owner.people})
        for person in everybody:
            await self.github.as_person(person, "GET", f"/repos/{self.full_name(0, 0)}")
        for number, owner in enumerate(self.owners):
            wanted = {"app_id": app_id, "owner": owner.login, "repositories": "all"}
            await self.github.control("POST", "/installations", wanted)
            for issue in range(owner.issues):
                await self._issue(number, issue, issue % 2)

    async def _repository(self, number: int, index: int, owner: Owner, name: str) -> None:
        full_name = f"{owner.login}/{name}"
        made = await self.github.control("POST", "/repositories", {"owner": owner.login, "name": name})
        self.names[number, index] = name
        self.owner_ids[number] = made["owner"]["id"]
        rights = {"repository": full_name, "login": owner.keeper, "role": "triage"}
        await self.github.control("PUT", "/permissions", rights)
        label = {"name": LABEL, "color": "ff0000"}
        await self.github.as_person(owner.login, "POST", f"/repos/{full_name}/labels", label)
        if owner.rules:
            file = {"repository": full_name, "path": ".github/bugmark.yml", "content": owner.rules}
            await self.github.control("PUT", "/files", file)

    async def _issue(self, number: int, issue: int, repository: int) -> None:
        path = f"/repos/{self.full_name(number, repository)}/issues"
        made = await self.github.as_person(self.owners[number].author, "POST", path, {"title": f"It breaks {issue}"})
        self.issues[number, issue] = {"repository": repository, "number": made["number"], "id": made["id"]}


@asynccontextmanager
async def ground(day: Day, url: str, folder: Path, rate: int, validate: bool) -> AsyncIterator[Ground]:
    """Furnished, with web and worker running and the clock at the day's beginning."""
    clock = Timepiece(folder / "clock", rate)
    port = free_port()
    options = ["--clock", f"file:{clock.path}", *([] if validate else ["--no-validate"])]
    async with sandbox_process(options) as github:
        app_url = f"http://127.0.0.1:{port}"
        manifest = yaml.safe_load(Path("app.yml").read_text())
        wanted = {"name": "BugMark", "manifest": manifest, "webhook_url": f"{app_url}/webhook"}
        app = await github.control("POST", "/apps", wanted)
        programs = Programs(_environment(url, github.url, app, app_url, clock.path, port), folder / "log")
        found = Ground(github, Database(url), clock, programs, app, app_url, day.owners)
        try:
            for name in ("serve", "worker"):
                await found.start(name)
            await found.furnish(app["id"])
            yield found
        finally:
            await programs.stop()
            await found.db.close()


def _environment(
    url: str, github_url: str, app: dict[str, Any], app_url: str, clock: Path, port: int
) -> dict[str, str]:
    return {
        **os.environ,
        "BUGMARK_DATABASE_URL": url,
        "BUGMARK_GITHUB_API_URL": github_url,
        "BUGMARK_APP_ID": str(app["id"]),
        "BUGMARK_PRIVATE_KEY": app["pem"],
        "BUGMARK_WEBHOOK_SECRET": app["webhook_secret"],
        "BUGMARK_PUBLIC_URL": app_url,
        "BUGMARK_CLOCK": f"file:{clock}",
        "PORT": str(port),
    }
