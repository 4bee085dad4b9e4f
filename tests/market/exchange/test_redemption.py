"""Pairs of free units are redeemed whenever units come free; what is taken away takes its cost (docs/market.md §3)."""

from __future__ import annotations

import pytest

from app.market.exchange.fill import AmendmentKind
from app.market.ledger.journal import Kind
from app.market.terms.contract import Outcome
from tests.market.drawing import FIXED, IDS, UNFIXED, Scene, book, kinds, match, offer
from tests.market.invariants import check
from tests.market.venue import CURRENCY

ANN = IDS["ann"]


def straddling() -> Scene:
    """ann has 8 FIXED (cost 1 600) on sale until 2000, and bought 5 UNFIXED meanwhile."""
    standing = book("ann sell fixed 8 @ 600 until 2000", holding=["ann 10 fixed @ 200"])
    standing.add("bob bid 7 @ 300")
    standing.add("ann sell fixed 2 @ 200 now-or-never")
    standing.add("ann ask 5 @ 300")
    assert (standing.units("ann", FIXED), standing.units("ann", UNFIXED)) == ((0, 8), (5, 0))
    return standing


def assert_redeemed_in_one_entry(before: Scene, after: Scene) -> None:
    """Five pairs, paid with 1000 mills each in the entry that freed them."""
    (entry,) = after.entries[len(before.entries) :]
    paid = sum(posting.amount for posting in entry.postings if posting[:3] == (Kind.FREE, ANN, CURRENCY))
    assert paid == after.free("ann") - before.free("ann") == 5_000
    assert (after.units("ann", FIXED), after.units("ann", UNFIXED)) == ((3, 0), (0, 0))
    assert before.escrow - after.escrow == 5_000
    assert after.amendments[-1].kind is AmendmentKind.REDEEM
    check(after)


def test_at_a_cancel() -> None:
    before, after = straddling(), straddling()
    after.cancel(ANN, 3)
    assert_redeemed_in_one_entry(before, after)


def test_at_an_expiry() -> None:
    before, after = straddling(), straddling()
    after.now = 2_000
    assert after.expire() == [3]
    assert_redeemed_in_one_entry(before, after)


def test_at_an_expiry_while_halted() -> None:
    before, after = straddling(), straddling()
    after.halt()
    after.now = 2_000
    assert after.expire() == [3]
    assert_redeemed_in_one_entry(before, after)


def test_at_a_fill() -> None:
    """bob's bid for money rests; then he comes to hold UNFIXED, and the bid brings him FIXED."""
    before = book("bob bid 9 @ 300", "bob ask 6 @ 700", "carol bid 6 @ 700")
    assert before.units("bob", UNFIXED) == (6, 0)
    fills, after = match(before, offer("ann ask 9 @ 300"))
    assert (kinds(fills), len(after.entries)) == (["expand"], len(before.entries) + 1)
    assert (after.units("bob", FIXED), after.units("bob", UNFIXED)) == ((3, 0), (0, 0))
    assert after.free("bob") - before.free("bob") == 6_000
    assert (after.cost("bob", FIXED), after.cost("bob", UNFIXED)) == (900, 0)
    (amendment,) = fills.all_amendments
    assert (amendment.open_interest, after.state.open_interest) == (9, 9)
    assert amendment.minted_mills == (6 * 700 + 9 * 300) - (6 * 700 + 9 * 300) * 6 // 15


def test_at_a_settlement_before_anybody_is_paid() -> None:
    """The sale is cancelled, five pairs are redeemed, and only what is left bears a fee."""
    before, after = straddling(), straddling()
    after.state.terms = book(fee_bps=1_000).state.terms
    _, payouts = after.settle(Outcome.FIXED)
    (ann,) = [payout for payout in payouts if payout.user == ANN]
    assert (ann.cost_mills, ann.fee_mills, ann.paid_mills) == (600, 240, 3_000 - 240)
    assert after.free("ann") - before.free("ann") == 5_000 + 3_000 - 240
    check(after)


def test_reserved_units_are_not_redeemed() -> None:
    standing = straddling()
    standing.add("ann sell unfixed 5 @ 900")
    standing.cancel(ANN, 3)
    assert (standing.units("ann", FIXED), standing.units("ann", UNFIXED)) == ((8, 0), (0, 5))
    check(standing)


def test_what_takes_units_away_takes_the_floor_of_their_share_of_the_cost() -> None:
    """Three units for 1 000 mills: sold one by one they take 333, 333 and 334 away."""
    standing = book(holding=["ann 2 fixed @ 333", "ann 1 fixed @ 334"])
    costs = [standing.cost("ann", FIXED)]
    for _ in range(3):
        standing.add("bob bid 5 @ 400")
        standing.add("ann sell fixed 1 @ 400")
        standing.cancel(IDS["bob"], standing.numbers - 1)
        costs.append(standing.cost("ann", FIXED))
    assert costs == [1_000, 667, 334, 0]


def test_a_buy_adds_the_cash_paid_and_not_the_limit() -> None:
    _, after = match(book("bob ask 5 @ 300"), offer("ann bid 5 @ 900"))
    assert (after.cost("ann", FIXED), after.cost("bob", UNFIXED)) == (1_500, 3_500)


def test_units_on_sale_keep_their_cost_until_they_are_sold() -> None:
    standing = book("ann sell fixed 6 @ 600", holding=["ann 10 fixed @ 200"])
    assert standing.cost("ann", FIXED) == 2_000
    standing.add("bob bid 5 @ 600")
    assert standing.cost("ann", FIXED) == 1_000


@pytest.mark.parametrize(("volume", "minted"), [(1, 2_228), (2, 1_857), (6, 372), (7, 0)])
def test_minted_grows_by_the_price_of_what_is_minted_and_shrinks_by_the_floor_of_its_share(
    volume: int, minted: int
) -> None:
    """Seven units minted for 2 599 mills; whatever leaves takes floor(2599 * volume / 7)."""
    standing = book("bob ask 5 @ 371", "bob ask 5 @ 372", "ann bid 5 @ 371", "ann bid 2 @ 372")
    assert (standing.state.minted_mills, standing.state.open_interest) == (2_599, 7)
    standing.cancel(IDS["bob"], 2)
    standing.add("bob sell unfixed 7 @ 500")
    standing.add(f"ann sell fixed {volume} @ 500 now-or-never")
    assert (standing.state.minted_mills, standing.state.open_interest) == (minted, 7 - volume)
    assert minted == 2_599 - 2_599 * volume // 7


def test_a_transfer_leaves_minted_alone() -> None:
    standing = book("ann sell fixed 10 @ 800", "carol bid 10 @ 800", holding=["ann 10 fixed @ 200"])
    assert (standing.state.minted_mills, standing.state.open_interest) == (2_000, 10)
