"""An offer meets the other half of one book or of several: fills, best price then oldest (docs/market.md §2, §3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Final

from app.market.exchange.book import Level
from app.market.exchange.fill import AmendmentKind, FillKind
from app.market.exchange.moves import enforce_pool, receive, redeem, remove_filled
from app.market.exchange.offer import Offer
from app.market.exchange.pool import Pool
from app.market.exchange.position import Position
from app.market.exchange.state import Changes, ContractState, Market
from app.market.terms.contract import UNIT_MILLS

# Looked up once: enums are slow at it.
EXPAND: Final = FillKind.EXPAND
REDUCE: Final = FillKind.REDUCE
TRANSFER: Final = FillKind.TRANSFER

Passed = list[tuple[Offer, int]]
"""Own counter-offers that were passed, each with the volume that was still wanted then."""


def sweep(market: Market, changes: Changes, state: ContractState, offer: Offer) -> Passed:
    """Fill what can be filled in one contract; the offer's own counter-offers are passed."""
    half = state.book.asks if offer.bid else state.book.bids
    sign, keys = half.sign, half.keys
    limit = offer.fixed_price * sign
    passed: Passed = []
    best = len(keys)
    while best and keys[best - 1] >= limit:
        best -= 1
        if not _meet(market, changes, state, offer, half.levels[keys[best] * sign], passed):
            break
    if changes.dead:
        remove_filled(market, changes)
    return passed


class Taker:
    """A newcomer in several contracts: in each an offer of its own, one of which, `offer`, wants what is still wanted.

    How much of each may be a sale is fixed at arrival, and those units are reserved until it is over: `sales` are the
    ones that no part of it is selling now.
    """

    __slots__ = ("offer", "offers", "pool", "sales", "states")

    def __init__(self, states: Sequence[ContractState], offers: Sequence[Offer], pool: Pool | None) -> None:
        self.states = states
        self.pool = pool
        self.offers = {offer.contract: offer for offer in offers}
        self.offer = offers[0]
        self.sales = {state.id: state.free_units(self.offer.user, self.offer.gives) for state in states}
        for state in states:
            if self.sales[state.id]:
                state.position(self.offer.user, self.offer.gives).reserve(self.sales[state.id])
        self.sales[self.offer.contract] -= self.offer.units_left

    def move_to(self, state: ContractState) -> Offer:
        """Move the remaining wish to that contract."""
        old, new = self.offer, self.offers[state.id]
        if old is not new:
            wanted = old.remaining
            self.sales[old.contract] += old.units_left
            old.units_left = old.cash_left = 0
            old.volume -= wanted
            new.units_left = min(wanted, self.sales[state.id])
            new.cash_left = wanted - new.units_left
            new.volume += wanted
            self.sales[state.id] -= new.units_left
            self.offer = new
            old.ranging = False
        new.ranging = True
        if self.pool is not None:
            self.pool.offers[new.number] = new
        return new

    def let_go(self, market: Market, changes: Changes) -> None:
        """Units that were reserved for sales it did not make are free again."""
        user = self.offer.user
        for state in self.states:
            if self.sales[state.id]:
                state.position(user, self.offer.gives).reserve(-self.sales[state.id])
                if redeem(market, state, user):
                    changes.amend(state, AmendmentKind.REDEEM)


def sweep_range(market: Market, changes: Changes, taker: Taker) -> Passed:
    """Fill what can be filled in several contracts, in each under the number the newcomer has there."""
    passed: Passed = []
    for state, level in levels(taker.states, taker.offer.bid, taker.offer.fixed_price):
        if not _meet(market, changes, state, taker.move_to(state), level, passed):
            break
    remove_filled(market, changes)
    return passed


def levels(states: Sequence[ContractState], bid: bool, limit: int) -> Iterator[tuple[ContractState, Level]]:
    """The price levels that an offer reaches, best first; at one price in the order of the contracts."""
    halves = [(state, state.book.asks if bid else state.book.bids) for state in states]
    prices = {price for _, half in halves for price in half.prices(limit)}
    for price in sorted(prices, reverse=not bid):
        for state, half in halves:
            if price in half.levels:
                yield state, half.levels[price]


def _meet(market: Market, changes: Changes, state: ContractState, offer: Offer, level: Level, passed: Passed) -> bool:
    """Fill with the offers of one level; returns whether more is wanted and may be had."""
    user, fills = offer.user, changes.raw_fills
    wanted = offer.units_left + offer.cash_left
    for counter in level.values():
        if counter.user == user:
            if not counter.suspended:
                passed.append((counter, wanted))
            continue
        needed = _needed(offer, counter, wanted) if counter.special else 1
        if not needed:
            continue
        if len(fills) + needed > changes.room:
            changes.stopped = True
            return False
        wanted -= fill(market, state, changes, offer, counter)
        if not counter.units_left + counter.cash_left:
            changes.dead.append(counter)
        elif wanted:
            wanted -= _fill_on(market, state, changes, offer, counter)
        if not wanted or changes.stopped:
            return False
    return True


def _needed(offer: Offer, counter: Offer, wanted: int) -> int:
    """Count the fills that need room; none for a pooled or all-or-none counter-offer that is not to be had."""
    if counter.suspended or (counter.all_or_none and counter.remaining > wanted):
        return 0
    return meetings(offer.units_left, counter, wanted) if counter.all_or_none else 1


def _fill_on(market: Market, state: ContractState, changes: Changes, offer: Offer, counter: Offer) -> int:
    """The further fills of two offers one of which both sells and buys; returns their volume."""
    volume = 0
    while counter.remaining and offer.remaining and len(changes.raw_fills) < changes.room:
        volume += fill(market, state, changes, offer, counter)
    if not counter.remaining:
        changes.dead.append(counter)
    elif offer.remaining:
        changes.stopped = True
    return volume


def meetings(units_left: int, counter: Offer, wanted: int) -> int:
    """Count the fills between two offers: each that sells first and then buys turns once, if within."""
    volume = min(wanted, counter.remaining)
    return 1 + len({turn for turn in (units_left, counter.units_left) if 0 < turn < volume})


def fill(market: Market, state: ContractState, changes: Changes, newcomer: Offer, rester: Offer) -> int:
    """One fill of one kind: as much as the parts of both offers that are paid in the same way allow."""
    bid, ask = (newcomer, rester) if newcomer.bid else (rester, newcomer)
    price = rester.fixed_price if rester.rank < newcomer.rank else newcomer.fixed_price
    sold = newcomer.units_left > 0
    bid_sells, ask_sells = bid.units_left, ask.units_left
    volume = bid_sells or bid.cash_left
    wanted = ask_sells or ask.cash_left
    if wanted < volume:
        volume = wanted
    fixed, unfixed = state.fixed, state.unfixed
    kind = TRANSFER
    if bid_sells:
        if ask_sells:
            kind = REDUCE
            state.retire(volume)
        _sell(market, unfixed, bid, volume, UNIT_MILLS - price)
    else:
        if not ask_sells:
            kind = EXPAND
            state.open_interest += volume
            state.minted_mills += volume * price
        _buy(market, state, fixed, unfixed, bid, volume, price)
    if ask_sells:
        _sell(market, fixed, ask, volume, price)
    else:
        _buy(market, state, unfixed, fixed, ask, volume, UNIT_MILLS - price)
    state.amendment = number = state.amendment + 1
    changes.touched.append(rester)
    changes.raw_fills.append(
        (state.id, number, bid, ask, newcomer, volume, price, kind, sold, state.open_interest, state.minted_mills)
    )
    if market.pools:
        enforce_pool(market, changes, bid.user)
        enforce_pool(market, changes, ask.user)
    return volume


def _buy(
    market: Market,
    state: ContractState,
    holders: dict[int, Position],
    others: dict[int, Position],
    offer: Offer,
    volume: int,
    price: int,
) -> None:
    """`price` is of the side bought. A pooled offer pays from its pool, one that was held from the reserve."""
    user = offer.user
    offer.cash_left -= volume
    offer.filled += volume
    paid = volume * price
    position = holders.get(user)
    if position is None:
        position = holders[user] = Position()
    position.free += volume
    position.cost_mills += paid
    position.net_paid_mills += paid
    purse = market.purses[user]
    if offer.special and offer.pooled:
        position.pool_units += volume
        market.pools[user].left_mills -= paid
        purse.reserve_mills -= paid
    elif offer.held:
        held = volume * offer.price
        purse.reserve_mills -= held
        if held != paid:
            purse.free_mills += held - paid
    else:
        purse.free_mills -= paid
    against = others.get(user)
    if against is not None and against.free:
        redeem(market, state, user)


def _sell(market: Market, holders: dict[int, Position], offer: Offer, volume: int, price: int) -> None:
    """`price` is of the side sold."""
    offer.units_left -= volume
    offer.filled += volume
    position = holders[offer.user]
    pooled = position.lose(volume, offer.held or offer.ranging)
    mills = volume * price
    position.net_paid_mills -= mills
    if pooled:
        receive(market, offer.user, mills, price * pooled)
    else:
        market.purses[offer.user].free_mills += mills


def count(states: Sequence[ContractState], offer: Offer, wanted: int) -> tuple[int, int, bool]:
    """Preview the immediate fills of such an offer: (volume, number of fills, if pools are concerned).

    Where pools are concerned it may be less, or more.
    """
    found, fills, pooled = 0, 0, False
    sales = {state.id: state.free_units(offer.user, offer.gives) for state in states}
    if offer.held:
        sales[offer.contract] = offer.units_left
    for state, level in levels(states, offer.bid, offer.fixed_price):
        for counter in level.values():
            if found == wanted:
                return found, fills, pooled
            left = wanted - found
            if counter.user != offer.user and not (counter.all_or_none and counter.remaining > left):
                sold = min(sales[state.id], left)
                fills += meetings(sold, counter, left)
                found += min(counter.remaining, left)
                sales[state.id] -= min(sold, counter.remaining)
                pooled = pooled or counter.pooled
    return found, fills, pooled


def _reach(states: Sequence[ContractState], offer: Offer) -> int:
    """All that others offer within the limit, also what would be skipped: pools that give out make room for it."""
    reached = (level for _, level in levels(states, offer.bid, offer.fixed_price))
    return sum(counter.remaining for level in reached for counter in level.values() if counter.user != offer.user)


def fills_whole(market: Market, room: int, states: Sequence[ContractState], offers: Sequence[Offer]) -> bool:
    """Tell if one pass of at most `room` fills fills an all-or-none newcomer wholly.

    If pools are concerned it is tried on a copy.
    """
    wanted = offers[0].remaining
    found, fills, pooled = count(states, offers[0], wanted)
    if not pooled:
        return found == wanted and fills <= room
    if _reach(states, offers[0]) < wanted:
        return False
    twin, twin_states, twin_offers = deepcopy((market, states, offers))
    changes = Changes(room)
    if len(states) == 1:
        sweep(twin, changes, twin_states[0], twin_offers[0])
        return not twin_offers[0].remaining
    taker = Taker(twin_states, twin_offers, twin.pools.get(twin_offers[0].user) if twin_offers[0].pooled else None)
    sweep_range(twin, changes, taker)
    return not taker.offer.remaining
