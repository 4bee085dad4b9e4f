"""Random commands, in small numbers so that they collide: for the state machine and for the long profile."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.terms.contract import Outcome, Side
from tests.market.drawing import NOW
from tests.market.twins import Twins, trading, twins, unsettled

T = TypeVar("T")

USERS = (1, 2, 3, 4)
LONGEST = 10_000_000
MATURATIONS = {3: LONGEST, 5: NOW + 90, 8: NOW + 250}
PRICES = (333, 467, 499, 500, 501, 533, 667)
VOLUMES = (5, 5, 6, 7, 8, 10, 10, 12, 15, 20, 30)
OUTCOMES = (Outcome.FIXED, Outcome.UNFIXED, Outcome.VOID, Outcome.VOID)
LAWS = ("2", "2", "1")
LASTING = (*[None] * 12, 0, 1, *[7, 20, 60] * 3)
FLAGS: tuple[tuple[str, ...], ...] = (
    *[()] * 24,
    *[("all_or_none",)] * 10,
    *[("now_or_never",)] * 3,
    *[("all_or_none", "now_or_never")] * 2,
    *[("post_only",)] * 2,
    *[("post_only", "cancel_on_halt")] * 2,
    ("cancel_on_halt",),
    ("post_only", "all_or_none"),
    ("post_only", "now_or_never"),
)


class Chance(Protocol):
    """Where choices come from: a seed, or Hypothesis."""

    def pick(self, among: Sequence[T]) -> T: ...

    def number(self, least: int, most: int) -> int: ...


class Seeded:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def pick(self, among: Sequence[T]) -> T:
        return self.chance.choice(among)

    def number(self, least: int, most: int) -> int:
        return self.chance.randint(least, most)


class Player:
    """Four people, three contracts of one statement."""

    def __init__(self, chance: Chance, compared: bool = True) -> None:
        self.chance = chance
        purses = (9_999, 50_001, 200_003, 10**6)
        money = {user: chance.pick(purses) for user in USERS}
        self.last = max(MATURATIONS)
        self.twins: Twins = twins(money, MATURATIONS, chance.pick((0, 1, 777, 1_000)), compared, chance.pick(LAWS))

    # Commands

    def buy(self) -> None:
        self.twins.place(self.user, self.wanted(Action.BUY, self.side, self.volume, self.price), self.contract)

    def buy_pooled(self) -> None:
        new = self.wanted(Action.BUY, self.side, self.volume, self.price, pool=True)
        self.twins.place(self.user, new, self.contract)

    def buy_whole(self) -> None:
        """Several below what others ask, so that more of them wait than find a place."""
        contract, side = self.contract, self.side
        for _ in range(self.chance.number(2, 4)):
            price, pooled = 250 + self.chance.number(0, 200), self.chance.number(0, 3) == 0
            new = NewOffer(Action.BUY, side, self.volume, price, all_or_none=True, pool=pooled)
            self.twins.place(self.user, new, contract)

    def any_one_of(self) -> None:
        """Any one of several with the same money."""
        user, side, volume = self.user, self.side, self.volume
        for _ in range(self.chance.number(2, 4)):
            self.twins.place(user, self.wanted(Action.BUY, side, volume, self.price, pool=True), self.contract)

    def sell(self) -> None:
        """By whoever holds units, mostly no more than there are."""
        contract, side = self.contract, self.side
        holders = self.twins.venue.market.contracts[contract].holders(side)
        among = [user for user in sorted(holders) if holders[user].free]
        if not among:
            return
        user = self.chance.pick(among)
        free = holders[user].free
        volume = self.chance.pick((free, free, min(free, self.volume), self.volume))
        self.twins.place(user, self.wanted(Action.SELL, side, volume, self.price), contract)

    def take(self) -> None:
        """Goes for what stands on the other side, as deep as one of its best offers."""
        contract = self.contract
        standing = self.twins.venue.market.contracts[contract].book
        counters = list(standing.half(self.chance.pick((True, False))).all())[:5]
        if not counters:
            return
        counter = self.chance.pick(counters)
        side = Side.UNFIXED if counter.bid else Side.FIXED
        price = counter.fixed_price if side is Side.FIXED else 1000 - counter.fixed_price
        volume = self.chance.pick((counter.remaining, self.volume))
        new = self.wanted(Action.BUY, side, volume, price, pool=self.chance.number(0, 4) == 0)
        self.twins.place(self.user, new, contract)

    def buy_range(self) -> None:
        contracts = [number for number in trading(self.twins) if self.chance.number(0, 3)]
        if not contracts:
            return
        new = self.wanted(Action.BUY, self.side, self.volume, self.price, pool=self.chance.number(0, 2) == 0)
        self.twins.place_range(self.user, new, contracts)

    def cancel(self) -> None:
        offer = self.standing()
        if offer is not None:
            self.twins.cancel(offer.user if self.chance.number(0, 5) else self.user, offer.number)

    def change(self) -> None:
        """Less of it keeps its place."""
        offer = self.standing()
        if offer is not None:
            self.twins.cancel(offer.user, offer.number, self.chance.number(1, offer.remaining))

    def replace(self) -> None:
        """Anything else is cancel and new."""
        offer = self.standing()
        if offer is not None and self.twins.cancel(offer.user, offer.number):
            new = self.wanted(offer.action, offer.side, self.volume, self.price, pool=offer.pooled)
            self.twins.place(offer.user, new, offer.contract)

    def wait(self) -> None:
        self.twins.venue.now += self.chance.number(1, 9)
        if self.chance.number(0, 1):
            self.twins.expire()

    def halt(self) -> None:
        contracts = unsettled(self.twins)
        if contracts:
            self.twins.halt(self.chance.pick(contracts))

    def resume(self) -> None:
        for contract in unsettled(self.twins):
            if contract not in trading(self.twins):
                self.twins.resume(contract)
                return

    def settle(self) -> None:
        """Seldom before its time; then a new contract begins."""
        contracts = unsettled(self.twins)
        over = [number for number in contracts if self.maturation(number) <= self.twins.venue.now]
        if over or self.chance.number(0, 9) == 0:
            self.end(self.chance.pick(over or contracts))
            self.twins.check()
            self.begin_next()

    def begin_next(self) -> None:
        """A contract in the place of those that are settled; no two of a statement mature together."""
        for number in [number for number in self.twins.venue.market.contracts if number not in unsettled(self.twins)]:
            self.twins.forget(number)
        at = self.twins.venue.now + self.chance.pick((60, 150, 400, LONGEST))
        while at in [state.maturation_at for state in self.twins.venue.market.contracts.values()]:
            at += 1
        self.last += self.chance.number(1, 3)
        self.twins.begin(self.last, at, self.chance.pick(LAWS))

    def maturation(self, contract: int) -> int:
        return self.twins.venue.market.contracts[contract].maturation_at

    def end(self, contract: int) -> None:
        minted, units = self.chance.number(0, 1000), 1
        if self.twins.naive is not None and self.chance.number(0, 3):
            ago = self.chance.number(0, 30)
            minted, units = self.twins.naive.void_pair(contract, self.twins.venue.now - ago)
        price = None if self.chance.number(0, 3) else self.chance.number(1, 999)
        self.twins.settle(contract, self.chance.pick(OUTCOMES), minted, units, price)

    def give(self) -> None:
        self.twins.give(self.user, self.user, self.chance.number(1, 5_000))

    def bond(self) -> None:
        user = self.user
        if not self.twins.end_bond(user, bool(self.chance.number(0, 1))):
            self.twins.post_bond(user, self.chance.number(1, 2_000))

    # What they are about

    @property
    def user(self) -> int:
        return self.chance.pick(USERS)

    @property
    def side(self) -> Side:
        return self.chance.pick((Side.FIXED, Side.UNFIXED))

    @property
    def contract(self) -> int:
        """Now and then one that is not trading."""
        return self.chance.pick([*trading(self.twins) * 6, *self.twins.venue.market.contracts])

    @property
    def price(self) -> int:
        return self.chance.pick(PRICES) if self.chance.number(0, 9) else self.chance.number(1, 999)

    @property
    def volume(self) -> int:
        return self.chance.pick(VOLUMES) if self.chance.number(0, 5) else self.chance.number(1, 30)

    def wanted(self, action: Action, side: Side, volume: int, price: int, pool: bool = False) -> NewOffer:
        lasts = self.chance.pick(LASTING)
        until = None if lasts is None else self.twins.venue.now + lasts
        flags = dict.fromkeys(self.chance.pick(FLAGS), True)
        return NewOffer(action, side, volume, price, until, pool=pool, **flags)

    def standing(self) -> Offer | None:
        states = self.twins.venue.market.contracts.values()
        offers = [offer for state in states for offer in state.book.open_offers()]
        return self.chance.pick(offers) if offers else None


OFTEN: tuple[tuple[Callable[[Player], None], int], ...] = (
    (Player.buy, 16),
    (Player.buy_pooled, 6),
    (Player.any_one_of, 6),
    (Player.sell, 14),
    (Player.take, 18),
    (Player.buy_range, 9),
    (Player.cancel, 6),
    (Player.change, 4),
    (Player.replace, 3),
    (Player.wait, 6),
    (Player.halt, 1),
    (Player.resume, 5),
    (Player.settle, 2),
    (Player.give, 2),
    (Player.bond, 2),
)
"""Every command, and how often among a hundred."""
