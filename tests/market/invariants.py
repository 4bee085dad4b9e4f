"""The invariants of docs/market.md §4 over a scene, by their numbers; counted anew from entries and offers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from app.market.contract import Status
from app.market.journal import UNIT_KINDS, AccountKey, Entry, Kind, unit_currency
from app.market.offer import Action, Offer
from tests.market.drawing import CONTRACT, CURRENCY, FIXED, UNFIXED, Scene

MONEY_FROM_NOWHERE = {Kind.ISSUANCE, Kind.BRIDGE, Kind.UNITS_ISSUED}


def check(scene: Scene) -> None:
    check_entries(scene.entries)
    check_accounts(scene)
    check_contract(scene)
    check_reserves(scene)
    check_book(scene)
    check_offers(scene.offers.values())
    check_settled(scene)
    check_replay(scene)
    check_positions(scene)


def check_entries(entries: Iterable[Entry]) -> None:
    """1: every entry, and so the journal, sums to zero per currency; no key comes twice, no posting is empty."""
    keys = Counter(item.key for item in entries)
    assert set(keys.values()) <= {1}, keys.most_common(1)
    for item in entries:
        sums: Counter[str] = Counter()
        for posting in item.postings:
            assert posting.amount
            sums[posting.currency] += posting.amount
        assert not any(sums.values()), item
        assert len({posting[:3] for posting in item.postings}) == len(item.postings), item


def check_accounts(scene: Scene) -> None:
    """2: only the accounts from which money and units come are below nothing, and those are never above."""
    for key, amount in scene.balances.items():
        assert amount <= 0 if key.kind in MONEY_FROM_NOWHERE else amount >= 0, (key, amount)


def check_contract(scene: Scene) -> None:
    """3: as many units of one side as of the other, 1000 mills of escrow for each, minted within it."""
    state = scene.state
    for side in (FIXED, UNFIXED):
        held = sum(position.units for (_, of), position in state.positions.items() if of is side)
        issued = AccountKey(Kind.UNITS_ISSUED, CONTRACT, unit_currency(CONTRACT, side))
        assert held == state.open_interest == -scene.balances.get(issued, 0)
    assert scene.escrow == 1000 * state.open_interest == state.escrow_mills
    assert 0 <= state.minted_mills <= 1000 * state.open_interest


def check_reserves(scene: Scene) -> None:
    """4: held back is what the live offers need: units for what is sold, money for the rest."""
    needs: Counter[AccountKey] = Counter()
    for standing in scene.state.book.offers.values():
        if standing.action is Action.SELL:
            assert standing.cash_left == 0
        needs[AccountKey(Kind.RESERVE, standing.user, CURRENCY)] += standing.cash_left * standing.price
        sold = standing.side if standing.action is Action.SELL else standing.side.other
        needs[AccountKey(Kind.UNITS_RESERVED, standing.user, unit_currency(CONTRACT, sold))] += standing.units_left
    held = {
        key: amount
        for key, amount in scene.balances.items()
        if key.kind in {Kind.RESERVE, Kind.UNITS_RESERVED} and amount
    }
    assert held == {key: amount for key, amount in needs.items() if amount}


def check_book(scene: Scene) -> None:
    """5: no bid as high as an ask; and the book's halves, best prices and queues are those of its offers."""
    book = scene.state.book
    bids = [standing for standing in book.offers.values() if standing.bid]
    asks = [standing for standing in book.offers.values() if not standing.bid]
    best_bid = max((standing.fixed_price for standing in bids), default=None)
    best_ask = min((standing.fixed_price for standing in asks), default=None)
    assert (book.best_bid, book.best_ask) == (best_bid, best_ask)
    assert best_bid is None or best_ask is None or best_bid < best_ask
    assert list(book.bids.all()) == sorted(bids, key=lambda bid: (-bid.fixed_price, bid.number))
    assert list(book.asks.all()) == sorted(asks, key=lambda ask: (ask.fixed_price, ask.number))


def check_offers(offers: Iterable[Offer]) -> None:
    """6: nothing of an offer is lost or counted twice."""
    for known in offers:
        parts = (known.filled, known.units_left, known.cash_left, known.cancelled)
        assert min(parts) >= 0
        assert sum(parts) == known.volume, known


def check_settled(scene: Scene) -> None:
    """7: a settled contract is empty."""
    state = scene.state
    if state.status is Status.SETTLED:
        assert scene.escrow == state.open_interest == state.minted_mills == 0
        assert not any(position.units for position in state.positions.values())
        assert not state.book.offers


def check_replay(scene: Scene) -> None:
    """8: the entries give the balances and positions; what the changes named is all that has changed."""
    replayed: Counter[AccountKey] = Counter()
    for item in scene.entries:
        for posting in item.postings:
            replayed[AccountKey(*posting[:3])] += posting.amount
    assert {key: amount for key, amount in replayed.items() if amount} == {
        key: amount for key, amount in scene.balances.items() if amount
    }
    units = {key: amount for key, amount in replayed.items() if key.kind in UNIT_KINDS and amount}
    units = {key: amount for key, amount in units.items() if key.kind is not Kind.UNITS_ISSUED}
    assert units == _units(scene)
    state = scene.state
    assert {key: p for key, p in scene.positions.items() if p.units} == {
        key: p for key, p in state.positions.items() if p.units
    }
    assert {number: known for number, known in scene.offers.items() if known.remaining} == state.book.offers
    if scene.amendments:
        assert [amendment.number for amendment in scene.amendments] == [*range(1, state.amendment + 1)]
        last = scene.amendments[-1]
        assert (last.open_interest, last.minted_mills) == (state.open_interest, state.minted_mills)


def _units(scene: Scene) -> dict[AccountKey, int]:
    found = {}
    for (user, side), position in scene.state.positions.items():
        found[AccountKey(Kind.UNITS_FREE, user, unit_currency(CONTRACT, side))] = position.free
        found[AccountKey(Kind.UNITS_RESERVED, user, unit_currency(CONTRACT, side))] = position.reserved
    return {key: amount for key, amount in found.items() if amount}


def check_positions(scene: Scene) -> None:
    """10, 11: nobody has free units of both sides; costs are never negative, and 0 where there are no units."""
    state = scene.state
    for (user, side), position in state.positions.items():
        assert min(position.free, state.free_units(user, side.other)) == 0
        assert position.cost_mills >= 0
        assert position.units or not position.cost_mills
