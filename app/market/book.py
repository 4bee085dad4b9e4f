"""The book of one contract, kept in the price of FIXED, with price-time priority (docs/market.md §3)."""

from __future__ import annotations

from collections.abc import Iterator

from app.market.contract import UNIT_MILLS
from app.market.offer import Offer

Level = dict[int, Offer]
"""The offers at one price by number; a dict keeps them in the order they came."""


class Half:
    """One half of a book: bids (best is highest) or asks (best is lowest)."""

    __slots__ = ("best", "levels", "step", "worst")

    def __init__(self, bids: bool) -> None:
        self.step = -1 if bids else 1
        self.worst = 0 if bids else UNIT_MILLS
        self.best = self.worst
        self.levels: dict[int, Level] = {}

    def add(self, offer: Offer) -> None:
        price = offer.fixed_price
        self.levels.setdefault(price, {})[offer.number] = offer
        if (self.best - price) * self.step > 0:
            self.best = price

    def remove(self, offer: Offer) -> None:
        price = offer.fixed_price
        level = self.levels[price]
        del level[offer.number]
        if not level:
            del self.levels[price]
            if price == self.best:
                self._find_best()

    def _find_best(self) -> None:
        if not self.levels:
            self.best = self.worst
            return
        while self.best not in self.levels:
            self.best += self.step

    def reached(self, limit: int) -> Iterator[Offer]:
        """The offers an incoming counter-offer with this limit reaches: best price, then oldest.

        The book must not change while they are handed out.
        """
        price = self.best
        while (limit - price) * self.step >= 0 and price != self.worst:
            level = self.levels.get(price)
            if level:
                yield from level.values()
            price += self.step

    def all(self) -> Iterator[Offer]:
        return self.reached(self.worst)


class Book:
    """Live offers of one contract; `offers` finds them by number, `counts` says how many a user has."""

    __slots__ = ("asks", "bids", "counts", "offers")

    def __init__(self) -> None:
        self.bids = Half(bids=True)
        self.asks = Half(bids=False)
        self.offers: dict[int, Offer] = {}
        self.counts: dict[int, int] = {}

    def half(self, bid: bool) -> Half:
        return self.bids if bid else self.asks

    def add(self, offer: Offer) -> None:
        """Put a live offer in. Offers must be added in the order of their numbers."""
        self.offers[offer.number] = offer
        self.counts[offer.user] = self.counts.get(offer.user, 0) + 1
        self.half(offer.bid).add(offer)

    def remove(self, offer: Offer) -> None:
        del self.offers[offer.number]
        self.counts[offer.user] -= 1
        self.half(offer.bid).remove(offer)

    @property
    def best_bid(self) -> int | None:
        return self.bids.best or None

    @property
    def best_ask(self) -> int | None:
        return None if self.asks.best == UNIT_MILLS else self.asks.best
