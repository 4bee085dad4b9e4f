"""A door that is no comment: orders handed straight to the gate, which asks the sandbox as the app itself would."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from app.base.clock import clock_from
from app.commands.help import help_text
from app.github.api.client import GitHub, open_session
from app.github.oracle.oracle import GitHubOracle
from app.github.oracle.presence import Presence
from app.github.oracle.transfers import Transfers
from app.github.rules.rules_file import Configs
from app.replies.results import ThreadVoice
from app.services.orders.gate import Gate
from app.services.orders.order import Order, Receipt, Visit, at_known
from app.services.rules.in_force import StoredConfigs
from app.storage.queues.commands import ReceiptKey
from app.thread.asking import asked
from tests.stories.stage import Stage, Story


@dataclass
class BareDoor:
    """Whoever comes here is who they say: a door of its own would have asked GitHub."""

    gate: Gate
    keys: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def order(self, story: Story, login: str, command: str) -> Receipt:
        """`command` as somebody would write it in a comment."""
        user = story.stage.sandbox.inside.world.account(login).id
        now, text = self.gate.clock.now(), command.removeprefix("/bugmark ")
        visit = Visit(
            user_id=user,
            login=login,
            cause=f"api:{story.issue.id}:{user}",
            issued_at=now,
            received_at=now,
            seen=None,
            meet=at_known(story.issue.id),
            voice=ThreadVoice(help_text),
        )
        key = ReceiptKey("api", f"{story.issue.id}:{user}:{next(self.keys)}", text)
        return await self.gate.execute(Order(visit, asked(text, now), key))

    async def refused(self, story: Story, login: str, command: str, why: str) -> None:
        """Be refused with these words; nothing that is money or units changes."""
        await self.order(story, login, "/bugmark balance")
        before = await story.ledger()
        receipt = await self.order(story, login, command)
        assert not receipt.done and why in receipt.answer, (login, command, receipt)
        assert await story.ledger() == before, (login, command)


@asynccontextmanager
async def bare_door(stage: Stage) -> AsyncIterator[BareDoor]:
    clock = clock_from(stage.settings.clock)
    async with open_session() as session:
        github = GitHub(stage.settings, clock, session)
        presence, transfers = Presence(stage.db, github, clock), Transfers(stage.db, github, clock)
        oracle, rules = GitHubOracle(github, presence, transfers), Configs(stage.db, github, clock)
        yield BareDoor(Gate(stage.db, oracle, clock, StoredConfigs(), rules.meet))
