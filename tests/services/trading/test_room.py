"""How many contracts a thread has room for, which one gives way, which one sleeps and which one wakes up."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, update

from app.commands.registry import parse
from app.market.exchange.offer import OfferState
from app.market.terms.contract import Side, Status
from app.market.terms.errors import NotTrading, Refusal
from app.replies import trade_results
from app.replies.notices import notice
from app.services.forecasts import making
from app.services.forecasts.making import Made
from app.services.life import halting, issue_checks
from app.services.trading import offers
from app.services.trading.forecasting import MOST_FORECASTS
from app.services.trading.offers import Traded
from app.services.trading.room import MOST_EMPTY, MOST_UNSETTLED, NoRoom
from app.services.uses import trades
from app.services.views import badge, market_views
from app.storage.engine import tables
from app.storage.engine.awake import FORECAST_SLEEP_SECONDS, SLEEP_SECONDS
from app.storage.engine.db import Tx
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow
from app.storage.queues import poll_schedule
from tests.clocks import START_AT
from tests.runners import answer
from tests.services.desk import DAY, ISSUE, Desk, new_offer, place_of
from tests.services.lives import ADAM, BETH, CHARLES, DEV, IS_OPEN, closed, maintainer

HOUR = 3_600


def day(number: int) -> int:
    """The last second of a day from the start on."""
    return START_AT + number * DAY - 1


async def empty(desk: Desk, user: int, days: int, units: int = 10) -> int:
    """A contract in which one offer of 0.50 a unit waits; its number."""
    return (await desk.offer(user, f"buy fixed {units} at 500", day(days))).contract.id


async def held(desk: Desk, days: int) -> int:
    await desk.offer(ADAM, "buy unfixed 10 at 800", day(days))
    return (await desk.offer(BETH, "buy fixed 10 at 200", day(days))).contract.id


async def listed(desk: Desk) -> list[int]:
    """The contracts of the thread as its market comment has them."""
    async with desk.db.reading() as tx:
        view = await market_views.issue_view(tx, ISSUE, desk.clock.now())
    return [one.id for one in view.trading]


async def told(desk: Desk) -> list[dict[str, Any]]:
    found = [json.loads(row[8]) for row in (await desk.dump())["outbox"] if row[2] == "notice"]
    return [body for body in found if body["notice"] == "room"]


# -- bounds -------------------------------------------------------------------------------------------------------


async def test_a_user_has_three_empty_contracts_and_the_least_gives_way_to_more(desk: Desk) -> None:
    first, least, last = [await empty(desk, CHARLES, days, units) for days, units in ((40, 30), (50, 20), (60, 30))]
    async with desk.refused(NoRoom, "You have made 3 contracts here in which nobody holds anything") as _:
        await empty(desk, CHARLES, 70, 20)
    made = await empty(desk, CHARLES, 70, 21)
    assert await listed(desk) == [first, last, made]
    assert await desk.reserve(CHARLES) == (30 + 30 + 21) * 500
    assert (await desk.contract(least)).asleep(desk.clock.now())
    assert await empty(desk, DEV, 71, 5) in await listed(desk)


async def test_what_others_offer_there_is_cancelled_and_they_are_told(desk: Desk) -> None:
    await empty(desk, CHARLES, 40, 30)
    least = (await desk.offer(CHARLES, "buy fixed 10 at 500", day(50))).contract.id
    whole = (await desk.offer(DEV, "buy unfixed 20 at 300 whole", day(50))).offer.number
    await desk.offer(DEV, "buy fixed 5 at 100 pool", day(50))
    await empty(desk, CHARLES, 60, 30)
    before = await desk.free(DEV)
    await empty(desk, CHARLES, 70, 100)
    (body,) = await told(desk)
    assert (body["contract"], body["users"]) == (least, [CHARLES, DEV])
    assert [one[:2] for one in body["cancelled"]] == [[whole, DEV], [whole - 1, CHARLES], [whole + 1, DEV]]
    assert await desk.free(DEV) == before + 20 * 300 + 5 * 100
    words = notice(body, await desk.contract(least), {DEV: "@dev", CHARLES: "@charles"})
    assert f"Contract c{least} (by 19 Feb 2026 23:59:59 UTC) has made room for another date." in words
    assert f"- @dev: o{whole}, buy 20 UNFIXED at 0.30; o{whole + 1}, buy 5 FIXED at 0.10" in words
    assert words.count("@dev") == 1


async def test_an_issue_has_twenty_empty_contracts_and_of_equal_ones_the_youngest_gives_way(desk: Desk) -> None:
    await desk.furnish(users=9)
    numbers = [await empty(desk, 1 + at // 3, 40 + at) for at in range(MOST_EMPTY)]
    async with desk.refused(NoRoom, "Nobody holds anything in 20 contracts here, the most there may be, and your"):
        await empty(desk, 8, 70)
    async with desk.refused(NoRoom):
        await desk.offer(8, "buy fixed 500 at 500 now", day(70))
    made = await empty(desk, 8, 70, 11)
    assert await listed(desk) == [*numbers[:-1], made]
    async with desk.refused(NoRoom):
        await empty(desk, 9, 80)
    assert await listed(desk) == [*numbers[:-1], made]


async def test_a_contract_that_somebody_holds_takes_no_place_among_the_empty(desk: Desk) -> None:
    for days in (40, 50, 60):
        await empty(desk, CHARLES, days)
    await desk.offer(DEV, "buy unfixed 10 at 500", day(50))
    assert await empty(desk, CHARLES, 70) in await listed(desk)
    async with desk.refused(NoRoom):
        await empty(desk, CHARLES, 71)


async def test_a_refusal_names_the_nearest_dates_with_their_prices(desk: Desk) -> None:
    await held(desk, 45)
    for days, line in ((40, "buy fixed 100 at 620"), (50, "buy fixed 100 at 510"), (90, "buy fixed 100 at 640")):
        await desk.offer(CHARLES, line, day(days))
    with pytest.raises(NoRoom) as caught:
        await empty(desk, CHARLES, 48)
    assert (
        "The nearest dates, with their prices of FIXED: by 2026-02-19 (at least 0.51); by 2026-02-14 (entered at 0.20);"
        " by 2026-02-09 (at least 0.62)."
    ) in caught.value.sentence
    assert caught.value.correction == "/bugmark offer fixed 10 at 0.50 by 2026-02-19"
    await desk.check()


@pytest.mark.parametrize(
    ("count", "maker", "why"), [(MOST_UNSETTLED, 9, "100 contracts run"), (10, DEV, "You have made")]
)
async def test_an_issue_has_a_hundred_contracts_and_ten_of_them_are_one_user_s(
    desk: Desk, count: int, maker: int, why: str
) -> None:
    number = await held(desk, 40)
    template = {key: value for key, value in (await row_of(desk, number)).items() if key != "id"}
    desk.audited = False
    others = [{**template, "maturation_at": day(50 + at), "made_by": maker} for at in range(count - 1)]
    async with desk.db.transaction() as tx:
        await tx.execute(insert(tables.contracts), others)
    if maker == DEV:
        await empty(desk, DEV, 200)
    with pytest.raises(NoRoom, match=why):
        await empty(desk, DEV, 201, 500)
    async with desk.db.transaction() as tx:
        await tx.execute(update(tables.contracts).where(tables.contracts.c.id == number).values(status="SETTLED"))
        await tx.execute(update(tables.contracts).where(tables.contracts.c.made_by == DEV).values(made_by=None))
    assert (await empty(desk, DEV, 201, 500)) in [one.id for one in await awake(desk)]


async def row_of(desk: Desk, number: int) -> dict[str, Any]:
    async with desk.db.reading() as tx:
        found = (await tx.execute(tables.contracts.select().where(tables.contracts.c.id == number))).one()
    return dict(found._mapping)


async def awake(desk: Desk) -> list[ContractRow]:
    async with desk.db.reading() as tx:
        return await contracts.of_thread(tx, ISSUE, desk.clock.now())


async def test_a_dry_run_puts_nothing_to_sleep(desk: Desk) -> None:
    for days in (40, 50, 60):
        await empty(desk, CHARLES, days)
    before = await desk.dump()
    request = parse("dry-run offer fixed 900 at 0.50 by 2026-03-12", desk.clock.now())
    said = await desk.run(lambda tx: answer(tx, desk.context(CHARLES), request))
    assert "would" in said.lower()
    assert await desk.dump() == before


async def test_a_range_puts_nobody_s_contract_to_sleep_where_it_can_fill_elsewhere(desk: Desk) -> None:
    numbers = [await empty(desk, CHARLES, days) for days in (40, 50, 60)]
    context = desk.context(CHARLES)
    other = (await desk.offer(DEV, "buy unfixed 20 at 600", day(65))).contract.id
    filled = await desk.run(lambda tx: offers.offer(tx, context, new_offer("buy fixed 20 at 400"), day(70), day(61)))
    assert filled.contract.id == other
    assert await listed(desk) == [*numbers, other]
    with pytest.raises(NoRoom):
        context = desk.context(CHARLES)
        await desk.run(lambda tx: offers.offer(tx, context, new_offer("buy fixed 90 at 400"), day(41), day(39)))
    assert await listed(desk) == [*numbers, other]


# -- near dates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-HOUR, -1, 1, HOUR])
async def test_an_instant_within_an_hour_of_a_contract_that_is_held_makes_none(desk: Desk, seconds: int) -> None:
    await held(desk, 40)
    with pytest.raises(Refusal, match="runs here already, within an hour of") as caught:
        await desk.offer(CHARLES, "buy fixed 10 at 500", day(40) + seconds)
    assert caught.value.correction == "/bugmark offer fixed 10 at 0.50 by 2026-02-09"
    await desk.check()


async def test_it_may_be_made_an_hour_and_a_second_away_or_beside_an_empty_one(desk: Desk) -> None:
    await held(desk, 40)
    assert (await desk.offer(CHARLES, "buy fixed 10 at 500", day(40) + HOUR + 1)).made
    await empty(desk, DEV, 60)
    assert (await desk.offer(CHARLES, "buy fixed 10 at 500", day(60) + 1)).made


async def test_a_day_within_an_hour_of_it_is_made_and_the_reply_names_both(desk: Desk) -> None:
    near = day(40) - HOUR // 2
    await desk.offer(ADAM, "buy unfixed 10 at 800", near)
    await desk.offer(BETH, "buy fixed 10 at 200", near)
    context = desk.context(CHARLES)

    async def offered(tx: Tx) -> tuple[Traded, str]:
        result = await offers.offer(tx, context, new_offer("buy fixed 10 at 500"), day(40))
        return result, trade_results.trade(await trades.result_of(tx, context, result))

    result, said = await desk.run(offered)
    assert result.made
    assert "9 Feb 2026 23:59:59 UTC" in said
    assert "by 2026-02-09T23:29:59Z" in said


# -- sleep --------------------------------------------------------------------------------------------------------


async def idle(desk: Desk, days: int = 40) -> int:
    number = await empty(desk, CHARLES, days)
    await desk.cancel(CHARLES)
    return number


async def test_a_contract_in_which_nobody_has_anything_for_a_day_sleeps(desk: Desk) -> None:
    number = await idle(desk)
    assert (await desk.contract(number)).idle_at == desk.clock.now()
    desk.clock.advance(SLEEP_SECONDS - 1)
    assert await listed(desk) == [number]
    desk.clock.advance(1)
    assert await listed(desk) == []
    async with desk.db.reading() as tx:
        assert await badge.badge(tx, "octo", "cat", ISSUE, desk.clock.now()) is None
    request = parse("book by 2026-02-09", desk.clock.now())
    assert f"c{number}" in await desk.run(lambda tx: answer(tx, desk.context(DEV), request))
    for days in (50, 60, 70):
        await empty(desk, CHARLES, days)
    assert number not in await listed(desk)


@pytest.mark.parametrize("line", ["buy fixed 10 at 500", "buy fixed 10 at 500 whole", "buy fixed 10 at 500 pool"])
async def test_whatever_waits_in_it_keeps_it_awake(desk: Desk, line: str) -> None:
    number = (await desk.offer(CHARLES, line, day(40))).contract.id
    desk.clock.advance(3 * SLEEP_SECONDS)
    assert await listed(desk) == [number]


async def test_an_offer_suspended_for_want_of_money_keeps_it_awake(desk: Desk) -> None:
    await desk.offer(DEV, "buy fixed 100 at 500 pool", day(40))
    number = (await desk.offer(DEV, "buy fixed 100 at 400 pool", day(50))).contract.id
    await desk.offer(BETH, "buy unfixed 100 at 500", day(40))
    async with desk.db.reading() as tx:
        states = (await tx.execute(tables.offers.select().where(tables.offers.c.contract_id == number))).all()
    assert [row.state for row in states] == [OfferState.SUSPENDED.value]
    desk.clock.advance(3 * SLEEP_SECONDS)
    assert number in await listed(desk)


async def test_units_keep_it_awake_until_the_last_is_given_back(desk: Desk) -> None:
    number = await held(desk, 40)
    desk.clock.advance(3 * SLEEP_SECONDS)
    assert await listed(desk) == [number]
    await desk.sell(ADAM, Side.UNFIXED, 10, 500)
    await desk.sell(BETH, Side.FIXED, 10, 500)
    assert (await desk.contract(number)).idle_at == desk.clock.now()
    desk.clock.advance(SLEEP_SECONDS)
    assert await listed(desk) == []


async def test_one_that_sleeps_is_not_asked_about_nor_halted(desk: Desk) -> None:
    number = await idle(desk)
    desk.clock.advance(SLEEP_SECONDS)
    await desk.note(closed(desk.clock.now()))
    await desk.run(lambda tx: halting.note_away(tx, {place_of(ISSUE).repository.id}, desk.clock.now()))
    assert (await desk.contract(number)).status is Status.OPEN
    async with desk.db.transaction() as tx:
        await poll_schedule.enlist(tx, desk.clock.now(), HOUR)
        assert {one.kind for one in await poll_schedule.take(tx, desk.clock.now() + HOUR, 9, 2**40)} == {"repository"}
    desk.clock.set(day(41))
    async with desk.db.reading() as tx:
        assert [row.id for row in await contracts.due(tx, desk.clock.now(), 5)] == [number]
    desk.oracle.facts = closed(day(39))
    assert not await issue_checks.look_at(desk.db, desk.oracle, number, desk.clock)
    async with desk.db.reading() as tx:
        assert await contracts.due(tx, desk.clock.now(), 5) == []
    assert desk.oracle.asked == 0
    async with desk.refused(match="in the past"):
        await empty(desk, CHARLES, 40)


async def test_the_next_offer_wakes_it_under_the_terms_then_in_force(desk: Desk) -> None:
    number = await idle(desk)
    before = await desk.contract(number)
    desk.clock.advance(SLEEP_SECONDS)
    desk.config = replace(desk.config, fee_bps=300)
    assert await empty(desk, DEV, 40) == number
    row = await desk.contract(number)
    assert (row.terms.fee_bps, row.made_by, row.idle_at) == (300, DEV, None)
    assert (row.statement_text, row.created_at, row.version) == (
        before.statement_text,
        before.created_at,
        before.version + 2,  # it woke, and the offer came
    )
    assert row.next_look_at == desk.clock.now()
    assert any(key.startswith(f"woken:{number}:") for key, *_ in await desk.journal())
    desk.oracle.facts = IS_OPEN
    assert (await desk.look(number)).next_look_at == day(40)


async def test_one_that_was_filled_keeps_its_terms(desk: Desk) -> None:
    number = await held(desk, 40)
    await desk.sell(ADAM, Side.UNFIXED, 10, 500)
    await desk.sell(BETH, Side.FIXED, 10, 500)
    desk.clock.advance(SLEEP_SECONDS)
    desk.config = replace(desk.config, fee_bps=300)
    assert await empty(desk, DEV, 40) == number
    assert (await desk.contract(number)).terms.fee_bps == 0
    assert not any(key.startswith("woken:") for key, *_ in await desk.journal())


async def test_one_that_gave_way_can_be_woken_again(desk: Desk) -> None:
    least = await empty(desk, CHARLES, 40, 10)
    await empty(desk, CHARLES, 50, 30)
    await empty(desk, CHARLES, 60, 30)
    await empty(desk, CHARLES, 70, 30)
    assert least not in await listed(desk)
    async with desk.refused(NoRoom):
        await empty(desk, CHARLES, 40, 30)
    assert await empty(desk, CHARLES, 40, 31) == least
    assert await empty(desk, CHARLES, 70, 40) not in (least, None)
    assert len(await told(desk)) == 3


async def test_no_sleeper_gets_around_a_maintainer_s_halt(desk: Desk) -> None:
    await idle(desk, 40)
    desk.clock.advance(SLEEP_SECONDS)
    await held(desk, 50)
    context = maintainer(desk)
    await desk.run(lambda tx: halting.halt_market(tx, context, "a leak"))
    async with desk.refused(NotTrading):
        await empty(desk, DEV, 40)


async def test_a_round_that_is_over_wakes_no_more(desk: Desk) -> None:
    old = await idle(desk, 40)
    desk.clock.advance(SLEEP_SECONDS)
    number = await held(desk, 50)
    desk.oracle.facts = closed(desk.clock.now())
    await desk.look(number)
    desk.clock.advance(desk.config.dispute_window_seconds)
    assert (await desk.look(number)).ended_round
    made = await empty(desk, DEV, 40)
    assert (made != old, (await desk.contract(made)).round) == (True, 2)


async def test_idle_is_what_nobody_holds_or_offers_anything_in(desk: Desk) -> None:
    """Whatever is done: random commands, with a look at every contract now and then."""
    desk.audited, chance = False, random.Random(7)
    for at in range(150):
        user, by_at = chance.choice((ADAM, BETH, CHARLES, DEV)), day(chance.choice((40, 50, 60)))
        side, flags = chance.choice(("fixed", "unfixed")), chance.choice(("", "", " pool", " whole", " now"))
        line = f"buy {side} {chance.choice((5, 10))} at {chance.choice((400, 500, 600))}{flags}"
        try:
            if chance.random() < 0.6:
                await desk.offer(user, line, by_at, until_at=desk.clock.now() + chance.randint(1, 50))
            elif chance.random() < 0.5:
                await desk.cancel(user)
            else:
                await desk.sell(user, Side[side.upper()], None, None, by_at)
        except Refusal:
            pass
        desk.clock.advance(chance.randint(0, 10))
        if at % 10 == 0:
            await check_idle(desk)
    await check_idle(desk)
    await desk.check()


async def check_idle(desk: Desk) -> None:
    dump = await desk.dump()
    columns = [column.name for column in tables.offers.columns]
    standing = {dict(zip(columns, row, strict=True))["contract_id"] for row in dump["offers"] if row[18] != "DONE"}
    for number in [row[0] for row in dump["contracts"]]:
        row = await desk.contract(number)
        assert (row.idle_at is not None) == (not row.open_interest and number not in standing), number


# -- forecasts ----------------------------------------------------------------------------------------------------


async def forecast(desk: Desk, package: str, days: int = 90, user: int = CHARLES) -> Made:
    context = desk.context(user)
    return await desk.run(lambda tx: making.forecast_advisory(tx, context, "npm", package, "high", day(days)))


async def test_forecasts_sleep_after_thirty_days_and_make_room(desk: Desk) -> None:
    desk.audited = False
    numbers = [(await forecast(desk, f"p{at}")).contract.id for at in range(MOST_FORECASTS)]
    for days in (40, 50, 60):
        await empty(desk, CHARLES, days)
    desk.clock.advance(FORECAST_SLEEP_SECONDS - 1)
    with pytest.raises(Refusal, match="live in this thread already"):
        await forecast(desk, "one-more")
    desk.clock.advance(1)
    assert (await forecast(desk, "one-more")).new
    asked = await forecast(desk, "p3", user=DEV)
    assert (asked.new, asked.contract.id, asked.contract.made_by) == (False, numbers[3], DEV)
    assert asked.contract.next_look_at == desk.clock.now()
    await desk.check()


async def test_an_offer_wakes_a_forecast_if_there_is_room(desk: Desk) -> None:
    desk.audited = False
    number = (await forecast(desk, "old")).contract.id
    desk.clock.advance(FORECAST_SLEEP_SECONDS)
    for at in range(MOST_FORECASTS):
        await forecast(desk, f"p{at}")

    async def offered() -> Traded:
        context = desk.context(DEV)
        return await desk.run(
            lambda tx: offers.offer(tx, context, new_offer("buy fixed 10 at 300"), None, contract=number)
        )

    with pytest.raises(Refusal, match="live in this thread already"):
        await offered()
    desk.clock.advance(FORECAST_SLEEP_SECONDS)
    assert (await offered()).contract.id == number
    assert (await desk.contract(number)).idle_at is None
    await desk.check()
