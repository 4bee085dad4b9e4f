"""Pools: several buy offers of one user that share one budget (docs/market.md §2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.market.exchange.offer import Offer
from app.market.exchange.position import Purse


@dataclass(slots=True)
class Pool:
    """`left_mills` is what is left of the budget, held in the user's reserve. `offers`: live and suspended ones."""

    user: int
    left_mills: int = 0
    offers: dict[int, Offer] = field(default_factory=dict)

    def fund(self, need_mills: int, purse: Purse) -> None:
        """A new pooled offer: the budget becomes what it needs, if that is more than what is left."""
        missing = max(0, need_mills - self.left_mills)
        self.left_mills += missing
        purse.hold(missing)

    def give_back(self, mills: int, purse: Purse) -> None:
        """Money came from units that the pool bought; it was free money until now."""
        self.left_mills += mills
        purse.hold(mills)

    def cap(self, purse: Purse) -> None:
        """Release the part that no offer of the pool needs."""
        most = max((offer.need_mills for offer in self.offers.values()), default=0)
        spare = self.left_mills - most
        if spare > 0:
            self.left_mills -= spare
            purse.hold(-spare)

    def too_dear(self) -> list[Offer]:
        """Its live offers whose whole need exceeds what is left, oldest first."""
        left = self.left_mills
        return [offer for offer in self.offers.values() if not offer.suspended and offer.need_mills > left]
