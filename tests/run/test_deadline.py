"""A GitHub that hangs: the comment hears that there was no answer, and what comes behind it in its lane goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from app.market.life.facts import IssueFacts
from app.services.orders import deadline
from app.services.orders.guards import GIVE_UP_SECONDS
from app.services.orders.order import NoAnswer
from app.services.rules.in_force import StoredConfigs
from app.storage.engine.db import Database
from app.storage.engine.tables import commands
from app.storage.people.places import Place
from app.thread.comment import Comment
from tests.clocks import FakeClock
from tests.runners import runner_of
from tests.services.desk import ISSUE, Desk, FakeOracle, place_of


@dataclass
class SlowOracle(FakeOracle):
    """Never comes to an end with one of its questions."""

    question: str = ""

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        await self._hang_at("issue")
        return IssueFacts(False, False)

    async def may_triage(self, place: Place, user_id: int, login: str) -> bool | None:
        await self._hang_at("rights")
        return True

    async def _hang_at(self, question: str) -> None:
        if self.question == question:
            await asyncio.Event().wait()


@pytest.fixture
async def desk(db: Database, clock: FakeClock) -> AsyncIterator[Desk]:
    found = Desk(db, clock)
    await found.furnish()
    yield found


def comment(desk: Desk) -> Comment:
    """Made a minute ago, so that GitHub has to be asked about the issue, and it takes rights."""
    at = desk.clock.now()
    body = "/bugmark market halt it looks odd"
    return Comment(1, body, None, 1, 1, "user1", at - 60, at - 60, at, place_of(ISSUE), IssueFacts(False, False))


async def know(_tx: Any, place: Place) -> Place:
    return place


async def answers(desk: Desk) -> list[str]:
    async with desk.db.reading() as tx:
        return list((await tx.execute(select(commands.c.answer))).scalars())


@pytest.mark.parametrize(
    ("question", "words"),
    [("issue", "GitHub gave no answer about this issue"), ("rights", "GitHub did not tell what you may do here")],
)
async def test_a_comment_whose_answer_hangs_is_tried_again_and_refused_after_an_hour(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, question: str, words: str
) -> None:
    monkeypatch.setattr(deadline, "ASKING_SECONDS", 0.2)
    runner = runner_of(desk.db, SlowOracle(question=question), desk.clock, StoredConfigs())
    said = comment(desk)
    with pytest.raises(NoAnswer):
        await runner.run(said, know)
    desk.clock.advance(GIVE_UP_SECONDS)
    await runner.run(said, know)
    (answer,) = await answers(desk)
    assert answer.startswith(words)
