"""Those who join a dispute: what it costs them, that one ruling answers all, and where all bonds go at last."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from app.market.ledger.journal import Kind
from app.market.life.facts import ANSWER_SECONDS, IssueFacts
from app.market.terms.contract import Outcome, Side, Status
from app.market.terms.errors import InsufficientFunds, Refusal
from app.services.life import bonds
from app.services.life.transitions import lock_markets
from app.services.rules import config
from app.storage.market import disputes as stored
from app.storage.market.disputes import DisputeState
from tests.services.desk import BY, DAY, GRANT_MILLS, Desk
from tests.services.lives import (
    ADAM,
    BASE_BOND,
    BETH,
    CHARLES,
    DEV,
    IS_OPEN,
    base_case,
    closed_now,
    dispute,
    money,
    notices,
    resolve,
)

MARY = 5
"""A maintainer without a position."""

LEAST_BOND = 1_000


async def crowd(desk: Desk) -> int:
    """As the base case; Charles holds 30 UNFIXED at 0.80 as well, Dev 30 FIXED at 0.20."""
    number = await base_case(desk)
    await desk.offer(CHARLES, "buy unfixed 30 at 800")
    await desk.offer(DEV, "buy fixed 30 at 200")
    await desk.open_account(MARY)
    return number


async def closed_by_pull(desk: Desk, number: int) -> int:
    at = desk.clock.now()
    desk.oracle.facts = IssueFacts(True, True, at, MARY, by_pull=True, backers=(MARY,))
    await desk.look(number)
    return at


async def frees(desk: Desk) -> list[int]:
    return [await desk.free(user) for user in (ADAM, BETH, CHARLES, DEV)]


async def told(desk: Desk, kind: str) -> list[dict[str, object]]:
    return [body for body in await notices(desk) if body["notice"] == kind]


# -- who may, and what it costs ----------------------------------------------------------------------------------


async def test_another_loser_joins_with_50_mills_a_unit(desk: Desk) -> None:
    number = await crowd(desk)
    at = await closed_now(desk, number)
    assert not (await dispute(desk, ADAM)).joined
    desk.clock.advance(60)
    found = await dispute(desk, CHARLES)
    assert (found.joined, found.bond_mills, found.answer_by_at) == (True, 1_500, at + ANSWER_SECONDS)
    assert await desk.free(CHARLES) == GRANT_MILLS - 24_000 - 1_500
    assert await money(desk, Kind.BOND, number) == BASE_BOND + 1_500


async def test_joining_takes_at_least_a_token_and_nothing_for_the_escrow(desk: Desk) -> None:
    number = await base_case(desk)
    await desk.offer(CHARLES, "buy unfixed 5 at 800")
    await desk.offer(DEV, "buy fixed 5 at 200")
    await closed_now(desk, number)
    assert (await dispute(desk, CHARLES)).bond_mills == 1_025, "half a percent of the escrow of 205"
    assert (await dispute(desk, ADAM)).bond_mills == BASE_BOND


async def test_joining_first_or_last_the_least_is_a_token(desk: Desk) -> None:
    number = await base_case(desk)
    await desk.offer(CHARLES, "buy unfixed 5 at 800")
    await desk.offer(DEV, "buy fixed 5 at 200")
    await closed_now(desk, number)
    await dispute(desk, ADAM)
    assert (await dispute(desk, CHARLES)).bond_mills == LEAST_BOND


async def test_nobody_is_in_a_dispute_twice(desk: Desk) -> None:
    number = await crowd(desk)
    await closed_now(desk, number)
    await dispute(desk, ADAM)
    await dispute(desk, CHARLES)
    for user in (ADAM, CHARLES):
        async with desk.refused(Refusal, "You dispute this verdict already"):
            await dispute(desk, user)


async def test_whoever_would_win_or_holds_nothing_cannot_join(desk: Desk) -> None:
    number = await crowd(desk)
    await closed_now(desk, number)
    await dispute(desk, ADAM)
    for user in (BETH, DEV, MARY):
        async with desk.refused(Refusal, "no units that would lose"):
            await dispute(desk, user)


async def test_a_bond_that_cannot_be_paid_does_not_join(desk: Desk) -> None:
    number = await crowd(desk)
    await desk.offer(CHARLES, "buy unfixed 1000 at 975", BY + DAY)
    assert await desk.free(CHARLES) < 1_500
    await closed_now(desk, number)
    await dispute(desk, ADAM)
    async with desk.refused(InsufficientFunds, "Joining the dispute takes a bond of 1.50"):
        await dispute(desk, CHARLES)


async def test_joining_ends_with_the_window_though_the_dispute_goes_on(desk: Desk) -> None:
    number = await crowd(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    desk.clock.set(at + DAY - 1)
    assert (await desk.look(number)).status is Status.HALTED
    desk.clock.set(at + DAY)
    async with desk.refused(Refusal, "no window runs"):
        await dispute(desk, CHARLES)


async def test_what_is_decided_nobody_joins(desk: Desk) -> None:
    number = await crowd(desk)
    await closed_now(desk, number)
    await dispute(desk, ADAM)
    await resolve(desk, Outcome.FIXED, user=MARY)
    async with desk.refused(Refusal, "This dispute has been decided: there is one dispute a window"):
        await dispute(desk, CHARLES)


async def test_the_seven_days_are_those_of_the_first(desk: Desk) -> None:
    number = await crowd(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    desk.clock.set(at + DAY - 60)
    await dispute(desk, CHARLES)
    desk.clock.set(at + ANSWER_SECONDS - 1)
    assert (await desk.look(number)).status is Status.HALTED
    desk.clock.set(at + ANSWER_SECONDS)
    assert (await desk.look(number)).outcome is Outcome.FIXED


async def test_everybody_may_join_who_disputes_a_void(desk: Desk) -> None:
    number = await crowd(desk)
    desk.oracle.facts = IssueFacts(False, False, gone="discussion", gone_at=desk.clock.now())
    await desk.look(number)
    await dispute(desk, BETH)
    assert [(await dispute(desk, user)).bond_mills for user in (ADAM, CHARLES, DEV)] == [BASE_BOND, 1_500, 1_500]


async def test_two_who_are_first_at_once_are_one_first_and_one_who_joins(desk: Desk) -> None:
    number = await crowd(desk)
    await closed_now(desk, number)
    desk.audited = False
    found = await asyncio.gather(dispute(desk, ADAM), dispute(desk, CHARLES))
    assert sorted(one.joined for one in found) == [False, True]
    await desk.check()
    async with desk.db.reading() as tx:
        waiting = await stored.waiting(tx, number)
        assert waiting and len(await stored.joined(tx, waiting.id)) == 1


# -- a merged pull request, and law 1 ----------------------------------------------------------------------------


async def test_where_a_merged_pull_request_closed_the_first_bond_is_100_mills_a_unit(desk: Desk) -> None:
    number = await crowd(desk)
    await closed_by_pull(desk, number)
    row = await desk.contract(number)
    assert (row.by_pull, row.backed) == (True, True)
    assert (await dispute(desk, ADAM)).bond_mills == 20_000
    assert (await dispute(desk, CHARLES)).bond_mills == 1_500


async def test_a_verdict_that_no_pull_request_brought_is_disputed_for_50(desk: Desk) -> None:
    """It was reopened after maturation: UNFIXED is announced in the window that the pull request opened."""
    number = await crowd(desk)
    desk.clock.set(BY - 60)
    at = await closed_by_pull(desk, number)
    desk.clock.set(BY + 60)
    desk.oracle.facts = replace(IS_OPEN, reopenings=(BY + 30,), before=(await stood(desk, at),))
    row = await desk.look(number)
    assert (row.verdict, row.by_pull) == (Outcome.UNFIXED, True)
    assert (await dispute(desk, BETH)).bond_mills == BASE_BOND


async def stood(desk: Desk, at: int) -> IssueFacts:
    return IssueFacts(True, True, at, MARY, by_pull=True, backers=(MARY,), until_at=BY + 30)


async def test_the_next_window_forgets_what_closed_the_one_before(desk: Desk) -> None:
    number = await crowd(desk)
    at = await closed_by_pull(desk, number)
    desk.clock.set(at + 60)
    desk.oracle.facts = IS_OPEN
    row = await desk.look(number)
    assert (row.status, row.by_pull) == (Status.OPEN, False)
    await closed_now(desk, number)
    assert (await dispute(desk, ADAM)).bond_mills == BASE_BOND


async def test_law_1_keeps_its_bonds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """50 mills a unit whatever closed it, and back if nobody answers, though the contract is void."""
    monkeypatch.setattr(config, "LAW", "1")
    number = await crowd(desk)
    assert (await desk.contract(number)).terms.law == "1"
    at = desk.clock.now()
    desk.oracle.facts = IssueFacts(True, True, at, ADAM, by_pull=True, backers=(ADAM,))
    assert not (await desk.look(number)).backed
    bond = (await dispute(desk, ADAM)).bond_mills
    await dispute(desk, CHARLES)
    assert bond == BASE_BOND
    desk.clock.set(at + ANSWER_SECONDS)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert await frees(desk) == [GRANT_MILLS] * 4
    assert "forfeited" not in (await notices(desk))[-1]


# -- where the bonds go ------------------------------------------------------------------------------------------


async def disputed_by_both(desk: Desk, rights: bool = True) -> tuple[int, int]:
    number = await crowd(desk)
    at = await closed_now(desk, number, rights)
    await dispute(desk, ADAM)
    await dispute(desk, CHARLES)
    return number, at


async def test_upheld_all_bonds_come_back(desk: Desk) -> None:
    number, _ = await disputed_by_both(desk)
    found = await resolve(desk, Outcome.UNFIXED, user=MARY)
    assert (found.upheld, found.bonds) == (True, {ADAM: BASE_BOND, CHARLES: 1_500})
    assert await frees(desk) == [GRANT_MILLS - mills for mills in (160_000, 40_000, 24_000, 6_000)]
    assert await money(desk, Kind.BOND, number) == 0


async def test_rejected_all_bonds_go_to_fees(desk: Desk) -> None:
    number, at = await disputed_by_both(desk)
    assert not (await resolve(desk, Outcome.FIXED, user=MARY)).upheld
    assert await money(desk, Kind.FEES, 0) == BASE_BOND + 1_500
    assert await money(desk, Kind.BOND, number) == 0
    desk.clock.set(at + DAY)
    assert (await desk.look(number)).outcome is Outcome.FIXED


async def test_reopened_before_maturation_all_bonds_come_back(desk: Desk) -> None:
    number, at = await disputed_by_both(desk)
    desk.clock.set(at + 3 * DAY)
    desk.oracle.facts = IS_OPEN
    assert (await desk.look(number)).status is Status.OPEN
    assert await frees(desk) == [GRANT_MILLS - mills for mills in (160_000, 40_000, 24_000, 6_000)]
    assert await money(desk, Kind.BOND, number) == 0


async def test_unanswered_and_paid_by_the_state_all_bonds_come_back(desk: Desk) -> None:
    number, at = await disputed_by_both(desk)
    desk.clock.set(at + ANSWER_SECONDS)
    assert (await desk.look(number)).outcome is Outcome.FIXED
    assert await frees(desk) == [
        GRANT_MILLS - 160_000,
        GRANT_MILLS + 160_000,
        GRANT_MILLS - 24_000,
        GRANT_MILLS + 24_000,
    ]


async def test_unanswered_and_void_the_bonds_go_to_those_whom_the_verdict_would_have_paid(desk: Desk) -> None:
    """11,500 among 200 and 30 units: exactly 10,000 and 1,500. Nobody gains by disputing what is right."""
    number, at = await disputed_by_both(desk, rights=False)
    desk.clock.set(at + ANSWER_SECONDS)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert await frees(desk) == [
        GRANT_MILLS - BASE_BOND,
        GRANT_MILLS + BASE_BOND,
        GRANT_MILLS - 1_500,
        GRANT_MILLS + 1_500,
    ]
    assert await money(desk, Kind.BOND, number) == 0
    last = (await notices(desk))[-1]
    assert (last["why"], last["forfeited"]) == ("unanswered, not backed", BASE_BOND + 1_500)


async def test_odd_mills_of_a_forfeited_bond_go_by_largest_remainder(desk: Desk) -> None:
    """1,025 among 200 and 5 units is 1,000 and 25; 2,025 is 1,975.6 and 49.4, so 1,976 and 49."""
    number = await base_case(desk)
    await desk.offer(CHARLES, "buy unfixed 5 at 800")
    await desk.offer(DEV, "buy fixed 5 at 200")
    at = await closed_now(desk, number, rights=False)
    await dispute(desk, CHARLES)
    await dispute(desk, ADAM)
    desk.clock.set(at + ANSWER_SECONDS)
    await desk.look(number)
    lost = BASE_BOND + 1_025
    assert [await desk.free(user) for user in (BETH, DEV)] == [GRANT_MILLS + 10_756, GRANT_MILLS + 269]
    assert lost == 10_756 + 269


async def test_a_void_that_silence_about_the_dispute_did_not_bring_returns_the_bonds(desk: Desk) -> None:
    """GitHub gave no answer, or the announced verdict was VOID itself: whoever disputed did nothing wrong."""
    number, _ = await disputed_by_both(desk, rights=False)
    row = await desk.contract(number)
    async with desk.db.transaction() as tx:
        (locked,) = await lock_markets(tx, [row], "look", desk.clock.now())
        found, forfeited = await bonds.lapse(locked, row, Outcome.VOID, answered=False)
    assert found and forfeited == 0
    assert await frees(desk) == [GRANT_MILLS - mills for mills in (160_000, 40_000, 24_000, 6_000)]


async def test_an_announced_void_that_nobody_decides_about_returns_the_bonds(desk: Desk) -> None:
    number = await crowd(desk)
    at = desk.clock.now()
    desk.oracle.facts = IssueFacts(False, False, gone="discussion", gone_at=at)
    await desk.look(number)
    await dispute(desk, BETH)
    await dispute(desk, DEV)
    desk.clock.set(at + ANSWER_SECONDS)
    assert (await desk.look(number)).outcome is Outcome.VOID
    assert await frees(desk) == [GRANT_MILLS] * 4


async def test_bonds_move_in_one_entry_each_way(desk: Desk) -> None:
    """Its key is the dispute's, so that nothing is paid twice."""
    number, _ = await disputed_by_both(desk)
    await resolve(desk, Outcome.VOID, user=MARY)
    paid = [lines for key, _, _, lines in await desk.journal() if key.startswith("bond:")]
    assert [[(kind, owner, amount) for kind, owner, _, amount in lines] for lines in paid] == [
        [("bond", number, -BASE_BOND - 1_500), ("free", ADAM, BASE_BOND), ("free", CHARLES, 1_500)]
    ]


async def test_every_state_of_a_dispute_holds_for_those_who_joined(desk: Desk) -> None:
    number, at = await disputed_by_both(desk)
    async with desk.db.reading() as tx:
        found = await stored.waiting(tx, number)
        assert found
        (joiner,) = await stored.joined(tx, found.id)
    assert (joiner.user_id, joiner.bond_mills, joiner.reason, joiner.at) == (CHARLES, 1_500, "it still crashes", at)
    await resolve(desk, Outcome.FIXED, user=MARY)
    async with desk.db.reading() as tx:
        ended = await stored.of_window(tx, number, "closed", at)
    assert ended and ended.state is DisputeState.REJECTED


# -- what the thread is told -------------------------------------------------------------------------------------


async def test_a_dispute_is_told_in_one_comment_to_which_who_joins_is_added(desk: Desk) -> None:
    number = await crowd(desk)
    at = await closed_now(desk, number)
    await dispute(desk, ADAM)
    (first,) = await told(desk, "dispute")
    assert (first["contract"], first["verdict"], first["unanswered"]) == (number, "FIXED", "state")
    assert first["said"] == [[ADAM, "it still crashes"]]
    assert (first["spared"], first["heard"]) == ([ADAM], [BETH, CHARLES, DEV])
    assert (first["answer_by_at"], first["ends_at"]) == (at + ANSWER_SECONDS, at + DAY)
    await dispute(desk, CHARLES)
    (second,) = await told(desk, "dispute")
    assert second["said"] == [[ADAM, "it still crashes"], [CHARLES, "it still crashes"]]
    assert (second["spared"], second["heard"]) == ([ADAM, CHARLES], [BETH, DEV])


@pytest.mark.parametrize(("law", "what"), [("1", "void"), ("2", "void, forfeited")])
async def test_it_says_what_silence_would_bring(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, law: str, what: str
) -> None:
    monkeypatch.setattr(config, "LAW", law)
    number = await crowd(desk)
    await closed_now(desk, number, rights=False)
    await dispute(desk, ADAM)
    (body,) = await told(desk, "dispute")
    assert body["unanswered"] == what


async def test_a_ruling_is_told_to_everybody_who_holds_units(desk: Desk) -> None:
    _, at = await disputed_by_both(desk)
    await resolve(desk, Outcome.FIXED, user=MARY)
    (body,) = await told(desk, "ruling")
    assert (body["by"], body["outcome"], body["reason"], body["upheld"]) == (MARY, "FIXED", "I looked", False)
    assert (body["bonds"], body["due_at"]) == ([[ADAM, BASE_BOND], [CHARLES, 1_500]], at + DAY)
    assert (body["spared"], body["heard"], body["users"]) == ([MARY], [BETH, DEV], [ADAM, BETH, CHARLES, DEV, MARY])


async def test_units_that_are_offered_for_sale_count_for_who_is_told(desk: Desk) -> None:
    number = await crowd(desk)
    await desk.sell(DEV, Side.FIXED, 30, 900)
    await closed_now(desk, number)
    await dispute(desk, ADAM)
    (body,) = await told(desk, "dispute")
    assert body["heard"] == [BETH, CHARLES, DEV]
