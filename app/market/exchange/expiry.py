"""Offers that are due: which, in which order, and what follows when they go (docs/market.md §2)."""

from __future__ import annotations

from collections.abc import Container
from copy import deepcopy

from app.market.exchange.matching import retry_all
from app.market.exchange.moves import release
from app.market.exchange.offer import Offer
from app.market.exchange.state import Changes, Market
from app.market.terms.errors import UnknownOffer


def due(market: Market, contracts: Container[int], now: int) -> list[Offer]:
    """The offers in these contracts that end by `now`, in one order of (until, number).

    They expire one by one (`expire`); one that was filled or cancelled by then is passed over.
    """
    states = (state for number, state in market.contracts.items() if number in contracts)
    return sorted((offer for state in states for offer in state.book.ended(now)), key=_end)


def _end(offer: Offer) -> tuple[int, int]:
    return offer.until_at, offer.number


def expire(market: Market, number: int, *, now: int, later: bool = False) -> Changes:
    """Cancel an offer that is due. `later`: nothing may fill now, so the re-tries that follow are put off."""
    offer = market.find(number)
    if offer is None:
        raise UnknownOffer(f"Offer o{number} is not open.")
    changes = Changes()
    release(market, changes, offer, offer.remaining)
    state = market.contracts[offer.contract]
    if not later:
        retry_all(market, changes, state, now)
    elif state.book.whole and state.trades(now):
        changes.to_retry |= {state.id}
    return changes


def filling(market: Market, contracts: Container[int], now: int) -> set[int]:
    """The contracts in which something fills as these contracts' due offers expire; found out on a copy."""
    if not any(market.contracts[offer.contract].book.whole for offer in due(market, contracts, now)):
        return set()
    twin = deepcopy(market)
    expired = [expire(twin, offer.number, now=now) for offer in due(twin, contracts, now) if offer.remaining]
    return {fill.contract for changes in expired for fill in changes.fills}
