"""Writers who trade at once: random commands of every kind, which can be done again in the order they were committed.

`python -m tests.services.crowd URL SEED` is one process of them. It prints what it did, a line of JSON each.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace

from sqlalchemy import select, text

from app.market.exchange.offer import Action, NewOffer
from app.market.terms.contract import Side
from app.market.terms.errors import Refusal
from app.services.trading import automatic_trades, offers
from app.services.trading.locked_market import EVERYWHERE
from app.storage.engine import tables
from app.storage.engine.db import Database, DatabaseBusy, Tx
from app.storage.market import books, contracts, pools
from tests.clocks import FakeClock
from tests.contexts import context_of
from tests.services.desk import BY, DAY, Desk, place_of

USERS = 6
TASKS, COMMANDS = 2, 40
MOST_TRIES = 8
ISSUES = (101, 102, 102)
"""Two of the three contracts are on one issue, so that one command may change both."""
BYS = (BY, BY, BY + DAY)
LEVELS = (450, 470, 490, 500, 510, 530, 550)
KINDS = ("offer",) * 10 + (
    "range",
    "sell",
    "sell",
    "cancel",
    "cancel all",
    "take",
    "take",
    "change",
    "follow",
    "follow",
)


@dataclass(frozen=True)
class Command:
    """`pick` chooses among the offers there are when it is given; `target` is the one that was chosen."""

    cause: str
    kind: str
    user: int
    contract: int
    new: NewOffer
    pick: float
    target: tuple[int, ...] = ()


@dataclass(frozen=True)
class Done:
    """`entry`: the first entry it made; `numbers`: those that were drawn for offers."""

    cause: str
    target: tuple[int, ...]
    entry: int
    numbers: tuple[int, ...]


def random_commands(name: str, seed: int, count: int) -> Iterator[Command]:
    chance = random.Random(seed)
    for number in range(count):
        kind = chance.choice(KINDS)
        whole = chance.random() < 0.12
        instant = chance.random() < 0.12
        action = Action.SELL if kind == "sell" else Action.BUY
        new = NewOffer(
            action,
            chance.choice(list(Side)),
            chance.randint(5, 40),
            chance.choice(LEVELS),
            None,
            now_or_never=instant,
            all_or_none=whole,
            post_only=not whole and not instant and chance.random() < 0.08,
            pool=action is Action.BUY and chance.random() < 0.3,
        )
        yield Command(f"{name}:{number}", kind, chance.randint(1, USERS), chance.randrange(3), new, chance.random())


async def choose(tx: Tx, command: Command) -> Command:
    """With what it is about: an open offer, an own one, or something that is due to follow."""
    if command.kind == "follow":
        retries = [(0, number) for number in await contracts.with_retry_due(tx, 10)]
        return replace(command, target=_pick([*await pools.with_suspended(tx, 10), *retries], command.pick))
    if command.kind not in ("take", "cancel", "change"):
        return command
    c = tables.offers.c
    mine = c.user_id == command.user
    wanted = select(c.id, tables.contracts.c.issue_id).join(tables.contracts).where(c.state != "DONE")
    rows = await tx.execute(wanted.where(~mine if command.kind == "take" else mine).order_by(c.id))
    return replace(command, target=_pick([(row.id, row.issue_id) for row in rows], command.pick))


def _pick(found: list[tuple[int, int]], pick: float) -> tuple[int, ...]:
    return found[int(pick * len(found))] if found else ()


async def run(tx: Tx, desk: Desk, command: Command) -> None:
    number, place = command.target or (0, 0)
    now, new = desk.clock.now(), command.new
    issue = place if command.kind in ("take", "cancel", "change") else ISSUES[command.contract]
    context = context_of(place_of(issue), desk.config, command.user, command.cause, now, asked=EVERYWHERE)
    by_at = BYS[command.contract]
    match command.kind:
        case "offer":
            await offers.offer(tx, context, new, by_at)
        case "range":
            await offers.offer(tx, replace(context, place=place_of(102)), new, BY + DAY, from_at=BY)
        case "sell":
            await offers.sell(tx, context, new.side, new.volume, new.price, by_at=by_at, conditions=new)
        case "cancel all":
            await offers.cancel_offers(tx, context, None)
        case _ if not command.target:
            raise Refusal("There is nothing to do it with.", "")
        case "cancel":
            await offers.cancel_offers(tx, context, number)
        case "take":
            await offers.take(tx, context, number, None)
        case "change":
            await offers.change(tx, context, number, new.volume, new.price if command.pick < 0.5 else None, None)
        case "follow":
            await (
                automatic_trades.resume_suspended(tx, number, place, now, EVERYWHERE)
                if number
                else _retry(tx, place, now)
            )


async def _retry(tx: Tx, contract: int, now: int) -> None:
    await automatic_trades.retry_contract(tx, contract, now, EVERYWHERE)


_DRAWN: ContextVar[list[int]] = ContextVar("drawn")
_draw = books.next_offer_numbers


async def _noted(tx: Tx, count: int) -> list[int]:
    numbers = await _draw(tx, count)
    _DRAWN.get().extend(numbers)
    return numbers


_NEWEST = text("SELECT max(id) FROM entries")
_MADE = text("SELECT min(id) FROM entries WHERE id > :newest")
_MADE_BY_ME = text("SELECT min(id) FROM entries WHERE xmin = pg_current_xact_id()::xid")


async def give(desk: Desk, command: Command) -> Done | None:
    """Give a command; None if it was refused or changed nothing. A database that is busy is asked again."""
    for _ in range(MOST_TRIES):
        _DRAWN.set([])
        with contextlib.suppress(DatabaseBusy):
            try:
                async with desk.db.transaction() as tx:
                    chosen = await choose(tx, command)
                    newest = (await tx.execute(_NEWEST)).scalar_one()
                    await run(tx, desk, chosen)
                    entry = await _first_made(tx, newest)
            except Refusal:
                return None
            return Done(command.cause, chosen.target, entry, tuple(_DRAWN.get())) if entry else None
    raise RuntimeError(f"{command.cause}: the database stays busy")


async def _first_made(tx: Tx, newest: int) -> int | None:
    """The first entry of this transaction. SQLite has one writer at a time."""
    if tx.dialect.name == "sqlite":
        return (await tx.execute(_MADE, {"newest": newest})).scalar()
    return (await tx.execute(_MADE_BY_ME)).scalar()


async def again(tx: Tx, desk: Desk, command: Command, done: Done) -> None:
    """The same command with what was chosen and drawn then."""
    left = list(done.numbers)

    async def given(tx: Tx, count: int) -> list[int]:
        numbers, left[:count] = left[:count], []
        assert len(numbers) == count, command
        return numbers

    books.next_offer_numbers = given
    try:
        await run(tx, desk, replace(command, target=done.target))
    finally:
        books.next_offer_numbers = _draw
    assert not left, command


def of_process(seed: int) -> Iterator[Command]:
    return random_commands(f"process:{seed}", seed, TASKS * COMMANDS)


async def opened(db: Database) -> Desk:
    """Three contracts in which the first two users hold units."""
    desk = Desk(db, FakeClock(), audited=False)
    await desk.furnish(issues=(101, 102), users=USERS)
    for issue, by_at in zip(ISSUES, BYS, strict=True):
        for user, line in ((1, "buy unfixed 60 at 500"), (2, "buy fixed 60 at 500")):
            await desk.offer(user, line, by_at, issue=issue)
    return desk


async def trade(desk: Desk, commands: Iterable[Command], tasks: int) -> AsyncIterator[Done]:
    """Tasks at once give the commands; what was done comes as it is done."""
    queue = iter(commands)
    done: asyncio.Queue[Done | None] = asyncio.Queue()

    async def work() -> None:
        for command in queue:
            if (item := await give(desk, command)) is not None:
                done.put_nowait(item)

    async def work_all() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(tasks):
                    group.create_task(work())
        finally:
            done.put_nowait(None)

    books.next_offer_numbers = _noted
    try:
        working = asyncio.create_task(work_all())
        while (item := await done.get()) is not None:
            yield item
        await working
    finally:
        books.next_offer_numbers = _draw


async def main(url: str, seed: int) -> None:
    desk = Desk(Database(url), FakeClock(), audited=False)
    async for done in trade(desk, of_process(seed), TASKS):
        print(json.dumps(asdict(done)), flush=True)
    await desk.db.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
