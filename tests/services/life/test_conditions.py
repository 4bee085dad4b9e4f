"""Conditions of offers through the services: what is stored, what other contracts see of it, what follows by itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

from app.market.life.facts import IssueFacts
from app.market.terms.contract import Side, Status
from app.market.terms.errors import InsufficientFunds, InvalidOffer
from app.services.trading import automatic_trades, offers
from app.services.trading.locked_market import EVERYWHERE
from app.services.trading.offers import Traded
from app.storage.engine.db import DatabaseBusy
from app.storage.market import contracts, pools
from tests.services.desk import BY, CURRENCY, DAY, GRANT_MILLS, ISSUE, Desk, new_offer

FIXED, UNFIXED = Side.FIXED, Side.UNFIXED
ADAM, BETH, CHARLES, DEV = 1, 2, 3, 4
OTHER, THIRD = 102, 103


async def states(desk: Desk) -> dict[int, str]:
    return {row[0]: row[-2] for row in (await desk.dump())["offers"]}


async def left(desk: Desk, user: int) -> int | None:
    async with desk.db.reading() as tx:
        found = (await pools.load(tx, CURRENCY, {user})).get(user)
    return found.left_mills if found else None


async def follow(desk: Desk) -> list[int]:
    """Bring back what fits; returns the numbers of those that came back."""
    async with desk.db.reading() as tx:
        waiting = await pools.with_suspended(tx, 50)
    back = []
    for number, contract in waiting:
        resume = partial(
            automatic_trades.resume_suspended,
            number=number,
            contract_id=contract,
            now=desk.clock.now(),
            fresh=EVERYWHERE,
        )
        if await desk.run(resume):
            back.append(number)
    return back


async def spread(desk: Desk, user: int, line: str, from_at: int, by_at: int) -> Traded:
    context, new = desk.context(user), new_offer(line)
    return await desk.run(lambda tx: offers.offer(tx, context, new, by_at, from_at))


async def test_an_all_or_none_offer_waits_for_the_last_of_the_crowd(desk: Desk) -> None:
    """Example F, but for the fifth fan."""
    for user in (ADAM, BETH):
        await desk.offer(user, "buy unfixed 20 at 900")
    dev = await desk.offer(DEV, "buy fixed 60 at 100 whole")
    assert (dev.changes.fills, await desk.reserve(DEV)) == ([], 6_000)
    last = await desk.offer(CHARLES, "buy unfixed 20 at 900")
    assert [(fill.volume, fill.price) for fill in last.changes.fills] == [(20, 100)] * 3
    assert last.changes.retried == 3
    assert (await desk.contract(dev.contract.id)).open_interest == 60
    for fan in (ADAM, BETH, CHARLES):
        assert await desk.free(fan) == GRANT_MILLS - 18_000


async def test_an_all_or_none_offer_is_tried_when_a_due_offer_expires(desk: Desk) -> None:
    """13 are wanted; the whole 12 stood before the whole 5, and both do not fit."""
    first = await desk.offer(ADAM, "buy unfixed 12 at 600 whole", until_at=desk.clock.now() + 60)
    await desk.offer(BETH, "buy unfixed 5 at 600 whole")
    await desk.offer(CHARLES, "buy unfixed 8 at 600 whole")
    dev = await desk.offer(DEV, "buy fixed 13 at 400 whole")
    assert dev.offer.remaining == 13
    desk.clock.advance(60)
    assert await desk.sweep(first.contract.id)
    assert (await states(desk))[dev.offer.number] == "DONE"
    assert await desk.position(DEV, FIXED) == (13, 0, 5_200)


async def test_post_only_is_refused_if_it_would_fill(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 20 at 600")
    async with desk.refused(InvalidOffer, "post-only"):
        await desk.offer(BETH, "buy fixed 10 at 400 post")
    made = await desk.offer(BETH, "buy fixed 10 at 390 post leaves")
    await desk.note(IssueFacts(closed=True, completed=True, closed_at=desk.clock.now()))
    assert (await desk.contract(made.contract.id)).status is Status.HALTED
    assert (await states(desk))[made.offer.number] == "DONE"
    assert await desk.reserve(BETH) == 0


async def test_a_pool_spends_one_budget_over_several_issues(desk: Desk) -> None:
    """Any one of three issues with the same 100 tokens."""
    await desk.furnish((ISSUE, OTHER, THIRD))
    numbers = [
        (await desk.offer(ADAM, "buy unfixed 125 at 800 pool", issue=issue)).offer.number
        for issue in (ISSUE, OTHER, THIRD)
    ]
    assert (await desk.reserve(ADAM), await left(desk, ADAM)) == (100_000, 100_000)
    await desk.offer(BETH, "buy fixed 25 at 200", issue=OTHER)
    assert [(await states(desk))[number] for number in numbers] == ["SUSPENDED", "LIVE", "SUSPENDED"]
    assert (await desk.reserve(ADAM), await left(desk, ADAM)) == (80_000, 80_000)
    assert await follow(desk) == []
    await desk.offer(CHARLES, "buy unfixed 25 at 810", issue=OTHER)
    await desk.sell(ADAM, UNFIXED, 25, 810, issue=OTHER)
    assert await left(desk, ADAM) == 100_000
    assert await follow(desk) == [numbers[0], numbers[2]]
    assert [(await states(desk))[number] for number in numbers] == ["LIVE", "LIVE", "LIVE"]
    assert await desk.free(ADAM) == GRANT_MILLS - 100_000 + 250


async def test_a_pooled_offer_needs_only_what_the_pool_does_not_have(desk: Desk) -> None:
    await desk.furnish((ISSUE, OTHER))
    await desk.offer(ADAM, "buy unfixed 1000 at 900 pool")
    await desk.offer(ADAM, "buy unfixed 1000 at 950 pool", issue=OTHER)
    assert await desk.reserve(ADAM) == 950_000
    async with desk.refused(InsufficientFunds):
        await desk.offer(ADAM, "buy unfixed 1002 at 999 pool", issue=OTHER)


async def test_cancelling_the_dearest_of_a_pool_frees_what_the_others_do_not_need(desk: Desk) -> None:
    await desk.furnish((ISSUE, OTHER))
    await desk.offer(ADAM, "buy unfixed 100 at 500 pool")
    dear = await desk.offer(ADAM, "buy unfixed 100 at 800 pool", issue=OTHER)
    await desk.cancel(ADAM, dear.offer.number, issue=OTHER)
    assert (await desk.reserve(ADAM), await left(desk, ADAM)) == (50_000, 50_000)


async def test_a_range_takes_the_best_of_all_contracts_and_rests_in_one(desk: Desk) -> None:
    near = await desk.offer(ADAM, "buy unfixed 10 at 700")
    far = await desk.offer(BETH, "buy unfixed 10 at 800", by_at=BY + DAY)
    taken = await spread(desk, DEV, "buy fixed 30 at 300", BY, BY + 2 * DAY)
    parts = {part.contract.id: part.offer for part in (*taken.others, taken)}
    assert {number: offer.filled for number, offer in parts.items()} == {near.contract.id: 10, far.contract.id: 10}
    assert {number: offer.remaining for number, offer in parts.items()} == {near.contract.id: 0, far.contract.id: 10}
    assert await desk.free(DEV) == GRANT_MILLS - 10 * 200 - 10 * 300 - 10 * 300


async def test_a_range_without_contracts_makes_the_one_at_its_end(desk: Desk) -> None:
    made = await spread(desk, DEV, "buy fixed 30 at 300", BY, BY + DAY)
    assert made.contract.maturation_at == BY + DAY
    async with desk.db.reading() as tx:
        assert len(await contracts.of_issue(tx, ISSUE)) == 1


async def test_a_range_leaves_no_contract_that_nobody_touched(desk: Desk) -> None:
    """The one at its end would have taken the rest, had its own fills not made another the one with most interest."""
    near = await desk.offer(ADAM, "buy unfixed 10 at 700")
    taken = await spread(desk, DEV, "buy fixed 30 at 300", BY, BY + DAY)
    assert (taken.contract.id, taken.offer.remaining, taken.others) == (near.contract.id, 20, ())
    async with desk.db.reading() as tx:
        assert [row.id for row in await contracts.of_issue(tx, ISSUE)] == [near.contract.id]
    again = await spread(desk, BETH, "buy unfixed 10 at 900", BY + DAY, BY + 2 * DAY)
    assert again.contract.maturation_at == BY + 2 * DAY
    async with desk.db.transaction() as tx:
        await contracts.forget(tx, again.contract.id)
        assert await contracts.get(tx, again.contract.id), "somebody has an offer there"


async def test_a_smaller_offer_keeps_its_place_anything_else_is_new(desk: Desk) -> None:
    first = (await desk.offer(ADAM, "buy unfixed 20 at 600")).offer.number
    second = (await desk.offer(BETH, "buy unfixed 20 at 600")).offer.number

    async def change(number: int, volume: int | None, price: int | None) -> Traded:
        context = desk.context(ADAM)
        return await desk.run(lambda tx: offers.change(tx, context, number, volume, price, None))

    await change(first, 10, None)
    filled = await desk.offer(DEV, "buy fixed 15 at 400")
    assert [fill.ask for fill in filled.changes.fills] == [first, second]
    assert await desk.reserve(ADAM) == 0
    again = (await desk.offer(ADAM, "buy unfixed 20 at 600")).offer.number
    moved = await change(again, 20, 650)
    assert moved.offer.number > again
    assert (await states(desk))[again] == "DONE"
    assert await desk.reserve(ADAM) == 13_000


async def test_where_a_pools_offers_left_a_book_its_all_or_none_offers_are_tried(desk: Desk) -> None:
    """In the other thread 105 are wanted: the pooled 103 stand first, and neither the 5 nor the 100 fit beside them."""
    await desk.furnish((ISSUE, OTHER))
    await desk.offer(ADAM, "buy unfixed 100 at 600 pool")
    pooled = await desk.offer(ADAM, "buy unfixed 103 at 600 pool whole", issue=OTHER)
    await desk.offer(BETH, "buy unfixed 5 at 600 whole", issue=OTHER)
    await desk.offer(CHARLES, "buy unfixed 100 at 600 whole", issue=OTHER)
    waits = await desk.offer(DEV, "buy fixed 105 at 400 whole", issue=OTHER)
    assert waits.offer.remaining == 105
    await desk.offer(BETH, "buy fixed 10 at 400")
    row = await desk.contract(pooled.contract.id)
    assert row.retry_due
    await desk.run(lambda tx: automatic_trades.retry_contract(tx, row.id, desk.clock.now(), EVERYWHERE))
    assert not (await desk.contract(row.id)).retry_due
    assert await desk.position(DEV, FIXED, OTHER) == (105, 0, 42_000)


async def test_pooled_offers_made_at_once_share_one_budget(desk: Desk) -> None:
    """Two threads at the same moment, the user's first pooled offers: one of them has to come again."""
    issues = (ISSUE, OTHER, THIRD)
    await desk.furnish(issues)
    desk.audited = False

    async def persist(issue: int) -> None:
        context, new = desk.context(ADAM, issue), new_offer("buy unfixed 125 at 800 pool")
        for _ in range(10):
            with suppress(DatabaseBusy):
                async with desk.db.transaction() as tx:
                    await offers.offer(tx, context, new, BY)
                return
        raise AssertionError("it never came through")

    await asyncio.gather(*(persist(issue) for issue in issues))
    assert (await desk.reserve(ADAM), await left(desk, ADAM)) == (100_000, 100_000)
    await desk.check()
