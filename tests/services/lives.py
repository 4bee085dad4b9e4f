"""What the tests of a contract's life share: facts, a contract with two holders, maintainers and their commands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.market.ledger.journal import Kind
from app.market.life.facts import IssueFacts
from app.market.terms.contract import Outcome
from app.services.life import disputes, halting, rulings
from app.services.life.disputes import Disputed
from app.services.life.notices import items
from app.services.life.rulings import Resolved
from app.services.orders.context import Context
from app.storage.market import journal
from app.storage.market.contracts import ContractRow
from tests.services.desk import BY, CURRENCY, Desk

ADAM, BETH, CHARLES, DEV = 1, 2, 3, 4
MAINTAINER = 77
IS_OPEN = IssueFacts(closed=False, completed=False)
BASE_BOND = 10_000
"""50 mills for each of 200 units."""


def closed(at: int, by: int | None = MAINTAINER, rights: bool = True, completed: bool = True) -> IssueFacts:
    return IssueFacts(closed=True, completed=completed, closed_at=at, closed_by=by, closer_may_triage=rights)


async def base_case(desk: Desk, by_at: int = BY) -> int:
    """Adam holds 200 UNFIXED bought at 0.80, Beth 200 FIXED at 0.20."""
    await desk.offer(ADAM, "buy unfixed 200 at 800", by_at)
    return (await desk.offer(BETH, "buy fixed 200 at 200", by_at)).contract.id


async def notices(desk: Desk) -> list[dict[str, Any]]:
    """What the thread was told of contracts' lives, oldest first; contracts that share a comment one by one."""
    found = [item for row in (await desk.dump())["outbox"] if row[2] == "notice" for item in items(row[8])]
    return [body for body in found if body["notice"] != "news"]


async def closed_now(desk: Desk, number: int, rights: bool = True) -> int:
    """The issue is closed as completed, and its window opens. Returns the instant."""
    at = desk.clock.now()
    desk.oracle.facts = closed(at, rights=rights)
    await desk.look(number)
    return at


def maintainer(desk: Desk, user: int = DEV) -> Context:
    return replace(desk.context(user), may_triage=True)


async def dispute(desk: Desk, user: int, contract: int | None = None) -> Disputed:
    context = desk.context(user)
    return await desk.run(lambda tx: disputes.dispute(tx, context, "it still crashes", contract))


async def resolve(
    desk: Desk, outcome: Outcome, contract: int | None = None, price: int | None = None, user: int = DEV
) -> Resolved:
    context = maintainer(desk, user)
    return await desk.run(lambda tx: rulings.resolve(tx, context, outcome, "I looked", contract, price))


async def halt(desk: Desk, user: int = DEV) -> list[ContractRow]:
    context = maintainer(desk, user)
    return await desk.run(lambda tx: halting.halt_market(tx, context, "a fix may have leaked"))


async def lift(desk: Desk, user: int = DEV) -> list[ContractRow]:
    context = maintainer(desk, user)
    return await desk.run(lambda tx: halting.resume_market(tx, context))


async def money(desk: Desk, kind: Kind, owner: int) -> int:
    async with desk.db.reading() as tx:
        return await journal.balance(tx, kind, owner, CURRENCY)
