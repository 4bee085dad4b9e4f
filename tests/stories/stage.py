"""One sandbox and one running app for many stories: each gets an owner, a repository and an issue of its own."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp.test_utils import TestServer
from sqlalchemy import Table, func, select

from app.base.settings import Settings
from app.github.api.transport import Timeouts
from app.market.exchange.spoken import Blank
from app.market.ledger.journal import unit_currency
from app.market.terms.contract import Side
from app.run import bootstrap
from app.storage.engine.db import Database
from app.storage.engine.tables import (
    balances,
    contracts,
    deliveries,
    fills,
    net_paid,
    offers,
    outbox,
    positions,
    postings,
)
from app.storage.market.contracts import ContractRow, of_issue, of_thread
from app.storage.queues import budgets
from bench.servers import free_port
from sandbox.clock import clock_from
from sandbox.server import LoggedRequest
from sandbox.state import Comment, Issue, Repository
from sandbox.testing import RunningSandbox, running_sandbox
from sandbox.world import Actor
from tests.conditions import begin
from tests.stories.conftest import Thread, Work, running_app, wait_for

APP_LOGIN, OPERATOR = "bugmark[bot]", "octocat"
"""The App itself, and who owns it at the sandbox."""

METRICS_TOKEN = "the-operators-own-token"
CORRECTION = re.compile(r"Try `(/bugmark [^`]+)`\.")
OF_CONTRACTS = (offers, fills, positions, net_paid)


def handed_out(answer: str) -> list[str]:
    """The commands to copy at the end of a refusal."""
    return re.findall(r"`(/bugmark [^`]+)`", answer.rpartition(" Try ")[2].partition("\n")[0])


def blank(command: str) -> bool:
    """Whether something must be filled in first."""
    return bool(set(command.split(" ")) & set(Blank))


Json = dict[str, Any]


@dataclass
class Stage:
    """What the stories of a module share. Its clock only ever goes forward."""

    sandbox: RunningSandbox
    session: aiohttp.ClientSession
    app_url: str
    clock: Path
    db: Database
    app: Json
    settings: Settings
    work: Work
    stories: int = 0

    async def story(self) -> Story:
        """A new owner with a repository in which the app is installed, and an open issue."""
        self.stories += 1
        owner = f"owner-{self.stories}"
        await self.sandbox.control("DELETE", "/faults")
        assert self.sandbox.violations == []
        await self.sandbox.control("POST", "/repositories", {"owner": owner, "name": "blocked"})
        install = {"app_id": self.app["id"], "owner": owner, "repositories": "all"}
        await self.sandbox.control("POST", "/installations", install)
        place = self.session, self.sandbox.url, self.app_url, self.clock, self.db
        story = Story(*place, owner=owner, name="blocked", stage=self, at_work=self.work.db)
        await story.open_issue()
        await story.calm()
        return story

    async def deliver(self, event: str, payload: Json, guid: str = "") -> None:
        """Post a webhook as GitHub would, past the sandbox's own queue."""
        body = json.dumps(payload).encode()
        digest = hmac.new(str(self.app["webhook_secret"]).encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": guid or str(uuid.uuid4()),
            "X-Hub-Signature-256": f"sha256={digest}",
        }
        async with self.session.post(f"{self.app_url}/webhook", data=body, headers=headers) as answer:
            assert answer.status == 202, await answer.text()


@dataclass
class Story(Thread):
    """A thread whose GitHub and whose database can be looked into."""

    stage: Stage = field(kw_only=True)
    known: set[str] = field(default_factory=set)
    """Who has an account here: opening it is the one thing that a refused command may bring with it."""

    @property
    def repository(self) -> Repository:
        found = self.stage.sandbox.state.repository_named(f"{self.owner}/{self.name}")
        assert found
        return found

    @property
    def issue(self) -> Issue:
        return self.repository.issues[self.number]

    async def bot(self, marker: str, holds: str = "") -> str:
        """Looks into the sandbox until it is there, then reads it as a person does."""

        async def peek() -> str | None:
            await self.let_announce(marker, self.issue.id)
            return next((str(found.id) for found in self.written(marker) if holds in found.body), None)

        number = await wait_for(peek, lambda: f"no {marker} with {holds!r}; there is: {self.bodies('')}")
        with contextlib.suppress(TimeoutError):  # what was sent is noted too, unless something else never ends
            async with asyncio.timeout(20):
                await self.stage.work.rest()
        path = f"/repos/{self.owner}/{self.name}/issues/comments/{number}"
        return str((await self.call("GET", path, "reader"))["body"])

    def written(self, marker: str) -> list[Comment]:
        """What the app has written here under this marker, oldest first."""
        start = f"<!-- bugmark:{marker}"
        found = [comment for comment in self.issue.comments.values() if comment.user.login == APP_LOGIN]
        return [comment for comment in found if comment.body.startswith(start)]

    def bodies(self, marker: str) -> list[str]:
        return [comment.body for comment in self.written(marker)]

    async def say(self, person: str, text: str) -> str:
        return (await self.said(person, text))[1]

    async def said(self, person: str, text: str) -> tuple[int, str]:
        """A comment's id and the reply to it."""
        comment = await self.comment(person, text)
        reply = await self.reply_to(comment)
        self.known.add(person)
        return comment, reply

    async def comment_beside(self, person: str, text: str) -> int:
        """Comment without the API, so that a fault planned for it strikes the app alone."""
        world = self.stage.sandbox.inside.world
        return world.write_comment(Actor(world.account(person)), self.repository, self.issue, text).id

    async def verdict(self, comment: int) -> list[str]:
        """The app's reactions but the eyes, which only say that an answer took a while."""
        return sorted(content for content in await self.reactions(comment) if content != "eyes")

    async def edit(self, person: str, comment: int, text: str) -> None:
        path = f"/repos/{self.owner}/{self.name}/issues/comments/{comment}"
        await self.call("PATCH", path, person, {"body": text})

    async def delete(self, person: str, comment: int) -> None:
        await self.call("DELETE", f"/repos/{self.owner}/{self.name}/issues/comments/{comment}", person)

    async def fault(self, **plan: Any) -> None:
        """Plan one fault, such as `endpoints={…}` or `deliveries={…}`."""
        await self.call("POST", "/_sandbox/faults", body=plan)

    async def refused(self, person: str, text: str, holds: str) -> str:
        """Comment and be refused with these words; nothing that is money or units changes. Returns the reply."""
        if person not in self.known:
            await self.say(person, "/bugmark balance")
        before = await self.ledger()
        comment, reply = await self.said(person, text)
        assert reply.count("😕") == 1 and holds in reply, reply
        assert "🚀" not in reply, reply
        assert await self.verdict(comment) == ["confused"]
        assert await self.ledger() == before
        return reply

    async def mended(self, person: str, text: str, holds: str) -> str:
        """Be refused, then say what the refusal hands out first: that works. Returns the reply to it.

        What has a blank is refused and changes nothing.
        """
        reply = await self.refused(person, text, holds)
        found = handed_out(reply)
        assert found, reply
        if blank(found[0]):
            return await self.refused(person, found[0], "")
        again = await self.say(person, found[0])
        assert "🚀" in again and "😕" not in again, (found[0], again)
        return again

    async def calm(self) -> None:
        """Until everything about this issue is dealt with and sent, letting time go by for what waits."""

        async def nothing_left() -> str | None:
            await self.quiet()
            await self.stage.work.rest()
            due = await self.next_due()
            if due is None:
                return "calm"
            if due > self.now():
                self.move(due - self.now())
            return None

        await wait_for(nothing_left, lambda: f"still busy with {self.path}")

    async def wants_to_say(self, key: str) -> None:
        """Until the app has a message of this key that it has yet to send, or has sent."""

        async def look() -> str | None:
            async with self.db.reading() as tx:
                return (await tx.execute(select(outbox.c.key).where(outbox.c.key == key))).scalar()

        await wait_for(look, lambda: f"the app does not want to say {key}")

    async def requested(self, wanted: Callable[[LoggedRequest], bool], after: int = 0) -> None:
        """Until the sandbox has answered such a request, later than the one with this number."""
        log = self.stage.sandbox.inside.requests

        async def look() -> str | None:
            return "it came" if any(wanted(request) for request in list(log) if request.number > after) else None

        await wait_for(look, lambda: "no such request came")
        await self.quiet()

    async def swept(self) -> None:
        """Until the app has looked through GitHub's list of deliveries once more."""
        last = self.stage.sandbox.inside.requests[-1].number
        await self.requested(lambda request: "/app/hook/deliveries" in request.path, after=last)

    async def next_due(self) -> int | None:
        """When the app has to deal with something of this issue or its installation; None if with nothing.

        What GitHub refuses until somebody takes a bar away is left alone.
        """
        installation = next(
            found.id for found in self.stage.sandbox.state.installations.values() if found.covers(self.repository)
        )
        lanes = f"issue:{self.issue.id}", f"repository:{self.repository.id}", f"installation:{installation}"
        came = select(func.min(deliveries.c.due_at)).where(
            deliveries.c.lane.in_(lanes), deliveries.c.state == "waiting"
        )
        barred = func.coalesce(outbox.c.error, "").startswith("Forbidden")
        goes = select(func.min(outbox.c.due_at)).where(
            outbox.c.issue_id == self.issue.id, outbox.c.state == "waiting", ~barred
        )
        async with self.db.reading() as tx:
            dealt, sent = [(await tx.execute(statement)).scalar() for statement in (came, goes)]
            held = (await budgets.hold_of(tx, installation)).until_at
        found = [dealt, sent and max(sent, held)]
        return min((due for due in found if due is not None), default=None)

    async def until(self, holds: Callable[[ContractRow], bool]) -> ContractRow:
        """Waits for something of this issue's only contract."""
        rows: list[ContractRow] = []

        async def look() -> str | None:
            nonlocal rows
            async with self.db.reading() as tx:
                rows = await of_issue(tx, self.issue.id)
            return "so it is" if len(rows) == 1 and holds(rows[0]) else None

        await wait_for(look, lambda: f"the contract stays {rows}")
        return rows[0]

    async def ledger(self) -> Json:
        """Every row of this story that is money, units or an offer, and which contracts there are."""
        made = [contracts.c[name] for name in ("id", "round", "maturation_at", "open_interest", "minted_mills")]
        async with self.db.reading() as tx:
            ids = [row.id for row in await of_thread(tx, self.issue.id)]
            money = f"play:{self.repository.owner.id}"
            moved = [money, *(unit_currency(number, side) for number in ids for side in Side)]
            wanted = {
                contracts: select(*made).where(contracts.c.id.in_(ids)),
                balances: select(balances).where(balances.c.currency == money),
                postings: select(postings).where(postings.c.currency.in_(moved)),
                **{table: select(table).where(table.c.contract_id.in_(ids)) for table in OF_CONTRACTS},
            }
            return {
                table.name: [tuple(row) for row in await tx.execute(rows.order_by(*table.primary_key))]
                for table, rows in wanted.items()
            }

    async def count(self, table: Table) -> int:
        """How many rows of one of the ledger's tables are this story's."""
        return len((await self.ledger())[table.name])

    def last_payload(self, event: str, action: str) -> Json:
        """The newest webhook of this repository: what was sent, as a tree of its own."""
        sent = [
            delivery.payload
            for delivery in self.stage.sandbox.state.deliveries.values()
            if (delivery.event, delivery.action, delivery.repository_id) == (event, action, self.repository.id)
        ]
        copied: Json = json.loads(json.dumps(sent[-1]))
        return copied


@asynccontextmanager
async def running_stage(
    database_url: str,
    folder: Path,
    validated: bool = True,
    timeouts: Timeouts | None = None,
    ours: Path | None = None,
) -> AsyncIterator[Stage]:
    """A sandbox, an App registered there by its manifest, and the app itself.

    The app's clock is the sandbox's, or that of the file `ours`.
    """
    clock, port = folder / "clock", free_port()
    app_url = f"http://127.0.0.1:{port}"
    for file in {clock, ours or clock}:
        begin(file)
    sandbox_clock = clock_from(f"file:{clock}")
    async with running_sandbox(sandbox_clock, validate=validated) as sandbox, aiohttp.ClientSession() as session:
        manifest = yaml.safe_load(Path("app.yml").read_text())
        body = {"name": "BugMark", "manifest": manifest, "webhook_url": f"{app_url}/webhook", "owner": OPERATOR}
        app = await sandbox.control("POST", "/apps", body)
        settings = Settings(
            database_url=database_url,
            github_api_url=sandbox.url,
            app_id=str(app["id"]),
            private_key=app["pem"],
            webhook_secrets=(app["webhook_secret"],),
            public_url=app_url,
            clock=f"file:{ours or clock}",
            budgets="none",
            metrics_token=METRICS_TOKEN,
            marketplace_secrets=("of the listing",),
        )
        db = Database(database_url)
        server = TestServer(bootstrap.web_app(settings, db), port=port)
        works: list[Work] = []
        async with running_app(settings, server, timeouts, works):
            yield Stage(sandbox, session, app_url, clock, db, app, settings, works[0])
        await db.close()
