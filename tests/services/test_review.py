"""What comes by itself, on news, over ranges and beside others must neither stick, run on nor mix."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest

from app.market.terms.contract import Side, Status
from app.market.terms.errors import InsufficientFunds
from app.market.terms.mention import Mode
from app.run.worker import Worker
from app.services.accounts import accounts
from app.services.accounts.accounts import Balance
from app.services.life.issue_checks import closed_to_trade
from app.services.mentions import mutes
from app.services.orders.context import Context
from app.services.trading import offers
from app.services.trading.locked_market import lock_market
from app.services.views import holdings
from app.storage.market import contracts, pools
from app.storage.people.places import Place
from tests.services.desk import BY, CURRENCY, DAY, GRANT_MILLS, ISSUE, OWNER, REPOSITORY, Desk, new_offer, place_of
from tests.services.lives import ADAM, BETH, CHARLES, DEV, IS_OPEN, base_case, closed, closed_now, halt

FIXED = Side.FIXED
NEW_OWNER = 8


def worker(desk: Desk) -> Worker:
    nobody = cast(Any, None)
    return Worker(desk.db, desk.clock, nobody, nobody, desk.oracle)


async def left(desk: Desk, user: int) -> int:
    async with desk.db.reading() as tx:
        return (await pools.load(tx, CURRENCY, {user}))[user].left_mills


async def states(desk: Desk) -> dict[int, str]:
    return {row[0]: row[-2] for row in (await desk.dump())["offers"]}


async def test_offers_expire_while_a_contract_with_all_or_none_offers_is_halted(desk: Desk) -> None:
    number = await base_case(desk)
    await desk.offer(CHARLES, "buy unfixed 50 at 500 whole")
    due = await desk.offer(DEV, "buy fixed 10 at 100", until_at=desk.clock.now() + 3_600)
    await closed_now(desk, number)
    desk.clock.advance(3_600)
    asked = desk.oracle.asked
    await worker(desk).keep_time()
    assert (await states(desk))[due.offer.number] == "DONE"
    assert desk.oracle.asked == asked


async def test_github_is_not_asked_over_and_over_after_maturation(desk: Desk) -> None:
    number = await base_case(desk)
    await desk.offer(CHARLES, "buy unfixed 50 at 500 whole")
    desk.oracle.facts = IS_OPEN
    desk.clock.set(BY)
    the_worker = worker(desk)
    for _ in range(5):
        await the_worker.keep_time()
    assert (await desk.contract(number)).status is Status.HALTED
    assert desk.oracle.asked == 1


async def test_github_is_asked_again_only_after_a_minute_when_it_gave_no_answer(desk: Desk) -> None:
    due = await desk.offer(CHARLES, "buy unfixed 8 at 600 whole", until_at=desk.clock.now() + 60)
    await desk.offer(BETH, "buy unfixed 7 at 550 whole")
    await desk.offer(DEV, "buy unfixed 5 at 540 whole")
    await desk.offer(ADAM, "buy fixed 12 at 500 whole")  # fills once the eight are out of its way
    desk.clock.advance(60)
    the_worker = worker(desk)
    for _ in range(5):
        await the_worker.keep_time()
    assert (desk.oracle.asked, (await states(desk))[due.offer.number]) == (1, "LIVE")
    desk.oracle.facts = IS_OPEN
    desk.clock.advance(60)
    await the_worker.keep_time()
    assert (desk.oracle.asked, (await states(desk))[due.offer.number]) == (2, "DONE")


async def test_suspended_offers_that_do_not_fit_are_left_alone(desk: Desk) -> None:
    await desk.furnish(issues=(ISSUE, 102))
    await desk.offer(ADAM, "buy fixed 100 at 500 pool")
    other = await desk.offer(ADAM, "buy fixed 100 at 500 pool", issue=102)
    await desk.offer(BETH, "buy unfixed 50 at 500")
    assert (await states(desk))[other.offer.number] == "SUSPENDED"
    desk.oracle.facts = IS_OPEN
    the_worker = worker(desk)
    for _ in range(5):
        await the_worker.keep_time()
    assert desk.oracle.asked == 1, "the book that the offer left is tried once"


async def test_an_offer_that_may_not_come_back_is_left_alone_for_a_minute(desk: Desk) -> None:
    """Post-only, it would fill at once."""
    await desk.furnish(issues=(ISSUE, 102))
    post = await desk.offer(ADAM, "buy fixed 50 at 500 pool post", issue=102)
    await desk.offer(ADAM, "buy fixed 100 at 500 pool")
    await desk.offer(BETH, "buy unfixed 60 at 500")
    await desk.offer(CHARLES, "buy unfixed 50 at 500", issue=102)
    await desk.sell(ADAM, FIXED, 60, 400, by_at=BY)
    await desk.offer(DEV, "buy fixed 60 at 500")
    assert (await states(desk))[post.offer.number] == "SUSPENDED"
    assert await left(desk, ADAM) == 25_000
    desk.oracle.facts = IS_OPEN
    the_worker = worker(desk)
    for _ in range(5):
        await the_worker.keep_time()
    assert desk.oracle.asked == 2, "for the book that the offer left, and for the offer"
    desk.clock.advance(60)
    await the_worker.keep_time()
    assert desk.oracle.asked == 3


def under(context: Context, owner: int) -> Context:
    """The same thread after its repository has got this owner."""
    return replace(context, place=Place(context.place.issue, replace(context.place.repository, owner_id=owner)))


async def spread(desk: Desk, user: int, line: str, from_at: int, by_at: int, owner: int = OWNER) -> offers.Traded:
    context, new = under(desk.context(user), owner), new_offer(line)
    return await desk.run(lambda tx: offers.offer(tx, context, new, by_at, from_at))


async def test_a_range_never_mixes_currencies_when_a_repository_has_a_new_owner(desk: Desk) -> None:
    """The contract maturing at its end is in the old owner's tokens, the other in the new one's."""
    old = (await desk.offer(ADAM, "buy unfixed 20 at 800")).contract.id
    await desk.offer(ADAM, "buy fixed 50 at 100", BY + DAY)  # more old tokens are held than the range could want
    for user in (ADAM, BETH):
        await desk.open_account(user, NEW_OWNER)
    context = under(desk.context(ADAM), NEW_OWNER)
    await desk.run(lambda tx: offers.offer(tx, context, new_offer("buy unfixed 20 at 800"), BY - DAY))
    found = await spread(desk, BETH, "buy fixed 30 at 200", BY - 2 * DAY, BY, NEW_OWNER)
    assert [(fill.contract, fill.volume) for fill in found.changes.fills] == [(old, 20)]
    assert await desk.reserve(BETH) == 2_000


@pytest.fixture
async def inherited(desk: Desk) -> Desk:
    """Contract 1 trades in the tokens of the first owner, contract 2 in those of the next; Adam has offers in both."""
    await desk.offer(ADAM, "buy unfixed 20 at 800")
    for user in (ADAM, BETH):
        await desk.open_account(user, NEW_OWNER)
    context = under(desk.context(ADAM), NEW_OWNER)
    await desk.run(lambda tx: offers.offer(tx, context, new_offer("buy unfixed 10 at 500"), BY - DAY))
    return desk


async def test_money_is_told_in_each_currency_that_the_thread_trades_in(inherited: Desk) -> None:
    desk, place = inherited, under(inherited.context(ADAM), NEW_OWNER).place
    now = desk.clock.now()
    async with desk.db.reading() as tx:
        mine, others, nobody = [await holdings.user_view(tx, place, user, now) for user in (ADAM, BETH, 99)]
    assert mine.balance == Balance(f"play:{NEW_OWNER}", GRANT_MILLS - 5_000, 5_000)
    assert mine.older == [("octo", Balance(CURRENCY, GRANT_MILLS - 16_000, 16_000))]
    assert others.older == [("octo", Balance(CURRENCY, GRANT_MILLS, 0))]
    assert nobody.older == []


async def test_who_lacks_money_is_told_in_which_currency(inherited: Desk) -> None:
    desk = inherited
    too_much = new_offer("buy fixed 5000 at 900")
    for by_at, words in ((BY, "This contract trades in the play tokens of octo: this needs"), (BY - DAY, "This needs")):
        context = under(desk.context(BETH), NEW_OWNER)
        async with desk.refused(InsufficientFunds, match=f"^{words} 4,500.00 and you have "):
            await desk.run(partial(offers.offer, context=context, new=too_much, by_at=by_at))
    async with desk.db.reading() as tx:
        short = InsufficientFunds(2, 1, "This needs 2.")
        unknown = await accounts.in_currency(tx, short, "play:12345", place_of(ISSUE))
    assert unknown.sentence == "This contract trades in the play tokens of play:12345: this needs 2."


async def test_contracts_of_two_currencies_do_not_meet_on_one_floor(inherited: Desk) -> None:
    async with inherited.db.transaction() as tx:
        with pytest.raises(ValueError, match="several currencies"):
            await lock_market(tx, {1, 2}, cause="x", now=inherited.clock.now())
    context = under(inherited.context(ADAM), NEW_OWNER)
    assert len((await inherited.run(lambda tx: offers.cancel_offers(tx, context, None))).offers) == 2
    await inherited.note(closed(inherited.clock.now()))
    assert [(await inherited.contract(number)).status for number in (1, 2)] == [Status.HALTED] * 2


async def test_units_of_an_old_round_can_be_sold_beside_a_new_contract_of_that_date(desk: Desk) -> None:
    """One contract of the issue was settled, another was not when the issue was reopened."""
    desk.config = replace(desk.config, dispute_window_seconds=0)
    first = await base_case(desk, BY - DAY)
    desk.config = replace(desk.config, dispute_window_seconds=DAY)
    await desk.offer(ADAM, "buy unfixed 200 at 800", BY)
    second = (await desk.offer(BETH, "buy fixed 200 at 200", BY)).contract.id
    await closed_now(desk, first)
    await desk.look(first)
    assert (await desk.contract(first)).status is Status.SETTLED
    desk.oracle.facts = IS_OPEN
    desk.clock.advance(60)
    await desk.look(second)
    assert (await desk.contract(second)).status is Status.OPEN
    await spread(desk, CHARLES, "buy fixed 30 at 200", BY - 2 * DAY, BY)
    await desk.sell(BETH, FIXED, 20, 300, by_at=BY)


async def test_nothing_is_traded_on_an_issue_that_is_gone(desk: Desk) -> None:
    number = await base_case(desk)
    gone = replace(IS_OPEN, gone="deleted")
    await desk.note(gone)
    assert (await desk.contract(number)).status is Status.HALTED
    async with desk.db.reading() as tx:
        assert await closed_to_trade(tx, place_of(ISSUE), gone)


async def test_news_that_waited_for_a_look_does_not_undo_its_window(desk: Desk) -> None:
    number = await base_case(desk)
    at = desk.clock.now()
    async with desk.db.transaction() as tx:
        await contracts.get(tx, number, lock=True)
        news = asyncio.create_task(desk.note(closed(at)))
        await asyncio.sleep(0.3)
        await contracts.change(tx, number, halt_reason="closed", window_opened_at=at, window_ends_at=at + DAY)
    await news
    assert (await desk.contract(number)).window_ends_at == at + DAY


async def test_news_locks_contracts_in_the_order_of_all_others(desk: Desk) -> None:
    """The one that matures later was made first."""
    first = (await desk.offer(ADAM, "buy fixed 100 at 500", BY)).contract.id
    second = (await desk.offer(ADAM, "buy fixed 100 at 500", BY - DAY)).contract.id
    await halt(desk)
    async with desk.db.transaction() as tx:
        await contracts.get(tx, first, lock=True)
        news = asyncio.create_task(desk.note(IS_OPEN))
        await asyncio.sleep(0.3)
        await contracts.get(tx, second, lock=True)
    await news


async def test_who_wants_one_mention_a_day_gets_no_more_by_what_nobody_commanded(desk: Desk) -> None:
    async with desk.db.transaction() as tx:
        await mutes.choose(tx, DEV, REPOSITORY, Mode.DAILY)
    number = await base_case(desk)
    for _ in range(2):
        await desk.offer(DEV, "buy fixed 10 at 100", until_at=desk.clock.now() + 60)
        desk.clock.advance(60)
        await desk.sweep(number)
    told = [json.loads(row[8]) for row in (await desk.dump())["outbox"] if row[2] == "notice"]
    assert [body["spared"] for body in told] == [[], [DEV]]
    async with desk.db.reading() as tx:
        assert await mutes.named(tx, REPOSITORY, {ADAM, DEV}, [DEV]) == {ADAM: "@user1", DEV: "**user4**"}
