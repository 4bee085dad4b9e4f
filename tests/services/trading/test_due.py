"""What is due in all contracts that a command locks expires before it, as if the clock loop had come by."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from app.market.exchange.matching import cancel
from app.market.exchange.state import MAX_FILLS
from app.market.terms.contract import Side, Status
from app.services.life.asking import NoNews, with_news
from app.services.trading import automatic_trades, offers
from app.services.trading.locked_market import EVERYWHERE, StaleNews, lock_market
from app.services.trading.offers import Traded
from tests.services.desk import BY, ISSUE, Desk, new_offer
from tests.services.lives import IS_OPEN, closed

ADAM, BETH, CHARLES, DEV, EVE = 1, 2, 3, 4, 5
OTHER, THIRD = 102, 103


async def states(desk: Desk) -> dict[int, str]:
    return {row[0]: row[-2] for row in (await desk.dump())["offers"]}


async def expired(desk: Desk) -> list[int]:
    """The offers that expired, in the order of their entries."""
    return [int(row[1].partition(":")[2]) for row in (await desk.dump())["entries"] if row[2] == "expiry"]


async def tied(desk: Desk) -> tuple[int, int]:
    """Adam's pool ties two issues. Once Beth's eight in the other are due, his twelve there take what comes next.

    Returns the contracts, the other issue's last.
    """
    await desk.furnish(issues=(ISSUE, OTHER), users=5)
    soon = desk.clock.now() + 60
    beth = await desk.offer(BETH, "buy unfixed 8 at 600 whole", until_at=soon, issue=OTHER)
    await desk.offer(CHARLES, "buy unfixed 7 at 550 whole", issue=OTHER)
    await desk.offer(DEV, "buy unfixed 5 at 540 whole", issue=OTHER)
    await desk.offer(ADAM, "buy fixed 12 at 500 whole pool", issue=OTHER)
    here = await desk.offer(ADAM, "buy fixed 12 at 500 pool")
    return here.contract.id, beth.contract.id


async def trade(desk: Desk, asked: frozenset[int] = frozenset()) -> Traded:
    """Eve takes Adam's twelve here, if they are there."""
    context, new = replace(desk.context(EVE), asked=asked), new_offer("buy unfixed 12 at 500")
    return await desk.run(lambda tx: offers.offer(tx, context, new, BY))


@pytest.mark.parametrize("clock_loop_first", [True, False])
async def test_a_trade_comes_to_the_same_whether_the_clock_loop_has_run_or_not(
    desk: Desk, clock_loop_first: bool
) -> None:
    """Adam's money went into the other issue when Beth's offer ended there: there is none left for Eve's."""
    _, other = await tied(desk)
    desk.clock.advance(70)
    if clock_loop_first:
        assert await desk.sweep(other)
    traded = await trade(desk, frozenset({other}))
    assert (traded.changes.fills, traded.offer.remaining) == ([], 12)
    assert await expired(desk) == [1]
    assert list((await states(desk)).values()) == ["DONE", "DONE", "DONE", "DONE", "SUSPENDED", "LIVE"]
    assert await desk.position(ADAM, Side.FIXED, OTHER) == (12, 0, 7 * 450 + 5 * 460)


async def test_github_is_asked_first_where_an_expiry_would_fill_something_about_another_issue(desk: Desk) -> None:
    _, other = await tied(desk)
    desk.clock.advance(70)
    before = await desk.dump()
    with pytest.raises(StaleNews) as stale:
        await trade(desk)
    assert stale.value.contracts == {other}
    with pytest.raises(NoNews):
        await with_news(desk.db, desk.oracle, desk.clock, partial(trade, desk))
    assert (await desk.dump())["entries"] == before["entries"]
    desk.oracle.facts, desk.oracle.asked = IS_OPEN, 0
    traded = await with_news(desk.db, desk.oracle, desk.clock, partial(trade, desk))
    assert (desk.oracle.asked, traded.changes.fills) == (1, [])
    assert await expired(desk) == [1]


async def test_what_github_tells_of_the_other_issue_counts(desk: Desk) -> None:
    """It is closed: its contract halts, nothing fills there, and Adam's money is still here."""
    _, other = await tied(desk)
    desk.clock.advance(70)
    desk.oracle.facts = closed(desk.clock.now() - 5)
    traded = await with_news(desk.db, desk.oracle, desk.clock, partial(trade, desk))
    assert [(fill.volume, fill.price) for fill in traded.changes.fills] == [(12, 500)]
    assert (await desk.contract(other)).status is Status.HALTED
    assert await expired(desk) == [1]


async def test_where_nothing_would_fill_nobody_is_asked(desk: Desk) -> None:
    await tied(desk)
    await desk.cancel(CHARLES, issue=OTHER)
    desk.clock.advance(70)
    traded = await trade(desk)
    assert ([fill.volume for fill in traded.changes.fills], desk.oracle.asked) == ([12], 0)
    assert await expired(desk) == [1]


async def test_all_contracts_under_lock_expire_in_one_order_of_until_and_number(desk: Desk) -> None:
    await desk.furnish(issues=(ISSUE, OTHER), users=5)
    now = desk.clock.now()
    await desk.offer(ADAM, "buy fixed 12 at 500 pool")
    await desk.offer(ADAM, "buy fixed 12 at 500 pool", issue=OTHER)
    ends = [(BETH, ISSUE, 50), (BETH, OTHER, 40), (CHARLES, ISSUE, 40), (CHARLES, OTHER, 30), (DEV, ISSUE, 20)]
    for user, issue, after in ends:
        await desk.offer(user, "buy fixed 10 at 100", until_at=now + after, issue=issue)
    desk.clock.advance(60)
    await trade(desk)
    assert await expired(desk) == [7, 6, 4, 5, 3]
    news = [row[8] for row in (await desk.dump())["outbox"] if row[2] == "notice"]
    assert len(news) == 2


async def test_what_is_due_in_a_tied_contract_ties_further_contracts(desk: Desk) -> None:
    """Beth's pooled offer ends in the contract that Adam's pool ties: what is left of hers hangs on the third one."""
    await desk.furnish(issues=(ISSUE, OTHER, THIRD), users=5)
    await desk.offer(ADAM, "buy fixed 12 at 500 pool")
    await desk.offer(ADAM, "buy fixed 12 at 500 pool", issue=OTHER)
    await desk.offer(BETH, "buy fixed 50 at 400 pool", until_at=desk.clock.now() + 60, issue=OTHER)
    await desk.offer(BETH, "buy fixed 10 at 300 pool", issue=THIRD)
    assert await desk.reserve(BETH) == 20_000
    desk.clock.advance(70)
    await trade(desk)
    assert await expired(desk) == [3]
    assert await desk.reserve(BETH) == 3_000


async def test_a_halt_on_news_lets_everything_expire_and_fills_nothing(desk: Desk) -> None:
    """The other issue's all-or-none offers are tried once GitHub was asked about it."""
    here, other = await tied(desk)
    desk.clock.advance(70)
    await desk.note(closed(desk.clock.now()))
    assert (await desk.contract(here)).status is Status.HALTED
    assert await expired(desk) == [1]
    row = await desk.contract(other)
    assert (row.open_interest, row.retry_due) == (0, True)
    await desk.run(lambda tx: automatic_trades.retry_contract(tx, other, desk.clock.now(), EVERYWHERE))
    row = await desk.contract(other)
    assert (row.open_interest, row.retry_due) == (12, False)


async def test_a_verdict_does_not_wait_for_news_about_another_issue(desk: Desk) -> None:
    """The other issue's offer comes due within the window here; here is settled, and over there is tried later."""
    here, other = await tied(desk)
    desk.oracle.facts = closed(desk.clock.now())
    await desk.look(here)
    row = await desk.contract(here)
    assert row.window_ends_at is not None
    desk.clock.set(row.window_ends_at)
    await desk.look(here)
    assert (await desk.contract(here)).status is Status.SETTLED
    row = await desk.contract(other)
    assert (row.open_interest, row.retry_due, await expired(desk)) == (0, True, [1])


async def test_a_follow_up_needs_news_about_what_it_would_fill(desk: Desk) -> None:
    here, other = await tied(desk)
    desk.clock.advance(70)
    calls = (
        partial(automatic_trades.expire_due, contract_id=other, now=desk.clock.now(), fresh=frozenset()),
        partial(automatic_trades.retry_contract, contract_id=here, now=desk.clock.now(), fresh=frozenset({here})),
        partial(
            automatic_trades.resume_suspended, number=5, contract_id=here, now=desk.clock.now(), fresh=frozenset({here})
        ),
    )
    for call in calls:
        with pytest.raises(StaleNews) as stale:
            await desk.run(call)
        assert stale.value.contracts == {other}


async def test_a_command_makes_a_thousand_fills_in_all_its_steps(desk: Desk) -> None:
    """What a cancel lets fill counts for what comes after it."""
    await desk.furnish(users=5)
    await desk.offer(ADAM, "buy unfixed 8 at 600 whole")
    await desk.offer(BETH, "buy unfixed 7 at 550 whole")
    await desk.offer(CHARLES, "buy unfixed 5 at 540 whole")
    await desk.offer(DEV, "buy fixed 12 at 500 whole")
    context = desk.context(ADAM)
    async with desk.db.transaction() as tx:
        locked = await lock_market(tx, {1}, cause=context.cause, now=context.now, user=ADAM)
        assert locked.room == MAX_FILLS
        await locked.run(partial(cancel, locked.market, 1, user=ADAM, now=context.now, room=locked.room))
        assert locked.room == MAX_FILLS - 2
