"""News of one second that contradict each other decide nothing: GitHub is asked (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.market.terms.contract import Status
from app.services.orders.guards import GIVE_UP_SECONDS
from app.services.orders.order import NoAnswer
from app.storage.engine.db import Database
from app.storage.market import contracts
from tests.github.ground import Ground, ground_of


@pytest.fixture
async def ground(sqlite_url: str) -> AsyncIterator[Ground]:
    db = Database(sqlite_url)
    async with ground_of(db) as found:
        yield found
    await db.close()


async def started(ground: Ground) -> tuple[Any, int]:
    issue = await ground.open_issue()
    await ground.hear()
    return issue, await ground.contract(issue)


async def turn(ground: Ground, *states: str) -> None:
    """All within one second."""
    for state in states:
        await ground.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", {"state": state})


async def due(ground: Ground) -> list[int]:
    async with ground.db.reading() as tx:
        return [row.id for row in await contracts.due(tx, ground.clock.now(), 10)]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("last", ["open", "closed"])
async def test_in_whatever_order_they_come_the_app_believes_what_github_says(
    ground: Ground, last: str, backwards: bool
) -> None:
    issue, contract = await started(ground)
    ground.clock.advance(60)
    await turn(ground, *(("closed", "open") if last == "open" else ("closed", "open", "closed")))
    await ground.hear(backwards=backwards)
    known = (await ground.place(issue)).issue
    assert (known.state, known.closed_at is None) == (last, last == "open")
    row = await ground.row(contract)
    assert row.status is Status.HALTED or last == "open"
    assert contract in await due(ground) or row.status is Status.OPEN


async def test_another_reason_in_the_same_second_is_asked_about(ground: Ground) -> None:
    issue, _ = await started(ground)
    ground.clock.advance(60)
    await turn(ground, "closed")
    body = {"state": "closed", "state_reason": "not_planned"}
    await ground.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", body)
    await ground.hear(backwards=True)
    assert (await ground.place(issue)).issue.state_reason == "not_planned"


async def test_without_an_answer_they_are_dealt_with_again_and_decide_nothing(ground: Ground) -> None:
    """After an hour nobody waits any more: the contracts are looked at, which asks again."""
    issue, contract = await started(ground)
    ground.clock.advance(60)
    await turn(ground, "closed", "open")
    closed, reopened = ground.sent()
    await ground.hand(reopened)
    fault = {"kind": "status", "match": "/repos/ann/pump/issues/1", "status": 502, "times": 9}
    await ground.control("POST", "/faults", {"endpoints": fault})
    with pytest.raises(NoAnswer):
        await ground.hand(closed)
    assert (await ground.place(issue)).issue.state == "open"
    assert (await ground.row(contract)).status is Status.OPEN
    assert await due(ground) == [contract]
    await ground.control("DELETE", "/faults")
    await ground.hand(closed)
    assert (await ground.place(issue)).issue.state == "open"
    assert GIVE_UP_SECONDS == 3600


async def test_news_of_one_second_that_agree_ask_nobody(ground: Ground) -> None:
    await started(ground)
    asked = len(ground.sandbox.inside.requests)
    await ground.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", {"title": "It pours"})
    await ground.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", {"body": "Still."})
    await ground.hear(backwards=True)
    paths = [request.path for request in list(ground.sandbox.inside.requests)[asked:] if request.method == "GET"]
    assert paths == []
