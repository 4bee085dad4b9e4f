"""Many tasks at once: the books stay right, and what happened is what one task alone would have done in that order."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from app.market.contract import Side, Status
from app.market.errors import Refusal
from app.market.life import IssueFacts
from app.market.offer import Action, NewOffer
from app.services import trading
from app.services.trading import Scene
from app.storage import contracts, tables
from app.storage.db import Database, DatabaseBusy, Tx
from tests.clocks import FakeClock
from tests.databases import SqliteDatabases
from tests.services.desk import BY, DAY, Desk, Dump, place_of

TASKS, COMMANDS, USERS = 8, 15, 6
ISSUES = (101, 102, 102)
"""Two of the three contracts are on one issue, so that one command may cancel offers in both."""
BYS = (BY, BY, BY + DAY)
Journals = dict[str, list[tuple[str, int, list[tuple[object, ...]]]]]
LEVELS = (450, 470, 490, 500, 510, 530, 550)


@dataclass(frozen=True)
class Command:
    """An offer in one of the contracts, or, without one, the cancelling of all offers in its thread."""

    cause: str
    user: int
    contract: int
    new: NewOffer | None


def random_commands(seed: int) -> Iterator[Command]:
    chance = random.Random(seed)
    for number in range(TASKS * COMMANDS):
        user, contract = chance.randint(1, USERS), chance.randrange(3)
        new = NewOffer(
            Action.SELL if chance.random() < 0.2 else Action.BUY,
            chance.choice(list(Side)),
            chance.randint(5, 40),
            chance.choice(LEVELS),
            now_or_never=chance.random() < 0.15,
        )
        yield Command(f"task:{number}", user, contract, None if chance.random() < 0.12 else new)


async def run(tx: Tx, desk: Desk, command: Command) -> int | None:
    """Returns the number of the offer that was made."""
    place = place_of(ISSUES[command.contract])
    scene = Scene(place, desk.config, command.user, command.cause, desk.clock.now())
    by_at = BYS[command.contract]
    if command.new is None:
        await trading.cancel_offers(tx, scene, None)
        return None
    new = command.new
    if new.action is Action.BUY:
        return (await trading.offer(tx, scene, new, by_at)).offer.number
    sold = await trading.sell(tx, scene, new.side, new.volume, new.price, by_at=by_at, now_or_never=new.now_or_never)
    return sold.offer.number


async def opened(db: Database) -> Desk:
    desk = Desk(db, FakeClock(), audited=False)
    await desk.furnish(issues=(101, 102), users=USERS)
    for issue, by_at in zip(ISSUES, BYS, strict=True):
        for user, line in ((1, "buy unfixed 60 at 500"), (2, "buy fixed 60 at 500")):
            await desk.offer(user, line, by_at, issue=issue)
    return desk


async def trade_at_once(desk: Desk, commands: list[Command], numbers: dict[str, int] | None = None) -> int:
    """Returns how often the database asked for a retry; `numbers` learns which offers were made."""
    queue, busy = iter(commands), 0

    async def work() -> None:
        nonlocal busy
        for command in queue:
            try:
                async with desk.db.transaction() as tx:
                    number = await run(tx, desk, command)
                if numbers is not None and number is not None:
                    numbers[command.cause] = number
            except Refusal:
                pass
            except DatabaseBusy:
                busy += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(TASKS):
            group.create_task(work())
    return busy


async def journals(desk: Desk) -> Journals:
    """Every entry with its postings by the command that caused it, in the order they were made."""
    found = await desk.dump((tables.entries, tables.postings))
    lines: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    for entry_id, line, *posting in found["postings"]:
        lines[entry_id].append((line, *posting))
    by_cause: Journals = defaultdict(list)
    for entry_id, key, cause, at in found["entries"]:
        by_cause[cause].append((key, at, lines[entry_id]))
    return dict(by_cause)


async def test_at_once_is_one_after_the_other(
    db: Database,
    sqlite_databases: SqliteDatabases,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was done is done again by one task on a new database, in the order of each command's first entry."""
    desk = await opened(db)
    commands = {command.cause: command for command in random_commands(1)}
    numbers: dict[str, int] = {}
    assert await trade_at_once(desk, list(commands.values()), numbers) == 0
    report = await desk.check()
    assert report.offers > 50
    made = await journals(desk)
    with sqlite_databases.migrated(tmp_path_factory.mktemp("replay")) as url:
        async with opened_database(url) as alone:
            replay = await opened(alone)
            for cause in made:
                if cause in commands:
                    await as_numbered(replay, commands[cause], numbers.get(cause), monkeypatch)
            assert await journals(replay) == made
            for table in (tables.balances, tables.positions):
                assert nothing_empty(await replay.dump((table,))) == nothing_empty(await desk.dump((table,)))


@asynccontextmanager
async def opened_database(url: str) -> AsyncIterator[Database]:
    db = Database(url)
    try:
        yield db
    finally:
        await db.close()


async def as_numbered(desk: Desk, command: Command, number: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def given(_: Tx) -> int:
        assert number is not None
        return number

    with monkeypatch.context() as patch:
        patch.setattr(contracts, "next_offer_number", given)
        async with desk.db.transaction() as tx:
            await run(tx, desk, command)


def nothing_empty(dump: Dump) -> list[tuple[object, ...]]:
    """Rows that hold nothing may be there or not."""
    (rows,) = dump.values()
    return sorted(row for row in rows if any(isinstance(value, int) and value for value in row[3:]))


async def test_trading_beside_news_looks_and_sweeps(db: Database) -> None:
    """Nobody waits for each other in a circle: on PostgreSQL a deadlock would show as a busy database."""
    desk = await opened(db)

    async def news() -> None:
        for _ in range(5):
            for issue in (101, 102):
                await desk.note(IssueFacts(closed=True, completed=True, closed_at=desk.clock.now()), issue)
            for number in (3, 1, 2):
                await desk.look(number)
                await desk.sweep(number)

    desk.oracle.facts = IssueFacts(closed=False, completed=False)
    busy, _, _ = await asyncio.gather(trade_at_once(desk, list(random_commands(3))), news(), news())
    assert busy == 0
    await desk.check()
    rows = [row async for row in statuses(desk)]
    assert rows == [Status.OPEN] * 3


async def statuses(desk: Desk) -> AsyncIterator[Status]:
    for number in (1, 2, 3):
        yield (await desk.contract(number)).status
