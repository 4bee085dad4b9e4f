"""The moves that calculations are made of: redeeming, releasing, suspending (docs/market.md §2, §3)."""

from __future__ import annotations

from typing import Final

from app.market.exchange.fill import AmendmentKind
from app.market.exchange.offer import Offer
from app.market.exchange.state import Changes, ContractState, Market
from app.market.terms.contract import UNIT_MILLS

HALF_PAIR_MILLS: Final = UNIT_MILLS // 2
"""Value of each unit of a redeemed pair."""


def redeem(market: Market, state: ContractState, user: int) -> bool:
    """Pay 1000 mills for each pair of free units that a user holds. Returns whether there was any."""
    fixed, unfixed = state.fixed.get(user), state.unfixed.get(user)
    if fixed is None or unfixed is None:
        return False
    pairs = min(fixed.free, unfixed.free)
    if not pairs:
        return False
    pooled = fixed.lose(pairs, reserved=False) + unfixed.lose(pairs, reserved=False)
    state.retire(pairs)
    fixed.net_paid_mills -= HALF_PAIR_MILLS * pairs
    unfixed.net_paid_mills -= HALF_PAIR_MILLS * pairs
    receive(market, user, UNIT_MILLS * pairs, HALF_PAIR_MILLS * pooled)
    return True


def receive(market: Market, user: int, mills: int, of_pool_mills: int) -> None:
    """Money for units; what the pool's units brought goes back to the pool, if there still is one."""
    purse = market.purses[user]
    purse.free_mills += mills
    if of_pool_mills and user in market.pools:
        market.pools[user].give_back(of_pool_mills, purse)


def release(market: Market, changes: Changes, offer: Offer, volume: int) -> None:
    """Cancel `volume` of an offer that is live or suspended and give back what was held for it."""
    state = market.contracts[offer.contract]
    bought, sold = offer.cut(volume)
    changes.touched.append(offer)
    if offer.held and not offer.pooled:
        market.purses[offer.user].hold(-bought * offer.price)
    if sold:
        state.position(offer.user, offer.gives).reserve(-sold)
        if redeem(market, state, offer.user):
            changes.amend(state, AmendmentKind.REDEEM)
    if not offer.remaining:
        take_out(market, offer)
    if market.pools:
        enforce_pool(market, changes, offer.user)


def take_out(market: Market, offer: Offer) -> None:
    """Take an offer out of where it stands."""
    book = market.contracts[offer.contract].book
    if offer.suspended:
        book.suspended.pop(offer.number, None)
    elif offer.held:
        book.remove(offer)
    offer.held = False


def remove_filled(market: Market, changes: Changes) -> None:
    """Take those out of the books that were filled or suspended during a sweep, when books must not change."""
    for offer in changes.dead:
        book = market.contracts[offer.contract].book
        book.remove(offer)
        if offer.suspended:
            book.put_aside(offer)
    changes.dead.clear()


def enforce_pool(market: Market, changes: Changes, user: int) -> None:
    """After a change: what is left never exceeds what is needed, and what needs more than is left is suspended."""
    pool = market.pools.get(user)
    if pool is None:
        return
    for number in [number for number, offer in pool.offers.items() if not offer.remaining]:
        del pool.offers[number]
    purse = market.purses[user]
    for offer in pool.too_dear():
        suspend(market, changes, offer)
    pool.cap(purse)


def suspend(market: Market, changes: Changes, offer: Offer) -> None:
    """Out of its book, its place lost; its reserved units come free, all that is open of it is bought if it resumes."""
    state = market.contracts[offer.contract]
    offer.suspended = True
    offer.held = False
    units, offer.units_left = offer.units_left, 0
    offer.cash_left += units
    changes.touched.append(offer)
    changes.suspended = (*changes.suspended, offer)
    changes.dead.append(offer)
    changes.to_retry |= {state.id}
    if units:
        state.position(offer.user, offer.gives).reserve(-units)
        if redeem(market, state, offer.user):
            changes.amend(state, AmendmentKind.REDEEM)
