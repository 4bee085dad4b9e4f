"""What a settlement pays, to the mill, and what of it goes back to pools (docs/market.md §2, §5)."""

from __future__ import annotations

import pytest

from app.market.exchange.settlement import Payout
from app.market.exchange.voiding import VoidPrice, void_fixed_mills
from app.market.terms.contract import Outcome
from tests.market.drawing import IDS, MATURATION_AT, Scene, book, give, scene
from tests.market.invariants import check
from tests.market.venue import CONTRACT

ANN, CROWD = IDS["ann"], IDS["crowd"]
OTHER = CONTRACT + 2


def test_a_void_says_what_each_had_paid() -> None:
    _, payouts = book(holding=["ann 10 fixed @ 200"], fee_bps=1_000, law="1").settle(Outcome.VOID, VoidPrice(3, 10))
    assert payouts == [Payout(ANN, 3, 2_000, 0), Payout(CROWD, 9_997, 8_000, 0)]


def test_no_gain_bears_no_fee_though_the_fee_were_all() -> None:
    _, payouts = book(holding=["ann 10 fixed @ 200"], fee_bps=10_000).settle(Outcome.UNFIXED)
    assert payouts == [Payout(ANN, 0, 2_000, 0), Payout(CROWD, 8_000, 8_000, 2_000)]


def test_a_price_of_no_interest_gives_fixed_nothing() -> None:
    assert void_fixed_mills(10, VoidPrice(0, 0)) == 0


def test_a_void_without_a_price_is_no_outcome() -> None:
    with pytest.raises(ValueError, match=r"^a VOID needs its price$"):
        book(holding=["ann 10 fixed @ 200"], law="1").settle(Outcome.VOID)


def pooled(own: int, of_pool: int, needs: int, law: str = "2") -> Scene:
    """ann has that many FIXED of her own and of her pool in one contract; in the other an offer of her pool needs
    `needs`, and less than that is left."""
    made = scene(maturations=((CONTRACT, MATURATION_AT), (OTHER, MATURATION_AT + 1)), law=law)
    if own:
        give(made, f"ann {own} fixed @ 400")
    made.add(f"bob ask {of_pool} @ 400")
    made.add(f"ann bid {needs // 100} @ 100 pool", OTHER)
    made.add(f"ann bid {of_pool} @ 400 pool")
    assert made.left("ann") == max(0, needs - 400 * of_pool)
    return made


@pytest.mark.parametrize(("own", "of_pool", "share"), [(4, 6, 1_200), (7, 6, 1_199), (0, 6, 2_000)])
def test_the_pools_share_of_a_payout_is_the_floor_of_its_units_part(own: int, of_pool: int, share: int) -> None:
    """At a void of 2 000 mills for ten units, 2 599 for thirteen and 2 000 for six."""
    made = pooled(own, of_pool, 9_000, law="1")
    price = {4: VoidPrice(2_000, 10), 7: VoidPrice(2_599, 13), 0: VoidPrice(2_000, 6)}[own]
    before = made.left("ann")
    made.settle(Outcome.VOID, price)
    assert made.left("ann") - before == share
    check(made)


def test_what_a_payout_brings_above_what_the_pool_needs_is_free() -> None:
    made = pooled(4, 6, 5_000)
    before = made.free("ann") + made.reserve("ann")
    made.settle(Outcome.FIXED)
    assert (made.left("ann"), made.reserve("ann")) == (5_000, 5_000)
    assert made.free("ann") + made.reserve("ann") - before == 10_000
    check(made)
