"""A few random stories, always the same, told to the core and the naive market and compared after every step."""

from __future__ import annotations

import random

import pytest

from tests.market.play import OFTEN, Player, Seeded

STEPS = 60


@pytest.mark.parametrize("seed", range(24))
def test_the_core_and_the_naive_market_tell_the_same_story(seed: int) -> None:
    chance = Seeded(random.Random(seed))
    player = Player(chance)
    often = [command for command, times in OFTEN for _ in range(times)]
    for _ in range(STEPS):
        chance.pick(often)(player)
        player.twins.check()
    player.twins.check_whole()
