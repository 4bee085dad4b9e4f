"""The demo: the app, a stand-in for GitHub and SQLite, and a conversation played through the thread.

It drives what it starts as anybody would, over HTTP: it knows the two programs by their command lines alone.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import click
import yaml

from app.run.demo_programs import (
    DemoFailed,
    alone,
    end_with,
    ended_by_signals,
    free_port,
    last_words,
    make_folder,
    started,
    until_ready,
    wait_for,
    while_all_run,
)

ONCE_SECONDS = 900
"""Limit of waiting if nobody watches; else the demo waits as long as the programs live."""
DAY = 86_400
OWNER, NAME = "mozilla", "blocked"
FOLDER = Path(".demo")
PAUSE_SECONDS = 10
"""Between two comments, by everybody's clock: the app writes about once a second, after five at once."""

Json = dict[str, Any]


@dataclass(slots=True)
class Stage:
    """The running programs and a way to talk to them."""

    session: aiohttp.ClientSession
    sandbox: str
    app: str
    clock: Path
    environment: dict[str, str]
    issue: str = ""
    thread: str = ""
    badge: str = ""
    programs: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    seen: int = 0
    patience_seconds: float | None = None

    async def call(self, method: str, path: str, person: str = "", body: Json | None = None) -> Any:
        headers = {"Authorization": f"Bearer sandbox-{person}"} if person else {}
        async with self.session.request(method, self.sandbox + path, json=body, headers=headers) as answer:
            if answer.status >= 400:
                raise DemoFailed(f"{method} {path} answered {answer.status}: {await answer.text()}")
            return await answer.json() if answer.status != 204 else None

    async def say(self, person: str, text: str) -> str:
        """Comment as a person, and wait for the bot's reply to that very comment; returns the reply."""
        self.move_clock(PAUSE_SECONDS)
        comment = await self.call("POST", f"{self.issue}/comments", person, {"body": text})
        reply = await self.bot_comment(f"reply:{comment['id']}", "a reply")
        await self.print_news()
        return reply

    async def bot_comment(self, marker: str, what: str, holds: str = "") -> str:
        """The text of the bot's comment whose marker begins so, waited for until it holds the words."""

        async def look() -> str | None:
            for comment in await self.comments():
                if str(comment["body"]).startswith(f"<!-- bugmark:{marker}") and holds in comment["body"]:
                    return str(comment["body"])
            return None

        return await wait_for(look, what, self.patience_seconds)

    async def comments(self) -> list[Json]:
        found: list[Json] = await self.call("GET", f"{self.issue}/comments?per_page=100")
        return found

    async def print_news(self) -> None:
        """Print the comments that came since the last time; the market comment only at the end."""
        for comment in await self.comments():
            if comment["id"] <= self.seen:
                continue
            self.seen = comment["id"]
            if not comment["body"].startswith("<!-- bugmark:board:"):
                print_comment(comment)

    async def open_issue(self, title: str, body: str) -> None:
        issue = await self.call("POST", f"/repos/{OWNER}/{NAME}/issues", "dana", {"title": title, "body": body})
        self.issue = f"/repos/{OWNER}/{NAME}/issues/{issue['number']}"
        self.thread = issue["html_url"]
        self.badge = f"{self.app}/badge/{OWNER}/{NAME}/{issue['number']}.svg"
        click.secho(f"\nIssue #{issue['number']}: {title}   {self.thread}", bold=True)

    def move_clock(self, seconds: int) -> None:
        """Move time forward for every program; replaced by rename, so that nobody reads half a number."""
        text = self.clock.read_text() if self.clock.exists() else "0"
        new = self.clock.with_suffix(".new")
        new.write_text(str(int(text or 0) + seconds))
        new.rename(self.clock)

    async def run(self, *words: str) -> int:
        async with started(["app", *words], self.environment) as process:
            return await process.wait()


def print_comment(comment: Json) -> None:
    """A comment as one reads it in a terminal."""
    text = re.sub(r"<!--.*?-->\s*|<details>.*?</details>\s*|</?sub>", "", str(comment["body"]), flags=re.S)
    click.secho(f"\n{comment['user']['login']}:", bold=True)
    for line in text.strip().splitlines():
        if line.strip():
            click.echo(f"  {line}")


def manifest() -> Json:
    found: Json = yaml.safe_load(Path("app.yml").read_text())
    return found


@asynccontextmanager
async def stage(folder: Path, patience_seconds: float | None = None) -> AsyncIterator[Stage]:
    """Everything started in a fresh folder: sandbox, database, web and worker."""
    clock = make_folder(folder) / "clock"
    sandbox_port, app_port = free_port(), free_port()
    sandbox, app = f"http://127.0.0.1:{sandbox_port}", f"http://127.0.0.1:{app_port}"
    log = folder / "sandbox.log"
    words = ["sandbox", "--port", str(sandbox_port), "--clock", f"file:{clock}"]
    async with aiohttp.ClientSession() as session, started(words, dict(os.environ), log) as github:
        await until_ready(session, f"{sandbox}/_sandbox/violations", "sandbox", github)
        found = Stage(session, sandbox, app, clock, {}, patience_seconds=patience_seconds)
        registered = await register(found)
        found.environment = environment(found, registered, folder, app_port)
        if await found.run("migrate"):
            raise DemoFailed("the database could not be made")
        async with (
            started(["app", "serve"], found.environment, folder / "web.log") as web,
            started(["app", "worker"], found.environment, folder / "worker.log") as worker,
        ):
            found.programs = {"sandbox": github, "web": web, "worker": worker}
            await until_ready(session, f"{app}/healthz", "web", web)
            await found.call("POST", "/_sandbox/repositories", body={"owner": OWNER, "name": NAME})
            install = {"app_id": registered["id"], "owner": OWNER, "repositories": "all"}
            await found.call("POST", "/_sandbox/installations", body=install)
            yield found


async def register(found: Stage) -> Json:
    """Register the App with the sandbox, by the same manifest that registers it with GitHub."""
    body = {"name": "BugMark", "manifest": manifest(), "webhook_url": f"{found.app}/webhook"}
    registered: Json = await found.call("POST", "/_sandbox/apps", body=body)
    return registered


def environment(found: Stage, registered: Json, folder: Path, port: int) -> dict[str, str]:
    key = folder / "key.pem"
    key.touch(mode=0o600)
    key.write_text(registered["pem"])
    return {
        **os.environ,
        "BUGMARK_DATABASE_URL": f"sqlite:///{folder / 'bugmark.db'}",
        "BUGMARK_GITHUB_API_URL": found.sandbox,
        "BUGMARK_APP_ID": str(registered["id"]),
        "BUGMARK_PRIVATE_KEY_FILE": str(key),
        "BUGMARK_WEBHOOK_SECRET": registered["webhook_secret"],
        "BUGMARK_PUBLIC_URL": found.app,
        "BUGMARK_CLOCK": f"file:{found.clock}",
        "PORT": str(port),
    }


async def play(found: Stage) -> None:
    """Partial work, resold: Adam wants a bug fixed, Beth works on it and sells on to Charles, who finishes."""
    await found.open_issue("Crash when a page has two canvases", "It crashes each time. Please fix it.")
    by = day(60)
    await found.say("adam", f"I need this fixed.\n\n/bugmark offer unfixed 200 at 0.80 by {by}")
    await found.say("beth", f"I will look into it.\n\n/bugmark offer fixed 200 at 0.20 by {by}")
    step("A week goes by. Beth has found the cause but has no time to finish.")
    found.move_clock(7 * DAY)
    await found.say("beth", "Found it: a shared buffer. Who takes over?\n\n/bugmark sell fixed 200 at 0.40")
    await found.say("charles", f"I do.\n\n/bugmark offer fixed 200 at 0.40 by {by}")
    step(f"Charles fixes it; {OWNER} closes the issue as completed.")
    close = {"state": "closed", "state_reason": "completed"}
    await found.call("PATCH", found.issue, OWNER, close)
    await found.bot_comment("window:", "the announcement of the verdict")
    await found.print_news()
    step("The dispute window goes by.")
    found.move_clock(2 * DAY + 1)
    await found.bot_comment("settlement:", "the settlement")
    await found.print_news()


async def leave_a_market(found: Stage) -> None:
    """A second issue with an open contract, to be traded by hand."""
    step("A second issue, left open to be tried by hand:")
    await found.open_issue("Scrolling is slow on long pages", "It takes seconds.")
    by = day(90)
    await found.say("erin", f"/bugmark offer unfixed 100 at 0.70 by {by}")
    await found.say("frank", f"I can do half of it.\n\n/bugmark offer fixed 60 at 0.30 by {by}")


def day(days: int) -> str:
    """The date so many days from now, as a command takes it."""
    return datetime.fromtimestamp(int(datetime.now(UTC).timestamp()) + days * DAY, UTC).strftime("%Y-%m-%d")


def step(text: str) -> None:
    click.secho(f"\n— {text}", fg="cyan")


async def check(found: Stage) -> None:
    """The money came out as it must: Beth +40, Charles +120, Adam -160, and every invariant holds."""
    text = await found.bot_comment("settlement:", "the settlement")
    for row in ("| @charles | 200.00 | 80.00 | +120.00 |", "| @adam | 0.00 | 160.00 | −160.00 |"):
        if row not in text:
            raise DemoFailed(f"the settlement should say {row}")
    if "1,040.00" not in await found.say("beth", "What have I got now?\n\n/bugmark balance"):
        raise DemoFailed("Beth should have 1,040.00")
    step("The audit of the demo's database:")
    if await found.run("audit"):
        raise DemoFailed("the audit found something wrong")


async def demo(once: bool) -> None:
    """Play the conversation; unless `once`, stay up to be tried by hand. Raises DemoFailed, Ended."""
    if "MAKELEVEL" in os.environ:  # make, or its shell, waits for us; without it nobody does
        end_with(os.getppid(), signal.SIGTERM)
    with alone(FOLDER), ended_by_signals() as all_played:
        try:
            async with stage(FOLDER, ONCE_SECONDS if once else None) as found:
                await while_all_run(found.programs, show(found))
                if not once:
                    all_played()
                    click.echo(f"\nTry it by hand at {found.sandbox} (be anybody, comment, close). Ctrl-C ends it.")
                    await while_all_run(found.programs, asyncio.Event().wait())
        except DemoFailed as error:
            raise DemoFailed(f"{error}\n{last_words(FOLDER)}") from None


async def show(found: Stage) -> None:
    await play(found)
    await check(found)
    step("The market comment, edited in place all along:")
    board = await found.bot_comment("board:", "the market comment", "settled FIXED")
    print_comment({"user": {"login": "bugmark[bot]"}, "body": board})
    await leave_a_market(found)
    click.secho("\ndemo: the conversation was played and paid to the mill.", fg="green", bold=True)
    click.echo(f"  thread  {found.thread}")
    click.echo(f"  badge   {found.badge}")
    click.echo(f"  logs    {FOLDER}/web.log, {FOLDER}/worker.log, {FOLDER}/sandbox.log")
