"""Who works on an issue, where money without a date goes, what somebody sells who leaves, and the rules in force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.commands.registry import parse
from app.language.grammar import Leaving
from app.language.requests import FundRequest, SettingsRequest, WorkRequest
from app.market.life.facts import IssueFacts
from app.market.terms.contract import Side
from app.market.terms.errors import InsufficientFunds, InvalidOffer, NotTrading, Refusal
from app.market.terms.instants import command_date, format_instant
from app.services.rules import in_force
from app.services.rules.config import Config
from app.services.rules.in_force import NOTHING, Found
from app.services.trading import funding, working
from app.services.uses import leaving
from app.services.views import market_views
from app.storage.market import workers
from app.storage.market.workers import Worker
from tests.runners import answer
from tests.services.desk import BY, DAY, ISSUE, Desk, place_of

FIXED, UNFIXED = Side.FIXED, Side.UNFIXED
ADAM, BETH, CHARLES, DEV = 1, 2, 3, 4
FORTNIGHT = 14 * DAY


async def say(desk: Desk, user: int, request: WorkRequest, config: Config | None = None, **context: Any) -> str:
    made = replace(desk.context(user), config=config or desk.config, **context)
    return await desk.run(lambda tx: answer(tx, made, request))


async def listed(desk: Desk, most: int = 5) -> tuple[list[Worker], int]:
    async with desk.db.reading() as tx:
        return await workers.listed(tx, ISSUE, desk.clock.now(), most)


async def names(desk: Desk) -> list[str]:
    return [one.login for one in (await listed(desk))[0]]


async def test_who_works_is_listed_for_a_fortnight(desk: Desk) -> None:
    told = await say(desk, ADAM, WorkRequest(None))
    until_at = desk.clock.now() + FORTNIGHT
    assert f"**You are listed as working on this issue** until {format_instant(until_at)}" in told
    assert await listed(desk) == ([Worker("user1", until_at)], 1)
    desk.clock.set(until_at - 1)
    assert await names(desk) == ["user1"]
    desk.clock.set(until_at)
    assert await listed(desk) == ([], 0)


async def test_saying_it_again_keeps_the_place_and_lasts_longer(desk: Desk) -> None:
    await say(desk, ADAM, WorkRequest(None))
    desk.clock.set(desk.clock.now() + DAY)
    await say(desk, BETH, WorkRequest(None))
    desk.clock.set(desk.clock.now() + DAY)
    await say(desk, ADAM, WorkRequest(None))
    found, _ = await listed(desk)
    assert [(one.login, one.until_at) for one in found] == [
        ("user1", desk.clock.now() + FORTNIGHT),
        ("user2", desk.clock.now() + FORTNIGHT - DAY),
    ]


async def test_holders_of_fixed_come_first_and_a_few_are_named(desk: Desk) -> None:
    for user in (ADAM, BETH, CHARLES):
        await say(desk, user, WorkRequest(None))
        desk.clock.set(desk.clock.now() + 60)
    await desk.offer(ADAM, "buy unfixed 30 at 800")
    await desk.offer(CHARLES, "buy fixed 20 at 200")
    await desk.offer(BETH, "buy fixed 10 at 200")
    found, count = await listed(desk, most=2)
    assert ([(one.login, one.units) for one in found], count) == ([("user3", 20), ("user2", 10)], 3)
    assert await names(desk) == ["user3", "user2", "user1"]
    async with desk.db.reading() as tx:
        view = await market_views.issue_view(tx, ISSUE, desk.clock.now())
    assert [one.login for one in view.working] == ["user3", "user2", "user1"]


async def test_work_stop_takes_a_name_off(desk: Desk) -> None:
    await say(desk, ADAM, WorkRequest(None))
    assert "no longer listed" in await say(desk, ADAM, WorkRequest(None, stop=True))
    assert await names(desk) == []
    with pytest.raises(Refusal, match="You are not listed") as refused:
        await say(desk, ADAM, WorkRequest(None, stop=True))
    assert refused.value.correction == "/bugmark work"


async def test_the_close_ends_it_and_a_reopening_does_not_bring_it_back(desk: Desk) -> None:
    await say(desk, ADAM, WorkRequest(None))
    desk.clock.set(desk.clock.now() + 60)
    closed_at = desk.clock.now()
    await desk.note(IssueFacts(closed=True, completed=False, closed_at=closed_at, reason="not_planned"))
    assert await names(desk) == []
    await desk.note(IssueFacts(closed=False, completed=False))
    assert await names(desk) == []
    desk.clock.set(closed_at + 60)
    await say(desk, BETH, WorkRequest(None))
    await desk.note(IssueFacts(closed=True, completed=False, closed_at=closed_at, reason="not_planned"))
    assert await names(desk) == ["user2"], "old news ends nothing that was said after it"


@pytest.mark.parametrize("context", [{"closed": True}, {"rejected": "not_planned"}])
async def test_there_is_nothing_to_work_on_where_the_issue_is_closed(desk: Desk, context: dict[str, Any]) -> None:
    async with desk.refused(NotTrading, "nothing to work on"):
        await say(desk, ADAM, WorkRequest(None), **context)


async def test_with_an_amount_fixed_is_bought_where_most_is_held_best_first_and_not_above_the_default_price(
    desk: Desk,
) -> None:
    other = await desk.offer(ADAM, "buy unfixed 100 at 900", BY + DAY)
    busy = await desk.offer(ADAM, "buy unfixed 30 at 700")
    await desk.offer(DEV, "buy fixed 10 at 300")
    await desk.offer(ADAM, "buy unfixed 10 at 800")
    await desk.offer(ADAM, "buy unfixed 50 at 400")
    told = await say(desk, BETH, WorkRequest(25_000))
    assert "**Bought 30 FIXED** for 8.00 (10 at 0.20, 20 at 0.30)" in told
    assert "20 of 50 units were not to be had at that price" in told
    assert await desk.position(BETH, FIXED) == (30, 0, 8_000)
    assert (await desk.contract(busy.contract.id)).open_interest == 40
    assert (await desk.contract(other.contract.id)).open_interest == 0
    assert await desk.reserve(BETH) == 0


async def test_the_default_price_of_the_repository_is_the_limit(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 30 at 700")
    told = await say(desk, BETH, WorkRequest(25_000), Config(default_price=200))
    assert "**Nothing was bought**" in told
    assert await names(desk) == ["user2"]


async def test_where_no_contract_is_open_only_the_name_is_listed(desk: Desk) -> None:
    assert "no contract is open on this issue" in await say(desk, BETH, WorkRequest(25_000))
    assert await names(desk) == ["user2"]


async def test_work_with_too_much_or_too_little_money_lists_nobody(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 30 at 700")
    async with desk.refused(InsufficientFunds):
        await say(desk, BETH, WorkRequest(2_000_000))
    with pytest.raises(InvalidOffer, match="does not buy a single unit") as refused:
        await say(desk, BETH, WorkRequest(400))
    assert refused.value.correction == "/bugmark work AMOUNT"
    assert await names(desk) == []


# -- money without a date -----------------------------------------------------------------------------------------


async def date_for(desk: Desk, config: Config | None = None) -> int:
    context = replace(desk.context(ADAM), config=config or desk.config)
    async with desk.db.reading() as tx:
        return await funding.date_for(tx, context)


async def test_money_goes_where_most_is_held_then_where_most_is_put_up(desk: Desk) -> None:
    start = desk.clock.now() - desk.clock.now() % DAY + DAY - 1
    assert await date_for(desk) == start + 90 * DAY, "a new contract, 90 days ahead"
    await desk.offer(ADAM, "buy unfixed 100 at 900", start + 5 * DAY)
    await desk.offer(ADAM, "buy unfixed 100 at 900", start + 400 * DAY)
    assert await date_for(desk) == start + 90 * DAY, "one is too near, the other too far"
    await desk.offer(ADAM, "buy unfixed 10 at 900", start + 20 * DAY)
    await desk.offer(CHARLES, "buy fixed 100 at 100", start + 40 * DAY)
    assert await date_for(desk) == start + 40 * DAY, "10.00 is more than 9.00"
    await desk.offer(BETH, "buy fixed 5 at 100", start + 20 * DAY)
    assert await date_for(desk) == start + 20 * DAY, "somebody holds units there"


async def test_a_new_date_keeps_to_the_bounds_of_the_repository(desk: Desk) -> None:
    narrow = Config(most_maturation_seconds=30 * DAY)
    assert 28 * DAY < await date_for(desk, narrow) - desk.clock.now() <= 30 * DAY


async def test_the_reply_says_where_money_without_a_date_went(desk: Desk) -> None:
    new = desk.context(ADAM)
    told = await desk.run(lambda tx: answer(tx, new, FundRequest(9_000, None, None)))
    assert told.startswith(f"Without a date this goes to a new contract by {format_instant(await date_for(desk))}.")
    context = desk.context(BETH)
    told = await desk.run(lambda tx: answer(tx, context, FundRequest(9_000, None, None)))
    assert told.startswith("Without a date this goes to the contract by ")
    async with desk.db.reading() as tx:
        assert len((await market_views.issue_view(tx, ISSUE, desk.clock.now())).trading) == 1


# -- leaving ------------------------------------------------------------------------------------------------------


async def sales(desk: Desk, user: int, text: str) -> list[tuple[str, str]]:
    with pytest.raises(Leaving) as caught:
        parse(text, desk.clock.now())
    context = desk.context(user)
    async with desk.db.reading() as tx:
        found = await leaving.of_what_is_held(tx, context, caught.value)
    return [(one.text, one.means) for one in found.instead]


async def test_who_leaves_is_handed_out_sales_of_what_they_hold(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 30 at 800")
    await desk.offer(BETH, "buy fixed 20 at 200")
    await desk.offer(BETH, "buy unfixed 30 at 800", BY + DAY)
    await desk.offer(CHARLES, "buy fixed 30 at 200", BY + DAY)
    await desk.sell(ADAM, UNFIXED, 5, 900)
    day, next_day = command_date(BY), command_date(BY + DAY)
    assert await sales(desk, ADAM, "exit") == [(f"sell unfixed all by {day}", "your 15 UNFIXED")]
    assert await sales(desk, BETH, "close") == [
        (f"sell fixed all by {day}", "your 20 FIXED"),
        (f"sell unfixed all by {next_day}", "your 30 UNFIXED"),
    ]
    assert await sales(desk, BETH, "leave no") == [(f"sell unfixed all by {next_day}", "your 30 UNFIXED")]
    assert await sales(desk, BETH, "exit fixed 7") == [(f"sell fixed 7 by {day}", "your 20 FIXED")]
    assert await sales(desk, DEV, "exit") == [("positions", "")]


# -- settings -----------------------------------------------------------------------------------------------------


async def told(desk: Desk) -> str:
    context = desk.context(ADAM)
    return await desk.run(lambda tx: answer(tx, context, SettingsRequest()))


async def remember(desk: Desk, found: Found) -> None:
    async with desk.db.transaction() as tx:
        await in_force.remember(tx, place_of(ISSUE).repository, found, desk.clock.now(), desk.clock.now())


async def test_the_rules_in_force_and_where_they_come_from(desk: Desk) -> None:
    assert "they are the defaults" in await told(desk)
    await remember(desk, NOTHING)
    shown, folded = (await told(desk)).split("<details>")
    assert "they are the defaults, since there is no `.github/bugmark.yml`." in shown and "fee_bps" not in shown
    assert "| `default_price` | `0.50` |" in folded
    await remember(
        desk, Found("repository", "a", b"fee_bps: 250\nlimits:\n  stake: 500\nlabels:\n  deny: [x, 'y`z']\n")
    )
    shown, folded = (await told(desk)).split("<details>")
    assert "they come from this repository's `.github/bugmark.yml`." in shown
    for line in ("| `fee_bps` | `250` |", "| `limits.stake` | `500` |", "| `labels.deny` | `x`, `y'z` |"):
        assert line in shown and line not in folded
    await remember(desk, Found("owner", "b", b"default_price: 0.40\n"))
    assert "in the owner's repository `.github`" in await told(desk)


async def test_a_file_with_mistakes_is_not_what_is_in_force(desk: Desk) -> None:
    await remember(desk, Found("repository", "a", b"fee_bps: 250\n"))
    await remember(desk, Found("repository", "b", b"fee_bps: many\n"))
    answer = await told(desk)
    assert "The file has a mistake now, so the last version that was right stays in force." in answer
    assert "| `fee_bps` | `250` |" in answer


def test_what_is_listed_for_is_two_weeks() -> None:
    assert working.LISTED_SECONDS == FORTNIGHT
