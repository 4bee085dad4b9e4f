"""Trading through the services: what commands store, what they refuse, and that the books are right after each."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from app.market.exchange.fill import FillKind
from app.market.life.facts import IssueFacts
from app.market.terms.contract import Side, Status
from app.market.terms.errors import (
    InsufficientFunds,
    InsufficientUnits,
    InvalidOffer,
    NotTrading,
    Refusal,
    UnknownOffer,
)
from app.services.rules.config import Config
from app.services.trading import looking, offers
from app.storage.market import books
from tests.services.desk import BY, DAY, GRANT_MILLS, ISSUE, Desk, new_offer

FIXED, UNFIXED = Side.FIXED, Side.UNFIXED
ADAM, BETH, CHARLES, DEV = 1, 2, 3, 4
CLOSED = IssueFacts(closed=True, completed=True, closed_at=0)


async def open_base_case(desk: Desk) -> int:
    """Adam buys 200 UNFIXED at 0.80 from Beth, who buys FIXED at 0.20. Returns the contract's number."""
    await desk.offer(ADAM, "buy unfixed 200 at 800")
    traded = await desk.offer(BETH, "buy fixed 200 at 200")
    return traded.contract.id


async def test_an_offer_rests_with_its_reserve(desk: Desk) -> None:
    traded = await desk.offer(ADAM, "buy unfixed 200 at 800")
    assert traded.made
    assert (traded.offer.remaining, traded.offer.filled) == (200, 0)
    assert (await desk.free(ADAM), await desk.reserve(ADAM)) == (GRANT_MILLS - 160_000, 160_000)
    row = await desk.contract(traded.contract.id)
    assert (row.maturation_at, row.status, row.open_interest, row.round) == (BY, Status.OPEN, 0, 1)
    assert row.next_look_at == BY
    assert row.terms == desk.config.terms(7)


async def test_an_offer_fills(desk: Desk) -> None:
    number = await open_base_case(desk)
    row = await desk.contract(number)
    assert (row.open_interest, row.minted_mills) == (200, 40_000)
    assert (await desk.free(ADAM), await desk.reserve(ADAM)) == (GRANT_MILLS - 160_000, 0)
    assert (await desk.free(BETH), await desk.reserve(BETH)) == (GRANT_MILLS - 40_000, 0)
    assert await desk.position(ADAM, UNFIXED) == (200, 0, 160_000)
    assert await desk.position(BETH, FIXED) == (200, 0, 40_000)
    assert (await desk.contract(number)).traded_units == 200
    async with desk.db.reading() as tx:
        assert await books.fills_of(tx, number, 10) == [(200, 200)]
    (fill,) = (await desk.dump())["fills"]
    assert fill[2:10] == (2, 1, BETH, ADAM, 2, 200, 200, "expand")


async def test_partial_work_changes_hands(desk: Desk) -> None:
    await open_base_case(desk)
    await desk.sell(BETH, FIXED, 200, 400)
    assert await desk.position(BETH, FIXED) == (0, 200, 40_000)
    traded = await desk.offer(CHARLES, "buy fixed 200 at 400")
    assert [fill.kind for fill in traded.changes.fills] == [FillKind.TRANSFER]
    assert await desk.free(BETH) == GRANT_MILLS + 40_000
    assert await desk.position(BETH, FIXED) == (0, 0, 0)
    assert await desk.position(CHARLES, FIXED) == (200, 0, 80_000)


async def test_both_leave(desk: Desk) -> None:
    number = await open_base_case(desk)
    await desk.sell(BETH, FIXED, 200, 350)
    await desk.sell(ADAM, UNFIXED, 200, 650)
    row = await desk.contract(number)
    assert (row.open_interest, row.minted_mills) == (0, 0)
    assert (await desk.free(ADAM), await desk.free(BETH)) == (GRANT_MILLS - 30_000, GRANT_MILLS + 30_000)


async def test_own_offers_on_the_way_are_cut(desk: Desk) -> None:
    own = (await desk.offer(ADAM, "buy unfixed 10 at 800")).offer.number
    await desk.offer(BETH, "buy unfixed 10 at 700")
    traded = await desk.offer(ADAM, "buy fixed 15 at 400")
    assert [(offer.number, volume) for offer, volume in traded.changes.cut] == [(own, 10)]
    assert traded.offer.filled == 10
    assert traded.offer.remaining == 5
    assert await desk.reserve(ADAM) == 5 * 400


async def test_now_or_never_leaves_nothing_behind(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 10 at 800")
    traded = await desk.offer(BETH, "buy fixed 25 at 300 now")
    assert (traded.offer.filled, traded.offer.cancelled, traded.offer.remaining) == (10, 15, 0)
    assert await desk.free(BETH) == GRANT_MILLS - 2_000


REFUSED = [
    ("buy fixed 2000 at 600", BY, None, InsufficientFunds),
    ("sell fixed 5 at 400", BY, None, InsufficientUnits),
    ("buy fixed 3 at 400", BY, None, InvalidOffer),
    ("buy fixed 0 at 400", BY, None, InvalidOffer),
    ("buy fixed 5 at 1000", BY, None, InvalidOffer),
    ("buy fixed 10 at 400", BY, BY + 1, InvalidOffer),
    ("buy fixed 10 at 400", BY, 1, InvalidOffer),
    ("buy fixed 10 at 400", 1, None, InvalidOffer),
    ("buy fixed 10 at 400", None, None, Refusal),
]


@pytest.mark.parametrize("has_contract", [False, True])
async def test_what_is_refused_changes_nothing(desk: Desk, has_contract: bool) -> None:
    """Also no contract is left behind that was made for the offer."""
    if has_contract:
        await desk.offer(BETH, "buy unfixed 10 at 500", until_at=BY - DAY)
        await desk.offer(BETH, "buy unfixed 10 at 500", by_at=BY + DAY)
    for line, by_at, until_at, kind in REFUSED:
        async with desk.refused(kind):
            await desk.offer(ADAM, line, by_at, until_at)


async def test_the_contract_matures_within_bounds(desk: Desk) -> None:
    desk.config = Config(least_maturation_seconds=100, most_maturation_seconds=1_000)
    now = desk.clock.now()
    for by_at, match in ((now, "in the past"), (now - 1, "in the past"), (now + 99, "near"), (now + 1_001, "far")):
        async with desk.refused(InvalidOffer, match):
            await desk.offer(ADAM, "buy fixed 10 at 400", by_at)
    for by_at in (now + 100, now + 1_000):
        assert (await desk.offer(ADAM, "buy fixed 10 at 400", by_at)).made


async def test_a_known_contract_trades_until_it_matures(desk: Desk) -> None:
    """The least span is for making a contract, not for trading in it."""
    await desk.offer(ADAM, "buy fixed 10 at 400")
    desk.clock.set(BY - 1)
    assert not (await desk.offer(BETH, "buy fixed 10 at 400")).made
    desk.clock.set(BY)
    async with desk.refused(NotTrading):
        await desk.offer(BETH, "buy fixed 10 at 400")


async def test_with_several_contracts_the_maturation_must_be_named(desk: Desk) -> None:
    first = await desk.offer(ADAM, "buy fixed 10 at 400")
    assert (await desk.offer(BETH, "buy fixed 10 at 300", by_at=None)).contract.id == first.contract.id
    second = await desk.offer(ADAM, "buy fixed 10 at 400", by_at=BY + DAY)
    assert second.made
    assert [row.id for row in second.neighbours] == [first.contract.id]
    async with desk.refused(Refusal, r"(?s)31 Jan 2026 00:00:00 UTC.*1 Feb 2026 00:00:00 UTC"):
        await desk.offer(BETH, "buy fixed 10 at 300", by_at=None)
    async with desk.refused(Refusal):
        await desk.sell(BETH, FIXED, 5, 300)
    with pytest.raises(Refusal, match="matures at"):
        async with desk.db.reading() as tx:
            await looking.contract_to_show(tx, desk.context(ADAM), BY + 5, None, "book")


async def test_a_sale_finds_the_contract_in_which_the_units_are(desk: Desk) -> None:
    number = await open_base_case(desk)
    await desk.offer(CHARLES, "buy fixed 10 at 300", by_at=BY + DAY)
    assert (await desk.sell(BETH, FIXED, 50, 600)).contract.id == number
    async with desk.refused(Refusal):
        await desk.sell(CHARLES, FIXED, 50, 600)


async def test_contracts_made_at_once_are_one(desk: Desk) -> None:
    desk.audited = False
    traded = await asyncio.gather(*(desk.offer(user, "buy fixed 10 at 400") for user in (1, 2, 3, 4) * 2))
    assert len({item.contract.id for item in traded}) == 1
    assert len({item.offer.number for item in traded}) == 8
    await desk.check()


async def test_selling_all_means_all_free_units(desk: Desk) -> None:
    await open_base_case(desk)
    await desk.sell(BETH, FIXED, 50, 900)
    assert (await desk.sell(BETH, FIXED, None, 800)).offer.volume == 150
    async with desk.refused(InsufficientUnits):
        await desk.sell(BETH, FIXED, None, 700)
    async with desk.refused(InsufficientUnits):
        await desk.sell(CHARLES, FIXED, None, 700)


async def test_selling_all_counts_what_expires_by_then(desk: Desk) -> None:
    await open_base_case(desk)
    now = desk.clock.now()
    context = desk.context(BETH)
    conditions = replace(new_offer("sell fixed 50 at 900"), until_at=now + 60)
    await desk.run(lambda tx: offers.sell(tx, context, FIXED, 50, 900, conditions=conditions))
    desk.clock.advance(60)
    assert (await desk.sell(BETH, FIXED, None, 800)).offer.volume == 200


async def test_selling_at_market_takes_what_the_book_gives(desk: Desk) -> None:
    await open_base_case(desk)
    await desk.offer(CHARLES, "buy fixed 30 at 450")
    await desk.offer(DEV, "buy fixed 30 at 300")
    await desk.offer(BETH, "buy fixed 30 at 10")
    traded = await desk.sell(BETH, FIXED)
    assert [(fill.volume, fill.price) for fill in traded.changes.fills] == [(30, 450), (30, 300)]
    assert (traded.offer.cancelled, traded.offer.remaining) == (140, 0)
    assert await desk.free(BETH) + await desk.reserve(BETH) == GRANT_MILLS - 40_000 + 22_500


@pytest.mark.parametrize("own", [False, True])
async def test_selling_at_market_needs_a_buyer(desk: Desk, own: bool) -> None:
    await open_base_case(desk)
    if own:
        await desk.offer(BETH, "buy fixed 30 at 10")
    async with desk.refused(Refusal, "Nobody buys"):
        await desk.sell(BETH, FIXED)


async def test_a_sale_says_that_offers_hold_the_units(desk: Desk) -> None:
    await open_base_case(desk)
    await desk.offer(BETH, "sell fixed 200 at 900")
    async with desk.refused(InsufficientUnits, "Your 200 FIXED units in this thread are all held for your open offers"):
        await desk.sell(BETH, FIXED)
    async with desk.refused(InsufficientUnits, "You have no free UNFIXED units in this thread"):
        await desk.sell(BETH, UNFIXED)


async def test_without_a_buyer_the_price_is_left_to_the_seller(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 30 at 250")
    await desk.offer(BETH, "buy fixed 30 at 750")
    with pytest.raises(Refusal) as caught:
        await desk.sell(BETH, FIXED)
    assert (caught.value.correction or "").startswith("/bugmark sell fixed 30 at PRICE by ")


async def test_taking_fills_at_the_price_of_the_offer(desk: Desk) -> None:
    number = (await desk.offer(ADAM, "buy unfixed 20 at 800")).offer.number
    part = await desk.take(BETH, number, 8)
    assert [(fill.volume, fill.price) for fill in part.changes.fills] == [(8, 200)]
    rest = await desk.take(CHARLES, number)
    assert rest.offer.filled == 12
    async with desk.refused(UnknownOffer, "not open any more"):
        await desk.take(DEV, number)


async def test_taking_fills_better_offers_first(desk: Desk) -> None:
    worse = (await desk.offer(ADAM, "buy unfixed 10 at 700")).offer.number
    better = (await desk.offer(BETH, "buy unfixed 6 at 800")).offer.number
    traded = await desk.take(CHARLES, worse)
    assert [(fill.ask, fill.volume, fill.price) for fill in traded.changes.fills] == [(better, 6, 200), (worse, 4, 300)]


async def test_what_cannot_be_taken(desk: Desk) -> None:
    number = (await desk.offer(ADAM, "buy unfixed 20 at 800", until_at=BY - DAY)).offer.number
    async with desk.refused(UnknownOffer, "your own"):
        await desk.take(ADAM, number)
    async with desk.refused(InvalidOffer, "Only 20"):
        await desk.take(BETH, number, 21)
    async with desk.refused(UnknownOffer, "in this thread"):
        await desk.take(BETH, number + 1)
    async with desk.refused(UnknownOffer, "in this thread"):
        await desk.take(BETH, number, issue=102)
    desk.clock.set(BY - DAY)
    async with desk.refused(UnknownOffer, "not open any more"):
        await desk.take(BETH, number)


async def test_cancelling_one_gives_its_reserve_back(desk: Desk) -> None:
    first = (await desk.offer(ADAM, "buy unfixed 20 at 800")).offer.number
    await desk.offer(ADAM, "buy unfixed 10 at 700")
    (cancelled,) = await desk.cancel(ADAM, first)
    assert (cancelled.number, cancelled.cancelled) == (first, 20)
    assert await desk.reserve(ADAM) == 7_000
    for user, number in ((ADAM, first), (BETH, first + 1), (ADAM, 999)):
        async with desk.refused(UnknownOffer):
            await desk.cancel(user, number)


async def test_cancelling_all_takes_every_contract_of_the_thread(desk: Desk) -> None:
    await open_base_case(desk)
    await desk.sell(BETH, FIXED, 50, 900)
    await desk.offer(BETH, "buy fixed 10 at 300", by_at=BY + DAY)
    await desk.offer(ADAM, "buy fixed 10 at 200", by_at=BY + DAY)
    assert len(await desk.cancel(BETH)) == 2
    assert (await desk.position(BETH, FIXED), await desk.reserve(BETH)) == ((200, 0, 40_000), 0)
    assert await desk.reserve(ADAM) == 2_000
    async with desk.refused(UnknownOffer):
        await desk.cancel(BETH)


async def test_cancelling_all_when_some_are_due(desk: Desk) -> None:
    """What has come to its end expires; the rest is cancelled."""
    due = (await desk.offer(ADAM, "buy unfixed 20 at 800", until_at=BY - DAY)).offer.number
    other = (await desk.offer(ADAM, "buy unfixed 10 at 700")).offer.number
    desk.clock.set(BY - DAY)
    async with desk.refused(UnknownOffer, "not open any more"):
        await desk.cancel(ADAM, due)
    assert [offer.number for offer in await desk.cancel(ADAM)] == [other]
    assert await desk.reserve(ADAM) == 0
    keys = [key for key, *_ in await desk.journal()]
    assert f"expiry:{due}" in keys
    assert f"cancel:{due}" not in keys


async def test_while_halted_only_cancelling_goes_on(desk: Desk) -> None:
    number = await open_base_case(desk)
    stands = (await desk.offer(CHARLES, "buy unfixed 10 at 500", until_at=BY - DAY)).offer.number
    mine = (await desk.sell(BETH, FIXED, 50, 900)).offer.number
    await desk.note(IssueFacts(closed=True, completed=True, closed_at=desk.clock.now()))
    assert (await desk.contract(number)).status is Status.HALTED
    async with desk.refused(NotTrading, "halted"):
        await desk.offer(ADAM, "buy fixed 10 at 500")
    async with desk.refused(NotTrading, "halted"):
        await desk.take(ADAM, stands)
    async with desk.refused(Refusal):
        await desk.sell(BETH, FIXED, 10, 500)
    await desk.cancel(BETH, mine)
    assert await desk.position(BETH, FIXED) == (200, 0, 40_000)
    desk.clock.set(BY - DAY)
    assert await desk.sweep(number)
    assert await desk.reserve(CHARLES) == 0


async def test_nothing_is_traded_on_a_closed_issue(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 10 at 500")
    context = desk.context(BETH, closed=True)
    async with desk.refused(NotTrading, "closed as completed"):
        await desk.run(lambda tx: offers.offer(tx, context, new_offer("buy fixed 10 at 500"), BY))
    async with desk.refused(NotTrading, "closed as completed"):
        await desk.run(lambda tx: offers.offer(tx, context, new_offer("buy fixed 10 at 500"), BY + DAY))


@pytest.mark.parametrize("swept", [False, True])
async def test_it_does_not_matter_when_a_sweep_runs(desk: Desk, swept: bool) -> None:
    """Sale and money are freed in order of (until, number), at the sweep or at the next command."""
    number = await open_base_case(desk)
    now = desk.clock.now()
    for user, line, after in (
        (CHARLES, "buy unfixed 10 at 500", 60),
        (ADAM, "buy unfixed 10 at 550", 50),
        (BETH, "sell fixed 20 at 700", 60),
    ):
        await desk.offer(user, line, until_at=now + after)
    desk.clock.advance(60)
    if swept:
        async with desk.db.reading() as tx:
            assert await books.with_due_offers(tx, now + 49, 10) == []
            assert await books.with_due_offers(tx, now + 60, 10) == [number]
        assert await desk.sweep(number)
        assert not await desk.sweep(number)
    await desk.offer(DEV, "buy fixed 10 at 650")
    expired = [key for key, cause, *_ in await desk.journal() if cause == "expiry"]
    assert expired == ["expiry:3", "expiry:4", "expiry:5"]
    assert await desk.reserve(DEV) == 6_500
    assert await desk.position(BETH, FIXED) == (200, 0, 40_000)
    entries = [row for row in (await desk.dump())["entries"] if row[2] == "expiry"]
    assert [row[1] for row in entries] == ["expiry:4", "expiry:3", "expiry:5"]


async def test_every_change_asks_for_the_board_once(desk: Desk) -> None:
    await open_base_case(desk)
    await desk.offer(ADAM, "buy fixed 10 at 100", by_at=BY + DAY)
    await desk.cancel(ADAM)
    boards = [row for row in (await desk.dump())["outbox"] if row[1] == f"board:{ISSUE}"]
    assert len(boards) == 1


async def test_great_volumes_and_thin_prices(desk: Desk) -> None:
    """A billion units at 1 mill cost a million tokens: more than anybody here has."""
    async with desk.refused(InsufficientFunds):
        await desk.offer(ADAM, "buy fixed 1000000000 at 1")
    await desk.offer(ADAM, f"buy fixed {GRANT_MILLS} at 1")
    assert await desk.free(ADAM) == 0
    traded = await desk.offer(BETH, "buy unfixed 1001 at 999")
    assert traded.offer.filled == 1001
    assert await desk.free(BETH) == GRANT_MILLS - 1001 * 999
