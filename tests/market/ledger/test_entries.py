"""What a calculation left otherwise than it found it, and the entry of it (docs/market.md §4)."""

from __future__ import annotations

from app.market.exchange.fill import AmendmentKind
from app.market.exchange.pool import Pool
from app.market.exchange.position import Purse
from app.market.exchange.settlement import settle
from app.market.exchange.state import Changes
from app.market.ledger.entries import Before, difference, entry_of
from app.market.ledger.journal import Kind, Posting, unit_currency
from app.market.terms.contract import Outcome
from tests.market.drawing import FIXED, IDS, MATURATION_AT, NOW, UNFIXED, Scene, book, scene
from tests.market.venue import CONTRACT, CURRENCY

ANN, BOB, CROWD = IDS["ann"], IDS["bob"], IDS["crowd"]
OTHER = CONTRACT + 1


def two_contracts() -> Scene:
    return scene(maturations=((OTHER, MATURATION_AT + 1), (CONTRACT, MATURATION_AT)))


def test_only_what_is_otherwise_than_before_is_told() -> None:
    standing = book("bob ask 10 @ 300", holding=["carol 5 fixed @ 100"])
    before = Before(standing.market)
    changes = standing.add("ann bid 10 @ 400")
    found = difference(standing.market, before, changes)
    assert [state.id for state in found.contracts] == [CONTRACT]
    assert [item[:3] for item in found.positions] == [(CONTRACT, ANN, FIXED), (CONTRACT, BOB, UNFIXED)]
    assert [held.free for *_, held in found.positions] == [10, 10]
    assert found.pools == []


def test_an_offer_that_only_rests_leaves_contract_and_positions_as_they_were() -> None:
    standing = book(holding=["ann 5 fixed @ 100"])
    before = Before(standing.market)
    found = difference(standing.market, before, standing.add("ann bid 10 @ 400"))
    assert (found.contracts, found.positions, found.pools) == ([], [], [])


def test_units_that_were_only_put_aside_are_told() -> None:
    standing = book(holding=["ann 5 fixed @ 100"])
    before = Before(standing.market)
    found = difference(standing.market, before, standing.add("ann sell fixed 5 @ 400"))
    assert [(user, side, held.free, held.reserved) for _, user, side, held in found.positions] == [(ANN, FIXED, 0, 5)]


def test_positions_of_people_whom_a_calculation_does_not_name_are_not_told() -> None:
    standing = book(holding=["ann 5 fixed @ 100"])
    before = Before(standing.market)
    standing.state.position(ANN, FIXED).free += 1
    assert difference(standing.market, before, Changes()).positions == []


def test_a_position_that_holds_nothing_is_as_if_there_were_none() -> None:
    standing = scene()
    before = Before(standing.market)
    standing.state.position(ANN, FIXED)
    changes = Changes()
    changes.users = {ANN}
    assert difference(standing.market, before, changes).positions == []


def test_a_halt_changes_the_contract_alone() -> None:
    standing = two_contracts()
    before = Before(standing.market)
    found = difference(standing.market, before, standing.halt())
    assert [state.id for state in found.contracts] == [CONTRACT]


def test_contracts_positions_and_pools_are_told_in_one_order() -> None:
    """Contracts by number, then side, then user, however the market came to be."""
    standing = two_contracts()
    before = Before(standing.market)
    changes = Changes()
    for user in (BOB, ANN):
        standing.market.pools[user] = Pool(user, 5)
        for contract in (OTHER, CONTRACT):
            for side in (UNFIXED, FIXED):
                standing.market.contracts[contract].position(user, side).free += 1
    for contract in (OTHER, CONTRACT):
        changes.amend(standing.market.contracts[contract], AmendmentKind.REDEEM)
    changes.users = {ANN, BOB}
    found = difference(standing.market, before, changes)
    assert [state.id for state in found.contracts] == [CONTRACT, OTHER]
    assert [item[:3] for item in found.positions] == [
        (contract, user, side) for contract in (CONTRACT, OTHER) for side in (FIXED, UNFIXED) for user in (ANN, BOB)
    ]
    assert [pool.user for pool in found.pools] == [ANN, BOB]


def test_a_pool_is_told_when_what_is_left_of_it_changed() -> None:
    standing = scene()
    standing.market.pools.update({ANN: Pool(ANN, 5), BOB: Pool(BOB, 7)})
    before = Before(standing.market)
    standing.market.pools[BOB].left_mills = 8
    standing.market.pools[CROWD] = Pool(CROWD)
    found = difference(standing.market, before, Changes())
    assert [(pool.user, pool.left_mills) for pool in found.pools] == [(BOB, 8)]


def test_a_pool_of_one_mill_that_was_not_there_before_is_told() -> None:
    standing = scene()
    before = Before(standing.market)
    standing.market.pools[ANN] = Pool(ANN, 1)
    assert [pool.user for pool in difference(standing.market, before, Changes()).pools] == [ANN]


def test_the_purse_of_somebody_who_was_not_loaded_shows_what_came() -> None:
    """A settlement pays holders whose free money nobody asked for."""
    standing = book(holding=["ann 5 fixed @ 100"])
    standing.market.purses.clear()
    before = Before(standing.market)
    changes, _ = settle(standing.market, CONTRACT, Outcome.FIXED)
    made = entry_of(standing.market, before, changes, CURRENCY, key="k", cause="c", now=NOW)
    assert standing.market.purses == {ANN: Purse(5_000), CROWD: Purse()}
    assert made.postings == (
        Posting(Kind.FREE, ANN, CURRENCY, 5_000),
        Posting(Kind.ESCROW, CONTRACT, CURRENCY, -5_000),
        Posting(Kind.UNITS_ISSUED, CONTRACT, unit_currency(CONTRACT, FIXED), 5),
        Posting(Kind.UNITS_FREE, ANN, unit_currency(CONTRACT, FIXED), -5),
        Posting(Kind.UNITS_ISSUED, CONTRACT, unit_currency(CONTRACT, UNFIXED), 5),
        Posting(Kind.UNITS_FREE, CROWD, unit_currency(CONTRACT, UNFIXED), -5),
    )


def test_an_entry_carries_its_key_its_cause_its_instant_and_what_is_told() -> None:
    standing = scene()
    before = Before(standing.market)
    changes = standing.halt()
    plain = entry_of(standing.market, before, changes, CURRENCY, key="k", cause="c", now=NOW)
    assert (plain.key, plain.cause, plain.at, plain.detail) == ("k", "c", NOW, "")
    told = entry_of(standing.market, before, changes, CURRENCY, key="k", cause="c", now=NOW, detail="[[]]")
    assert told.detail == "[[]]"
