"""Reading what the market tells, for replies and the market comment (docs/market.md §8). Nothing is locked."""

from __future__ import annotations

from collections.abc import Sequence

from app.market.contract import Status
from app.market.life import VOID_LOOK_BACK_SECONDS
from app.services import insiders
from app.services.contract_views import BookView, ContractView, Holder, IssueView
from app.storage import books, contracts, tape, workers
from app.storage.contracts import ContractRow
from app.storage.db import Tx
from app.storage.tape import DAY_SECONDS

TOP_HOLDERS = 3
SPARK_PRICES = 60
"""How many of the last prices a spark line covers."""

BOOK_OFFERS = 10
"""Offers of each half that are named."""

WORKERS_NAMED = 5
MOST_BOOKS = 4
"""Books under a reply."""

MOST_TRADING = 30
MOST_SETTLED = 20
"""Contracts of one issue that are shown, the largest and the newest; anybody may make more."""


async def issue_view(tx: Tx, issue_id: int, now: int) -> IssueView:
    """Every contract of an issue that there is room for."""
    rows = await contracts.of_thread(tx, issue_id)
    going = [row for row in rows if row.status is not Status.SETTLED]
    done = sorted(
        (row for row in rows if row.status is Status.SETTLED), key=lambda row: (-(row.settled_at or 0), row.id)
    )
    trading = _largest(going, MOST_TRADING)
    settled = done[:MOST_SETTLED]
    left_out = len(rows) - len(trading) - len(settled)
    working, count = await workers.listed(tx, issue_id, now, WORKERS_NAMED)
    views = await _views(tx, trading, now), await _settled(tx, settled, now)
    return IssueView(now, *views, left_out, working, count)


async def contract_view(tx: Tx, row: ContractRow, now: int) -> ContractView:
    return (await _views(tx, [row], now))[0]


async def book_view(tx: Tx, row: ContractRow, now: int) -> BookView:
    levels = await tape.levels(tx, [row.id], now)
    return BookView(row, now, levels[row.id], await tape.best_offers(tx, row.id, now, BOOK_OFFERS))


async def book_views(tx: Tx, issue_id: int, now: int) -> list[BookView]:
    """The books of an issue's largest contracts that are not settled, nearest maturation first."""
    rows = [row for row in await contracts.of_thread(tx, issue_id) if row.status is not Status.SETTLED]
    return [await book_view(tx, row, now) for row in _largest(rows, MOST_BOOKS)]


async def best_reward(tx: Tx, issue_id: int, now: int) -> int:
    """The largest reward that an open contract on the issue has on offer, in mills."""
    rows = [row for row in await contracts.of_issue(tx, issue_id) if row.open]
    levels = await tape.levels(tx, [row.id for row in rows], now)
    return max((ContractView(row, now, levels[row.id]).reward_mills for row in rows), default=0)


async def worths(tx: Tx, rows: Sequence[ContractRow], now: int) -> dict[int, tuple[int, str] | None]:
    """What FIXED is worth in each of these contracts, and by what."""
    levels = await tape.levels(tx, [row.id for row in rows], now)
    return {row.id: ContractView(row, now, levels[row.id], await tape.prices(tx, row.id, 1)).worth for row in rows}


def _largest(rows: Sequence[ContractRow], most: int) -> list[ContractRow]:
    """Those with the most open interest, in the order they came."""
    kept = {row.id for row in sorted(rows, key=lambda row: (-row.open_interest, row.maturation_at, row.id))[:most]}
    return [row for row in rows if row.id in kept]


async def _views(tx: Tx, rows: Sequence[ContractRow], now: int) -> list[ContractView]:
    """Rows of one issue."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    marked = await insiders.disclosed(tx, rows[0].issue_id)
    levels = await tape.levels(tx, ids, now)
    volumes = await tape.volumes(tx, ids, now - DAY_SECONDS)
    holders = await tape.holders(tx, ids)
    return [
        ContractView(
            row=row,
            now=now,
            levels=levels[row.id],
            prices=await tape.prices(tx, row.id, SPARK_PRICES),
            price_before=await tape.price_at(tx, row.id, now - DAY_SECONDS),
            volume=volumes[row.id],
            void_price=await _void_price(tx, row, now),
            top=[
                Holder(login, side, units, user in marked and row.terms.insiders != insiders.ALLOW)
                for user, login, side, units in await tape.largest(tx, row.id, TOP_HOLDERS)
            ],
            holders=holders.get(row.id, 0),
        )
        for row in rows
    ]


async def _settled(tx: Tx, rows: Sequence[ContractRow], now: int) -> list[ContractView]:
    """Of what is over only the last price and the volume."""
    volumes = await tape.volumes(tx, [row.id for row in rows], now - DAY_SECONDS)
    return [
        ContractView(row=row, now=now, prices=await tape.prices(tx, row.id, 1), volume=volumes[row.id]) for row in rows
    ]


async def _void_price(tx: Tx, row: ContractRow, now: int) -> int | None:
    """As a settlement would read it: as it stood seven days before the window opened, or before now."""
    event_at = now if row.window_opened_at is None else row.window_opened_at
    pair = await books.void_price(tx, row.id, event_at - VOID_LOOK_BACK_SECONDS)
    return pair.minted_mills // pair.open_interest if pair.open_interest else None
