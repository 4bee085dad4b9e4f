"""A rehearsal does everything and leaves nothing."""

from __future__ import annotations

import pytest

from app.market.terms.errors import Refusal
from app.services.trading import offers
from app.storage.engine.db import FIRST_IMAGINED, rehearsal, rehearsing
from app.storage.market import contracts
from tests.services.desk import BY, Desk, new_offer

ADAM, BETH = 1, 2


async def test_what_was_rehearsed_is_undone_and_the_rest_of_the_transaction_stays(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 50 at 800")
    before = await desk.dump()
    context = desk.context(BETH)
    async with desk.db.transaction() as tx:
        async with rehearsal(tx):
            assert rehearsing(tx)
            result = await offers.offer(tx, context, new_offer("buy fixed 80 at 200"), BY)
            assert result.offer.filled == 50
        assert not rehearsing(tx)
    assert await desk.dump() == before


async def test_rehearsed_offers_take_no_numbers(desk: Desk) -> None:
    first = (await desk.offer(ADAM, "buy unfixed 50 at 800")).offer.number
    scenes = [desk.context(BETH) for _ in range(2)]
    async with desk.db.transaction() as tx, rehearsal(tx):
        for context in scenes:
            result = await offers.offer(tx, context, new_offer("buy fixed 10 at 100"), BY)
            assert result.offer.number >= FIRST_IMAGINED
    assert (await desk.offer(BETH, "buy fixed 10 at 100")).offer.number == first + 1


async def test_a_refusal_inside_is_undone_too(desk: Desk) -> None:
    before = await desk.dump()
    context = desk.context(ADAM)
    with pytest.raises(Refusal):
        async with desk.db.transaction() as tx, rehearsal(tx):
            await offers.offer(tx, context, new_offer("buy fixed 10 at 100"), BY)
            await offers.offer(tx, context, new_offer("buy fixed 100000 at 900"), BY)
    assert await desk.dump() == before


async def test_a_contract_made_in_a_rehearsal_is_not_there(desk: Desk) -> None:
    context = desk.context(ADAM)
    async with desk.db.transaction() as tx:
        async with rehearsal(tx):
            result = await offers.offer(tx, context, new_offer("buy fixed 10 at 100"), BY)
        assert await contracts.get(tx, result.contract.id) is None
