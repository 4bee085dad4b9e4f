"""What one user may do in one repository: each limit by itself; none is no limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.market.terms.contract import Side
from app.market.terms.instants import format_instant
from app.services.rules.config import Config, Limits
from app.services.trading import limits, offers
from app.services.trading.limits import OverLimit
from app.storage.market import usage
from app.storage.queues import commands
from app.storage.queues.commands import in_comment
from tests.services.desk import DAY, ISSUE, Desk

ADAM, BETH = 1, 2
NONE = Limits(open_offers=None, commands_per_hour=None)


def limit(desk: Desk, **wanted: Any) -> None:
    desk.config = Config(limits=replace(NONE, **wanted))


async def test_without_limits_there_are_none(desk: Desk) -> None:
    limit(desk)
    for _ in range(5):
        await desk.offer(ADAM, "buy unfixed 10 at 800")


async def test_open_offers(desk: Desk) -> None:
    limit(desk, open_offers=2)
    await desk.offer(ADAM, "buy unfixed 10 at 800")
    await desk.offer(ADAM, "buy unfixed 10 at 700", by_at=None)
    async with desk.refused(OverLimit, "You have 2 open offers in this repository, the most is 2"):
        await desk.offer(ADAM, "buy unfixed 10 at 600")
    await desk.offer(BETH, "buy fixed 10 at 100")
    taken = await desk.offer(ADAM, "buy unfixed 10 at 900 now")
    assert taken.offer.filled == 10, "what leaves nothing is no open offer"
    await desk.cancel(ADAM)
    await desk.offer(ADAM, "buy unfixed 10 at 600")


async def test_a_stake_is_money_up_for_offers_and_cost_of_positions(desk: Desk) -> None:
    limit(desk, stake_mills=20_000)
    await desk.offer(ADAM, "buy unfixed 20 at 800")
    async with desk.refused(OverLimit, r"you could have 24\.00 at stake in this contract, the most is 20\.00"):
        await desk.offer(ADAM, "buy unfixed 10 at 800")
    await desk.offer(BETH, "buy fixed 20 at 200")
    async with desk.refused(OverLimit, r"24\.00 at stake"):
        await desk.offer(ADAM, "buy unfixed 10 at 800")
    await desk.offer(ADAM, "buy unfixed 5 at 800")


async def test_what_is_sold_frees_the_stake(desk: Desk) -> None:
    limit(desk, stake_mills=20_000)
    await desk.offer(ADAM, "buy unfixed 25 at 800")
    await desk.offer(BETH, "buy fixed 25 at 200")
    await desk.sell(ADAM, Side.UNFIXED, 20, 700)
    await desk.offer(BETH, "buy unfixed 20 at 700")
    await desk.offer(ADAM, "buy unfixed 20 at 800")


async def test_leaving_by_buying_the_other_side_takes_no_stake(desk: Desk) -> None:
    limit(desk, stake_mills=20_000, position_units=25)
    await desk.offer(ADAM, "buy unfixed 25 at 800")
    await desk.offer(BETH, "buy fixed 25 at 200")
    await desk.offer(ADAM, "buy fixed 25 at 900")


async def test_a_position_counts_what_is_held_and_what_is_bid_for(desk: Desk) -> None:
    limit(desk, position_units=30)
    await desk.offer(ADAM, "buy unfixed 20 at 800")
    await desk.offer(BETH, "buy fixed 10 at 200")
    async with desk.refused(OverLimit, "you could hold 31 UNFIXED units of this contract, the most is 30"):
        await desk.offer(ADAM, "buy unfixed 11 at 800")
    await desk.offer(ADAM, "buy unfixed 10 at 800")


async def test_a_cooldown_between_two_trades(desk: Desk) -> None:
    limit(desk, cooldown_seconds=60)
    await desk.offer(ADAM, "buy unfixed 10 at 800")
    desk.clock.advance(59)
    async with desk.refused(OverLimit, "Between two trades here 60 seconds have to pass; you can trade again at "):
        await desk.offer(ADAM, "buy unfixed 10 at 800")
    await desk.offer(BETH, "buy unfixed 10 at 800")
    desk.clock.advance(1)
    await desk.offer(ADAM, "buy unfixed 10 at 800")


async def said(desk: Desk, user: int, count: int, done: bool = True) -> None:
    async with desk.db.transaction() as tx:
        for number in range(count):
            key = in_comment(desk.clock.now(), f"balance {done} {number}", number)
            receipt = await commands.begin(tx, key, user_id=user, issue_id=ISSUE, at=desk.clock.now())
            assert receipt is not None
            await commands.finish(tx, receipt, done=done, answer="")


async def test_commands_an_hour(desk: Desk) -> None:
    limit(desk, commands_per_hour=3)
    await said(desk, ADAM, 1)
    desk.clock.advance(600)
    await said(desk, ADAM, 2)
    await said(desk, ADAM, 9, done=False)
    async with desk.refused(OverLimit, "You have given 3 commands here within the last hour, the most is 3"):
        await desk.offer(ADAM, "buy unfixed 10 at 800")
    await desk.offer(BETH, "buy unfixed 10 at 800")
    desk.clock.advance(3000)
    await desk.offer(ADAM, "buy unfixed 10 at 800")


async def test_it_is_said_when_the_next_command_is_free(desk: Desk) -> None:
    limit(desk, commands_per_hour=2)
    await said(desk, ADAM, 1)
    first = desk.clock.now()
    desk.clock.advance(600)
    await said(desk, ADAM, 1)
    with pytest.raises(OverLimit) as caught:
        await desk.offer(ADAM, "buy unfixed 10 at 800")
    assert format_instant(first + 3600) in caught.value.sentence
    assert caught.value.correction == "/bugmark balance"


async def test_young_accounts(desk: Desk) -> None:
    limit(desk, account_age_days=30)
    async with desk.refused(OverLimit, "GitHub did not say how old your account is"):
        await desk.offer(ADAM, "buy unfixed 10 at 800")
    async with desk.db.transaction() as tx:
        assert await limits.asks_for_age(tx, desk.config, ADAM)
        await limits.note_age(tx, ADAM, desk.clock.now() - 29 * DAY)
        assert not await limits.asks_for_age(tx, desk.config, ADAM)
        assert not await limits.asks_for_age(tx, Config(), BETH)
    async with desk.refused(OverLimit, "Accounts younger than 30 days do not trade here; yours can at "):
        await desk.offer(ADAM, "buy unfixed 10 at 800")
    desk.clock.advance(DAY)
    await desk.offer(ADAM, "buy unfixed 10 at 800")


async def test_limits_are_those_of_the_repository(desk: Desk) -> None:
    """What somebody does elsewhere does not count."""
    limit(desk, open_offers=1)
    await desk.offer(ADAM, "buy unfixed 10 at 800")
    async with desk.db.reading() as tx:
        assert await usage.open_offers(tx, ADAM, 41) == 1
        assert await usage.open_offers(tx, ADAM, 42) == 0
        assert await usage.last_offer_at(tx, ADAM, 42) is None


async def test_cancelling_and_shrinking_are_never_limited(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 20 at 800")
    number = (await desk.offer(ADAM, "buy unfixed 20 at 700")).offer.number
    limit(desk, open_offers=0, stake_mills=0, commands_per_hour=0, cooldown_seconds=DAY, position_units=0)
    context = desk.context(ADAM)
    await desk.run(lambda tx: offers.change(tx, context, number, 10, None, None))
    assert len(await desk.cancel(ADAM)) == 2
