"""Accounts: the welcome grant comes once per user and owner, whoever else asks for it at the same time."""

from __future__ import annotations

import asyncio

from app.market.ledger.journal import Kind
from app.services.accounts import accounts
from app.services.accounts.accounts import MAX_SUPPLY_MILLS, Balance, Opening
from app.services.rules.config import Config
from app.storage.market import journal
from app.storage.people import places
from tests.services.desk import CURRENCY, GRANT_MILLS, OWNER, Desk


async def test_the_first_act_under_an_owner_grants_once(desk: Desk) -> None:
    before = await desk.journal()
    await desk.open_account(1)
    assert await desk.journal() == before
    assert await desk.free(1) == GRANT_MILLS
    assert await desk.reserve(1) == 0


async def test_each_owner_grants_tokens_of_its_own(desk: Desk) -> None:
    await desk.open_account(1, owner=8)
    await desk.check()
    async with desk.db.reading() as tx:
        assert await accounts.balance(tx, 1, OWNER) == Balance(CURRENCY, GRANT_MILLS, 0)
        assert await accounts.balance(tx, 1, 8) == Balance("play:8", GRANT_MILLS, 0)
        assert await accounts.balance(tx, 1, 9) == Balance("play:9", 0, 0)
        assert await journal.balance(tx, Kind.ISSUANCE, 0, "play:8") == -GRANT_MILLS


async def test_the_grant_is_told_to_the_cause_that_brought_it(desk: Desk) -> None:
    async with desk.db.reading() as tx:
        assert await accounts.granted_by(tx, Opening(1, "user1", OWNER, "comment:1")) == GRANT_MILLS
        assert await accounts.granted_by(tx, Opening(1, "user1", OWNER, "comment:2")) == 0
        assert await accounts.granted_by(tx, Opening(9, "user9", OWNER, "comment:1")) == 0


async def test_without_a_grant_an_account_starts_empty(desk: Desk) -> None:
    desk.config = Config(welcome_grant_mills=0)
    before = await desk.journal()
    await desk.open_account(9)
    assert await desk.journal() == before
    assert await desk.free(9) == 0


async def test_the_supply_of_a_currency_is_bounded(desk: Desk) -> None:
    """No more than 9·10¹⁵ mills, which is less than 2⁵³; each owner's tokens are a currency of their own."""
    desk.config = Config(welcome_grant_mills=MAX_SUPPLY_MILLS // 2)
    for user in (1, 2, 3):
        await desk.open_account(user, owner=8)
    assert MAX_SUPPLY_MILLS == 9 * 10**15
    async with desk.db.reading() as tx:
        free = [(await accounts.balance(tx, user, 8)).free_mills for user in (1, 2, 3)]
        assert free == [MAX_SUPPLY_MILLS // 2, MAX_SUPPLY_MILLS // 2, 0]
    await desk.check()
    await desk.open_account(3, owner=9)
    async with desk.db.reading() as tx:
        assert (await accounts.balance(tx, 3, 9)).free_mills == MAX_SUPPLY_MILLS // 2


async def test_a_changed_login_is_noted(desk: Desk) -> None:
    async with desk.db.transaction() as tx:
        await accounts.open_account(tx, Opening(1, "Renamed", OWNER, "comment:9"), desk.config, desk.clock.now())
        assert await places.logins(tx, {1, 2}) == {1: "Renamed", 2: "user2"}
        assert await places.user_by_login(tx, "renamed") == 1
        assert await places.user_by_login(tx, "user1") is None


async def test_many_at_once_grant_once(desk: Desk) -> None:
    """A new user, and one known from another owner, who acts first here in several threads at the same time."""
    await asyncio.gather(*(desk.open_account(50) for _ in range(8)))
    await asyncio.gather(*(desk.open_account(1, owner=8) for _ in range(8)))
    await desk.check()
    async with desk.db.reading() as tx:
        assert (await accounts.balance(tx, 50, OWNER)).free_mills == GRANT_MILLS
        assert (await accounts.balance(tx, 1, 8)).free_mills == GRANT_MILLS
