"""Contracts kept in memory: equal to what is stored whatever happened, and gone where that is not certain."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from sqlalchemy import event, update

from app.market.life.facts import IssueFacts
from app.market.terms.contract import Side, Status
from app.market.terms.errors import Refusal
from app.services.trading import offers
from app.storage.engine.db import Database, DatabaseBusy, rehearsal
from app.storage.engine.memory import Loan, Memory
from app.storage.engine.tables import contracts as table
from app.storage.market import contracts
from tests.clocks import FakeClock
from tests.remembered import check_remembered, kept
from tests.services.desk import BY, DAY, ISSUE, Desk, new_offer

ADAM, BETH, CARL, DORA = 1, 2, 3, 4
OTHER_ISSUE = 102


class Falls:
    """Makes the database fail at its nth call from now, a commit or a statement."""

    def __init__(self, db: Database) -> None:
        self.left = 0
        self.engine = db.engine.sync_engine

    @contextmanager
    def listening(self, what: str) -> Iterator[Falls]:
        event.listen(self.engine, what, self.count)
        try:
            yield self
        finally:
            event.remove(self.engine, what, self.count)

    def count(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise ConnectionResetError("the database went away")


class Walk:
    """Random commands of four people in two threads and three contracts each."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.random = desk, random.Random(seed)
        self.done = 0

    async def step(self) -> None:
        try:
            await self._command()
            self.done += 1
        except (Refusal, DatabaseBusy):
            await self.desk.check()

    async def _command(self) -> None:
        desk, draw = self.desk, self.random
        user, issue = draw.randint(ADAM, DORA), draw.choice((ISSUE, ISSUE, OTHER_ISSUE))
        by_at = BY + draw.choice((0, 0, 1, 2)) * DAY
        match draw.randrange(12):
            case 0 | 1 | 2 | 3 | 4 | 5:
                flags = draw.choice(("", "", "", " now", " whole", " now whole", " post", " pool", " leaves"))
                line = (
                    f"buy {draw.choice(('fixed', 'unfixed'))} {draw.randint(4, 60)} at {draw.randrange(300, 700, 50)}"
                )
                until_at = desk.clock.now() + draw.randint(1, 3) * DAY if draw.random() < 0.2 else None
                await desk.offer(user, line + flags, by_at, until_at, issue)
            case 6:
                side = draw.choice(tuple(Side))
                await desk.sell(user, side, draw.choice((None, 5, 9)), draw.choice((None, 450)), by_at, issue)
            case 7:
                await desk.cancel(user, issue=issue)
            case 8:
                await self._change(user, issue)
            case 9:
                context = desk.context(user, issue)
                await desk.run(lambda tx: offers.offer(tx, context, new_offer("buy fixed 20 at 500"), by_at, BY))
            case 10:
                await self._close(issue)
            case _:
                desk.clock.advance(draw.randint(1, DAY // 4))
                for number in sorted(kept(desk.db)):
                    await desk.sweep(number)

    async def _change(self, user: int, issue: int) -> None:
        context, draw = self.desk.context(user, issue), self.random
        number, volume, price = draw.randint(1, 40), draw.choice((None, 5, 70)), draw.choice((None, 400, 600))
        await self.desk.run(lambda tx: offers.change(tx, context, number, volume, price, None))

    async def _close(self, issue: int) -> None:
        """Closed, looked at, reopened and looked at: trading halts, a window opens and goes again."""
        desk = self.desk
        async with desk.db.reading() as tx:
            rows = await contracts.of_thread(tx, issue)
        for closed in (True, False):
            desk.clock.advance(5)
            at = desk.clock.now()
            desk.oracle.facts = IssueFacts(closed, closed, at if closed else None)
            for row in rows:
                await desk.look(row.id)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_done_what_is_remembered_is_what_is_stored(db: Database, clock: FakeClock, seed: int) -> None:
    """The desk looks after every step, and that each version rose with what there is to load."""
    desk = Desk(db, clock)
    await desk.furnish((ISSUE, OTHER_ISSUE))
    walk = Walk(desk, seed)
    for _ in range(70):
        await walk.step()
    assert walk.done > 20
    assert await check_remembered(db) > 0


@pytest.mark.parametrize("what", ["commit", "before_cursor_execute"])
async def test_commits_and_statements_that_fail_leave_nothing_wrong_behind(
    db: Database, clock: FakeClock, what: str
) -> None:
    desk = Desk(db, clock)
    await desk.furnish((ISSUE, OTHER_ISSUE))
    walk, falls = Walk(desk, 9), Falls(db)
    fallen = 0
    with falls.listening(what):
        for _ in range(60):
            falls.left = walk.random.choice((0, 1, 1, 2)) if what == "commit" else walk.random.randint(0, 60)
            desk.audited, before = False, falls.left
            try:
                await walk._command()
            except (Refusal, DatabaseBusy):
                fallen += before > 0 and falls.left <= 0
            falls.left, desk.audited = 0, True
            await desk.check()
    assert fallen > 5


async def test_a_failed_commit_forgets_everything_and_a_refusal_only_what_it_worked_with(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 50 at 800")
    await desk.offer(ADAM, "buy unfixed 50 at 800", BY + DAY)
    assert sorted(kept(desk.db)) == [1, 2]
    async with desk.refused():
        await desk.offer(BETH, "buy fixed 100000 at 900")
    assert sorted(kept(desk.db)) == [2]
    falls = Falls(desk.db)
    falls.left = 1
    with falls.listening("commit"), pytest.raises(DatabaseBusy):
        await desk.offer(BETH, "buy fixed 10 at 200")
    assert kept(desk.db) == {}
    await desk.offer(BETH, "buy fixed 10 at 200")
    assert await check_remembered(desk.db) == 1


async def test_another_process_that_wrote_meanwhile_is_noticed(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 50 at 800")
    async with another(desk) as other:
        await other.offer(BETH, "buy fixed 10 at 200")
        await desk.offer(CARL, "buy fixed 15 at 200")
        await other.cancel(ADAM)
        await desk.offer(DORA, "buy unfixed 5 at 700")
        assert await check_remembered(desk.db) == 1
    assert (await desk.contract(1)).open_interest == 25


@asynccontextmanager
async def another(desk: Desk) -> AsyncIterator[Desk]:
    db = Database(desk.db.engine.url.render_as_string(hide_password=False))
    yield Desk(db, desk.clock, audited=False, commands=1_000)
    await db.close()


async def test_what_is_remembered_is_not_read_again(desk: Desk) -> None:
    desk.audited = False
    read = Statements(desk.db)
    books_read = []
    for user in (ADAM, BETH):
        desk.db.memory.clear()
        for _ in range(2):
            with read.listening():
                await desk.offer(user, "buy fixed 5 at 100")
            books_read.append(sum("FROM offers" in text and "BY offers.rank" in text for text in read.texts))
    assert books_read == [1, 0, 1, 0]


class Statements:
    """Statements that the database was given outside of audits."""

    def __init__(self, db: Database) -> None:
        self.engine = db.engine.sync_engine
        self.texts: list[str] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        self.texts = []
        event.listen(self.engine, "before_cursor_execute", self.note)
        try:
            yield
        finally:
            event.remove(self.engine, "before_cursor_execute", self.note)

    def note(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        self.texts.append(statement)


async def test_an_offer_into_a_remembered_book_takes_few_statements(desk: Desk) -> None:
    """PostgreSQL locks the parties and looks at pools under the locks; SQLite's one writer holds all of it."""
    desk.audited = False
    read = Statements(desk.db)
    await desk.offer(ADAM, "buy unfixed 50 at 800")
    with read.listening():
        await desk.offer(BETH, "buy fixed 5 at 100")
    statements = [text for text in read.texts if not text.startswith("BEGIN")]
    assert len(statements) <= (14 if desk.db.engine.dialect.name == "sqlite" else 18), statements
    with read.listening():
        await desk.offer(CARL, "buy fixed 20 at 200")
    filling = [text for text in read.texts if not text.startswith("BEGIN")]
    assert len(filling) <= len(statements) + 6, filling


async def test_a_rehearsal_neither_uses_nor_changes_what_is_remembered(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 50 at 800")
    before = kept(desk.db)
    context = desk.context(BETH)
    async with desk.db.transaction() as tx, rehearsal(tx):
        await offers.offer(tx, context, new_offer("buy fixed 80 at 200"), BY)
    assert kept(desk.db) == before
    assert await check_remembered(desk.db) == 1


async def test_offers_that_were_handed_out_stay_as_they_were_at_the_commit(desk: Desk) -> None:
    mine = (await desk.offer(ADAM, "buy unfixed 50 at 800")).offer
    await desk.offer(BETH, "buy fixed 20 at 200")
    assert (mine.filled, mine.remaining) == (0, 50)


async def test_only_a_change_raises_the_version(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 50 at 800")
    number, version = 1, (await desk.contract(1)).version
    async with desk.db.transaction() as tx:
        await contracts.schedule(tx, number, next_look_at=7, retry_due=True, looks=3)
        await contracts.change(tx, number, verdict=None, maintainer_halt=None, next_look_at=9)
    assert (await desk.contract(number)).version == version
    async with desk.db.transaction() as tx:
        await contracts.change(tx, number, maintainer_halt="wait")
    assert (await desk.contract(number)).version == version + 1


async def test_a_schedule_is_nothing_but_a_schedule(desk: Desk) -> None:
    async with desk.db.transaction() as tx:
        with pytest.raises(ValueError, match="status"):
            await contracts.schedule(tx, 1, status=Status.HALTED.value)


async def test_the_check_notices_a_writer_that_forgot_the_version(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 50 at 800")
    async with desk.db.transaction() as tx:
        await tx.execute(update(table).values(verdict="FIXED"))
    with pytest.raises(AssertionError, match="version"):
        await desk.versions.check()


class Stone:
    """Something of a weight."""

    def __init__(self, weight: int) -> None:
        self.weight, self.parted = weight, 0

    def part(self) -> None:
        self.parted += 1


def test_the_least_recently_used_gives_way_by_weight() -> None:
    memory = Memory(most_weight=10)
    for key in (1, 2):
        memory.keep(key, 1, Stone(4))
    used = memory.take(1, 1)
    assert used is not None
    memory.keep(1, 2, used)
    memory.keep(3, 1, Stone(5))
    assert sorted(memory.shown()) == [1, 3]
    assert memory.weight == 9
    memory.keep(4, 1, Stone(11))
    assert (len(memory), memory.weight) == (0, 0)


def test_an_older_version_never_takes_the_place_of_a_later_one() -> None:
    memory = Memory()
    late, early = Stone(1), Stone(1)
    memory.keep(1, 5, late)
    memory.keep(1, 4, early)
    assert memory.take(1, 5) is late


def test_a_value_of_another_version_is_of_no_use() -> None:
    memory = Memory()
    memory.keep(1, 5, Stone(1))
    assert memory.take(1, 6) is None
    assert memory.take(1, 5) is None
    assert memory.weight == 0


def test_a_loan_is_given_back_once_and_parted_with() -> None:
    memory, stone = Memory(), Stone(3)
    loan = Loan(memory)
    loan.hold(1, 2, stone)
    assert loan.take(1, 3) is None
    loan.hold(1, 3, stone)
    loan.hold(2, 1, Stone(1))
    loan.drop(2)
    loan.give_back()
    assert memory.shown() == {1: (3, stone)}
    assert stone.parted == 1
