"""The book of one contract, kept in the price of FIXED, with price-time priority (docs/market.md §3)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from app.market.exchange.offer import Offer

NEVER: Final = 1 << 62

Level = dict[int, Offer]
"""The offers at one price by number; a dict keeps them in the order they came."""


class Half:
    """One half of a book. `keys` are its prices times `sign`, ascending: the best is always the last.

    A price that is not among them may keep an empty level. It is made without arguments to be copied.
    """

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, bids: bool = True) -> None:
        self.sign = 1 if bids else -1
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}

    def close(self, price: int) -> None:
        """The last offer at a price is gone. Its level stays, empty: a new one costs more."""
        key = price * self.sign
        if self.keys[-1] == key:
            self.keys.pop()
        else:
            del self.keys[bisect_left(self.keys, key)]

    def crosses(self, limit: int) -> bool:
        """Tell if a counter-offer with this limit reaches anything."""
        return bool(self.keys) and self.keys[-1] >= limit * self.sign

    def prices(self, limit: int | None = None) -> list[int]:
        """Its prices, best first; with a limit those that a counter-offer reaches."""
        first = 0 if limit is None else bisect_left(self.keys, limit * self.sign)
        return [key * self.sign for key in reversed(self.keys[first:])]

    def reached(self, limit: int | None = None) -> Iterator[Offer]:
        """The offers a counter-offer with this limit reaches: best price, then oldest. No changes meanwhile."""
        for price in self.prices(limit):
            yield from self.levels[price].values()

    def all(self) -> Iterator[Offer]:
        return self.reached()

    @property
    def best(self) -> int | None:
        return self.keys[-1] * self.sign if self.keys else None


class Book:
    """Offers of one contract: `offers` the live ones by number, `suspended` those that are out of it for want of money.

    `counts` says how many live ones a user has, `whole` holds the live all-or-none ones. Nothing ends before `ends_at`.
    """

    __slots__ = ("asks", "bids", "counts", "ends_at", "offers", "suspended", "whole")

    def __init__(self) -> None:
        self.bids = Half(bids=True)
        self.asks = Half(bids=False)
        self.offers: dict[int, Offer] = {}
        self.suspended: dict[int, Offer] = {}
        self.counts: defaultdict[int, int] = defaultdict(int)
        self.whole: dict[int, Offer] = {}
        self.ends_at = NEVER

    def half(self, bid: bool) -> Half:
        return self.bids if bid else self.asks

    def add(self, offer: Offer) -> None:
        """Put a live offer in. Offers must be added in the order of their ranks."""
        self.offers[offer.number] = offer
        self.counts[offer.user] += 1
        if offer.until_at < self.ends_at:
            self.ends_at = offer.until_at
        if offer.special and offer.all_or_none:
            self.whole[offer.number] = offer
        half = self.bids if offer.bid else self.asks
        price = offer.fixed_price
        level = half.levels.get(price)
        if level is None:
            level = half.levels[price] = {}
        if not level:
            insort(half.keys, price * half.sign)
        level[offer.number] = offer

    def remove(self, offer: Offer) -> None:
        number = offer.number
        del self.offers[number]
        self.counts[offer.user] -= 1
        if offer.special and offer.all_or_none:
            del self.whole[number]
        half = self.bids if offer.bid else self.asks
        price = offer.fixed_price
        level = half.levels[price]
        del level[number]
        if not level:
            half.close(price)

    def put_aside(self, offer: Offer) -> None:
        """Keep a suspended offer, which is in neither half."""
        self.suspended[offer.number] = offer
        if offer.until_at < self.ends_at:
            self.ends_at = offer.until_at

    def swap(self, offer: Offer) -> None:
        """Put an offer in the place of its twin, where that is open."""
        number = offer.number
        if number in self.suspended:
            self.suspended[number] = offer
        if number not in self.offers:
            return
        self.offers[number] = offer
        if number in self.whole:
            self.whole[number] = offer
        self.half(offer.bid).levels[offer.fixed_price][number] = offer

    def ended(self, now: int) -> list[Offer]:
        """Open offers that end by now, in no order; a book in which none does is not searched."""
        if now < self.ends_at:
            return []
        found: list[Offer] = []
        soonest = NEVER
        for offers in (self.offers, self.suspended):
            for offer in offers.values():
                if offer.until_at < soonest:
                    soonest = offer.until_at
                if offer.until_at <= now:
                    found.append(offer)
        self.ends_at = soonest
        return found

    def owned_by(self, user: int) -> list[Offer]:
        """A user's open offers, in no order."""
        live = self.offers.values() if self.counts.get(user) else ()
        return [offer for offers in (live, self.suspended.values()) for offer in offers if offer.user == user]

    @property
    def empty(self) -> bool:
        """Nothing is open, not even suspended."""
        return not self.offers and not self.suspended

    def open_offers(self) -> list[Offer]:
        """All that may still be filled some day, live and suspended, in the order of their numbers."""
        return sorted([*self.offers.values(), *self.suspended.values()], key=lambda offer: offer.number)

    @property
    def best_bid(self) -> int | None:
        return self.bids.best

    @property
    def best_ask(self) -> int | None:
        return self.asks.best
