"""The invariants of docs/market.md §4 over a venue, by their numbers; counted anew from entries and offers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

from app.market.exchange.offer import FIELDS, Action, Offer
from app.market.exchange.settlement import Payout
from app.market.exchange.state import ContractState
from app.market.exchange.voiding import Stake
from app.market.ledger.journal import AccountKey, Entry, Kind, unit_currency
from app.market.terms.contract import Side, Status
from tests.market.venue import CURRENCY, Venue

MONEY_FROM_NOWHERE = {Kind.ISSUANCE, Kind.BRIDGE, Kind.UNITS_ISSUED}


def check(venue: Venue) -> int:
    """Everything, the whole journal included; returns how many invariants were looked at."""
    check_entries(venue.entries)
    check_replay(venue)
    check_offers(venue.offers.values())
    live = {offer.number for state in venue.market.contracts.values() for offer in state.book.open_offers()}
    assert {number for number, known in venue.offers.items() if known.remaining} == live
    return 3 + check_now(venue)


def check_now(venue: Venue) -> int:
    """What takes no longer as a story goes on."""
    check_accounts(venue)
    check_reserves(venue)
    check_stored(venue)
    for state in venue.market.contracts.values():
        check_contract(venue, state)
        check_book(state)
        check_offers(state.book.open_offers())
        check_settled(venue, state)
        check_positions(state)
    return 3 + 5 * len(venue.market.contracts)


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


def check_accounts(venue: Venue) -> None:
    """1, 2: all sums to nothing; only what money and units come from is below nothing, and that is never above."""
    sums: Counter[str] = Counter()
    for key, amount in venue.balances.items():
        assert amount <= 0 if key.kind in MONEY_FROM_NOWHERE else amount >= 0, (key, amount)
        sums[key.currency] += amount
    assert not any(sums.values()), sums


def check_contract(venue: Venue, state: ContractState) -> None:
    """3: as many units of one side as of the other, 1000 mills of escrow for each, minted within it; and the net paid
    of all users is the escrow."""
    for side in Side:
        held = sum(position.units for position in state.holders(side).values())
        issued = AccountKey(Kind.UNITS_ISSUED, state.id, unit_currency(state.id, side))
        assert held == state.open_interest == -venue.balances.get(issued, 0)
    assert venue.mills(Kind.ESCROW, state.id) == 1000 * state.open_interest == state.escrow_mills
    assert 0 <= state.minted_mills <= 1000 * state.open_interest
    assert sum(state.net_paid.values()) == state.escrow_mills


def check_reserves(venue: Venue) -> None:
    """4: held back is what the live offers need: units for what is sold, money for the rest; a pool's share it."""
    needs: Counter[AccountKey] = Counter()
    most: dict[int, int] = {}
    pooled_live: dict[int, int] = {}
    for state in venue.market.contracts.values():
        for standing in state.book.open_offers():
            user, need = standing.user, standing.cash_left * standing.price
            if standing.action is Action.SELL:
                assert standing.cash_left == 0
            if standing.pooled:
                most[user] = max(most.get(user, 0), need)
            if standing.suspended:
                assert standing.pooled and not standing.units_left
                continue
            if standing.pooled:
                pooled_live[user] = max(pooled_live.get(user, 0), need)
            else:
                needs[AccountKey(Kind.RESERVE, user, CURRENCY)] += need
            sold = standing.side if standing.action is Action.SELL else standing.side.other
            needs[AccountKey(Kind.UNITS_RESERVED, user, unit_currency(state.id, sold))] += standing.units_left
    for user, pool in venue.market.pools.items():
        assert pooled_live.get(user, 0) <= pool.left_mills <= most.get(user, 0), (user, pool.left_mills)
        needs[AccountKey(Kind.RESERVE, user, CURRENCY)] += pool.left_mills
    held = {key: n for key, n in venue.balances.items() if key.kind in {Kind.RESERVE, Kind.UNITS_RESERVED} and n}
    assert held == {key: amount for key, amount in needs.items() if amount}


def check_book(state: ContractState) -> None:
    """5: no bid as high as an ask, all-or-none aside; and the book's halves and queues are those of its offers."""
    book = state.book
    bids = [standing for standing in book.offers.values() if standing.bid]
    asks = [standing for standing in book.offers.values() if not standing.bid]
    best_bid = max((standing.fixed_price for standing in bids if not standing.all_or_none), default=None)
    best_ask = min((standing.fixed_price for standing in asks if not standing.all_or_none), default=None)
    assert best_bid is None or best_ask is None or best_bid < best_ask
    assert list(book.bids.all()) == sorted(bids, key=lambda bid: (-bid.fixed_price, bid.rank))
    assert list(book.asks.all()) == sorted(asks, key=lambda ask: (ask.fixed_price, ask.rank))
    assert not any(standing.suspended for standing in book.offers.values())
    assert all(standing.suspended for standing in book.suspended.values())
    assert book.whole == {number: standing for number, standing in book.offers.items() if standing.all_or_none}
    counts = Counter(standing.user for standing in book.offers.values())
    assert counts == +Counter(book.counts)


def check_offers(offers: Iterable[Offer]) -> None:
    """6: nothing of an offer is lost or counted twice."""
    for known in offers:
        parts = (known.filled, known.units_left, known.cash_left, known.cancelled)
        assert min(parts) >= 0
        assert sum(parts) == known.volume, known.number


def check_settled(venue: Venue, state: ContractState) -> None:
    """7: a settled contract is empty."""
    if state.status is Status.SETTLED:
        assert venue.mills(Kind.ESCROW, state.id) == state.open_interest == state.minted_mills == 0
        assert not any(position.units for side in Side for position in state.holders(side).values())
        assert not state.book.open_offers()
        assert not any(state.net_paid.values())


def check_void(stakes: Mapping[int, Stake], payouts: Iterable[Payout], price: int = 500) -> None:
    """Law 2: a VOID gives away the whole escrow, to each holder between what was paid in and half a token a unit.

    `stakes` as they stood before anything was cancelled: pairs that no offer holds back any more bring a token each.
    """
    paid = {payout.user: payout.paid_mills for payout in payouts}
    holders = {user: stake for user, stake in stakes.items() if stake.fixed != stake.unfixed}
    assert paid.keys() == holders.keys()
    assert sum(paid.values()) == 1000 * sum(max(0, stake.fixed - stake.unfixed) for stake in holders.values())
    for user, stake in holders.items():
        more = stake.fixed - stake.unfixed
        half = more * price if more > 0 else -more * (1000 - price)
        left_mills = stake.net_paid_mills - 1000 * min(stake.fixed, stake.unfixed)
        claim = max(0, min(left_mills, 1000 * abs(more)))
        assert min(claim, half) <= paid[user] <= max(claim, half), (user, stake, paid[user])
        assert paid[user] >= min(left_mills, half)


def check_replay(venue: Venue) -> None:
    """8: the entries give the balances; amendments are numbered without a gap."""
    replayed: Counter[AccountKey] = Counter()
    for item in venue.entries:
        for posting in item.postings:
            replayed[AccountKey(*posting[:3])] += posting.amount
    assert {key: amount for key, amount in replayed.items() if amount} == {
        key: amount for key, amount in venue.balances.items() if amount
    }
    for state in venue.market.contracts.values():
        made = [amendment for amendment in venue.amendments if amendment.contract == state.id]
        assert [amendment.number for amendment in made] == [*range(1, state.amendment + 1)]
        if made:
            assert (made[-1].open_interest, made[-1].minted_mills) == (state.open_interest, state.minted_mills)


def check_stored(venue: Venue) -> None:
    """8: balances are the purses and positions; and what calculations named is all that has changed."""
    market = venue.market
    held: dict[AccountKey, int] = {}
    for user, purse in market.purses.items():
        held[AccountKey(Kind.FREE, user, CURRENCY)] = purse.free_mills
        held[AccountKey(Kind.RESERVE, user, CURRENCY)] = purse.reserve_mills
    positions = {}
    for state in market.contracts.values():
        for side in Side:
            units = unit_currency(state.id, side)
            for user, position in state.holders(side).items():
                held[AccountKey(Kind.UNITS_FREE, user, units)] = position.free
                held[AccountKey(Kind.UNITS_RESERVED, user, units)] = position.reserved
                positions[state.id, user, side] = position
    kinds = {Kind.FREE, Kind.RESERVE, Kind.UNITS_FREE, Kind.UNITS_RESERVED}
    assert _some(held) == _some({key: n for key, n in venue.balances.items() if key.kind in kinds})
    assert {key: p for key, p in venue.positions.items() if p.units} == {k: p for k, p in positions.items() if p.units}
    net_paid = {(state.id, user): n for state in market.contracts.values() for user, n in state.net_paid.items()}
    assert _some(net_paid) == _some(venue.net_paid)
    assert {user: purse for user, purse in market.purses.items() if user in venue.purses} == venue.purses
    assert _some({user: pool.left_mills for user, pool in market.pools.items()}) == _some(venue.pools)
    live = [offer for state in market.contracts.values() for offer in state.book.open_offers()]
    assert all(_same(venue.offers[offer.number], offer) for offer in live)


K = TypeVar("K")


def _some(amounts: Mapping[K, int]) -> dict[K, int]:
    return {key: amount for key, amount in amounts.items() if amount}


def _same(one: Offer, other: Offer) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in FIELDS)


def check_positions(state: ContractState) -> None:
    """10, 11: nobody has free units of both sides; costs are never negative, and 0 where there are no units."""
    for side in Side:
        for user, position in state.holders(side).items():
            assert min(position.free, state.free_units(user, side.other)) == 0
            assert position.cost_mills >= 0
            assert 0 <= position.pool_units <= position.units
            assert position.units or not position.cost_mills
