"""What the market tells, read from the database (docs/market.md §8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import pytest
from sqlalchemy import update

from app.market.prices.price import Paid, Price, Says
from app.market.prices.quotes import Day
from app.market.terms.contract import Outcome, Side, Status
from app.market.terms.errors import Refusal
from app.services.accounts import insiders
from app.services.rules.in_force import Found, remember
from app.services.trading import looking
from app.services.trading.offers import offer
from app.services.views import badge as badges
from app.services.views import holdings, market_views
from app.services.views.badge import BadgeTold
from app.services.views.contract_views import ContractView, IssueView
from app.services.views.holdings import UserView
from app.storage.engine import tables
from app.storage.engine.db import Tx
from app.storage.market import market_data
from app.storage.market.market_data import Levels, Volume
from tests.clocks import START_AT
from tests.services.desk import BY, DAY, ISSUE, Desk, OldLaw, new_offer, place_of

T = TypeVar("T")
LATER = BY + 30 * DAY


async def read(desk: Desk, work: Callable[[Tx], Awaitable[T]]) -> T:
    async with desk.db.reading() as tx:
        return await work(tx)


async def issue(desk: Desk) -> IssueView:
    return await read(desk, lambda tx: market_views.issue_view(tx, ISSUE, desk.clock.now()))


async def has(desk: Desk, user: int) -> UserView:
    return await read(desk, lambda tx: holdings.user_view(tx, place_of(ISSUE), user, desk.clock.now()))


async def only(desk: Desk) -> ContractView:
    (found,) = (await issue(desk)).trading
    return found


async def trade(desk: Desk, volume: int, price: int, by_at: int = BY) -> None:
    """User 1 sells FIXED exposure to user 2."""
    await desk.offer(1, f"buy unfixed {volume} at {1000 - price}", by_at)
    await desk.offer(2, f"buy fixed {volume} at {price}", by_at)


# -- prices -------------------------------------------------------------------------------------------------------


async def test_the_last_price_is_that_of_the_last_fill_of_five_units_or_more(desk: Desk) -> None:
    await trade(desk, 10, 400)
    assert (await only(desk)).last_price == 400
    await desk.offer(1, "buy unfixed 20 at 700")
    await desk.offer(2, "buy fixed 4 at 300 now")
    assert (await only(desk)).last_price == 400
    await desk.offer(2, "buy fixed 5 at 300 now")
    assert (await only(desk)).last_price == 300


def middle(mills: int) -> Price:
    return Price(Says.MIDDLE, mills, mills)


async def test_best_bid_ask_and_price(desk: Desk) -> None:
    await desk.offer(1, "buy unfixed 20 at 600")
    view = await only(desk)
    assert (view.best_bid, view.best_ask, view.price, view.worth) == (None, 400, Price(Says.AT_MOST, 400, 400), None)
    assert (view.last_price, view.last, view.change) == (None, None, None)
    await desk.offer(2, "buy fixed 30 at 305")
    await desk.offer(2, "buy fixed 5 at 305")
    await desk.offer(2, "buy fixed 5 at 200")
    view = await only(desk)
    assert view.levels == Levels([(305, 35), (200, 5)], [(400, 20)])
    assert (view.best_bid, view.best_ask, view.price, view.worth) == (305, 400, middle(352), (352, "mid"))


async def test_a_small_offer_between_the_quotes_is_no_price(desk: Desk) -> None:
    await desk.offer(1, "buy unfixed 22 at 460")
    await desk.offer(2, "buy fixed 20 at 500")
    assert (await only(desk)).price == middle(520)
    await desk.offer(3, "buy fixed 5 at 535")
    assert ((await only(desk)).price, (await only(desk)).best_bid) == (middle(520), 535)
    await desk.offer(3, "buy fixed 14 at 535")
    assert (await only(desk)).price == middle(537)


async def test_where_holders_entered_is_the_price_without_quotes(desk: Desk) -> None:
    await trade(desk, 200, 200)
    view = await only(desk)
    assert view.paid == Paid(200, 40_000, 160_000)
    assert (view.price, view.worth) == (Price(Says.ENTERED, 200, 200), (200, "entry price"))


async def test_what_is_told_to_move_the_price_moves_it(desk: Desk) -> None:
    await desk.offer(1, "buy fixed 100 at 480")
    await desk.offer(2, "buy unfixed 50 at 500")
    await desk.offer(2, "buy unfixed 500 at 319")
    view = await only(desk)
    assert (view.price, view.move_mills) == (middle(490), 31 * 500 + 21 * 499)
    before = await desk.free(3)
    await desk.offer(3, "buy fixed 31 at 500 now")
    await desk.offer(3, "buy fixed 21 at 499")
    assert (await only(desk)).price == middle(590)
    assert before - await desk.free(3) == view.move_mills


async def test_a_trade_with_oneself_moves_no_price(desk: Desk) -> None:
    await trade(desk, 200, 200)
    await desk.offer(3, "buy unfixed 5 at 1")
    await desk.offer(4, "buy fixed 5 at 999")
    view = await only(desk)
    assert view.last_price == 999
    assert view.price is not None and 195 <= view.price.low <= 225


async def all_or_none(desk: Desk, user: int, line: str) -> int:
    context, new = desk.context(user), replace(new_offer(line), all_or_none=True)
    return (await desk.run(lambda tx: offer(tx, context, new, BY))).offer.number


async def test_all_or_none_offers_are_no_quotes_but_part_of_the_reward(desk: Desk) -> None:
    await desk.offer(1, "buy unfixed 20 at 600")
    await all_or_none(desk, 1, "buy unfixed 50 at 700")
    await all_or_none(desk, 1, "buy unfixed 60 at 700")
    await all_or_none(desk, 2, "buy fixed 50 at 250")
    view = await only(desk)
    assert (view.best_bid, view.best_ask) == (None, 400)
    assert view.levels.asks == [(400, 20)]
    assert view.levels.whole_asks == [(300, 50), (300, 60)]
    assert view.reward_mills == 20 * 600 + 110 * 700


async def rules(desk: Desk, text: str) -> None:
    async with desk.db.transaction() as tx:
        found = Found("repository", "sha", text.encode())
        await remember(tx, place_of(ISSUE).repository, found, desk.clock.now(), desk.clock.now() + DAY)


async def test_the_reward_is_what_a_newcomer_can_win(desk: Desk) -> None:
    await desk.offer(1, "buy unfixed 200 at 800")
    assert (await issue(desk)).reward_mills == 160_000
    await desk.offer(2, "buy unfixed 900000 at 1")
    assert (await issue(desk)).reward_mills == 160_000
    await desk.offer(2, "buy unfixed 400 at 200", LATER)
    assert (await issue(desk)).reward_mills == 160_000
    await rules(desk, "welcome_grant: 20\n")
    assert (await issue(desk)).reward_mills == 80_000
    assert await read(desk, lambda tx: market_views.best_reward(tx, ISSUE, desk.clock.now())) == 80_000
    await rules(desk, "welcome_grant: 0\n")
    assert (await issue(desk)).reward_mills == 160_000


async def test_suspended_offers_are_no_quotes(desk: Desk) -> None:
    row = (await desk.offer(1, "buy unfixed 20 at 600")).contract
    async with desk.db.transaction() as tx:
        await tx.execute(update(tables.offers).values(state="SUSPENDED"))
    assert await read(desk, lambda tx: market_data.levels(tx, [row.id], desk.clock.now())) == {row.id: Levels()}


async def test_an_offer_that_is_due_is_no_quote_before_it_is_swept_out(desk: Desk) -> None:
    await desk.offer(1, "buy unfixed 20 at 600", until_at=START_AT + 60)
    assert (await only(desk)).best_ask == 400
    desk.clock.advance(60)
    assert (await only(desk)).best_ask is None
    row = (await only(desk)).row
    assert (await read(desk, lambda tx: market_views.book_view(tx, row, desk.clock.now()))).offers == []


async def test_the_change_is_against_the_last_price_as_it_stood_a_day_ago(desk: Desk) -> None:
    await trade(desk, 10, 400)
    assert (await only(desk)).change is None
    desk.clock.advance(DAY - 1)
    assert (await only(desk)).change is None
    desk.clock.advance(1)
    assert (await only(desk)).change == 0
    await trade(desk, 10, 450)
    assert (await only(desk)).change == 50
    desk.clock.advance(DAY)
    await desk.offer(1, "buy unfixed 9 at 100")
    await desk.offer(2, "buy fixed 4 at 900 now")
    assert (await only(desk)).change == 0


# -- volume, open interest, holders -------------------------------------------------------------------------------


async def test_volume_in_all_and_of_the_last_day(desk: Desk) -> None:
    await trade(desk, 10, 400)
    desk.clock.advance(DAY)
    await trade(desk, 25, 400)
    view = await only(desk)
    assert view.volume == Volume(35, 25)
    assert view.row.open_interest == 35


async def test_the_largest_positions_and_how_many_hold(desk: Desk) -> None:
    await trade(desk, 10, 400)
    await desk.offer(3, "buy fixed 30 at 400")
    await desk.offer(1, "buy unfixed 30 at 600")
    view = await only(desk)
    assert [(holder.login, holder.side, holder.units) for holder in view.top] == [
        ("user1", Side.UNFIXED, 40),
        ("user3", Side.FIXED, 30),
        ("user2", Side.FIXED, 10),
    ]
    assert view.holders == 3
    assert not any(holder.insider for holder in view.top)


async def test_insiders_are_marked_where_their_position_is_shown(desk: Desk) -> None:
    await trade(desk, 10, 400)
    async with desk.db.transaction() as tx:
        await insiders.note(tx, ISSUE, 2, True, desk.clock.now())
    view = await only(desk)
    assert {holder.login for holder in view.top if holder.insider} == {"user2"}
    assert (await has(desk, 2)).insider
    assert not (await has(desk, 1)).insider


# -- void price ---------------------------------------------------------------------------------------------------


async def test_the_void_price_is_what_a_settlement_would_read_now(desk: Desk) -> None:
    """By law 1: a wash mint within the last seven days moves nothing."""
    desk.config = OldLaw()
    await desk.offer(1, "buy unfixed 20 at 800")
    assert (await only(desk)).void_price is None
    await desk.offer(2, "buy fixed 20 at 200")
    assert (await only(desk)).void_price == 200
    desk.clock.advance(8 * DAY)
    await trade(desk, 20, 900)
    assert (await only(desk)).void_price == 200
    desk.clock.advance(7 * DAY)
    assert (await only(desk)).void_price == (20 * 200 + 20 * 900) // 40


async def test_what_a_void_now_would_pay_stands_with_every_position(desk: Desk) -> None:
    """Example H 2: what Beth took along is missing, and comes from Adam, who claims more than half."""
    await desk.offer(1, "buy unfixed 200 at 800")
    await desk.offer(2, "buy fixed 200 at 200")
    assert await void_of(desk, 1) == {(1, Side.UNFIXED): 160_000, (1, Side.FIXED): 0}
    await desk.sell(2, Side.FIXED, 200, 400)
    await desk.offer(3, "buy fixed 200 at 400")
    assert (await only(desk)).void_price is None
    assert [(await void_of(desk, user)).get((1, side)) for user, side in ((1, Side.UNFIXED), (3, Side.FIXED))] == [
        120_000,
        80_000,
    ]
    assert await void_of(desk, 2) == {}


async def test_a_pair_that_an_offer_holds_back_counts_for_half_a_token_a_unit(desk: Desk) -> None:
    await desk.offer(1, "buy unfixed 40 at 600")
    await desk.offer(2, "buy fixed 40 at 400")
    await desk.sell(2, Side.FIXED, 40, 990)
    await desk.offer(3, "buy fixed 15 at 300")
    await desk.offer(2, "buy unfixed 15 at 700")
    assert await void_of(desk, 2) == {(1, Side.FIXED): 7_500 + 25 * 460, (1, Side.UNFIXED): 7_500}


async def void_of(desk: Desk, user: int) -> Mapping[tuple[int, Side], int]:
    return (await has(desk, user)).void_mills


# -- several dates ------------------------------------------------------------------------------------------------


async def test_a_date_without_quotes_takes_what_other_dates_say(desk: Desk) -> None:
    await desk.offer(1, "buy unfixed 22 at 460")
    await desk.offer(2, "buy fixed 20 at 500")
    await desk.offer(3, "buy unfixed 5 at 990", LATER)
    found = await issue(desk)
    assert [(view.row.maturation_at, chance.price) for view, chance in found.chances()] == [
        (BY, middle(520)),
        (LATER, Price(Says.AT_LEAST, 500, 500)),
    ]
    assert found.contradictions() == []
    await desk.offer(3, "buy unfixed 6 at 990", LATER)
    found = await issue(desk)
    assert [chance.price for _, chance in found.chances()] == [middle(520), Price(Says.AT_MOST, 10, 10)]
    assert [one.gain_mills for one in found.contradictions()] == [11 * 490]


# -- what speaks for the issue ------------------------------------------------------------------------------------


async def test_offers_in_nearer_contracts_do_not_speak_for_the_issue(desk: Desk) -> None:
    await trade(desk, 200, 200)
    for hours in range(2, 5):
        await desk.offer(3, "buy fixed 5 at 990", BY - hours * 3_600)
    found = await issue(desk)
    assert found.headline is not None and found.headline.row.maturation_at == BY
    assert found.headline.price == Price(Says.ENTERED, 200, 200)


async def test_the_offer_to_take_is_the_best_within_a_day_of_the_largest_contract(desk: Desk) -> None:
    await trade(desk, 50, 200)
    best = (await desk.offer(1, "buy unfixed 50 at 800")).offer.number
    await desk.offer(2, "buy unfixed 50 at 50", BY - 1)
    await desk.offer(2, "buy unfixed 50 at 900", BY + DAY + 1)
    await all_or_none(desk, 2, "buy unfixed 50 at 850")
    found = await issue(desk)
    assert found.to_fixer is not None and found.to_fixer.number == best
    better = (await desk.offer(3, "buy unfixed 5 at 810", BY + DAY)).offer.number
    found = await issue(desk)
    assert found.to_fixer is not None and found.to_fixer.number == better
    assert found.headline is not None and found.headline.row.maturation_at == BY


async def test_contradicting_quotes_are_an_arbitrage_that_can_be_taken(desk: Desk) -> None:
    await desk.offer(1, "buy fixed 50 at 600", BY)
    await desk.offer(2, "buy unfixed 80 at 700", LATER)
    (found,) = (await issue(desk)).contradictions()
    assert (found.units, found.bid, found.ask, found.gain_mills) == (50, 600, 300, 50 * 300)
    before = await desk.free(3)
    await desk.offer(3, f"buy fixed {found.units} at {found.ask} now", LATER)
    await desk.offer(3, f"buy unfixed {found.units} at {1000 - found.bid} now", BY)
    assert before - await desk.free(3) == found.cost_mills
    assert (await issue(desk)).contradictions() == []


async def test_quotes_in_different_currencies_do_not_contradict_each_other(desk: Desk) -> None:
    await desk.offer(1, "buy fixed 50 at 600", BY)
    await desk.offer(2, "buy unfixed 80 at 700", LATER)
    found = await issue(desk)
    near, far = found.trading
    other = replace(far, row=replace(far.row, currency="play:8"))
    assert replace(found, trading=[near, far]).contradictions() != []
    assert replace(found, trading=[near, other]).contradictions() == []


async def test_settled_contracts_stand_apart_newest_first(desk: Desk) -> None:
    await trade(desk, 10, 600)
    await trade(desk, 10, 400, LATER)
    async with desk.db.transaction() as tx:
        done = {"status": Status.SETTLED.value, "outcome": Outcome.UNFIXED.value, "settled_at": BY + DAY}
        await tx.execute(update(tables.contracts).where(tables.contracts.c.maturation_at == BY).values(**done))
    found = await issue(desk)
    assert [view.row.maturation_at for view in found.trading] == [LATER]
    assert [(view.row.maturation_at, view.last_price, view.volume.whole) for view in found.settled] == [(BY, 600, 10)]
    assert found.chances()[0][0].row.maturation_at == LATER


async def test_too_many_contracts_are_cut_to_the_largest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_views, "MOST_TRADING", 2)
    await desk.offer(1, "buy fixed 10 at 500", BY - DAY)
    await trade(desk, 10, 600, BY)
    await trade(desk, 20, 600, LATER)
    found = await issue(desk)
    assert [view.row.maturation_at for view in found.trading] == [BY, LATER]
    assert found.left_out == 1
    monkeypatch.setattr(market_views, "MOST_TRADING", 1)
    found = await issue(desk)
    assert found.trading == [found.headline] and found.trading[0].row.maturation_at == LATER


# -- the tape -----------------------------------------------------------------------------------------------------


async def test_the_tape_gives_every_fill_its_id_newest_first(desk: Desk) -> None:
    await trade(desk, 10, 400)
    desk.clock.advance(60)
    await trade(desk, 3 + 2, 500)
    row = (await only(desk)).row
    found = await read(desk, lambda tx: market_data.trades(tx, row.id, 10))
    assert [(trade.id, trade.price, trade.volume, trade.at) for trade in found] == [
        (f"c{row.id}-2", 500, 5, START_AT + 60),
        (f"c{row.id}-1", 400, 10, START_AT),
    ]
    assert len(await read(desk, lambda tx: market_data.trades(tx, row.id, 1))) == 1


async def test_days_have_open_high_low_close_and_volume(desk: Desk) -> None:
    for price in (400, 700, 300, 500):
        await trade(desk, 10, price)
        desk.clock.advance(60)
    desk.clock.set(START_AT + 2 * DAY + 5)
    await desk.offer(1, "buy unfixed 9 at 100")
    await desk.offer(2, "buy fixed 4 at 900 now")
    row = (await only(desk)).row
    assert await read(desk, lambda tx: market_data.days(tx, row.id, 10)) == [
        Day(START_AT + 2 * DAY, None, None, None, None, 4),
        Day(START_AT, 400, 700, 300, 500, 40),
    ]
    assert len(await read(desk, lambda tx: market_data.days(tx, row.id, 1))) == 1


# -- holdings -----------------------------------------------------------------------------------------------------


async def test_a_position_is_worth_the_price_or_the_last_trade(desk: Desk) -> None:
    await desk.offer(1, "buy unfixed 30 at 667")
    await desk.offer(2, "buy fixed 30 at 333")

    async def held(user: int) -> holdings.Holding:
        async def look(tx: Tx) -> list[holdings.Holding]:
            now = desk.clock.now()
            return await holdings.holdings(tx, await holdings.user_view(tx, place_of(ISSUE), user, now), now)

        (found,) = await read(desk, look)
        return found

    fixed = await held(2)
    assert (fixed.average, fixed.price, fixed.basis, fixed.unrealised_mills) == (333, 333, "entry price", 0)
    await desk.offer(3, "buy fixed 25 at 400")
    fixed = await held(2)
    assert (fixed.price, fixed.basis, fixed.unrealised_mills) == (333, "last price", 0)
    await desk.offer(4, "buy unfixed 20 at 500")
    fixed, unfixed = await held(2), await held(1)
    assert (fixed.price, fixed.basis, fixed.unrealised_mills) == (450, "mid", 30 * (450 - 333))
    assert (unfixed.price, unfixed.unrealised_mills) == (550, -30 * (450 - 333))


# -- which contract -----------------------------------------------------------------------------------------------


async def test_a_halted_contract_is_not_said_to_be_open(desk: Desk) -> None:
    await desk.offer(1, "buy fixed 10 at 500", BY)
    await desk.offer(1, "buy fixed 10 at 500", LATER)
    async with desk.db.transaction() as tx:
        halted = update(tables.contracts).where(tables.contracts.c.maturation_at == BY)
        await tx.execute(halted.values(status=Status.HALTED.value))
    with pytest.raises(Refusal) as caught:
        await read(desk, lambda tx: looking.contract_to_show(tx, desk.context(1), None, None, "price"))
    assert "UTC (halted); c" in caught.value.sentence
    assert "open" not in caught.value.sentence
    assert caught.value.correction == "/bugmark price by 2026-01-31T00:00:00Z"


async def test_a_settled_contract_can_be_looked_at_by_its_date(desk: Desk) -> None:
    await trade(desk, 10, 500)
    async with desk.db.transaction() as tx:
        await tx.execute(update(tables.contracts).values(status=Status.SETTLED.value, outcome="FIXED", settled_at=BY))
    found = await read(desk, lambda tx: looking.contract_to_show(tx, desk.context(1), BY, None, "history"))
    assert found.status is Status.SETTLED
    with pytest.raises(Refusal, match="No contract is open"):
        await read(desk, lambda tx: looking.contract_to_show(tx, desk.context(1), None, None, "history"))


# -- badge --------------------------------------------------------------------------------------------------------


async def test_the_badge_says_how_things_stand(desk: Desk) -> None:
    async def badge() -> BadgeTold | None:
        return await read(desk, lambda tx: badges.badge(tx, "Octo", "CAT", ISSUE, desk.clock.now()))

    assert await badge() is None
    await desk.offer(1, "buy fixed 10 at 300")
    assert await badge() == BadgeTold(None)
    await desk.offer(1, "buy fixed 30 at 300")
    assert await badge() == BadgeTold(Price(Says.AT_LEAST, 300, 300))
    await trade(desk, 10, 600, LATER)
    assert await badge() == BadgeTold(Price(Says.ENTERED, 600, 600), traded=True)
    async with desk.db.transaction() as tx:
        await tx.execute(update(tables.contracts).values(status=Status.HALTED.value))
    assert await badge() == BadgeTold(state="halted")
    async with desk.db.transaction() as tx:
        done = {"status": Status.SETTLED.value, "outcome": Outcome.VOID.value, "settled_at": BY}
        await tx.execute(update(tables.contracts).values(**done))
    assert await badge() == BadgeTold(state="void")
    await rules(desk, "badges: false\n")
    assert await badge() is None
