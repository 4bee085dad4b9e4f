"""A database in which trading began before entries told of rows: audited as far as it goes, and whole from then on."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.market.ledger.entry_detail import detail_text, net_paid_row
from app.market.terms.contract import Side
from app.services.audit.audit import audit
from app.storage.engine.db import Tx
from tests.services.desk import DAY, Desk


@pytest.fixture
async def early(desk: Desk) -> Desk:
    """Two fills and a cut of which only their postings tell; from the next day on all is told."""
    desk.audited = False
    await desk.offer(1, "buy unfixed 200 at 800")
    await desk.offer(2, "buy fixed 200 at 200")
    await desk.sell(2, Side.FIXED, 150, 400)
    await desk.offer(3, "buy fixed 100 at 400")
    await desk.offer(4, "buy fixed 40 at 300")
    await desk.offer(4, "buy fixed 30 at 310")
    await desk.cancel(4, 5)
    async with desk.db.transaction() as tx:
        for number, key in ((2, "fill:1:1"), (4, "fill:1:2")):
            await tx.execute(text(f"UPDATE entries SET key = '{key}' WHERE key = 'command:{number}'"))
        await tx.execute(text("UPDATE entries SET detail = ''"))
        await _count_net_paid(tx)
    desk.clock.advance(DAY)
    await desk.offer(3, "buy fixed 12 at 300")
    await desk.cancel(2)
    return desk


async def _count_net_paid(tx: Tx) -> None:
    """The upgrade tells it of every contract."""
    rows = [list(row) for row in await tx.execute(text("SELECT contract_id, user_id, mills FROM net_paid"))]
    detail = detail_text([net_paid_row(*row) for row in rows])
    told = "INSERT INTO entries (key, cause, at, detail) VALUES ('upgrade:0007:1', 'upgrade', 1, :detail)"
    await tx.execute(text(told), {"detail": detail})


async def problems(desk: Desk, change: str) -> list[str]:
    async with desk.db.transaction() as tx:
        assert (await tx.execute(text(change))).rowcount
    return (await audit(desk.db)).problems


async def test_what_was_never_told_is_no_fault(early: Desk) -> None:
    report = await audit(early.db)
    assert report.problems == []
    assert 0 < report.told < 10


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE fills SET price = price + 1 WHERE amendment = 1",
        "UPDATE fills SET newcomer = bid + ask - newcomer WHERE amendment = 1",
        "UPDATE offers SET filled = filled - 1, cancelled = cancelled + 1 WHERE id = 2",
        "UPDATE positions SET free = free + 1 WHERE user_id = 1",
        "UPDATE amendments SET at = at - 1 WHERE number = 2",
        "UPDATE net_paid SET mills = mills + 1 WHERE user_id = 1",
        "DELETE FROM net_paid WHERE user_id = 2",
        "INSERT INTO net_paid VALUES (1, 4, 1)",
    ],
)
async def test_what_tables_say_of_each_other_is_looked_at_as_before(early: Desk, change: str) -> None:
    assert await problems(early, change)


async def test_a_row_that_was_told_since_is_held_to_it(early: Desk) -> None:
    found = await problems(early, "UPDATE offers SET cancelled = cancelled - 1, volume = volume - 1 WHERE id = 3")
    assert any(problem.startswith("offer o3: volume is 149, entry ") for problem in found)


async def test_a_row_made_since_must_be_told(early: Desk) -> None:
    columns = "contract_id, user_id, action, side, price, volume, until_at, now_or_never, rank, units_left, cash_left"
    copied = f"INSERT INTO offers (id, {columns}, filled, cancelled, state, created_at)"
    added = f"{copied} SELECT 90, {columns}, filled, cancelled, state, created_at + 86400 FROM offers WHERE id = 5"
    assert "offer o90 is there and no entry tells of it" in await problems(early, added)


async def test_net_paid_is_counted_again_from_fills_and_units(early: Desk) -> None:
    """User 2 bought 200 FIXED at 0.20 and sold 100 at 0.40, so nothing is left paid in."""
    found = await problems(early, "UPDATE net_paid SET mills = mills + 5 WHERE user_id = 2")
    assert "net paid of user 2 in c1 is 5, its fills and positions come to 0" in found
    assert "contract c1: all users have paid in 200005 net, the escrow is 200000" in found
