"""Everything at once: random commands on the core and on the naive market, compared after every step."""

from __future__ import annotations

import copy
import random

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.market.exchange import whole
from app.market.ledger.journal import Kind
from tests.market.naive import market, matching
from tests.market.play import USERS, Player, Seeded
from tests.market.twins import unsettled

seeds = st.integers(0, 9_999)
"""One for each command: quicker than drawing all that makes a command, and stories still become shorter."""


class MarketMachine(RuleBasedStateMachine):
    player: Player

    @initialize(seed=seeds, offers=st.integers(0, 10))
    def begin(self, seed: int, offers: int) -> None:
        """With units in some hands and offers in the books, so that the story has something to tell."""
        self.player = Player(Seeded(random.Random(seed)))
        for _ in range(offers):
            self.player.buy()

    def play(self, seed: int) -> Player:
        self.player.chance = Seeded(random.Random(seed))
        return self.player

    @rule(seed=seeds)
    def buy(self, seed: int) -> None:
        self.play(seed).buy()

    @rule(seed=seeds)
    def buy_pooled(self, seed: int) -> None:
        self.play(seed).buy_pooled()

    @rule(seed=seeds)
    def any_one_of(self, seed: int) -> None:
        self.play(seed).any_one_of()

    @rule(seed=seeds)
    def buy_range(self, seed: int) -> None:
        self.play(seed).buy_range()

    @rule(seed=seeds)
    def sell(self, seed: int) -> None:
        self.play(seed).sell()

    @rule(seed=seeds)
    def take(self, seed: int) -> None:
        self.play(seed).take()

    @rule(seed=seeds)
    def cancel(self, seed: int) -> None:
        self.play(seed).cancel()

    @rule(seed=seeds)
    def change(self, seed: int) -> None:
        self.play(seed).change()

    @rule(seed=seeds)
    def replace(self, seed: int) -> None:
        self.play(seed).replace()

    @rule(seed=seeds)
    def wait(self, seed: int) -> None:
        self.play(seed).wait()

    @rule(seed=seeds)
    def halt(self, seed: int) -> None:
        self.play(seed).halt()

    @rule(seed=seeds)
    def resume(self, seed: int) -> None:
        self.play(seed).resume()

    @rule(seed=seeds)
    def settle(self, seed: int) -> None:
        self.play(seed).settle()

    @rule(seed=seeds)
    def give(self, seed: int) -> None:
        self.play(seed).give()

    @rule(seed=seeds)
    def bond(self, seed: int) -> None:
        self.play(seed).bond()

    @rule(seed=seeds)
    def settle_a_copy_of_everything(self, seed: int) -> None:
        """On a copy, so that the story can go on. All money is free then, a bond or a fee."""
        end = copy.copy(self.play(seed))
        end.twins = copy.deepcopy(end.twins)
        venue = end.twins.venue
        venue.fills, venue.displaced, end.twins.compared = [], [], 0  # a copied naive market begins without a history
        for contract in unsettled(end.twins):
            end.end(contract)
            end.twins.check()
        held = sum(venue.mills(kind, user) for kind in (Kind.FREE, Kind.BOND) for user in USERS)
        assert held + venue.mills(Kind.FEES) == -venue.mills(Kind.ISSUANCE)

    @invariant()
    def check(self) -> None:
        self.player.twins.check()

    def teardown(self) -> None:
        if hasattr(self, "player"):
            twins = self.player.twins
            twins.check_whole()
            event(f"fills: {min(len(twins.venue.fills) // 5 * 5, 30)}")
            event(f"somebody's offers were suspended: {bool(twins.venue.pools)}")


class CrowdedMachine(MarketMachine):
    """The same where two all-or-none offers find a place on each side, three of them one user's."""

    def __init__(self) -> None:
        super().__init__()
        self.few = pytest.MonkeyPatch()
        self.few.setattr(whole, "MAX_WHOLE", 2)
        self.few.setattr(whole, "MAX_WHOLE_OF_USER", 3)
        self.few.setattr(market, "MOST_ALL_OR_NONE_OF_USER", 3)
        self.few.setattr(matching, "MOST_ALL_OR_NONE_A_SIDE", 2)

    @rule(seed=seeds)
    def buy_whole(self, seed: int) -> None:
        self.play(seed).buy_whole()

    def teardown(self) -> None:
        if hasattr(self, "player"):
            event(f"displaced: {bool(self.player.twins.venue.displaced)}")
        super().teardown()
        self.few.undo()


if settings.get_current_profile_name() == "quick":  # `make long` plays all of them
    MarketMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
    CrowdedMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=30)
else:
    MarketMachine.TestCase.settings = settings(max_examples=3 * settings().max_examples, stateful_step_count=60)
    CrowdedMachine.TestCase.settings = settings(max_examples=settings().max_examples, stateful_step_count=60)
TestMarket = MarketMachine.TestCase
TestCrowdedMarket = CrowdedMachine.TestCase
