"""Everything at once: random commands on the core and on the naive market, compared after every step."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.market.contract import Outcome, Side, Status
from app.market.errors import Refusal
from app.market.journal import Kind
from app.market.matching import fillable
from app.market.offer import Action, NewOffer, OfferState
from app.market.settlement import VoidPrice
from app.market.state import ContractState
from tests.market import naive
from tests.market.drawing import CONTRACT, FIXED, MATURATION_AT, UNFIXED, Scene, terms
from tests.market.invariants import check

pytestmark = pytest.mark.timeout(3_600)  # the long profile tries thousands of stories

USERS = (1, 2, 3, 4)
users = st.sampled_from(USERS)
sides = st.sampled_from((FIXED, UNFIXED))
prices = st.sampled_from((333, 467, 499, 500, 501, 533, 667)) | st.integers(1, 999)
volumes = st.integers(5, 13) | st.integers(1, 30)
lasting = st.sampled_from((None, None, None, None, None, 0, 1, 7, 20))
seldom = st.sampled_from((False, False, False, True))
warm_up = st.lists(st.tuples(users, sides, volumes, prices), min_size=0, max_size=12)
purses = st.sampled_from((9_999, 50_001, 10**6))
outcomes = st.sampled_from((Outcome.FIXED, Outcome.UNFIXED, Outcome.VOID, Outcome.VOID))


@dataclass
class Twins:
    """The core and the naive market with the same users, who get the same commands."""

    scene: Scene
    naive: naive.Market

    def place(
        self,
        user: int,
        action: Action,
        side: Side,
        volume: int,
        price: int,
        lasts: int | None = None,
        instant: bool = False,
    ) -> None:
        self.expire()
        now, number = self.scene.now, self.scene.numbers + 1
        new = NewOffer(action, side, volume, price, None if lasts is None else now + lasts, instant)
        gains = side.value if action is Action.BUY else side.other.value
        counters = self.naive.counters(gains, price if side is FIXED else 1000 - price)
        others = sum(wish.open for wish in counters if wish.user != user)
        assert fillable(self.scene.state, new, user) == min(volume, others)
        self.both(
            lambda: self.scene.place(user, new),
            lambda: self.naive.place(user, action.value, side.value, volume, price, new.until_at, instant, number, now),
        )

    def cancel(self, user: int, number: int) -> None:
        self.expire()
        now = self.scene.now
        self.both(lambda: self.scene.cancel(user, number), lambda: self.naive.cancel(user, number, now))

    def halt_and_resume(self, seconds: int) -> None:
        self.expire()
        self.scene.halt()
        self.naive.halt()
        with pytest.raises(Refusal):
            self.scene.place(1, NewOffer(Action.BUY, FIXED, 5, 1))
        self.check()
        self.scene.now += seconds
        self.scene.resume()
        self.naive.resume(self.scene.now)

    def void_pair(self, ago: int) -> tuple[int, int]:
        return self.naive.void_pair(self.scene.now - ago)

    def settle(self, outcome: Outcome, minted: int, count: int) -> None:
        """`minted` and `count` (open interest) make the void price."""
        event(f"settled {outcome.value} with open interest: {self.naive.open_interest > 0}")
        before = sum(self.naive.free.values()) + sum(self.naive.reserve.values()) + self.naive.escrow
        _, payouts = self.scene.settle(outcome, VoidPrice(minted, count))
        self.naive.settle(outcome.value, self.scene.now, (minted, count))
        assert sum(self.naive.free.values()) + self.naive.fees == before
        assert self.naive.fees == sum(payout.fee_mills for payout in payouts)
        self.check()
        assert self.scene.state.status is Status.SETTLED
        with pytest.raises(ValueError, match="settled already"):
            self.scene.settle(outcome, VoidPrice(minted, count))
        with pytest.raises(Refusal):
            self.scene.place(1, NewOffer(Action.BUY, FIXED, 5, 1))

    def both(self, core: Callable[[], object], model: Callable[[], object]) -> None:
        """One command on both: done by both or refused by both, and a refusal leaves everything as it was."""
        before = self.scene.picture()
        try:
            model()
        except naive.Refused as refused:
            event(f"refused: {refused}")
            with pytest.raises(Refusal):
                core()
            assert self.scene.picture() == before
        else:
            core()

    def expire(self) -> None:
        self.scene.expire()
        self.naive.expire(self.scene.now)

    def check(self) -> None:
        """The invariants, and the same on both."""
        check(self.scene)
        self.compare_offers()
        self.compare_money()
        self.compare_positions()

    def compare_offers(self) -> None:
        fills = [(fill.bid, fill.ask, fill.volume, fill.price, fill.kind.value) for fill in self.scene.fills]
        assert fills == self.naive.fills
        known = {
            number: (offer.user, offer.filled, offer.units_left, offer.cash_left, offer.cancelled)
            for number, offer in self.scene.offers.items()
        }
        assert known == {
            wish.number: (wish.user, wish.filled, wish.sale, wish.bought, wish.cancelled) for wish in self.naive.wishes
        }
        assert {wish.number for wish in self.naive.live()} == {
            number for number, offer in self.scene.offers.items() if offer.state is OfferState.LIVE
        }

    def compare_money(self) -> None:
        assert {user: self.scene.mills(Kind.FREE, user) for user in USERS} == self.naive.free
        assert {user: self.scene.mills(Kind.RESERVE, user) for user in USERS} == self.naive.reserve
        assert (self.scene.escrow, self.scene.fees) == (self.naive.escrow, self.naive.fees)
        state = self.scene.state
        assert (state.open_interest, state.minted_mills) == (self.naive.open_interest, self.naive.minted)

    def compare_positions(self) -> None:
        for (user, side), holding in self.naive.holdings.items():
            position = self.scene.state.position(user, Side(side))
            assert (position.free, position.reserved, position.cost_mills) == (
                holding.free,
                holding.held,
                holding.cost,
            )


class MarketMachine(RuleBasedStateMachine):
    twins: Twins

    @initialize(mills=st.tuples(*[purses] * len(USERS)), fee_bps=st.sampled_from((0, 1, 777, 1_000)), offers=warm_up)
    def begin(self, mills: tuple[int, ...], fee_bps: int, offers: list[tuple[int, Side, int, int]]) -> None:
        """With units in some hands and offers in the book, so that the story has something to tell."""
        money = dict(zip(USERS, mills, strict=True))
        scene = Scene(ContractState(CONTRACT, terms(fee_bps), MATURATION_AT))
        for user, amount in money.items():
            scene.grant(user, amount)
        self.twins = Twins(scene, naive.Market(money, MATURATION_AT, fee_bps))
        for user, side, volume, price in offers:
            self.twins.place(user, Action.BUY, side, volume, price)

    @rule(user=users, side=sides, volume=volumes, price=prices, lasts=lasting, instant=seldom)
    def buy(self, user: int, side: Side, volume: int, price: int, lasts: int | None, instant: bool) -> None:
        self.twins.place(user, Action.BUY, side, volume, price, lasts, instant)

    @rule(user=users, side=sides, volume=volumes, price=prices, lasts=lasting, instant=seldom)
    def sell(self, user: int, side: Side, volume: int, price: int, lasts: int | None, instant: bool) -> None:
        self.twins.place(self.holder(user, side), Action.SELL, side, volume, price, lasts, instant)

    @rule(user=users, side=sides, volume=volumes, price=prices, lasts=lasting)
    def sell_some(self, user: int, side: Side, volume: int, price: int, lasts: int | None) -> None:
        """No more than there is."""
        user = self.holder(user, side)
        volume = min(volume, self.twins.naive.holdings[user, side].free) or volume
        self.twins.place(user, Action.SELL, side, volume, price, lasts)

    @rule(user=users, side=sides, volume=volumes, depth=st.integers(0, 3), sells=seldom, instant=seldom)
    def take(self, user: int, side: Side, volume: int, depth: int, sells: bool, instant: bool) -> None:
        """Goes for what stands on the other side, as deep as the price of one of its best offers."""
        counters = self.twins.naive.counters(side.value, 999 if side is FIXED else 1)
        fixed_price = counters[min(depth, len(counters) - 1)].fixed_price if counters else 500
        action, named = (Action.SELL, side.other) if sells else (Action.BUY, side)
        price = fixed_price if named is FIXED else 1000 - fixed_price
        user = self.holder(user, named) if sells else user
        self.twins.place(user, action, named, volume, price, None, instant)

    def holder(self, user: int, side: Side) -> int:
        """The user, or if there is nothing to sell, whoever has most."""
        holdings = self.twins.naive.holdings
        return user if holdings[user, side].free else max(USERS, key=lambda other: holdings[other, side].free)

    @rule(which=st.integers(0, 50), by_owner=st.sampled_from((True, True, True, False)))
    def cancel(self, which: int, by_owner: bool) -> None:
        live = self.twins.naive.live()
        number, owner = (live[which % len(live)].number, live[which % len(live)].user) if live else (99, 1)
        self.twins.cancel(owner if by_owner else owner % len(USERS) + 1, number)

    @rule(seconds=st.integers(1, 9), sweep=st.booleans())
    def wait(self, seconds: int, sweep: bool) -> None:
        self.twins.scene.now += seconds
        if sweep:
            self.twins.expire()

    @rule(seconds=st.integers(0, 9))
    def halt_and_resume(self, seconds: int) -> None:
        self.twins.halt_and_resume(seconds)

    @rule(outcome=outcomes, ago=st.integers(0, 30), own_price=st.none() | st.integers(0, 1_000))
    def settle_a_copy(self, outcome: Outcome, ago: int, own_price: int | None) -> None:
        """Settles a copy, so that the story can go on."""
        pair = (own_price, 1) if own_price is not None else self.twins.void_pair(ago)
        copy.deepcopy(self.twins).settle(outcome, *pair)

    @invariant()
    def check_all(self) -> None:
        self.twins.check()


MarketMachine.TestCase.settings = settings(max_examples=3 * settings().max_examples, stateful_step_count=60)
TestMarket = MarketMachine.TestCase
