"""The whole app beside the sandbox, in one process: a comment goes in as a person's, the reply is read as a person."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio
import yaml
from aiohttp.test_utils import TestServer
from sqlalchemy import func, or_, select

from app.base.settings import Settings
from app.github.api.transport import Timeouts
from app.run import bootstrap
from app.run.worker import Worker
from app.services.audit.audit import audit
from app.services.life.announcing import GATHER_SECONDS
from app.storage.engine.db import Database
from app.storage.engine.tables import commands, outbox
from app.storage.queues import announcements
from app.storage.queues.outbox import SENT, WAITING
from bench.servers import free_port
from sandbox.clock import clock_from
from sandbox.server import LoggedRequest
from sandbox.testing import running_sandbox
from tests.conditions import PATIENCE_SECONDS, begin, offset, set_offset
from tests.databases import SqliteDatabases
from tests.endpoints import unknown
from tests.leaks import no_secret_logged
from tests.remembered import check_remembered

if TYPE_CHECKING:
    from tests.stories.stage import Stage, Story

DAY = 86_400
OWNER, NAME = "mozilla", "blocked"
TIMER_SECONDS = 0.1
"""The app's own, five times as long, has stories wait for nothing."""

SECRET = "a secret for the stories"


@dataclass
class Thread:
    """One issue's thread, seen from outside."""

    session: aiohttp.ClientSession
    url: str
    app_url: str
    clock: Path
    db: Database
    path: str = ""
    html_url: str = ""
    number: int = 0
    owner: str = OWNER
    name: str = NAME
    at_work: Database | None = None
    """The worker's own view of the database, with what it remembers."""

    async def call(self, method: str, path: str, person: str = "", body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer sandbox-{person}"} if person else {}
        async with self.session.request(method, self.url + path, json=body, headers=headers) as answer:
            assert answer.status < 400, (method, path, answer.status, await answer.text())
            return await answer.json() if answer.status != 204 else None

    def now(self) -> int:
        return int(datetime.now(UTC).timestamp()) + offset(self.clock)

    def day(self, days: int) -> str:
        return datetime.fromtimestamp(self.now() + days * DAY, UTC).strftime("%Y-%m-%d")

    def move(self, seconds: int) -> None:
        set_offset(self.clock, offset(self.clock) + seconds)

    async def open_issue(self, title: str = "It crashes") -> None:
        issue = await self.call("POST", f"/repos/{self.owner}/{self.name}/issues", "dana", {"title": title})
        self.number = issue["number"]
        self.path = f"/repos/{self.owner}/{self.name}/issues/{self.number}"
        self.html_url = issue["html_url"]

    async def comment(self, person: str, text: str) -> int:
        found: int = (await self.call("POST", f"{self.path}/comments", person, {"body": text}))["id"]
        return found

    async def say(self, person: str, text: str) -> str:
        """Comment, and the bot's reply to that comment."""
        return await self.reply_to(await self.comment(person, text))

    async def reply_to(self, comment: int, holds: str = "") -> str:
        """The newest part of the bot's reply to a comment, once it is sent as it is wanted."""
        seen: tuple[str, str] | None = None

        async def look() -> str | None:
            nonlocal seen
            seen = await self._told(comment)
            return seen[0] if seen and seen[1] == SENT else None

        key = await wait_for(look, lambda: f"no reply to {comment}; there is: {seen}")
        return newest_part(await self.bot(f"{key} -->", holds))

    async def _told(self, comment: int) -> tuple[str, str] | None:
        """The key and the state of the reply that tells of a comment's newest command."""
        newest = select(commands.c.told_in).where(commands.c.comment_id == comment).order_by(commands.c.id.desc())
        async with self.db.reading() as tx:
            key = (await tx.execute(newest.limit(1))).scalar()
            found = (await tx.execute(select(outbox.c.key, outbox.c.state).where(outbox.c.key == key))).first()
        return (found.key, found.state) if found else None

    async def comments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.call("GET", f"{self.path}/comments?per_page=100", "reader")
        return found

    async def bot(self, marker: str, holds: str = "") -> str:
        """The bot's comment with this marker, waited for until it is there and holds the words."""
        seen = ""

        async def look() -> str | None:
            nonlocal seen
            await self.let_announce(marker)
            for comment in await self.comments():
                if comment["body"].startswith(f"<!-- bugmark:{marker}") and comment["user"]["type"] == "Bot":
                    seen = str(comment["body"])
                    assert re.match(r"<!-- bugmark:\S+ -->\nBugMark · ", seen), seen
                    return seen if holds in seen else None
            return None

        return await wait_for(look, lambda: f"no {marker} with {holds!r}; it was: {seen}")

    async def let_announce(self, marker: str, issue_id: int | None = None) -> None:
        """Let the time go by in which an announcement waits for the one before it to be read."""
        if not marker.startswith(announcements.KINDS):
            return
        waits = outbox.c.kind == "notice", outbox.c.state == WAITING, outbox.c.remote_id.is_(None)
        here = [] if issue_id is None else [outbox.c.issue_id == issue_id]
        key = [outbox.c.key.startswith(kind) for kind in announcements.KINDS]
        async with self.db.reading() as tx:
            due_at = (await tx.execute(select(func.min(outbox.c.due_at)).where(*waits, *here, or_(*key)))).scalar()
        if due_at is not None and GATHER_SECONDS < due_at - self.now() <= announcements.GAP_SECONDS:
            self.move(due_at - self.now())

    async def board(self, holds: str = "") -> str:
        return await self.bot("board:", holds)

    async def reactions(self, comment_id: int) -> list[str]:
        path = f"/repos/{self.owner}/{self.name}/issues/comments/{comment_id}/reactions"
        return [reaction["content"] for reaction in await self.call("GET", path, "reader")]

    async def close(self, reason: str = "completed", person: str = "") -> None:
        await self.call("PATCH", self.path, person or self.owner, {"state": "closed", "state_reason": reason})

    async def reopen(self, person: str = "") -> None:
        await self.call("PATCH", self.path, person or self.owner, {"state": "open"})

    async def settled(self) -> str:
        return await self.bot("settlement:")

    async def money(self, person: str) -> tuple[str, str]:
        """What a person has free and held, from the bot's own words."""
        reply = await self.say(person, "/bugmark balance")
        found = re.search(r"You have [\d,.]+ play tokens in .*: ([\d,.]+) free, ([\d,.]+) held", reply)
        assert found, reply
        return found[1], found[2]

    async def quiet(self) -> None:
        """Until every webhook is answered and the app has dealt with everything."""
        await self.call("GET", f"/_sandbox/idle?timeout={PATIENCE_SECONDS}")

    async def check(self) -> None:
        """Nothing that GitHub would refuse, and every invariant holds."""
        assert await self.call("GET", "/_sandbox/violations") == []
        report = await audit(self.db)
        assert report.problems == []
        await self.look_at_memory()

    async def look_at_memory(self) -> None:
        """What the worker remembers of contracts is what is stored."""
        if self.at_work is not None:
            await check_remembered(self.at_work)


def newest_part(body: str) -> str:
    """A reply without the older answers that fold below the newest."""
    return re.sub(r"\n\n<details><summary>\d+ earlier answers?</summary>.*", "", body, flags=re.DOTALL)


async def wait_for(look: Callable[[], Awaitable[str | None]], why: Callable[[], str]) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = await look()
                if found is not None:
                    return found
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(why())


@dataclass
class Work:
    """The app's worker, which can be stopped and started anew."""

    settings: Settings
    db: Database
    timeouts: Timeouts | None = None
    _ending: AsyncExitStack = field(default_factory=AsyncExitStack)

    _worker: Worker | None = None

    async def rest(self) -> None:
        """Until nothing is under way: what is would end by another clock than it began with, if that were moved now."""
        while self._worker is not None and self._worker.busy:
            await asyncio.sleep(0.005)

    async def start(self) -> None:
        worker = await self._ending.enter_async_context(bootstrap.worker(self.settings, self.db, self.timeouts))
        worker.timer_seconds = TIMER_SECONDS
        self._worker = worker
        task = asyncio.create_task(worker.run())

        async def ended() -> None:
            worker.stopping.set()
            await task

        self._ending.push_async_callback(ended)

    async def stop(self) -> None:
        self._worker = None
        await self._ending.aclose()


@asynccontextmanager
async def running_app(
    settings: Settings, server: TestServer, timeouts: Timeouts | None = None, works: list[Work] | None = None
) -> AsyncIterator[Database]:
    """Web and worker of the app, as `serve` and `worker` run them.

    At its end no secret stands in what it logged, and it has asked GitHub nothing but what the fault matrix strikes.
    """
    db = Database(settings.database_url)
    with no_secret_logged(settings.secrets()):
        await server.start_server(access_log=None)
        work = Work(settings, db, timeouts)
        await work.start()
        if works is not None:
            works.append(work)
        try:
            yield db
        finally:
            await work.stop()
            await server.close()
            await db.close()
    assert unknown(await requests_of(settings.github_api_url)) == set()


async def requests_of(sandbox_url: str) -> list[LoggedRequest]:
    """What the sandbox was asked, as far back as it knows."""
    async with aiohttp.ClientSession() as session, session.get(f"{sandbox_url}/_sandbox/requests") as answer:
        return [LoggedRequest(**request) for request in await answer.json()]


async def install_app(thread: Thread) -> dict[str, Any]:
    """Register the App by its manifest, make a repository and install it there; returns what registering gave."""
    manifest = yaml.safe_load(Path("app.yml").read_text())
    body = {"name": "BugMark", "manifest": manifest, "webhook_url": f"{thread.app_url}/webhook"}
    app: dict[str, Any] = await thread.call("POST", "/_sandbox/apps", body=body)
    await thread.call("POST", "/_sandbox/repositories", body={"owner": OWNER, "name": NAME})
    install = {"app_id": app["id"], "owner": OWNER, "repositories": "all"}
    await thread.call("POST", "/_sandbox/installations", body=install)
    return app


@pytest.fixture
async def thread(database_url: str, tmp_path: Path) -> AsyncIterator[Thread]:
    """A repository with the app installed and one open issue."""
    clock, port = tmp_path / "clock", free_port()
    begin(clock)
    async with running_sandbox(clock_from(f"file:{clock}")) as sandbox, aiohttp.ClientSession() as session:
        found = Thread(session, sandbox.url, f"http://127.0.0.1:{port}", clock, Database(database_url))
        app = await install_app(found)
        settings = Settings(
            database_url=database_url,
            github_api_url=sandbox.url,
            app_id=str(app["id"]),
            private_key=app["pem"],
            webhook_secrets=(app["webhook_secret"],),
            public_url=found.app_url,
            clock=f"file:{clock}",
            budgets="none",
        )
        server = TestServer(bootstrap.web_app(settings, found.db), port=port)
        async with running_app(settings, server) as found.at_work:
            await found.open_issue()
            yield found
            await found.check()
        await found.db.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    request: pytest.FixtureRequest, sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """What the stories of a module share, on SQLite.

    Holding every call to GitHub's description takes a quarter of the time: a module whose calls others make, too, says
    `VALIDATED = False`.
    """
    from tests.stories.stage import running_stage  # late, since it builds upon this file

    folder = tmp_path_factory.mktemp("stage")
    with sqlite_databases.migrated(folder) as url:
        async with running_stage(url, folder, getattr(request.module, "VALIDATED", True)) as found:
            yield found


@pytest_asyncio.fixture(loop_scope="module")
async def story(stage: Stage) -> AsyncIterator[Story]:
    """A story of its own on the module's stage; at its end every invariant of all of them holds."""
    found = await stage.story()
    yield found
    await found.check()


@pytest_asyncio.fixture(loop_scope="module")
async def each_story(database_url: str, tmp_path: Path) -> AsyncIterator[Story]:
    """A story with a stage to itself, once on SQLite and once on PostgreSQL."""
    from tests.stories.stage import running_stage  # late, since it builds upon this file

    async with running_stage(database_url, tmp_path) as stage:
        found = await stage.story()
        yield found
        await found.check()
