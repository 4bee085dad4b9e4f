"""The record of commands: each runs once, whoever tries and how often."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from app.storage.engine.db import Database
from app.storage.people import places
from app.storage.people.places import Installation, Issue, Repository
from app.storage.queues import commands
from app.storage.queues.commands import CommandRecord, ReceiptKey, in_comment

KEY = in_comment(9, "offer fixed 50", 0)


@pytest.fixture
async def furnished(db: Database) -> Database:
    """With one issue and one user."""
    async with db.transaction() as tx:
        await places.save_installation(tx, Installation(31, 7, "octo", "active", 0))
        await places.save_repository(tx, Repository(41, 31, 7, "octo", "cat", False))
        await places.save_issue(tx, Issue(101, 41, 5, "A bug", "open", None, None))
        await places.open_user(tx, 1, "ann", 0)
    return db


async def run(db: Database, key: ReceiptKey = KEY, answer: str = "done") -> int | None:
    """Claim, work a while, write down what was done."""
    async with db.transaction() as tx:
        number = await commands.begin(tx, key, user_id=1, issue_id=101, at=5)
        if number is not None:
            await asyncio.sleep(0.01)
            await commands.finish(tx, number, done=True, answer=answer)
        return number


async def records(db: Database, comment: int = 9) -> list[CommandRecord]:
    async with db.reading() as tx:
        return await commands.of_comment(tx, comment)


async def test_a_command_runs_once(furnished: Database) -> None:
    number = await run(furnished, answer="first")
    assert number is not None
    assert await run(furnished, answer="second") is None
    assert await records(furnished) == [CommandRecord(number, KEY.text, 1, True, "first")]


async def test_comment_text_and_occurrence_make_a_command(furnished: Database) -> None:
    keys = [KEY, in_comment(9, KEY.text, 1), in_comment(9, "offer fixed 51", 0), in_comment(10, KEY.text, 0)]
    numbers = [await run(furnished, key) for key in keys]
    assert None not in numbers
    assert len(set(numbers)) == 4
    assert [await run(furnished, key) for key in keys] == [None] * 4
    assert [record.text for record in await records(furnished)] == [KEY.text, KEY.text, "offer fixed 51"]
    assert len(await records(furnished, 10)) == 1


async def test_a_command_of_any_length_runs_once(furnished: Database) -> None:
    long = in_comment(9, "offer fixed 50 " + "ä" * 60_000, 0)
    assert await run(furnished, long) is not None
    assert await run(furnished, long) is None


async def test_at_the_same_time_it_runs_once(furnished: Database) -> None:
    numbers = await asyncio.gather(*(run(furnished) for _ in range(8)))
    assert sum(number is not None for number in numbers) == 1
    assert len(await records(furnished)) == 1


async def test_a_rollback_frees_it(furnished: Database) -> None:
    with pytest.raises(LookupError):
        async with furnished.transaction() as tx:
            assert await commands.begin(tx, KEY, user_id=1, issue_id=101, at=5) is not None
            raise LookupError
    assert await records(furnished) == []
    assert await run(furnished) is not None


async def test_who_waits_for_one_that_fails_gets_it(furnished: Database) -> None:
    waiter: asyncio.Task[int | None] | None = None
    with pytest.raises(LookupError):
        async with furnished.transaction() as tx:
            assert await commands.begin(tx, KEY, user_id=1, issue_id=101, at=5) is not None
            waiter = asyncio.create_task(run(furnished))
            await asyncio.sleep(0.1)
            assert not waiter.done()
            raise LookupError
    assert waiter is not None
    assert await waiter is not None


async def test_a_refusal_is_recorded_as_not_done(furnished: Database) -> None:
    async with furnished.transaction() as tx:
        number = await commands.begin(tx, KEY, user_id=1, issue_id=101, at=5)
        assert number is not None
        await commands.finish(tx, number, done=False, answer="no")
    assert [(record.done, record.answer) for record in await records(furnished)] == [(False, "no")]
    async with furnished.reading() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM commands"))).scalar_one() == 1
