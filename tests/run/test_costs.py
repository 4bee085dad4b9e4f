"""What a comment costs the database is bounded, however many contracts, forecasts and offers stand in the thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, Table, event, func, insert, select

from app.market.terms.contract import Status, canonical, digest
from app.market.terms.instants import command_date
from app.market.terms.statement import ADVISORY, Advisory, text_of
from app.replies.market_comment import board
from app.services.rules.config import SameEverywhere
from app.services.views import market_views
from app.storage.engine import tables
from app.storage.engine.db import Database, Tx
from app.storage.people.places import Place
from app.thread.comment import Comment
from tests.runners import runner_of
from tests.services.desk import BY, CURRENCY, DAY, ISSUE, OWNER, Desk, place_of
from tests.services.lives import ADAM, BETH, DEV, IS_OPEN, closed

CONTRACTS, FORECASTS, SETTLED = 100, 40, 50
DATE = command_date(BY)
LINES = (
    "balance",
    "help",
    "positions",
    "offers",
    "book",
    f"book by {DATE}",
    "price",
    f"price by {DATE}",
    f"history by {DATE}",
    f"offer fixed 5 at 0.30 by {DATE}",
    f"offer fixed 5 at 0.30 by {DATE} now-or-never",
    "offer fixed 5 at 0.30 by in 3 weeks",
    "offer true 5 at 0.30",
    "fund 1",
    f"sell fixed 5 at 0.90 by {DATE}",
    "cancel o1",
    "dispute it still crashes",
    "hello",
)


@contextmanager
def counted(db: Database) -> Iterator[list[str]]:
    """Every statement that is sent to the database meanwhile."""
    found: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        found.append(statement)

    event.listen(db.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine.sync_engine, "before_cursor_execute", note)


async def cost(desk: Desk, number: int, line: str) -> int:
    """How many statements a comment with this command takes, its reply included."""
    at = desk.clock.now()
    said = Comment(number, f"/bugmark {line}", None, DEV, DEV, "user4", at, at, at, place_of(ISSUE), IS_OPEN)
    with counted(desk.db) as found:
        await runner_of(desk.db, desk.oracle, desk.clock, SameEverywhere()).run(said, known)
    return len(found)


async def known(tx: Tx, place: Place) -> Place:
    return place


async def crowd(desk: Desk) -> None:
    """Fill the thread: every contract has offers and holders, some forecasts too; many are settled."""
    going = [made(desk, number, BY + number * DAY) for number in range(1, CONTRACTS)]
    over = [made(desk, number, BY - number * 3600, status=Status.SETTLED.value) for number in range(1, SETTLED)]
    async with desk.db.transaction() as tx:
        await tx.execute(insert(tables.contracts), going + over + [forecast(desk, at) for at in range(FORECASTS)])
        ids = list(
            (await tx.execute(select(tables.contracts.c.id).where(tables.contracts.c.status == "OPEN"))).scalars()
        )
        await _put(tx, tables.offers, [offer(contract, user) for contract in ids for user in (ADAM, DEV)])
        await _put(tx, tables.fills, [fill(contract, number) for contract in ids for number in (1, 2)])
        await _put(tx, tables.amendments, [amendment(contract, number) for contract in ids for number in (1, 2)])
        await _put(tx, tables.positions, [held(contract, user, side) for contract in ids for user, side in HELD])


async def _put(tx: Tx, table: Table, rows: list[dict[str, Any]]) -> None:
    """But for what is there already."""
    taken = {tuple(row) for row in await tx.execute(select(*table.primary_key))}
    names = [column.name for column in table.primary_key]
    await tx.execute(insert(table), [row for row in rows if tuple(row.get(name) for name in names) not in taken])


HELD = ((DEV, "FIXED"), (BETH, "UNFIXED"))


def made(desk: Desk, number: int, maturation_at: int, **values: object) -> dict[str, Any]:
    text = canonical({"kind": "issue_fixed", "issue": ISSUE, "round": 1})
    terms = desk.config.terms(OWNER).text()
    return {
        "issue_id": ISSUE,
        "statement_text": text,
        "statement_hash": digest(text),
        "kind": "issue_fixed",
        "round": 1,
        "maturation_at": maturation_at,
        "currency": CURRENCY,
        "terms_text": terms,
        "terms_hash": digest(terms),
        "status": "OPEN",
        "open_interest": 10,
        "minted_mills": 5_000,
        "amendment": 2,
        "traded_units": 10,
        "created_at": 0,
        "next_look_at": maturation_at,
        **values,
    }


def forecast(desk: Desk, number: int) -> dict[str, Any]:
    text = text_of(Advisory(ISSUE, 1, desk.clock.now(), BY, "npm", f"package-{number}", "high"))
    row = made(desk, number, BY)
    return {**row, "statement_text": text, "statement_hash": digest(text), "kind": ADVISORY}


def offer(contract: int, user: int) -> dict[str, Any]:
    return {
        "contract_id": contract,
        "user_id": user,
        "action": "BUY",
        "side": "FIXED" if user == DEV else "UNFIXED",
        "price": 300,
        "volume": 10,
        "until_at": BY,
        "now_or_never": False,
        "units_left": 0,
        "cash_left": 10,
        "state": "LIVE",
        "created_at": 0,
    }


def fill(contract: int, number: int) -> dict[str, Any]:
    parties = {"bid": 1, "ask": 2, "buyer": DEV, "seller": BETH, "newcomer": 2}
    return {
        **parties,
        "contract_id": contract,
        "amendment": number,
        "volume": 5,
        "price": 500,
        "kind": "expand",
        "at": 1,
    }


def amendment(contract: int, number: int) -> dict[str, Any]:
    return {
        "contract_id": contract,
        "number": number,
        "kind": "fill",
        "open_interest": 5 * number,
        "minted_mills": 2_500 * number,
        "at": 1,
    }


def held(contract: int, user: int, side: str) -> dict[str, Any]:
    return {"contract_id": contract, "user_id": user, "side": side, "free": 10, "reserved": 0, "cost_mills": 5_000}


@pytest.fixture
async def quiet(desk: Desk) -> Desk:
    """A thread with one contract, in which two hold units and two offer some; nothing is audited."""
    desk.audited, desk.commands = False, 10_000
    await desk.offer(ADAM, "buy unfixed 20 at 300")
    await desk.offer(DEV, "buy fixed 10 at 700")
    await desk.offer(DEV, "buy fixed 10 at 300")
    return desk


@pytest.mark.parametrize("line", LINES)
async def test_a_comment_costs_no_more_where_many_contracts_stand(quiet: Desk, line: str) -> None:
    before = await cost(quiet, 1, line)
    await crowd(quiet)
    after = await cost(quiet, 2, line)
    assert 20 < after <= before + 6, (before, after)


@pytest.mark.parametrize("line", ["balance", "help"])
async def test_a_stranger_s_comment_costs_hardly_more_than_in_an_empty_thread(desk: Desk, line: str) -> None:
    desk.audited = False
    before = await cost(desk, 1, line)
    await crowd(desk)
    after = await cost(desk, 2, line)
    assert 20 < after <= before + 12, (before, after)


async def test_a_comment_costs_no_more_where_the_issue_is_closed_in_a_way_that_decides_nothing(quiet: Desk) -> None:
    rejected = replace(closed(quiet.clock.now(), completed=False), reason="not_planned")

    async def news() -> int:
        with counted(quiet.db) as found:
            await quiet.note(rejected)
        return len(found)

    before = await news()
    await crowd(quiet)
    assert await news() == before


async def test_the_market_comment_costs_no_more_where_many_contracts_stand(quiet: Desk) -> None:
    async def drawn() -> tuple[int, str]:
        with counted(quiet.db) as found:
            async with quiet.db.reading() as tx:
                text = board(await market_views.issue_view(tx, ISSUE, quiet.clock.now()))
        return len(found), text

    before, _ = await drawn()
    await crowd(quiet)
    after, text = await drawn()
    async with quiet.db.reading() as tx:
        assert (await tx.execute(select(func.count()).select_from(tables.contracts))).scalar_one() > 180
    assert after <= before + 3
    assert "smaller or older contracts" in text
