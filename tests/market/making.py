"""The maker at work in a venue: it re-quotes as the app would, and may be killed between any two steps of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.market.maker import Style
from app.market.maker_news import News
from app.market.requote import affordable, as_offer, net_paid_mills, own_offers, plan, room_mills
from app.market.terms.contract import Status
from tests.market.venue import Venue

MAKER = 90
"""The maker's account."""


@dataclass
class Making:
    """`chances` by contract. `settled_mills`: what was paid into contracts that are settled, less what they paid out:
    it is used up of the budget, and a gain is no more budget than there was."""

    venue: Venue
    style: Style
    chances: dict[int, float]
    news: News = field(default_factory=News)
    settled_mills: int = 0

    @property
    def contracts(self) -> list[int]:
        return sorted(self.chances)

    @property
    def used_mills(self) -> int:
        """Money paid into the contracts and held by its offers."""
        return (
            self.style.budget_mills
            - room_mills(self.venue.market, MAKER, self.style.budget_mills, self.unsettled())
            + self.settled_mills
        )

    def unsettled(self) -> list[int]:
        states = self.venue.market.contracts
        return [number for number in self.contracts if states[number].status is not Status.SETTLED]

    @property
    def budget_left(self) -> int:
        return max(0, self.style.budget_mills - self.settled_mills)

    def requote(self, steps: int | None = None) -> int:
        """Cancel and place; returns how many steps there were, at most `steps`."""
        market, style = self.venue.market, replace(self.style, budget_mills=self.budget_left)
        self.venue.expire()
        chances = {number: self.chances[number] for number in self.unsettled()}
        todo = plan(market, MAKER, style, chances, self.news, self.venue.now)
        done = 0
        for number in todo.cancel[:steps]:
            self.venue.cancel(MAKER, number)
            done += 1
        for quote in todo.place:
            if done == steps:
                break
            assert affordable(market, MAKER, self.budget_left, self.unsettled(), quote)
            self.venue.place(MAKER, as_offer(quote), quote.contract)
            done += 1
        return done

    def offers(self) -> list[tuple[int, bool, int, int, int]]:
        return [
            (offer.contract, offer.bid, offer.fixed_price, offer.units_left, offer.cash_left)
            for offer in own_offers(self.venue.market, MAKER, self.unsettled())
        ]

    def paid_in(self, contract: int) -> int:
        return net_paid_mills(self.venue.market, MAKER, (contract,))
