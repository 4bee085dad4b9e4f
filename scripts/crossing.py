"""Follows one comment with one offer through the app: its statements, transactions, and the modules it enters.

The app's own code runs on SQLite beside the sandbox: the delivery is stored, claimed, dealt with and finished as the
worker does it, and the reply waits in the outbox at the end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from sqlalchemy import Connection, Engine, event, func, select

from app.storage.engine.db import Database, migrate
from app.storage.engine.tables import offers, outbox
from app.storage.queues import inbox
from app.storage.queues.inbox import Arrival
from tests.github.ground import Ground, ground_of

FIRST, MEASURED = "offer unfixed 50 at 0.30 by in 60 days", "offer unfixed 50 at 0.40 by in 60 days"
"""The first makes the contract; of the second, which rests beside it, is told what it takes."""

LEASE_SECONDS = 60


@dataclass(slots=True)
class Transaction:
    """A transaction: its statements, the modules it enters, and how often it calls from one module into another."""

    statements: list[str] = field(default_factory=list)
    modules: set[str] = field(default_factory=set)
    changes: int = 0

    @property
    def stores_offer(self) -> bool:
        return any(statement.startswith("INSERT INTO offers") for statement in self.statements)


@dataclass(slots=True)
class Recorder:
    """Listens to every engine, and to calls of functions of `app`, from `start` to `stop`."""

    transactions: list[Transaction] = field(default_factory=list)
    _inside: bool = False
    _at: str = ""

    def start(self) -> None:
        event.listen(Engine, "begin", self._begun)
        event.listen(Engine, "commit", self._ended)
        event.listen(Engine, "rollback", self._ended)
        event.listen(Engine, "before_cursor_execute", self._executed)
        sys.setprofile(self._called)

    def stop(self) -> None:
        sys.setprofile(None)
        event.remove(Engine, "begin", self._begun)
        event.remove(Engine, "commit", self._ended)
        event.remove(Engine, "rollback", self._ended)
        event.remove(Engine, "before_cursor_execute", self._executed)

    def _begun(self, _connection: Connection) -> None:
        self.transactions.append(Transaction())
        self._inside = True

    def _ended(self, _connection: Connection) -> None:
        self._inside = False

    def _executed(self, _connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if self._inside and not statement.startswith("BEGIN"):
            self.transactions[-1].statements.append(statement)

    def _called(self, frame: FrameType, what: str, _argument: Any) -> None:
        """Note a call of one of the app's functions, and a change of module if another module was entered last."""
        if not self._inside or what not in ("call", "return"):
            return
        at = frame if what == "call" else frame.f_back
        module = at.f_globals.get("__name__", "") if at is not None else ""
        if not module.startswith("app."):
            return
        transaction = self.transactions[-1]
        transaction.modules.add(module)
        transaction.changes += what == "call" and module != self._at
        self._at = module


async def _comment(ground: Ground, issue: Any, login: str, text: str) -> Arrival:
    """A comment as its webhook arrives."""
    path = f"/repos/ann/pump/issues/{issue['number']}/comments"
    await ground.sandbox.as_person(login, "POST", path, {"body": f"/bugmark {text}"})
    (sent,) = ground.sent()
    ground.handed.add(sent.id)
    return Arrival(sent.guid, sent.event, f"issue:{issue['id']}", json.dumps(sent.payload).encode(), ground.clock.now())


async def _deal(ground: Ground, arrival: Arrival, recorder: Recorder | None = None) -> None:
    """Store a delivery, then claim, deal with and finish it as the worker does."""
    async with ground.db.transaction() as tx:
        await inbox.put(tx, [arrival])
    if recorder:
        recorder.start()
    try:
        async with ground.db.transaction() as tx:
            delivery = await inbox.claim(tx, ground.clock.now(), LEASE_SECONDS)
        if delivery is None:
            raise RuntimeError("the delivery that was stored cannot be claimed")
        await ground.events.deal_with(delivery)
        async with ground.db.transaction() as tx:
            await inbox.finish(tx, delivery)
    finally:
        if recorder:
            recorder.stop()


async def _counts(db: Database) -> tuple[int, int]:
    async with db.reading() as tx:
        resting = (await tx.execute(select(func.count()).select_from(offers))).scalar_one()
        replies = (await tx.execute(select(func.count()).where(outbox.c.kind == "reply"))).scalar_one()
    return resting, replies


async def cross() -> list[Transaction]:
    """The transactions of one comment with one offer that comes to rest. RuntimeError if none did."""
    with tempfile.TemporaryDirectory(prefix="bugmark-shape-") as folder:
        url = f"sqlite+aiosqlite:///{folder}/bugmark.db"
        await asyncio.to_thread(migrate, url)
        db, recorder = Database(url), Recorder()
        try:
            async with ground_of(db) as ground:
                issue = await ground.open_issue()
                await ground.hear()
                await _deal(ground, await _comment(ground, issue, "carol", FIRST))
                await _deal(ground, await _comment(ground, issue, "dave", MEASURED), recorder)
            if await _counts(db) != (2, 2):
                raise RuntimeError(f"two offers and two replies should be stored: {await _counts(db)}")
        finally:
            await db.close()
    return recorder.transactions


def told(transaction: Transaction) -> str:
    """A transaction's figures, and its statements a line each."""
    statements = [" ".join(one.split())[:150] for one in transaction.statements]
    head = f"-- {len(transaction.modules)} modules, {transaction.changes} changes, {len(statements)} statements"
    return "\n".join([head, *statements])


if __name__ == "__main__":
    print(*map(told, asyncio.run(cross())), sep="\n")
