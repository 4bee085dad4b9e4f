"""From news to verdict: a fake GitHub says what has become of the issue, the clock moves, and money is paid out."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from app.market.exchange.voiding import VoidPrice
from app.market.life.facts import Cause, IssueFacts
from app.market.life.next_step import NO_ANSWER_DAYS
from app.market.terms.contract import Outcome, Side, Status
from app.services.life import issue_checks
from app.services.rules.config import Config
from app.storage.market import contracts, stakes
from tests.services.desk import BY, DAY, GRANT_MILLS, Desk, OldLaw

ADAM, BETH, CHARLES, DEV = 1, 2, 3, 4
MAINTAINER = 77
IS_OPEN = IssueFacts(closed=False, completed=False)


def closed(at: int, by: int | None = MAINTAINER, rights: bool = True, completed: bool = True) -> IssueFacts:
    return IssueFacts(closed=True, completed=completed, closed_at=at, closed_by=by, closer_may_triage=rights)


async def base_case(desk: Desk, by_at: int = BY) -> int:
    """Adam holds 200 UNFIXED bought at 0.80, Beth 200 FIXED at 0.20."""
    await desk.offer(ADAM, "buy unfixed 200 at 800", by_at)
    return (await desk.offer(BETH, "buy fixed 200 at 200", by_at)).contract.id


async def notices(desk: Desk) -> list[dict[str, Any]]:
    """What the thread was told of contracts' lives, oldest first."""
    found = [json.loads(row[8]) for row in (await desk.dump())["outbox"] if row[2] == "notice"]
    return [body for body in found if body["notice"] != "news"]


async def test_a_good_close_halts_and_pays_when_the_window_ends(desk: Desk) -> None:
    number = await base_case(desk)
    await desk.offer(CHARLES, "buy unfixed 10 at 500")
    at = desk.clock.advance(DAY)
    desk.oracle.facts = closed(at)
    desk.clock.advance(5)
    await desk.note(desk.oracle.facts)
    halted = await desk.contract(number)
    assert (halted.status, halted.halt_reason, halted.halted_at) == (Status.HALTED, Cause.CLOSED, at + 5)
    assert (halted.window_opened_at, halted.window_ends_at, halted.next_look_at) == (at, None, at + 5)
    row = await desk.look(number)
    assert (row.window_opened_at, row.window_ends_at, row.next_look_at) == (at, at + DAY, at + DAY)
    desk.clock.set(at + DAY - 1)
    assert (await desk.look(number)).status is Status.HALTED
    desk.clock.advance(1)
    row = await desk.look(number)
    assert (row.status, row.outcome, row.settled_at) == (Status.SETTLED, Outcome.FIXED, at + DAY)
    assert row.next_look_at is None
    assert [await desk.free(user) for user in (ADAM, BETH, CHARLES)] == [
        GRANT_MILLS - 160_000,
        GRANT_MILLS + 160_000,
        GRANT_MILLS,
    ]
    assert await desk.reserve(CHARLES) == 0
    window, settled = await notices(desk)
    told = {"closer": "", "closed_at": at, "evidence": [], "gone": None, "reason": None, "duplicate_of": None}
    assert window == {
        "notice": "window",
        "contract": number,
        "cause": "closed",
        "backed": True,
        "opened_at": at,
        "ends_at": at + DAY,
        **told,
    }
    assert settled == {
        "notice": "settled",
        "contract": number,
        "outcome": "FIXED",
        "cause": "closed",
        "disputable_until": at + DAY,
        "why": "facts",
        "ruling": None,
        "closed_by": MAINTAINER,
        **told,
        "payouts": [[BETH, 200_000, 40_000, 0], [ADAM, 0, 160_000, 0]],
        "sold": [],
    }


@pytest.mark.parametrize(
    ("closer", "rights", "days"),
    [
        (MAINTAINER, True, 1),
        (MAINTAINER, False, 2),
        (ADAM, True, 2),
        (BETH, True, 2),
        (CHARLES, True, 1),
        (None, True, 2),
    ],
)
async def test_a_close_is_backed_by_rights_without_a_position(
    desk: Desk, closer: int | None, rights: bool, days: int
) -> None:
    """Adam and Beth hold units, Charles has only an offer, and nobody knows who None is."""
    number = await base_case(desk)
    await desk.offer(CHARLES, "buy unfixed 10 at 500")
    at = desk.clock.now()
    desk.oracle.facts = closed(at, closer, rights)
    row = await desk.look(number)
    assert row.window_ends_at == at + days * DAY
    assert (await notices(desk))[0]["backed"] is (days == 1)


@pytest.mark.parametrize("units", [0, 20])
async def test_whoever_has_a_position_when_the_window_opens_does_not_back_the_close(desk: Desk, units: int) -> None:
    """Charles bought in the seconds around his close: his command was dealt with after it, and before it was known."""
    number = await base_case(desk)
    at = desk.clock.now()
    desk.oracle.facts = closed(at, CHARLES)
    desk.clock.advance(4)
    if units:
        await desk.offer(ADAM, "buy unfixed 20 at 700")
        await desk.offer(CHARLES, f"buy fixed {units} at 300")
    await desk.note(desk.oracle.facts)
    row = await desk.look(number)
    assert (row.backed, row.window_ends_at) == (not units, at + (2 if units else 1) * DAY)


async def test_a_reopening_before_maturation_resumes(desk: Desk) -> None:
    number = await base_case(desk)
    due = (await desk.offer(CHARLES, "buy unfixed 10 at 500", until_at=desk.clock.now() + 60)).offer.number
    at = desk.clock.now()
    desk.oracle.facts = closed(at)
    await desk.look(number)
    desk.clock.advance(3_600)
    desk.oracle.facts = IS_OPEN
    await desk.note(IS_OPEN)
    assert (await desk.contract(number)).next_look_at == at + 3_600
    row = await desk.look(number)
    assert (row.status, row.next_look_at) == (Status.OPEN, BY)
    assert (row.halted_at, row.halt_reason, row.window_opened_at, row.window_ends_at) == (None, None, None, None)
    assert f"expiry:{due}" in [key for key, *_ in await desk.journal()]
    await desk.offer(CHARLES, "buy unfixed 10 at 500")
    again = desk.clock.advance(60)
    desk.oracle.facts = closed(again)
    row = await desk.look(number)
    assert (row.window_opened_at, row.window_ends_at) == (again, again + DAY)
    desk.clock.set(again + DAY)
    assert (await desk.look(number)).outcome is Outcome.FIXED
    told = [item["notice"] for item in await notices(desk)]
    assert told == ["window", "resumed", "window", "settled"]


async def test_closed_again_unnoticed_it_opens_a_new_window(desk: Desk) -> None:
    number = await base_case(desk)
    at = desk.clock.now()
    desk.oracle.facts = closed(at)
    await desk.look(number)
    desk.clock.set(at + DAY)
    desk.oracle.facts = closed(at + 3_600)
    row = await desk.look(number)
    assert (row.status, row.window_planned_at) == (Status.HALTED, at + 3_600 + DAY)
    assert row.window_ends_at == at + DAY + 12 * 3_600  # from when the thread was told


async def test_closed_as_not_planned_it_trades_on_and_is_unfixed(desk: Desk) -> None:
    number = await base_case(desk)
    desk.oracle.facts = closed(desk.clock.now(), completed=False)
    await desk.note(desk.oracle.facts)
    row = await desk.look(number)
    assert (row.status, row.next_look_at) == (Status.OPEN, BY)
    desk.clock.set(BY)
    row = await desk.look(number)
    assert (row.status, row.halt_reason, row.window_ends_at) == (Status.HALTED, Cause.MATURED, BY + DAY)
    desk.clock.set(BY + DAY)
    assert (await desk.look(number)).outcome is Outcome.UNFIXED
    assert [await desk.free(user) for user in (ADAM, BETH)] == [GRANT_MILLS + 40_000, GRANT_MILLS - 40_000]


async def test_a_close_after_maturation_does_not_count(desk: Desk) -> None:
    number = await base_case(desk)
    desk.clock.set(BY + 10)
    desk.oracle.facts = closed(BY + 1)
    await desk.note(desk.oracle.facts)
    assert (await desk.look(number)).halt_reason == Cause.MATURED
    desk.clock.set(BY + DAY)
    assert (await desk.look(number)).outcome is Outcome.UNFIXED


async def test_a_good_close_found_after_maturation_counts(desk: Desk) -> None:
    number = await base_case(desk)
    desk.clock.set(BY)
    desk.oracle.facts = IS_OPEN
    await desk.look(number)
    desk.clock.set(BY + 600)
    desk.oracle.facts = closed(BY - 1)
    await desk.note(desk.oracle.facts)
    row = await desk.look(number)
    assert (row.halt_reason, row.window_opened_at, row.window_ends_at) == (Cause.CLOSED, BY - 1, BY + 600 + DAY)
    desk.clock.set(BY + 600 + DAY)
    assert (await desk.look(number)).outcome is Outcome.FIXED


async def test_a_close_that_stood_at_maturation_is_found_though_the_issue_was_reopened_before_anybody_looked(
    desk: Desk,
) -> None:
    """Its own closer backs it, and what is to be expected of an open issue is announced at once."""
    number = await base_case(desk)
    desk.clock.set(BY + 60)
    stood = replace(closed(BY - 1), closer="kim", until_at=BY + 30)
    desk.oracle.facts = replace(IS_OPEN, reopenings=(BY + 30,), before=(stood,))
    row = await desk.look(number)
    assert (row.halt_reason, row.window_opened_at, row.backed) == (Cause.CLOSED, BY - 1, True)
    assert row.next_look_at == BY + 60
    assert (await desk.look(number)).verdict is Outcome.UNFIXED
    assert [(told["notice"], told.get("closer")) for told in await notices(desk)] == [
        ("window", "kim"),
        ("verdict", None),
    ]
    desk.oracle.facts = replace(closed(BY + 600), reopenings=(BY + 30,), before=(stood,))
    desk.clock.set(BY - 1 + DAY)
    assert (await desk.look(number)).outcome is Outcome.FIXED
    assert (await notices(desk))[-1]["closed_at"] == BY - 1


async def test_news_that_the_api_denies_is_undone(desk: Desk) -> None:
    number = await base_case(desk)
    await desk.note(closed(desk.clock.now()))
    assert (await desk.contract(number)).status is Status.HALTED
    desk.oracle.facts = IS_OPEN
    assert (await desk.look(number)).status is Status.OPEN
    await desk.offer(CHARLES, "buy unfixed 10 at 500")


async def test_news_halts_every_contract_of_the_issue_that_it_concerns(desk: Desk) -> None:
    """A close counts for the contracts that mature after it only."""
    early, late = await base_case(desk, BY), await base_case(desk, BY + DAY)
    desk.clock.set(BY + 10)
    await desk.note(closed(BY + 5))
    assert (await desk.contract(early)).status is Status.OPEN
    assert (await desk.contract(late)).status is Status.HALTED


async def test_without_an_answer_it_waits_and_after_thirty_days_is_void(desk: Desk) -> None:
    number = await base_case(desk)
    desk.clock.set(BY)
    await desk.look(number)
    desk.clock.set(BY + DAY)
    row = await desk.look(number)
    assert (row.status, row.next_look_at) == (Status.HALTED, BY + DAY + 60)
    await desk.unanswered(number, NO_ANSWER_DAYS - 3)
    assert (await desk.look(number)).status is Status.HALTED
    desk.clock.advance(DAY)
    row = await desk.look(number)
    assert (row.outcome, row.next_look_at) == (Outcome.VOID, None)
    assert [await desk.free(user) for user in (ADAM, BETH)] == [GRANT_MILLS, GRANT_MILLS]


async def test_a_void_pays_at_the_price_of_seven_days_before(desk: Desk) -> None:
    """By law 1. Beth's units went to Charles; what was minted in the last week moves nothing."""
    desk.config = OldLaw()
    number = await base_case(desk)
    await desk.sell(BETH, Side.FIXED, 200, 400)
    await desk.offer(CHARLES, "buy fixed 200 at 400")
    desk.clock.set(BY - 7 * DAY + 1)
    await desk.offer(DEV, "buy fixed 101 at 900")
    await desk.offer(ADAM, "buy unfixed 101 at 100")
    desk.clock.set(BY + 5)
    row = await desk.look(number)
    assert (row.open_interest, row.minted_mills) == (301, 40_000 + 90_900)
    await desk.unanswered(number)
    assert (await desk.look(number)).outcome is Outcome.VOID
    paid = {user: paid for user, paid, *_ in (await notices(desk))[-1]["payouts"]}
    assert paid == {ADAM: 301 * 800, CHARLES: 200 * 200, DEV: 101 * 200}


async def test_a_void_price_of_a_young_contract_is_that_after_its_first_fill(desk: Desk) -> None:
    number = await base_case(desk)
    desk.clock.advance(3_600)
    await desk.offer(DEV, "buy fixed 100 at 900")
    await desk.offer(CHARLES, "buy unfixed 100 at 100")
    async with desk.db.reading() as tx:
        assert await stakes.void_price(tx, number, desk.clock.now() - 7 * DAY) == VoidPrice(40_000, 200)


async def test_a_void_price_is_read_from_the_last_pair_with_open_interest(desk: Desk) -> None:
    """Both left before the week began, and others came in it."""
    number = await base_case(desk)
    desk.clock.advance(3_600)
    await desk.sell(BETH, Side.FIXED, 200, 350)
    await desk.sell(ADAM, Side.UNFIXED, 200, 650)
    assert (await desk.contract(number)).open_interest == 0
    desk.clock.advance(10 * DAY)
    await desk.offer(DEV, "buy fixed 100 at 900")
    await desk.offer(CHARLES, "buy unfixed 100 at 100")
    async with desk.db.reading() as tx:
        assert await stakes.void_price(tx, number, desk.clock.now() - 7 * DAY) == VoidPrice(40_000, 200)


@pytest.mark.parametrize("days_before", [8, 6])
async def test_a_void_reads_the_pair_before_the_event_not_before_its_discovery(desk: Desk, days_before: int) -> None:
    """By law 1. The app slept for ten days when the contract matured."""
    desk.config = OldLaw()
    number = await base_case(desk)
    desk.clock.set(BY - days_before * DAY)
    await desk.offer(DEV, "buy fixed 200 at 600")
    await desk.offer(CHARLES, "buy unfixed 200 at 400")
    desk.clock.set(BY + 10 * DAY)
    await desk.look(number)
    await desk.unanswered(number)
    assert (await desk.look(number)).outcome is Outcome.VOID
    paid = {user: paid for user, paid, *_ in (await notices(desk))[-1]["payouts"]}
    price = 400 if days_before == 8 else 200
    assert paid == {ADAM: 200 * (1000 - price), BETH: 200 * price, CHARLES: 200 * (1000 - price), DEV: 200 * price}


async def test_a_void_without_fills_gives_back_what_was_reserved(desk: Desk) -> None:
    number = (await desk.offer(ADAM, "buy unfixed 200 at 800")).contract.id
    desk.clock.set(BY)
    await desk.look(number)
    await desk.unanswered(number)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert (await desk.free(ADAM), await desk.reserve(ADAM)) == (GRANT_MILLS, 0)


PAYOUTS: dict[Outcome, dict[int, list[int]]] = {
    Outcome.FIXED: {
        ADAM: [0, 7 * 667 + 6 * 467, 0],
        BETH: [7_000 - 583, 7 * 333, 583],
        CHARLES: [6_000 - 350, 6 * 533, 350],
    },
    Outcome.UNFIXED: {
        ADAM: [13_000 - 691, 7 * 667 + 6 * 467, 691],
        BETH: [0, 7 * 333, 0],
        CHARLES: [0, 6 * 533, 0],
    },
    Outcome.VOID: {
        ADAM: [7 * 667 + 6 * 467, 7 * 667 + 6 * 467, 0],
        BETH: [7 * 333, 7 * 333, 0],
        CHARLES: [6 * 533, 6 * 533, 0],
    },
}
"""Paid, cost, fee, with 12.5 % of the gain as fee."""

BY_LAW_1 = {
    ADAM: [13_000 - 5_529, 7 * 667 + 6 * 467, 0],
    BETH: [2_977, 7 * 333, 0],
    CHARLES: [2_552, 6 * 533, 0],
}
"""5,529 mills were minted over 13 units: 425 4/13 each."""


@pytest.mark.parametrize(
    ("outcome", "config", "payouts"),
    [*((outcome, Config(fee_bps=1250), PAYOUTS[outcome]) for outcome in Outcome), (Outcome.VOID, OldLaw(), BY_LAW_1)],
)
async def test_payouts_to_the_mill(desk: Desk, outcome: Outcome, config: Config, payouts: dict[int, list[int]]) -> None:
    desk.config = config
    await desk.offer(ADAM, "buy unfixed 7 at 667")
    await desk.offer(BETH, "buy fixed 7 at 333")
    await desk.offer(ADAM, "buy unfixed 6 at 467")
    number = (await desk.offer(CHARLES, "buy fixed 6 at 533")).contract.id
    desk.oracle.facts = closed(BY) if outcome is Outcome.FIXED else IS_OPEN
    desk.clock.set(BY)
    await desk.look(number)
    desk.oracle.facts = None if outcome is Outcome.VOID else desk.oracle.facts
    await desk.unanswered(number)
    assert (await desk.look(number)).outcome is outcome
    found = {user: rest for user, *rest in (await notices(desk))[-1]["payouts"]}
    assert found == payouts
    assert sum(paid + fee for paid, _, fee in found.values()) == 13_000
    for user, (paid, cost, _) in found.items():
        assert await desk.free(user) == GRANT_MILLS - cost + paid


async def test_an_offer_that_came_due_while_nobody_worked_expires_before_the_settlement(desk: Desk) -> None:
    number = await base_case(desk)
    waiting = await desk.offer(CHARLES, "buy unfixed 10 at 500", until_at=desk.clock.now() + 60)
    at = desk.clock.advance(DAY)
    desk.oracle.facts = closed(at)
    await desk.look(number)
    desk.clock.advance(DAY)
    assert (await desk.look(number)).status is Status.SETTLED
    keys = [row[1] for row in (await desk.dump())["entries"]]
    assert keys.index(f"expiry:{waiting.offer.number}") < keys.index(f"settlement:{number}")


async def test_what_lasts_until_maturation_expires_then_and_is_not_cancelled_by_the_halt(desk: Desk) -> None:
    number = await base_case(desk)
    waiting = await desk.offer(CHARLES, "buy unfixed 10 at 500 leaves")
    desk.oracle.facts = IS_OPEN
    desk.clock.set(BY)
    assert (await desk.look(number)).halt_reason == Cause.MATURED
    keys = [row[1] for row in (await desk.dump())["entries"]]
    assert keys.index(f"expiry:{waiting.offer.number}") < keys.index(f"halt:{number}:2")


async def test_settling_again_changes_nothing(desk: Desk) -> None:
    number = await base_case(desk)
    desk.oracle.facts = closed(desk.clock.now())
    await desk.look(number)
    desk.clock.advance(DAY)
    await desk.look(number)
    before = await desk.dump()
    for facts in (desk.oracle.facts, IS_OPEN, None):
        desk.oracle.facts = facts
        desk.clock.advance(100 * DAY)
        await desk.look(number)
        await desk.note(facts or IS_OPEN)
        await desk.sweep(number)
    assert await desk.dump() == before
    async with desk.db.reading() as tx:
        assert await contracts.due(tx, desk.clock.now(), 10) == []


async def test_looked_at_by_many_it_settles_once(desk: Desk) -> None:
    number = await base_case(desk)
    desk.oracle.facts = closed(desk.clock.now())
    desk.audited = False
    await asyncio.gather(*(desk.look(number) for _ in range(6)))
    desk.clock.advance(DAY)
    await asyncio.gather(*(desk.look(number) for _ in range(6)))
    await desk.check()
    assert (await desk.contract(number)).outcome is Outcome.FIXED
    assert [item["notice"] for item in await notices(desk)] == ["window", "settled"]
    keys = [key for key, *_ in await desk.journal()]
    assert keys.count(f"settlement:{number}") == 1


async def test_a_contract_that_does_not_exist_is_not_asked_about(desk: Desk) -> None:
    await issue_checks.look_at(desk.db, desk.oracle, 999, desk.clock)
    assert desk.oracle.asked == 0


async def test_what_is_due_is_found(desk: Desk) -> None:
    first, second = await base_case(desk, BY + DAY), await base_case(desk, BY)
    async with desk.db.reading() as tx:
        assert await contracts.due(tx, BY - 1, 10) == []
        assert [row.id for row in await contracts.due(tx, BY + DAY, 10)] == [second, first]
        assert [row.id for row in await contracts.due(tx, BY + DAY, 1)] == [second]


async def test_after_fixed_a_reopened_issue_trades_in_the_next_round(desk: Desk) -> None:
    first = await base_case(desk)
    desk.oracle.facts = closed(desk.clock.now())
    await desk.look(first)
    desk.clock.advance(DAY)
    await desk.look(first)
    traded = await desk.offer(ADAM, "buy unfixed 10 at 500")
    assert traded.made
    assert (traded.contract.round, traded.contract.maturation_at) == (2, BY)
    assert (await desk.offer(BETH, "buy fixed 10 at 500")).contract.id == traded.contract.id


async def test_after_a_void_for_not_planned_the_reopened_issue_trades_in_the_next_round(desk: Desk) -> None:
    desk.config = Config(not_planned="VOID")
    first = await base_case(desk)
    desk.oracle.facts = replace(closed(desk.clock.now(), completed=False), reason="not_planned")
    await desk.look(first)
    desk.clock.advance(DAY)
    assert (await desk.look(first)).outcome is Outcome.VOID
    traded = await desk.offer(ADAM, "buy unfixed 10 at 500")
    assert (traded.made, traded.contract.round, traded.contract.maturation_at) == (True, 2, BY)
