"""What became of offers, in an export: any book at any instant can be rebuilt from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import update

from app.market.terms.contract import Side
from app.services.research.dictionary import Format
from app.services.research.export import ExportRefused, export
from app.services.trading import automatic_trades
from app.services.trading.locked_market import EVERYWHERE
from app.services.trading.offers import change
from app.storage.engine.db import Database
from app.storage.engine.tables import entries
from app.storage.market import books, contracts
from tests.clocks import FakeClock
from tests.services import crowd
from tests.services.desk import BY, DAY, Desk
from tests.services.research.test_export import DOCS, rows

Book = list[tuple[str, int, int, int, int]]
"""(half, price of FIXED, rank, offer, units), ordered so."""


def rebuilder(folder: Path) -> Callable[[int, int], list[dict[str, str]]]:
    """The function that docs/research.md shows, as it stands there."""
    snippet = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S)[0]
    rebuilding, drawing = snippet.split("import matplotlib")
    assert len([line for line in snippet.splitlines() if line]) <= 12 and "plot.step" in drawing
    shown: dict[str, Any] = {}
    exec(rebuilding.replace("DIR/", f"{folder}/"), shown)
    book: Callable[[int, int], list[dict[str, str]]] = shown["book"]
    return book


def as_rebuilt(rebuilt: list[dict[str, str]]) -> Book:
    return [
        (row["half"], int(row["price_mills"]), int(row["rank"]), int(row["offer"]), int(row["remaining"]))
        for row in rebuilt
    ]


async def live_book(desk: Desk, contract: int) -> Book:
    async with desk.db.reading() as tx:
        row = await contracts.get(tx, contract)
        assert row is not None
        book = (await books.load(tx, row)).book
    halves = (("ask", book.asks), ("bid", book.bids))
    return sorted((name, o.fixed_price, o.rank, o.number, o.remaining) for name, half in halves for o in half.all())


async def events(desk: Desk, folder: Path) -> list[tuple[int, str, int, int, int, str]]:
    """(offer, event, remaining, filled, cancelled, state)"""
    await export(desk.db, "octo/cat", Format.JSONL, folder)
    return [
        (row["offer"], row["event"], int(row["remaining"]), int(row["filled"]), int(row["cancelled"]), row["state"])
        for row in rows(folder, "offer_events")
    ]


@pytest.fixture
async def desk(db: Database, clock: FakeClock) -> Desk:
    made = Desk(db, clock, audited=False)
    await made.furnish(issues=(101, 102), users=12)
    return made


async def test_every_turn_of_an_offer_is_told(desk: Desk, tmp_path: Path) -> None:
    await desk.offer(1, "buy fixed 20 at 300")
    await desk.offer(2, "buy unfixed 5 at 700")
    context = desk.context(1)
    await desk.run(lambda tx: change(tx, context, 1, 10, None, None))
    await desk.offer(3, "buy fixed 10 at 200", until_at=desk.clock.now() + DAY)
    await desk.cancel(1)
    await desk.offer(2, "buy fixed 10 at 900 now")
    desk.clock.advance(DAY)
    await desk.sweep(1)
    assert await events(desk, tmp_path) == [
        (1, "placed", 20, 0, 0, "LIVE"),
        (1, "filled", 15, 5, 0, "LIVE"),
        (2, "placed", 0, 5, 0, "DONE"),
        (1, "changed", 10, 5, 5, "LIVE"),
        (3, "placed", 10, 0, 0, "LIVE"),
        (1, "cancelled", 0, 5, 15, "DONE"),
        (4, "placed", 0, 0, 10, "DONE"),
        (3, "expired", 0, 0, 10, "DONE"),
    ]
    first = rows(tmp_path, "offer_events")[0]
    assert (first["half"], first["price_mills"], first["contract"], first["at"]) == ("bid", "300", 1, BY - 30 * DAY)
    assert rows(tmp_path, "offer_events")[2]["half"] == "ask"


async def test_an_offer_whose_place_a_better_one_takes_is_displaced(desk: Desk, tmp_path: Path) -> None:
    for number in range(50):
        await desk.offer(1 + number // 5, f"buy fixed 5 at {200 + number} whole")
    await desk.offer(11, "buy fixed 5 at 400 whole")
    assert (await events(desk, tmp_path))[-2:] == [(1, "displaced", 0, 0, 5, "DONE"), (51, "placed", 5, 0, 0, "LIVE")]


async def test_a_pooled_offer_is_suspended_and_resumed_in_a_new_place(desk: Desk, tmp_path: Path) -> None:
    """Of pools nothing is told but that the offer left its book, and came back."""
    await desk.offer(1, "buy fixed 1000 at 900 pool")
    await desk.offer(1, "buy fixed 100 at 500 pool", issue=102)
    await desk.offer(2, "buy unfixed 950 at 100")
    assert await live_book(desk, 2) == []
    await desk.offer(3, "buy fixed 100 at 500")
    await desk.sell(1, Side.FIXED, 100, 500)
    clock_at = desk.clock.advance(60)
    assert await desk.run(lambda tx: automatic_trades.resume_suspended(tx, 2, 2, clock_at, EVERYWHERE))
    told = [row for row in await events(desk, tmp_path) if row[0] == 2]
    assert told == [
        (2, "placed", 100, 0, 0, "LIVE"),
        (2, "suspended", 100, 0, 0, "SUSPENDED"),
        (2, "resumed", 100, 0, 0, "LIVE"),
    ]
    ranks = [int(row["rank"]) for row in rows(tmp_path, "offer_events") if row["offer"] == 2]
    assert ranks[0] == ranks[1] == 2 and ranks[2] > 5
    assert "pool" not in (tmp_path / "datapackage.json").read_text()


@pytest.mark.parametrize("seed", range(3))
async def test_any_book_at_any_instant_is_rebuilt_by_the_lines_in_the_documents(
    db: Database, tmp_path: Path, seed: int
) -> None:
    """Random commands of every kind in three contracts; after each the live books are kept for comparison."""
    desk = await crowd.opened(db)
    kept: dict[int, list[Book]] = {}
    for command in crowd.random_commands("seed", seed, 120):
        desk.clock.advance(Random(command.cause).choice((1, 600, DAY // 20)))
        await crowd.give(desk, command)
        kept[desk.clock.now()] = [await live_book(desk, contract) for contract in (1, 2, 3)]
    desk.clock.advance(40 * DAY)
    for contract in (1, 2, 3):
        await desk.sweep(contract)
    kept[desk.clock.now()] = [await live_book(desk, contract) for contract in (1, 2, 3)]
    await desk.check()
    await export(db, "octo/cat", Format.CSV, tmp_path)
    book = rebuilder(tmp_path)
    for instant, books_then in kept.items():
        assert [as_rebuilt(book(contract, instant)) for contract in (1, 2, 3)] == books_then, instant
    await _counts_fit(db, tmp_path)


async def _counts_fit(db: Database, folder: Path) -> None:
    """The last row of each offer is how `offers` tells it."""
    await export(db, "octo/cat", Format.JSONL, folder)
    names = "offer", "contract", "remaining", "filled", "cancelled", "state"
    last = {row["offer"]: [row[name] for name in names] for row in rows(folder, "offer_events")}
    assert [last[number] for number in sorted(last)] == [
        [row[name] for name in names] for row in rows(folder, "offers")
    ]
    known = {"placed", "resumed", "suspended", "expired", "displaced", "cancelled", "changed", "filled"}
    seen = {row["event"] for row in rows(folder, "offer_events")}
    assert {"placed", "suspended", "expired", "cancelled", "filled"} <= seen <= known


async def test_an_offer_that_is_older_than_the_tellings_is_known_from_the_first(desk: Desk, tmp_path: Path) -> None:
    await desk.offer(1, "buy fixed 20 at 300")
    async with desk.db.transaction() as tx:
        await tx.execute(update(entries).values(detail=""))
    desk.clock.advance(DAY)
    await desk.offer(2, "buy unfixed 5 at 700")
    assert await events(desk, tmp_path) == [(1, "known", 15, 5, 0, "LIVE"), (2, "placed", 0, 5, 0, "DONE")]


async def test_a_journal_that_cannot_be_read_is_said_in_a_sentence(desk: Desk, tmp_path: Path) -> None:
    await desk.offer(1, "buy fixed 20 at 300")
    async with desk.db.transaction() as tx:
        await tx.execute(update(entries).where(entries.c.detail != "").values(detail='[["offer",1]]'))
    with pytest.raises(ExportRefused, match=r"`python -m app audit` first: entry [0-9]+ of the journal cannot be read"):
        await export(desk.db, "octo/cat", Format.CSV, tmp_path / "out")
    assert not (tmp_path / "out").exists()
