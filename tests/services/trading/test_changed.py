"""A locked market says once what changed, and the market comments of the threads concerned follow."""

from __future__ import annotations

from functools import partial

from sqlalchemy import select

from app.market.exchange.matching import cancel
from app.services.rules.changed import Changed
from app.services.trading.locked_market import lock_market
from app.storage.engine.tables import outbox
from tests.services.desk import DAY, ISSUE, Desk, place_of

ADAM, BETH = 1, 2
OTHER_ISSUE = 102


async def boards(desk: Desk) -> dict[str, int]:
    """Version of each market comment's message."""
    async with desk.db.reading() as tx:
        rows = await tx.execute(select(outbox.c.key, outbox.c.version).where(outbox.c.kind == "board"))
        return {row.key: row.version for row in rows}


async def test_what_changed_is_said_once_with_its_threads_and_entries(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 50 at 800")
    async with desk.db.transaction() as tx:
        locked = await lock_market(tx, {1}, cause="c", now=desk.clock.now(), user=ADAM)
        await locked.run(partial(cancel, locked.market, 1, user=ADAM, now=desk.clock.now()))
        assert await locked.publish() == Changed(frozenset({1}), frozenset({ISSUE}), ("c",))
        assert await locked.publish() == Changed()


async def test_one_command_wishes_each_market_comment_once(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 50 at 800")
    before = await boards(desk)
    await desk.offer(BETH, "buy fixed 20 at 200")
    assert await boards(desk) == {key: version + 1 for key, version in before.items()}


async def test_a_thread_in_which_something_expired_is_told_of_it(desk: Desk) -> None:
    """A pool ties contracts of two threads together: a command in one lets go what is due in the other."""
    await desk.furnish((ISSUE, OTHER_ISSUE))
    soon = desk.clock.now() + DAY
    await desk.offer(ADAM, "buy unfixed 50 at 800 pool", issue=ISSUE)
    await desk.offer(ADAM, "buy unfixed 50 at 800 pool", until_at=soon, issue=OTHER_ISSUE)
    before = await boards(desk)
    desk.clock.advance(2 * DAY)
    await desk.offer(ADAM, "buy unfixed 10 at 300", issue=ISSUE)
    after = await boards(desk)
    assert {key: after[key] - before[key] for key in after} == {f"board:{ISSUE}": 1, f"board:{OTHER_ISSUE}": 1}


async def test_a_thread_is_brought_up_to_date_by_its_own_commands_in_any_case(desk: Desk) -> None:
    async with desk.db.transaction() as tx:
        locked = await lock_market(tx, set(), cause="c", now=desk.clock.now())
        assert await locked.publish(place_of(ISSUE)) == Changed()
    assert await boards(desk) == {f"board:{ISSUE}": 1}
