"""What locks several contracts takes them in one order; where two still wait for each other, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from app.market.terms.contract import Status
from app.services.life import halting
from app.services.life.issue_checks import BUSY_SECONDS
from app.storage.engine.db import Database, DatabaseBusy
from app.storage.market import contracts
from app.storage.people import places
from tests.clocks import FakeClock
from tests.run.test_looks import InterruptedOracle
from tests.services.desk import BY, DAY, ISSUE, REPOSITORY, Desk
from tests.services.lives import ADAM, BETH, IS_OPEN, closed

OTHER = 102


async def beside(desk: Desk, first: int, second: int, work: Callable[[], Awaitable[object]]) -> None:
    """While somebody has the first contract locked and comes to want the second one, too."""
    async with desk.db.transaction() as tx:
        await contracts.get(tx, first, lock=True)
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0.3)
        await contracts.get(tx, second, lock=True)
    await task


async def test_news_locks_what_pools_tie_to_its_contracts_in_order(desk: Desk) -> None:
    """Both offers of Adam's share a budget: what stops the one brings the other back."""
    await desk.furnish((ISSUE, OTHER))
    first = (await desk.offer(ADAM, "buy fixed 100 at 500 pool", issue=OTHER)).contract.id
    second = (await desk.offer(ADAM, "buy fixed 100 at 500 pool")).contract.id
    await beside(desk, first, second, lambda: desk.note(closed(desk.clock.now())))
    assert (await desk.contract(second)).status is Status.HALTED


async def test_an_answer_that_tells_of_a_return_locks_all_contracts_of_the_repository_in_order(desk: Desk) -> None:
    await desk.furnish((ISSUE, OTHER))
    first = (await desk.offer(ADAM, "buy fixed 100 at 500", issue=OTHER)).contract.id
    second = (await desk.offer(ADAM, "buy fixed 100 at 500")).contract.id
    await desk.run(lambda tx: halting.note_away(tx, {REPOSITORY}, desk.clock.now()))
    desk.oracle.facts = IS_OPEN
    at = desk.clock.advance(DAY)
    await beside(desk, first, second, lambda: desk.look(second))
    assert (await desk.contract(second)).status is Status.OPEN
    assert (await desk.contract(first)).next_look_at == at
    assert (await desk.look(first)).status is Status.OPEN


@pytest.mark.parametrize("again", [False, True])
async def test_an_answer_older_than_a_departure_tells_of_no_return(desk: Desk, again: bool) -> None:
    """The App leaves while GitHub is asked: for the first time, or once more."""
    number = (await desk.offer(ADAM, "buy fixed 100 at 500")).contract.id
    if again:
        await desk.run(lambda tx: halting.note_away(tx, {REPOSITORY}, desk.clock.now()))
    desk.oracle = oracle = InterruptedOracle(IS_OPEN)

    async def it_leaves() -> None:
        desk.clock.advance(1)
        if again:
            await desk.run(lambda tx: halting.note_back(tx, {REPOSITORY}, desk.clock.now()))
        await desk.run(lambda tx: halting.note_away(tx, {REPOSITORY}, desk.clock.now()))

    oracle.meanwhile = it_leaves
    assert (await desk.look(number)).status is Status.HALTED


WAITS_HERE = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND pid IN
    (SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database WHERE datname = current_database())
"""


async def test_a_look_that_the_database_ends_is_begun_again_soon(postgres_url: str, clock: FakeClock) -> None:
    """Its connection is cut while it waits for Beth's account; so it is where two wait for each other."""
    desk = Desk(Database(postgres_url), clock)
    await desk.furnish()
    number = (await desk.offer(BETH, "buy unfixed 200 at 800")).contract.id
    clock.set(BY)
    desk.oracle.facts = IS_OPEN
    async with desk.db.transaction() as tx:
        await places.lock_users(tx, {BETH})
        look = asyncio.create_task(desk.look(number))
        while not (await tx.execute(text(WAITS_HERE))).all():
            await asyncio.sleep(0.01)
        with pytest.raises(DatabaseBusy):
            await look
    row = await desk.contract(number)
    assert (row.status, row.next_look_at) == (Status.OPEN, BY + BUSY_SECONDS)
    assert (await desk.look(number)).status is Status.HALTED
    await desk.db.close()
