"""GitHub's part, played by the sandbox: what the app asks is answered from real state, and its webhooks are at hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from app.base.settings import Settings
from app.github.api.client import GitHub, open_session
from app.github.inbound.events import Events
from app.github.oracle.oracle import GitHubOracle
from app.github.oracle.presence import Presence
from app.github.oracle.transfers import Transfers
from app.github.reading.payloads import Payload, read_place
from app.github.rules.rules_file import Configs
from app.market.life.facts import IssueFacts
from app.market.terms.contract import Status, Terms, digest
from app.market.terms.statement import IssueFixed, text_of
from app.services.rules.in_force import StoredConfigs
from app.storage.engine.db import Database
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow
from app.storage.people import places
from app.storage.people.places import Place
from app.storage.queues.inbox import Delivery
from sandbox.clock import FixedClock
from sandbox.testing import RunningSandbox, running_sandbox
from tests.clocks import START_AT
from tests.endpoints import unknown
from tests.runners import runner_of

NOWHERE = "http://127.0.0.1:9/hook"
"""Nobody listens there: webhooks are taken from the sandbox's record instead."""

DAY = 86_400
TERMS = Terms("play:1", 0, DAY, "UNFIXED", "UNFIXED", "allow", "1")


@dataclass
class Ground:
    """ann/pump with the App installed and one issue, known to the app by its first event."""

    sandbox: RunningSandbox
    db: Database
    clock: FixedClock
    github: GitHub
    app: Any
    installation_id: int = 0
    handed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        stored, configs = StoredConfigs(), Configs(self.db, self.github, self.clock)
        self.presence = Presence(self.db, self.github, self.clock)
        self.transfers = Transfers(self.db, self.github, self.clock)
        self.oracle = GitHubOracle(self.github, self.presence, self.transfers)
        runner = runner_of(self.db, self.oracle, self.clock, stored)
        self.events = Events(self.db, runner, self.github, self.clock, configs, self.presence, self.transfers)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        return await self.sandbox.control(method, path, body)

    async def install(self, owner: str = "ann", repositories: Any = "all") -> int:
        body = {"app_id": self.app["id"], "owner": owner, "repositories": repositories}
        self.installation_id = (await self.control("POST", "/installations", body))["id"]
        return self.installation_id

    async def open_issue(self, where: str = "ann/pump", by: str = "bob") -> Any:
        return await self.sandbox.as_person(by, "POST", f"/repos/{where}/issues", {"title": "It leaks"})

    def sent(self) -> list[Any]:
        """Webhooks that were not handed over yet, oldest first."""
        return [one for one in self.sandbox.state.deliveries.values() if one.id not in self.handed]

    async def hand(self, delivery: Any) -> None:
        self.handed.add(delivery.id)
        payload = json.dumps(delivery.payload).encode()
        await self.events.deal_with(
            Delivery(delivery.id, delivery.guid, delivery.event, payload, self.clock.now(), attempts=1)
        )

    async def hear(self, *, backwards: bool = False) -> None:
        """All webhooks that wait, in the order of their causes, or the last one first."""
        for delivery in self.sent()[:: -1 if backwards else 1]:
            await self.hand(delivery)

    async def place(self, issue: Any) -> Place:
        async with self.db.reading() as tx:
            found = await places.place(tx, issue["id"])
        assert found
        return found

    def place_of(self, full_name: str, number: int) -> Place:
        """As an event would tell it, known or not."""
        state, shapes = self.sandbox.state, self.sandbox.inside.shapes
        repository = state.repository_named(full_name)
        assert repository
        issue = shapes.issue(repository, repository.issues[number])
        tree = {"issue": issue, "repository": shapes.repository(repository)}
        return read_place(Payload({**tree, "installation": {"id": self.installation_id}}))

    async def facts(self, number: int = 1, full_name: str = "ann/pump") -> IssueFacts | None:
        return await self.oracle.issue_facts(self.place_of(full_name, number))

    async def contract(self, issue: Any) -> int:
        statement = text_of(IssueFixed(issue["id"], 1))
        async with self.db.transaction() as tx:
            made = await contracts.create(
                tx,
                issue_id=issue["id"],
                statement_text=statement,
                statement_hash=digest(statement),
                round=1,
                maturation_at=START_AT + 90 * DAY,
                currency=TERMS.currency,
                terms_text=TERMS.text(),
                terms_hash=digest(TERMS.text()),
                status=Status.OPEN.value,
                created_at=self.clock.now(),
                next_look_at=START_AT + 90 * DAY,
            )
        return made.id

    async def row(self, contract_id: int) -> ContractRow:
        async with self.db.reading() as tx:
            found = await contracts.get(tx, contract_id)
        assert found
        return found

    def user(self, login: str) -> int:
        return self.sandbox.inside.world.account(login).id


@asynccontextmanager
async def ground_of(db: Database) -> AsyncIterator[Ground]:
    """At its end nothing was asked that GitHub does not describe, or that the fault matrix does not strike."""
    clock = FixedClock(START_AT)
    async with running_sandbox(clock) as sandbox, open_session() as session:
        manifest = yaml.safe_load(Path("app.yml").read_text(encoding="utf-8"))
        body = {"name": "BugMark", "manifest": manifest, "webhook_url": NOWHERE}
        app = await sandbox.control("POST", "/apps", body)
        settings = Settings(
            database_url="sqlite+aiosqlite:///none.db",
            github_api_url=sandbox.url,
            app_id=str(app["id"]),
            private_key=app["pem"],
            webhook_secrets=("secret",),
            public_url="https://bugmark.example",
        )
        ground = Ground(sandbox, db, clock, GitHub(settings, clock, session), app)
        await sandbox.control("POST", "/repositories", {"owner": "ann", "name": "pump"})
        await ground.install()
        yield ground
        assert unknown(sandbox.inside.requests) == set()
