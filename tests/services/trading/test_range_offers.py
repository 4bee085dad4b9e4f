"""Where the rest of an offer over a range waits when its own fills leave nothing held in any of the contracts."""

from __future__ import annotations

import asyncio

import pytest

from app.market.terms.contract import Side
from app.market.terms.errors import InvalidOffer
from app.services.trading import offers
from app.storage.engine.db import DatabaseBusy
from tests.services.desk import BY, DAY, Desk, new_offer
from tests.services.lives import ADAM, BETH, CHARLES, DEV

END = BY + 9 * DAY


async def spread(desk: Desk, line: str, by_at: int = END) -> tuple[int, int] | None:
    """Adam's offer over everything from the first contract on; where what is left of it waits, and how much it is."""
    context, new = desk.context(ADAM), new_offer(line)
    found = await desk.run(lambda tx: offers.offer(tx, context, new, by_at, BY))
    rests = [part for part in (found, *found.others) if part.offer.remaining]
    return (rests[0].contract.maturation_at, rests[0].offer.remaining) if rests else None


async def only_contract(desk: Desk, sold: int) -> int:
    """Adam holds all 10 UNFIXED there are, Beth all 10 FIXED, of which she sells so many."""
    number = (await desk.offer(ADAM, "buy unfixed 10 at 800")).contract.id
    await desk.offer(BETH, "buy fixed 10 at 200")
    await desk.sell(BETH, Side.FIXED, sold, 300)
    return number


async def maturations(desk: Desk) -> list[int]:
    return sorted(row[6] for row in (await desk.dump())["contracts"])


async def test_it_waits_at_the_end_of_the_range(desk: Desk) -> None:
    number = await only_contract(desk, 10)
    assert await spread(desk, "buy fixed 50 at 300") == (END, 40)
    assert (await desk.contract(number)).open_interest == 0
    assert await maturations(desk) == [BY, END]


@pytest.mark.parametrize("volume", [50, 9])
async def test_while_something_is_held_it_waits_there_and_no_contract_is_left_behind(desk: Desk, volume: int) -> None:
    number = await only_contract(desk, 6)
    assert await spread(desk, f"buy fixed {volume} at 300") == (BY, volume - 6)
    assert (await desk.contract(number)).open_interest == 4
    assert await maturations(desk) == [BY]


async def test_nothing_is_made_where_nothing_is_left(desk: Desk) -> None:
    await only_contract(desk, 10)
    assert await spread(desk, "buy fixed 10 at 300") is None
    assert await maturations(desk) == [BY]


async def test_where_no_contract_can_end_the_range_only_a_rest_that_needs_it_is_refused(desk: Desk) -> None:
    await only_contract(desk, 10)
    too_far = BY + 1000 * DAY
    async with desk.refused(InvalidOffer, "is too far"):
        await spread(desk, "buy fixed 50 at 300", too_far)
    assert await spread(desk, "buy fixed 50 at 200", too_far) == (BY, 50)


async def test_others_may_empty_the_contracts_while_they_are_being_locked(desk: Desk) -> None:
    """Adam's offer is told to try again, rather than wait where it does not belong."""
    await desk.offer(CHARLES, "buy unfixed 10 at 600")
    await desk.offer(DEV, "buy fixed 10 at 400")
    await desk.offer(DEV, "buy unfixed 10 at 720")
    await only_contract(desk, 10)
    async with desk.db.transaction() as tx:
        await offers.sell(tx, desk.context(CHARLES), Side.UNFIXED, 10, 1, by_at=BY)
        offer = asyncio.create_task(spread(desk, "buy fixed 50 at 300"))
        await asyncio.sleep(0.3)
    try:
        rest = await offer
    except DatabaseBusy:
        rest = await spread(desk, "buy fixed 50 at 300")
    assert rest == (END, 40)
