"""Disputes: who may, what it costs, what a maintainer makes of it, and what happens if none does."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from app.market.ledger.journal import Kind
from app.market.life.facts import ANSWER_SECONDS, IssueFacts
from app.market.terms.contract import Outcome, Side, Status
from app.market.terms.errors import InsufficientFunds, NotTrading, Refusal
from app.services.life import rulings
from app.services.life.issue_checks import closed_to_trade
from app.services.rules.config import Config
from app.storage.market import contracts
from app.storage.market import disputes as stored
from app.storage.market.disputes import DisputeState
from tests.services.desk import BY, DAY, GRANT_MILLS, Desk, OldLaw, place_of
from tests.services.lives import (
    ADAM,
    BASE_BOND,
    BETH,
    CHARLES,
    DEV,
    IS_OPEN,
    base_case,
    closed,
    closed_now,
    dispute,
    maintainer,
    money,
    notices,
    resolve,
)


async def state_of(desk: Desk, number: int) -> DisputeState:
    row = await desk.contract(number)
    async with desk.db.reading() as tx:
        found = await stored.of_window(tx, number, row.halt_reason or "", row.window_opened_at or 0)
    assert found is not None
    return found.state


async def test_who_would_lose_may_dispute_with_a_bond_from_free_money(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    found = await dispute(desk, ADAM)
    assert (found.contract.id, found.verdict, found.bond_mills) == (number, Outcome.FIXED, BASE_BOND)
    assert found.answer_by_at == at + ANSWER_SECONDS
    assert await desk.free(ADAM) == GRANT_MILLS - 160_000 - BASE_BOND
    assert await money(desk, Kind.BOND, number) == BASE_BOND


async def test_who_would_win_or_holds_nothing_may_not(desk: Desk) -> None:
    number = await base_case(desk)
    await closed_now(desk, number)
    for user in (BETH, CHARLES):
        async with desk.refused(Refusal, "no units that would lose"):
            await dispute(desk, user)


async def test_who_loses_by_unfixed_may_dispute_it_too(desk: Desk) -> None:
    number = await base_case(desk)
    desk.oracle.facts = IS_OPEN
    desk.clock.set(BY)
    await desk.look(number)
    async with desk.refused(Refusal):
        await dispute(desk, ADAM)
    assert (await dispute(desk, BETH)).verdict is Outcome.UNFIXED


async def test_everybody_may_dispute_a_void(desk: Desk) -> None:
    number = await base_case(desk)
    desk.oracle.facts = IssueFacts(False, False, gone="discussion", gone_at=desk.clock.now())
    await desk.look(number)
    assert (await dispute(desk, BETH)).verdict is Outcome.VOID


async def test_without_a_window_nothing_can_be_disputed(desk: Desk) -> None:
    number = await base_case(desk)
    async with desk.refused(Refusal, "no window runs"):
        await dispute(desk, ADAM)
    at = await closed_now(desk, number)
    desk.clock.set(at + DAY)
    async with desk.refused(Refusal, "no window runs"):
        await dispute(desk, ADAM)


async def test_there_is_one_dispute_a_window(desk: Desk) -> None:
    number = await base_case(desk)
    await desk.offer(CHARLES, "buy unfixed 10 at 800")
    await desk.offer(DEV, "buy fixed 10 at 200")
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    async with desk.refused(Refusal, "one dispute a window"):
        await dispute(desk, ADAM)
    await desk.open_account(5)
    await resolve(desk, Outcome.FIXED, user=5)
    async with desk.refused(Refusal, "one dispute a window"):
        await dispute(desk, CHARLES)
    desk.clock.set(at + 600)
    desk.oracle.facts = IS_OPEN
    await desk.look(number)
    await closed_now(desk, number)
    await dispute(desk, CHARLES)


async def test_a_bond_that_cannot_be_paid_is_refused(desk: Desk) -> None:
    number = await base_case(desk)
    await desk.offer(ADAM, "buy unfixed 1000 at 835", BY + DAY)
    assert await desk.free(ADAM) < BASE_BOND
    await closed_now(desk, number)
    async with desk.refused(InsufficientFunds, "a bond of 10.00"):
        await dispute(desk, ADAM)


async def test_several_verdicts_are_told_apart_by_their_contract(desk: Desk) -> None:
    first, second = await base_case(desk), await base_case(desk, BY + DAY)
    await closed_now(desk, first)
    async with desk.refused(Refusal, f"c{first} as FIXED; c{second} as FIXED"):
        await dispute(desk, ADAM)
    assert (await dispute(desk, ADAM, second)).contract.id == second
    assert (await dispute(desk, ADAM)).contract.id == first
    async with desk.refused(Refusal, "say which"):
        await resolve(desk, Outcome.FIXED)
    assert (await resolve(desk, Outcome.FIXED, second)).contract.id == second
    async with desk.refused(Refusal, "no such unsettled contract"):
        await dispute(desk, ADAM, 999)


async def test_a_dispute_holds_settlement(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    desk.clock.set(at + ANSWER_SECONDS - 1)
    row = await desk.look(number)
    assert (row.status, row.next_look_at) == (Status.HALTED, at + ANSWER_SECONDS)


async def test_rejected_the_bond_goes_to_fees_and_the_window_ends_as_announced(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    found = await resolve(desk, Outcome.FIXED)
    assert (found.upheld, found.aside, found.due_at) == (False, False, at + DAY)
    assert await state_of(desk, number) is DisputeState.REJECTED
    assert await money(desk, Kind.FEES, 0) == BASE_BOND
    assert await money(desk, Kind.BOND, number) == 0
    assert (await desk.look(number)).status is Status.HALTED
    desk.clock.set(at + DAY)
    assert (await desk.look(number)).outcome is Outcome.FIXED
    assert (await notices(desk))[-1]["ruling"] == {"by": "user4", "reason": "I looked", "price": None}


async def test_upheld_the_bond_comes_back_and_the_contract_settles_as_ruled(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    desk.clock.set(at + 2 * DAY)
    assert (await resolve(desk, Outcome.VOID)).upheld
    assert await desk.free(ADAM) == GRANT_MILLS - 160_000
    row = await desk.look(number)
    assert (row.outcome, row.settled_at) == (Outcome.VOID, at + 2 * DAY)
    assert [await desk.free(user) for user in (ADAM, BETH)] == [GRANT_MILLS, GRANT_MILLS]
    assert (await notices(desk))[-1]["why"] == "ruling"


@pytest.mark.parametrize(("config", "gain"), [(OldLaw(), 100_000), (Config(), 0)])
async def test_a_resolver_may_set_another_void_price(desk: Desk, config: Config, gain: int) -> None:
    """By law 2 it moves only what somebody who left took along or left behind: here nobody did."""
    desk.config = config
    number = await base_case(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    await resolve(desk, Outcome.VOID, price=700)
    desk.clock.set(at + DAY)
    await desk.look(number)
    assert [await desk.free(user) for user in (ADAM, BETH)] == [GRANT_MILLS - gain, GRANT_MILLS + gain]


async def test_only_a_void_has_a_price(desk: Desk) -> None:
    number = await base_case(desk)
    await closed_now(desk, number)
    await dispute(desk, ADAM)
    async with desk.refused(Refusal, "Only a VOID has a price"):
        await resolve(desk, Outcome.FIXED, price=700)


async def test_unfixed_before_maturation_sets_the_close_aside_and_trading_resumes(desk: Desk) -> None:
    first, second = await base_case(desk), await base_case(desk, BY + DAY)
    at = await closed_now(desk, first)
    await dispute(desk, ADAM, first)
    found = await resolve(desk, Outcome.UNFIXED)
    assert (found.upheld, found.aside) == (True, True)
    assert await desk.free(ADAM) == GRANT_MILLS - 2 * 160_000
    await desk.look(first)
    for number in (first, second):
        row = await desk.contract(number)
        assert (row.status, row.halt_reason, row.next_look_at) == (Status.OPEN, None, row.maturation_at)
    assert [item["why"] for item in (await notices(desk)) if item["notice"] == "resumed"] == ["set aside"] * 2
    await desk.offer(CHARLES, "buy fixed 10 at 300")
    desk.clock.advance(60)
    await desk.note(closed(at))
    assert (await desk.look(first)).status is Status.OPEN
    again = await closed_now(desk, first)
    assert (await desk.contract(first)).window_opened_at == again


async def test_a_close_set_aside_does_not_keep_new_contracts_from_being_made(desk: Desk) -> None:

    number = await base_case(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    await resolve(desk, Outcome.UNFIXED)
    await desk.look(number)
    async with desk.db.reading() as tx:
        assert not await closed_to_trade(tx, place_of(101), closed(at))
        assert await closed_to_trade(tx, place_of(101), closed(at + 1))
    made = await desk.offer(CHARLES, "buy fixed 10 at 300", BY + 5 * DAY)
    assert made.made
    assert (await desk.look(made.contract.id)).status is Status.OPEN


async def test_a_contract_that_matures_under_a_close_set_aside_ends_no_round(desk: Desk) -> None:
    """Nobody has reopened the issue: other dates trade on in the round that they are in."""
    number = await base_case(desk)
    await closed_now(desk, number)
    await dispute(desk, ADAM)
    await resolve(desk, Outcome.UNFIXED)
    desk.clock.set(BY)
    await desk.look(number)
    desk.clock.set(BY + DAY)
    assert (await desk.look(number)).outcome is Outcome.UNFIXED
    assert (await desk.offer(CHARLES, "buy fixed 10 at 300", BY + 5 * DAY)).contract.round == 1


async def test_a_close_set_aside_fixes_no_contract_that_matured_meanwhile(desk: Desk) -> None:
    """A maintainer found that it was no fix; who loses by that is told before the window ends."""
    later, nearer = await base_case(desk, BY + DAY), await base_case(desk, BY)
    desk.clock.set(BY - 60)
    at = await closed_now(desk, nearer)
    desk.clock.set(BY + 60)
    await dispute(desk, ADAM, later)
    assert (await resolve(desk, Outcome.UNFIXED)).aside
    assert (await desk.look(nearer)).verdict is Outcome.UNFIXED
    assert (await desk.contract(later)).status is Status.OPEN
    assert (await notices(desk))[-1]["verdict"] == "UNFIXED"
    await dispute(desk, BETH, nearer)
    desk.clock.set(at + DAY + ANSWER_SECONDS)
    assert (await desk.look(nearer)).outcome is Outcome.UNFIXED


async def test_setting_a_close_aside_locks_contracts_in_the_order_of_all_others(desk: Desk) -> None:
    first, second = await base_case(desk), await base_case(desk, BY + DAY)
    await closed_now(desk, first)
    await dispute(desk, ADAM, second)
    async with desk.db.transaction() as tx:
        await contracts.get(tx, first, lock=True)
        ruling = asyncio.create_task(resolve(desk, Outcome.UNFIXED))
        await asyncio.sleep(0.3)
        await contracts.get(tx, second, lock=True)
    assert (await ruling).aside


async def test_unfixed_after_maturation_is_the_verdict(desk: Desk) -> None:
    number = await base_case(desk)
    desk.clock.set(BY - 60)
    await closed_now(desk, number)
    desk.clock.set(BY)
    await dispute(desk, ADAM)
    assert not (await resolve(desk, Outcome.UNFIXED)).aside
    desk.clock.set(BY - 60 + DAY)
    assert (await desk.look(number)).outcome is Outcome.UNFIXED


async def test_a_ruling_waits_for_an_answer_and_a_reopening_before_maturation_ends_it(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    await resolve(desk, Outcome.FIXED)
    desk.oracle.facts = None
    desk.clock.set(at + DAY)
    row = await desk.look(number)
    assert (row.status, row.next_look_at) == (Status.HALTED, at + DAY + 60)
    desk.clock.set(BY + 60)
    assert (await desk.look(number)).status is Status.HALTED
    desk.oracle.facts = replace(IS_OPEN, reopenings=(at + 3_600,))
    row = await desk.look(number)
    assert (row.window_opened_at, row.ruling, row.verdict) == (BY, None, Outcome.UNFIXED)


async def test_a_ruling_is_paid_without_an_answer_if_one_came_after_maturation(desk: Desk) -> None:
    number = await base_case(desk)
    desk.clock.set(BY - 60)
    at = await closed_now(desk, number)
    desk.clock.set(BY)
    await desk.look(number)
    await dispute(desk, ADAM)
    await resolve(desk, Outcome.VOID)
    desk.oracle.facts = None
    desk.clock.set(at + DAY)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert (await notices(desk))[-1]["why"] == "ruling"


async def test_unanswered_for_seven_days_a_backed_close_settles_by_the_issue_and_the_bond_comes_back(
    desk: Desk,
) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    desk.clock.set(at + ANSWER_SECONDS)
    assert (await desk.look(number)).outcome is Outcome.FIXED
    assert await desk.free(ADAM) == GRANT_MILLS - 160_000
    assert await state_of(desk, number) is DisputeState.UNANSWERED


async def test_unanswered_for_seven_days_an_unbacked_close_is_void(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number, rights=False)
    await dispute(desk, ADAM)
    desk.clock.set(at + ANSWER_SECONDS)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert [await desk.free(user) for user in (ADAM, BETH)] == [GRANT_MILLS - BASE_BOND, GRANT_MILLS + BASE_BOND]
    assert (await notices(desk))[-1]["why"] == "unanswered, not backed"


async def test_unanswered_for_seven_days_a_contract_without_a_close_settles_by_the_issue(desk: Desk) -> None:
    number = await base_case(desk)
    desk.oracle.facts = IS_OPEN
    desk.clock.set(BY)
    await desk.look(number)
    await dispute(desk, BETH)
    desk.clock.set(BY + ANSWER_SECONDS)
    assert (await desk.look(number)).outcome is Outcome.UNFIXED
    assert await desk.free(BETH) == GRANT_MILLS - 40_000


async def test_a_reopening_before_maturation_ends_the_dispute_with_the_bond_back(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    desk.clock.set(at + 3 * DAY)
    desk.oracle.facts = IS_OPEN
    await desk.note(IS_OPEN)
    assert (await desk.look(number)).status is Status.OPEN
    assert await desk.free(ADAM) == GRANT_MILLS - 160_000
    assert await money(desk, Kind.BOND, number) == 0
    async with desk.refused(Refusal, "no dispute to resolve"):
        await resolve(desk, Outcome.FIXED)


async def test_resolve_needs_a_dispute(desk: Desk) -> None:
    number = await base_case(desk)
    await closed_now(desk, number)
    async with desk.refused(Refusal, "no dispute to resolve"):
        await resolve(desk, Outcome.FIXED)


async def test_resolve_needs_rights_and_no_position(desk: Desk) -> None:
    number = await base_case(desk)
    await closed_now(desk, number)
    await dispute(desk, ADAM)

    context = desk.context(DEV)
    async with desk.refused(Refusal, "triage rights"):
        await desk.run(lambda tx: rulings.resolve(tx, context, Outcome.FIXED, "because"))
    async with desk.refused(Refusal, "without a position"):
        await resolve(desk, Outcome.FIXED, user=BETH)
    assert maintainer(desk).may_triage


async def test_a_verdict_that_changes_after_maturation_is_announced_and_can_be_disputed(desk: Desk) -> None:
    number = await base_case(desk)
    desk.clock.set(BY - 60)
    await closed_now(desk, number)
    desk.clock.set(BY + 60)
    desk.oracle.facts = IS_OPEN
    await desk.note(IS_OPEN)
    assert (await desk.look(number)).verdict is Outcome.UNFIXED
    assert (await notices(desk))[-1]["verdict"] == "UNFIXED"
    async with desk.refused(Refusal, "no units that would lose"):
        await dispute(desk, ADAM)
    await dispute(desk, BETH)


async def test_while_disputed_nothing_trades_and_offers_can_be_cancelled(desk: Desk) -> None:
    number = await base_case(desk)
    waits = (await desk.offer(CHARLES, "buy unfixed 10 at 500")).offer.number
    await closed_now(desk, number)
    await dispute(desk, ADAM)
    async with desk.refused(NotTrading):
        await desk.offer(CHARLES, "buy unfixed 10 at 500")
    await desk.cancel(CHARLES, waits)


async def test_bond_and_payouts_conserve_every_mill_with_fees(desk: Desk) -> None:
    desk.config = Config(fee_bps=1250)
    await desk.offer(ADAM, "buy unfixed 7 at 667")
    number = (await desk.offer(BETH, "buy fixed 7 at 333")).contract.id
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    await resolve(desk, Outcome.FIXED)
    desk.clock.set(at + DAY)
    await desk.look(number)
    fees = await money(desk, Kind.FEES, 0)
    assert fees == 1_000 + (7_000 - 7 * 333) * 1250 // 10_000
    assert sum([await desk.free(user) for user in (ADAM, BETH, CHARLES, DEV)]) + fees == 4 * GRANT_MILLS
    assert await desk.position(BETH, Side.FIXED) == (0, 0, 0)


async def look_at_what_is_due(desk: Desk) -> list[int]:
    """As the worker does; which contracts they were."""
    async with desk.db.reading() as tx:
        due = [row.id for row in await contracts.due(tx, desk.clock.now(), 10)]
    for number in due:
        await desk.look(number)
    return due


async def test_a_dispute_puts_off_no_look_that_news_has_made_due(desk: Desk) -> None:
    number = await base_case(desk)
    await closed_now(desk, number)
    desk.clock.advance(60)
    desk.oracle.facts = IS_OPEN
    await desk.note(IS_OPEN)
    await dispute(desk, ADAM)
    assert await look_at_what_is_due(desk) == [number]
    assert (await desk.contract(number)).status is Status.OPEN
    assert await money(desk, Kind.BOND, number) == 0


async def test_neither_does_a_ruling(desk: Desk) -> None:
    number = await base_case(desk)
    await closed_now(desk, number)
    await dispute(desk, ADAM)
    assert await look_at_what_is_due(desk) == [number]
    desk.clock.advance(60)
    await desk.note(IS_OPEN)
    await resolve(desk, Outcome.FIXED)
    desk.oracle.facts = IS_OPEN
    assert await look_at_what_is_due(desk) == [number]
    assert (await desk.contract(number)).status is Status.OPEN


async def test_a_look_after_a_dispute_waits_for_its_answer_and_after_a_ruling_for_the_window(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    await look_at_what_is_due(desk)
    assert (await desk.contract(number)).next_look_at == at + ANSWER_SECONDS
    await resolve(desk, Outcome.FIXED)
    await look_at_what_is_due(desk)
    assert (await desk.contract(number)).next_look_at == at + DAY
    assert await look_at_what_is_due(desk) == []
