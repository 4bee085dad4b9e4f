"""Halts by maintainers, absences of the App, and issues that are gone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from app.market.life.facts import Cause, IssueFacts
from app.market.life.next_step import ASK_WHILE_AWAY_SECONDS, NO_ANSWER_DAYS, RETURN_SECONDS
from app.market.terms.contract import Outcome, Status
from app.market.terms.errors import NotTrading, Refusal
from app.services.life import halting, issue_checks
from app.services.life.life_state import backed as is_backed
from app.services.rules.config import Config
from app.services.trading import offers
from app.storage.engine.db import Tx
from app.storage.people import absences, places
from tests.services.desk import BY, DAY, GRANT_MILLS, ISSUE, REPOSITORY, Desk, OldLaw, new_offer, place_of
from tests.services.lives import (
    ADAM,
    BETH,
    CHARLES,
    DEV,
    IS_OPEN,
    MAINTAINER,
    base_case,
    closed,
    closed_now,
    dispute,
    halt,
    lift,
    notices,
    resolve,
)


async def away(desk: Desk) -> None:
    await desk.run(lambda tx: halting.note_away(tx, {REPOSITORY}, desk.clock.now()))


async def still_away(desk: Desk) -> None:
    """GitHub was asked, and the App is in none of it."""
    await desk.run(lambda tx: absences.note_away_still(tx, REPOSITORY, desk.clock.now()))


async def back(desk: Desk) -> None:
    await desk.run(lambda tx: halting.note_back(tx, {REPOSITORY}, desk.clock.now()))


async def gone(desk: Desk) -> None:
    await desk.run(lambda tx: issue_checks.note_gone(tx, place_of(ISSUE), desk.clock.now()))


# -- by a maintainer ----------------------------------------------------------------------------------------------


async def test_a_maintainer_halts_and_resumes_every_contract_of_the_thread(desk: Desk) -> None:
    first, second = await base_case(desk), await base_case(desk, BY + DAY)
    assert [row.id for row in await halt(desk)] == [first, second]
    for by_at in (BY, BY + DAY, BY + 3 * DAY):
        async with desk.refused(NotTrading, "A maintainer has halted"):
            await desk.offer(CHARLES, "buy fixed 10 at 300", by_at)
    desk.oracle.facts = IS_OPEN
    for number in (first, second):
        assert (await desk.look(number)).status is Status.HALTED
    await lift(desk)
    assert (await desk.contract(first)).status is Status.HALTED
    assert (await desk.look(first)).status is Status.OPEN
    assert (await desk.contract(second)).status is Status.OPEN
    assert [item["why"] for item in await notices(desk)] == ["lifted", "lifted"]


async def test_nothing_resumes_before_github_has_answered(desk: Desk) -> None:
    number = await base_case(desk)
    await halt(desk)
    await lift(desk)
    desk.oracle.facts = None
    now = desk.clock.now()
    row = await desk.look(number)
    assert (row.status, row.next_look_at) == (Status.HALTED, now + 60)


async def test_while_halted_offers_can_be_cancelled(desk: Desk) -> None:
    await base_case(desk)
    waits = (await desk.offer(CHARLES, "buy unfixed 10 at 500")).offer.number
    await halt(desk)
    await desk.cancel(CHARLES, waits)


async def test_a_maintainers_halt_stops_no_clock(desk: Desk) -> None:
    """A good close opens its window, and the contract settles."""
    number = await base_case(desk)
    await halt(desk)
    at = desk.clock.advance(60)
    desk.oracle.facts = closed(at)
    await desk.note(desk.oracle.facts)
    row = await desk.look(number)
    assert (row.halt_reason, row.window_ends_at) == (Cause.CLOSED, at + DAY)
    desk.clock.set(at + DAY)
    assert (await desk.look(number)).outcome is Outcome.FIXED


async def test_maturation_comes_while_a_maintainer_halts(desk: Desk) -> None:
    number = await base_case(desk)
    await halt(desk)
    desk.oracle.facts = IS_OPEN
    desk.clock.set(BY)
    assert (await desk.look(number)).halt_reason == Cause.MATURED
    desk.clock.set(BY + DAY)
    assert (await desk.look(number)).outcome is Outcome.UNFIXED


async def test_a_reopening_does_not_lift_a_maintainers_halt_and_resuming_ends_no_window(desk: Desk) -> None:
    number = await base_case(desk)
    await closed_now(desk, number)
    await halt(desk)
    await lift(desk)
    row = await desk.look(number)
    assert (row.status, row.halt_reason) == (Status.HALTED, Cause.CLOSED)
    await halt(desk)
    desk.oracle.facts = IS_OPEN
    row = await desk.look(number)
    assert (row.status, row.halt_reason, row.window_ends_at) == (Status.HALTED, None, None)
    await lift(desk)
    assert (await desk.look(number)).status is Status.OPEN


async def test_halting_needs_rights_and_no_position(desk: Desk) -> None:
    await base_case(desk)
    context = desk.context(DEV)
    for act in (lambda tx: halting.halt_market(tx, context, "no"), lambda tx: halting.resume_market(tx, context)):
        async with desk.refused(Refusal, "triage rights"):
            await desk.run(act)
    async with desk.refused(Refusal, "without a position"):
        await halt(desk, BETH)


async def test_what_is_halted_is_not_halted_again_nor_resumed_twice(desk: Desk) -> None:
    async with desk.refused(Refusal, "no contract"):
        await halt(desk)
    await base_case(desk)
    async with desk.refused(Refusal, "No contract of this thread is halted"):
        await lift(desk)
    await halt(desk)
    async with desk.refused(Refusal, "already"):
        await halt(desk)


async def test_the_void_price_is_that_of_7_days_before_the_maintainers_halt(desk: Desk) -> None:
    """By law 1. What was traded in the last week moves nothing, however long the halt lasts before the deletion."""
    desk.config = OldLaw()
    number = await base_case(desk)
    desk.clock.advance(8 * DAY)
    await desk.offer(DEV, "buy fixed 200 at 600")
    await desk.offer(CHARLES, "buy unfixed 200 at 400")
    desk.clock.advance(6 * DAY)
    await desk.open_account(5)
    await halt(desk, 5)
    desk.clock.advance(4 * DAY)
    desk.oracle.facts = IssueFacts(False, False, gone="deleted")
    await gone(desk)
    await desk.look(number)
    desk.clock.advance(DAY)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert [await desk.free(user) for user in (ADAM, BETH)] == [GRANT_MILLS, GRANT_MILLS]


# -- the App is away ----------------------------------------------------------------------------------------------


async def test_uninstalled_it_is_halted_and_30_days_later_void(desk: Desk) -> None:
    number = await base_case(desk, BY + 60 * DAY)
    at = desk.clock.now()
    desk.oracle.facts = None
    await away(desk)
    row = await desk.contract(number)
    assert (row.status, row.next_look_at) == (Status.HALTED, at + ASK_WHILE_AWAY_SECONDS)
    for day in range(1, NO_ANSWER_DAYS + 1):
        desk.clock.set(at + day * DAY)
        assert (await desk.look(number)).next_look_at == desk.clock.now() + ASK_WHILE_AWAY_SECONDS
        await still_away(desk)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert [await desk.free(user) for user in (ADAM, BETH)] == [GRANT_MILLS, GRANT_MILLS]
    assert (await notices(desk))[-1]["why"] == "away"


async def test_no_window_ends_while_the_app_is_away(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    desk.oracle.facts = None
    await away(desk)
    desk.clock.set(at + 10 * DAY)
    assert (await desk.look(number)).status is Status.HALTED
    desk.clock.set(at + 11 * DAY)
    desk.oracle.facts = closed(at)
    await back(desk)
    row = await desk.look(number)
    assert (row.status, row.window_ends_at) == (Status.HALTED, at + 11 * DAY + RETURN_SECONDS)
    assert [item["notice"] for item in await notices(desk)] == ["window", "window"]
    desk.clock.set(at + 11 * DAY + RETURN_SECONDS)
    assert (await desk.look(number)).outcome is Outcome.FIXED


async def test_closed_while_the_app_was_away_the_window_ends_a_day_after_its_return(desk: Desk) -> None:
    number = await base_case(desk)
    await away(desk)
    closed_at = desk.clock.advance(3600)
    back_at = desk.clock.advance(5 * DAY)
    await back(desk)
    desk.oracle.facts = closed(closed_at)
    row = await desk.look(number)
    assert (row.window_opened_at, row.window_ends_at) == (closed_at, back_at + RETURN_SECONDS)


async def test_back_again_an_open_issue_trades_on(desk: Desk) -> None:
    number = await base_case(desk)
    await away(desk)
    await away(desk)
    async with desk.refused(NotTrading):
        await desk.offer(CHARLES, "buy fixed 10 at 300")
    desk.clock.advance(DAY)
    desk.oracle.facts = IS_OPEN
    await back(desk)
    await back(desk)
    assert (await desk.contract(number)).status is Status.HALTED
    assert (await desk.look(number)).status is Status.OPEN
    assert [item["why"] for item in await notices(desk)] == ["returned"]
    await desk.offer(CHARLES, "buy fixed 10 at 300")


async def test_an_answer_tells_that_the_app_is_back_though_no_event_did(desk: Desk) -> None:
    number = await base_case(desk)
    await away(desk)
    desk.oracle.facts = IS_OPEN
    desk.clock.advance(ASK_WHILE_AWAY_SECONDS)
    assert (await desk.look(number)).status is Status.OPEN


async def test_where_nothing_is_known_nothing_is_halted(desk: Desk) -> None:
    await desk.run(lambda tx: halting.note_away(tx, {12345}, desk.clock.now()))


# -- discussions, deletions, transfers ----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["discussion", "deleted", "transferred"])
async def test_gone_it_is_void_through_a_window_from_that_event(desk: Desk, how: str) -> None:
    number = await base_case(desk)
    await desk.offer(CHARLES, "buy fixed 100 at 400")
    await desk.offer(DEV, "buy unfixed 100 at 600")
    at = desk.clock.advance(8 * DAY)
    await gone(desk)
    row = await desk.contract(number)
    assert (row.status, row.halt_reason, row.window_opened_at, row.next_look_at) == (Status.HALTED, "gone", at, at)
    desk.oracle.facts = IssueFacts(False, False, gone=how, gone_at=at)
    row = await desk.look(number)
    assert (row.window_ends_at, row.verdict) == (at + DAY, Outcome.VOID)
    desk.clock.set(at + DAY)
    assert (await desk.look(number)).outcome is Outcome.VOID
    window, settled = await notices(desk)
    assert (window["gone"], settled["gone"], settled["why"]) == (how, how, "facts")


async def test_a_wash_mint_in_the_last_week_moves_no_void_price(desk: Desk) -> None:
    """Example H of law 1."""
    desk.config = OldLaw()
    number = await base_case(desk)
    at = desk.clock.advance(8 * DAY)
    await desk.offer(CHARLES, "buy fixed 500 at 999")
    await desk.offer(DEV, "buy unfixed 500 at 1")
    await gone(desk)
    desk.oracle.facts = IssueFacts(False, False, gone="deleted")
    await desk.look(number)
    desk.clock.set(at + DAY)
    await desk.look(number)
    assert [await desk.free(user) for user in (ADAM, BETH)] == [GRANT_MILLS, GRANT_MILLS]
    assert await desk.free(CHARLES) == GRANT_MILLS - 500 * 999 + 500 * 200


async def test_gone_after_maturation_the_verdict_stays(desk: Desk) -> None:
    number = await base_case(desk)
    desk.clock.set(BY - 60)
    at = await closed_now(desk, number)
    desk.clock.set(BY + 60)
    await gone(desk)
    desk.oracle.facts = replace(closed(at), gone="deleted", gone_at=BY + 60)
    await desk.look(number)
    desk.clock.set(at + DAY)
    assert (await desk.look(number)).outcome is Outcome.FIXED


async def test_gone_the_window_of_an_unbacked_close_gives_way_before_maturation(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number, rights=False)
    gone_at = desk.clock.advance(60)
    await gone(desk)
    assert (await desk.contract(number)).halt_reason == Cause.CLOSED
    desk.oracle.facts = replace(closed(at), gone="deleted", gone_at=gone_at)
    row = await desk.look(number)
    assert (row.halt_reason, row.window_opened_at, row.window_ends_at) == (Cause.GONE, gone_at, gone_at + DAY)
    assert row.halt_event_at == at


async def test_gone_after_a_backed_close_the_last_known_state_counts(desk: Desk) -> None:
    number = await base_case(desk)
    at = await closed_now(desk, number)
    gone_at = desk.clock.advance(60)
    await gone(desk)
    desk.oracle.facts = replace(closed(at), gone="deleted", gone_at=gone_at)
    row = await desk.look(number)
    assert (row.halt_reason, row.window_ends_at) == (Cause.CLOSED, at + DAY)
    desk.clock.set(at + DAY)
    assert (await desk.look(number)).outcome is Outcome.FIXED


async def test_transferred_to_where_the_app_is_installed_its_contracts_follow_with_their_terms(desk: Desk) -> None:
    number = await base_case(desk)
    terms = (await desk.contract(number)).terms_hash
    await gone(desk)
    new = place_of(202)

    async def arrive(tx: Tx) -> None:
        await places.save_issue(tx, new.issue)
        await issue_checks.follow(tx, ISSUE, new, desk.clock.now())

    await desk.run(arrive)
    desk.oracle.facts = IS_OPEN
    row = await desk.look(number)
    assert (row.issue_id, row.status, row.terms_hash) == (202, Status.OPEN, terms)
    traded = await desk.offer(CHARLES, "buy fixed 10 at 300", issue=202)
    assert traded.contract.id == number


# -- not planned, duplicate ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["not_planned", "duplicate"])
async def test_where_the_terms_say_void_such_a_close_voids_through_a_window(desk: Desk, reason: str) -> None:
    desk.config = Config(not_planned="VOID", duplicate="VOID")
    number = await base_case(desk)
    at = desk.clock.now()
    facts = replace(closed(at, completed=False), reason=reason, duplicate_of="octo/cat#1")
    desk.oracle.facts = facts
    await desk.note(facts)
    row = await desk.look(number)
    assert (row.halt_reason, row.window_ends_at, row.verdict) == (Cause.REJECTED, at + DAY, Outcome.VOID)
    desk.clock.set(at + DAY)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert (await notices(desk))[-1]["duplicate_of"] == "octo/cat#1"


@pytest.mark.parametrize("reason", ["not_planned", "duplicate"])
async def test_where_new_terms_say_void_no_contract_is_made_on_an_issue_closed_so(desk: Desk, reason: str) -> None:
    """It would be void at once; a contract that has other terms, and one of an issue closed otherwise, trade."""
    old = await base_case(desk)
    desk.config = Config(not_planned="VOID", duplicate="VOID")
    rejected = replace(desk.context(CHARLES), rejected=reason)
    new = new_offer("buy fixed 10 at 300")
    for from_at in (None, BY + DAY):
        async with desk.refused(NotTrading, match="which makes contracts void here"):
            await desk.run(partial(offers.offer, context=rejected, new=new, by_at=BY + 2 * DAY, from_at=from_at))
    assert (await desk.run(lambda tx: offers.offer(tx, rejected, new, BY))).contract.id == old
    strange = replace(desk.context(CHARLES), rejected="spam")
    assert (await desk.run(lambda tx: offers.offer(tx, strange, new, BY + 2 * DAY))).made
    desk.config = Config()
    rejected = replace(desk.context(CHARLES), rejected=reason)
    assert (await desk.run(lambda tx: offers.offer(tx, rejected, new, BY + 3 * DAY))).made


async def test_a_rejection_that_was_set_aside_keeps_nobody_from_trading(desk: Desk) -> None:
    desk.config = Config(not_planned="VOID")
    number = await base_case(desk)
    at = desk.clock.now()
    facts = replace(closed(at, completed=False), reason="not_planned")
    desk.oracle.facts = facts
    await desk.look(number)
    async with desk.db.reading() as tx:
        assert await issue_checks.rejected_as(tx, place_of(ISSUE), facts) == "not_planned"
    await dispute(desk, ADAM)
    await resolve(desk, Outcome.UNFIXED)
    assert (await desk.look(number)).open
    async with desk.db.reading() as tx:
        assert await issue_checks.rejected_as(tx, place_of(ISSUE), facts) is None
        assert await issue_checks.rejected_as(tx, place_of(ISSUE), closed(at)) is None
        assert await issue_checks.rejected_as(tx, place_of(ISSUE), IS_OPEN) is None


async def test_terms_stay_what_they_were_when_the_contract_was_made(desk: Desk) -> None:
    number = await base_case(desk)
    desk.config = Config(not_planned="VOID")
    desk.oracle.facts = replace(closed(desk.clock.now(), completed=False), reason="not_planned")
    await desk.note(desk.oracle.facts)
    assert (await desk.look(number)).status is Status.OPEN


# -- two contracts of one issue, rounds, backing ------------------------------------------------------------------


async def test_two_contracts_of_one_issue_judge_a_reopening_alike(desk: Desk) -> None:
    """One answer is for both, though only one of them was due."""
    first, second = await base_case(desk), await base_case(desk, BY + DAY)
    at = await closed_now(desk, first)
    assert (await desk.contract(second)).window_ends_at == at + DAY
    desk.clock.advance(60)
    desk.oracle.facts = IS_OPEN
    desk.oracle.asked = 0
    await desk.look(first)
    assert [(await desk.contract(number)).status for number in (first, second)] == [Status.OPEN, Status.OPEN]
    assert desk.oracle.asked == 1


@pytest.mark.parametrize(("ends", "number"), [("closed", 2), ("open", 1)])
async def test_a_reopen_after_a_settlement_starts_the_next_round(desk: Desk, ends: str, number: int) -> None:
    """Closed too late the contract is UNFIXED; what trades later, trades on a reopened issue."""
    first = await base_case(desk)
    desk.clock.set(BY + 60)
    desk.oracle.facts = closed(BY + 30) if ends == "closed" else IS_OPEN
    await desk.look(first)
    desk.clock.set(BY + DAY)
    assert (await desk.look(first)).outcome is Outcome.UNFIXED
    made = await desk.offer(CHARLES, "buy fixed 10 at 300", BY + 30 * DAY)
    assert (made.made, made.contract.round) == (True, number)


async def test_a_close_is_backed_by_who_had_no_position_when_it_was_closed(desk: Desk) -> None:
    """What the closer bought after the close does not unmake it; what they had sold by then does not count."""
    number = await base_case(desk)
    await desk.offer(BETH, "sell fixed 200 at 300")
    await desk.offer(CHARLES, "buy fixed 200 at 300")
    at = desk.clock.advance(60)
    desk.clock.advance(5)
    await desk.offer(DEV, "buy unfixed 10 at 700")
    await desk.offer(CHARLES, "sell fixed 10 at 300")
    for closer, backed in ((BETH, True), (CHARLES, False), (ADAM, False), (DEV, True), (MAINTAINER, True)):
        desk.oracle.facts = replace(closed(at, None, rights=False), backers=(closer,))
        async with desk.db.reading() as tx:
            row = await desk.contract(number)
            assert await is_backed(tx, row, desk.oracle.facts) is backed, closer


async def test_a_position_in_another_contract_of_the_issue_counts_too(desk: Desk) -> None:
    first = await base_case(desk)
    await desk.offer(CHARLES, "buy unfixed 10 at 800", BY + DAY)
    await desk.offer(DEV, "buy fixed 10 at 200", BY + DAY)
    at = desk.clock.now()
    desk.oracle.facts = closed(at, DEV)
    assert (await desk.look(first)).window_ends_at == at + 2 * DAY


async def test_one_backer_without_a_position_is_enough(desk: Desk) -> None:
    number = await base_case(desk)
    at = desk.clock.now()
    desk.oracle.facts = replace(closed(at, ADAM), backers=(BETH, MAINTAINER))
    assert (await desk.look(number)).window_ends_at == at + DAY
