"""What GitHub is asked about again: listed once, spread over time, taken by one."""

from __future__ import annotations

import pytest

from app.market.terms.contract import Status
from app.storage.engine.db import Database
from app.storage.market import contracts
from app.storage.people import places
from app.storage.people.places import Installation, Issue, Repository
from app.storage.queues import poll_schedule
from app.storage.queues.poll_schedule import CONTRACT, REPOSITORY, Recheck

NOW, EVERY = 1_000_000, 14_400


@pytest.fixture
async def furnished(db: Database) -> Database:
    """One installation, 30 repositories with an issue each."""
    async with db.transaction() as tx:
        await places.save_installation(tx, Installation(1, 3, "ann", "active", NOW))
        for number in range(1, 31):
            await places.save_repository(tx, Repository(number, 1, 3, "ann", f"tool{number}", False))
            await places.save_issue(tx, Issue(100 + number, number, 5, "A bug", "open", None, None))
    return db


async def contract(db: Database, issue: int, kind: str, maturation_at: int) -> int:
    async with db.transaction() as tx:
        made = await contracts.create(
            tx,
            issue_id=issue,
            statement_text="{}",
            statement_hash=f"{issue}:{kind}",
            kind=kind,
            round=1,
            maturation_at=maturation_at,
            currency="play:3",
            terms_text="{}",
            terms_hash="",
            status=Status.OPEN.value,
            created_at=NOW,
        )
    return made.id


async def listed(db: Database, now: int = NOW) -> None:
    async with db.transaction() as tx:
        await poll_schedule.enlist(tx, now, EVERY)


async def taken(db: Database, now: int, limit: int = 1_000) -> list[Recheck]:
    async with db.transaction() as tx:
        return await poll_schedule.take(tx, now, limit, now + EVERY)


async def test_every_repository_comes_once_in_the_time_and_not_all_at_once(furnished: Database) -> None:
    await listed(furnished)
    found = []
    for at in range(NOW, NOW + EVERY, EVERY // 4):
        part = await taken(furnished, at + EVERY // 4 - 1)
        assert 4 <= len(part) <= 11
        found += part
    assert sorted(found, key=lambda one: one.id) == [Recheck(REPOSITORY, number) for number in range(1, 31)]


async def test_listing_again_moves_nothing(furnished: Database) -> None:
    await listed(furnished)
    await taken(furnished, NOW + EVERY)
    await listed(furnished, NOW + EVERY)
    assert await taken(furnished, NOW + EVERY) == []
    assert len(await taken(furnished, NOW + 2 * EVERY)) == 30


async def test_one_contract_stands_for_all_on_its_issue_and_a_forecast_for_itself(furnished: Database) -> None:
    first = await contract(furnished, 101, "issue_fixed", NOW + 10)
    await contract(furnished, 101, "issue_fixed", NOW + 20)
    other = await contract(furnished, 102, "issue_fixed", NOW + 10)
    forecasts = [await contract(furnished, 101, "milestone", NOW + at) for at in (30, 40)]
    await listed(furnished)
    found = [one.id for one in await taken(furnished, NOW + EVERY) if one.kind == CONTRACT]
    assert sorted(found) == [first, other, *forecasts]


async def test_a_settled_contract_makes_room_for_the_next_of_its_issue(furnished: Database) -> None:
    first = await contract(furnished, 101, "issue_fixed", NOW + 10)
    second = await contract(furnished, 101, "issue_fixed", NOW + 20)
    async with furnished.transaction() as tx:
        await contracts.change(tx, first, status=Status.SETTLED.value)
        await poll_schedule.forget(tx, Recheck(CONTRACT, first))
    await listed(furnished)
    found = [one.id for one in await taken(furnished, NOW + EVERY) if one.kind == CONTRACT]
    assert found == [second]


async def test_the_longest_due_comes_first_and_what_is_taken_is_nobody_elses(furnished: Database) -> None:
    async with furnished.transaction() as tx:
        for number, at in ((7, 30), (8, 10), (9, 20), (8, 40)):
            await poll_schedule.wake(tx, number, NOW + at)
    assert await taken(furnished, NOW + 50, limit=2) == [Recheck(REPOSITORY, 9), Recheck(REPOSITORY, 7)]
    assert await taken(furnished, NOW + 50) == [Recheck(REPOSITORY, 8)]
    assert await taken(furnished, NOW + 50) == []
