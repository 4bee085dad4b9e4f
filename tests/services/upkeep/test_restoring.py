"""After an older backup was restored no number that somebody may have read is handed out again."""

from __future__ import annotations

from dataclasses import fields

import pytest
from sqlalchemy import select, update

from app.market.terms.contract import Side
from app.market.terms.errors import Refusal
from app.services.audit.audit import audit
from app.services.upkeep.restoring import restored
from app.storage.engine import tables
from app.storage.market import contracts, stakes
from app.storage.market.contracts import ContractRow
from app.storage.proof import numbers
from app.storage.proof.numbers import AHEAD
from app.storage.queues import commands, outbox
from app.storage.queues.commands import in_comment
from tests.services.desk import BY, DAY, ISSUE, Desk, place_of

OTHER = ISSUE + 1


async def traded(desk: Desk) -> None:
    """o1 and o2 meet in c1, o3 rests there; c2 has an offer and no amendment."""
    await desk.furnish((ISSUE, OTHER))
    await desk.offer(1, "buy unfixed 20 at 800")
    await desk.offer(2, "buy fixed 20 at 200")
    await desk.offer(1, "buy unfixed 10 at 700")
    await desk.offer(3, "buy fixed 10 at 300", issue=OTHER)


async def clean(desk: Desk) -> None:
    report = await audit(desk.db, desk.clock.now())
    assert report.problems == []
    assert report.unsealed == 0


async def test_what_comes_later_has_numbers_a_million_ahead(desk: Desk) -> None:
    await traded(desk)
    assert await restored(desk.db, desk.clock.now())
    await clean(desk)
    new = (await desk.offer(3, "buy unfixed 10 at 600", by_at=BY + DAY)).offer
    assert new.number > AHEAD
    assert new.contract > AHEAD
    with pytest.raises(Refusal):
        await desk.take(4, 1_000_003 + 1)
    filled = await desk.take(4, 3)
    assert [fill.amendment for fill in filled.changes.fills] == [AHEAD + 2]
    async with desk.db.transaction() as tx:
        receipt = await commands.begin(tx, in_comment(5, "balance", 0), user_id=1, issue_id=ISSUE, at=desk.clock.now())
        await outbox.put(tx, key="reply:5", kind="reply", place=place_of(ISSUE), body="", now=desk.clock.now())
        message = (await tx.execute(select(tables.outbox.c.id).where(tables.outbox.c.key == "reply:5"))).scalar_one()
        entry = await numbers.newest_entry(tx)
    assert receipt is not None and receipt > AHEAD and message > AHEAD and entry is not None and entry > AHEAD
    assert (await desk.position(4, Side.FIXED))[0] == 10


async def test_every_contract_that_goes_on_is_ahead_and_told_in_the_journal(desk: Desk) -> None:
    await traded(desk)
    before = [await desk.contract(number) for number in (1, 2)]
    assert [row.amendment for row in before] == [1, 0]
    await restored(desk.db, desk.clock.now())
    after = [await desk.contract(number) for number in (1, 2)]
    assert [row.amendment for row in after] == [AHEAD + 1, AHEAD]
    assert [new.version - old.version for new, old in zip(after, before, strict=True)] == [AHEAD, AHEAD]
    assert [(row.open_interest, row.minted_mills) for row in after] == [
        (row.open_interest, row.minted_mills) for row in before
    ]
    async with desk.db.reading() as tx:
        told = (await tx.execute(select(tables.entries.c.detail).where(tables.entries.c.cause == "restored"))).scalars()
        assert '["amendment",2,1000000,"restored",0,0,' in "".join(told)
        assert await stakes.void_price(tx, 1, BY) == await stakes.void_price(tx, 1, desk.clock.now())


async def test_the_number_of_a_contract_that_was_taken_back_is_not_given_again(desk: Desk) -> None:
    await traded(desk)
    async with desk.db.transaction() as tx:
        made = await contracts.create(tx, **{**_like(await desk.contract(2)), "maturation_at": BY + DAY})
        await contracts.forget(tx, made.id)
    assert made.id == 3
    assert (await desk.offer(3, "buy unfixed 10 at 600", by_at=BY + 2 * DAY)).offer.contract == 4


def _like(row: ContractRow) -> dict[str, object]:
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    return {name: value for name, value in values.items() if name != "id"} | {"status": "OPEN"}


async def test_doing_it_twice_changes_nothing_the_second_time(desk: Desk) -> None:
    await traded(desk)
    assert await restored(desk.db, desk.clock.now())
    once = await desk.dump()
    assert not await restored(desk.db, desk.clock.now())
    assert await desk.dump() == once
    await desk.offer(2, "buy fixed 10 at 100")
    assert await restored(desk.db, desk.clock.now())
    assert (await desk.contract(1)).amendment == 2 * AHEAD + 1
    await clean(desk)


async def test_the_same_backup_restored_a_second_time_leaps_further(desk: Desk) -> None:
    await traded(desk)
    assert await restored(desk.db, desk.clock.now(), times=2)
    assert (await desk.offer(2, "buy fixed 10 at 100")).offer.number > 2 * AHEAD
    assert (await desk.contract(1)).amendment == 2 * AHEAD + 1
    await desk.check()


async def test_an_empty_database_is_ahead_too(desk: Desk) -> None:
    assert await restored(desk.db, desk.clock.now())
    await traded(desk)
    rest = (await desk.offer(4, "buy unfixed 10 at 600")).offer
    assert rest.number > AHEAD and rest.contract > AHEAD


async def test_a_gap_that_no_entry_tells_of_is_found(desk: Desk) -> None:
    await traded(desk)
    async with desk.db.transaction() as tx:
        await tx.execute(update(tables.contracts).values(amendment=tables.contracts.c.amendment + AHEAD))
    problems = (await audit(desk.db)).problems
    assert "contract c1 is not as its amendments left it" in problems


async def test_what_waits_is_looked_for_before_it_is_posted(desk: Desk) -> None:
    await desk.furnish()
    async with desk.db.transaction() as tx:
        await outbox.put(tx, key="reply:5", kind="reply", place=place_of(ISSUE), body="", now=desk.clock.now())
    await restored(desk.db, desk.clock.now())
    async with desk.db.transaction() as tx:
        message = await outbox.claim(tx, desk.clock.now(), 60)
    assert message is not None and message.attempts == 2
