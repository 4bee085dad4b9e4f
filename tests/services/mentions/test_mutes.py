"""Who is mentioned, and who is answered with reactions only."""

from __future__ import annotations

from app.market.terms.mention import Mode
from app.services.mentions import mutes
from tests.services.desk import DAY, REPOSITORY, Desk

ADAM, BETH, CARL = 1, 2, 3
ELSEWHERE = REPOSITORY + 1


async def choose(desk: Desk, user: int, mode: Mode) -> None:
    async with desk.db.transaction() as tx:
        await mutes.choose(tx, user, REPOSITORY, mode)


async def addressed(desk: Desk, *users: int, repository: int = REPOSITORY) -> list[str]:
    async with desk.db.transaction() as tx:
        named = await mutes.addressed(tx, repository, set(users), desk.clock.now())
    return [named[user] for user in users]


async def silent(desk: Desk, user: int) -> bool:
    async with desk.db.reading() as tx:
        return await mutes.silent(tx, user, REPOSITORY)


async def test_everybody_starts_with_every_fill(desk: Desk) -> None:
    assert await addressed(desk, ADAM, BETH) == ["@user1", "@user2"]
    assert not await silent(desk, ADAM)


async def test_never(desk: Desk) -> None:
    await choose(desk, ADAM, Mode.NEVER)
    assert await addressed(desk, ADAM, BETH) == ["**user1**", "@user2"]
    assert await addressed(desk, ADAM, repository=ELSEWHERE) == ["@user1"]
    assert await silent(desk, ADAM) and not await silent(desk, BETH)
    async with desk.db.reading() as tx:
        assert await mutes.named(tx, REPOSITORY, {ADAM, BETH}) == {ADAM: "**user1**", BETH: "@user2"}


async def test_daily_is_the_first_fill_of_a_day(desk: Desk) -> None:
    await choose(desk, ADAM, Mode.DAILY)
    desk.clock.advance(DAY - desk.clock.now() % DAY)
    assert await addressed(desk, ADAM) == ["@user1"]
    desk.clock.advance(DAY - 1)
    assert await addressed(desk, ADAM) == ["**user1**"]
    desk.clock.advance(1)
    assert await addressed(desk, ADAM) == ["@user1"]
    assert not await silent(desk, ADAM)


async def test_unmute_brings_everything_back(desk: Desk) -> None:
    await choose(desk, ADAM, Mode.NEVER)
    await choose(desk, ADAM, Mode.DAILY)
    await choose(desk, ADAM, Mode.EVERY)
    assert await addressed(desk, ADAM) == ["@user1"]
    assert not await silent(desk, ADAM)
    assert await addressed(desk) == []
