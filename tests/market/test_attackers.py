"""A few of the attackers' stories, always the same: a part of `make long`."""

from __future__ import annotations

import pytest

from tests.market.attackers import tell


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_whoever_only_bought_and_held_gets_back_what_was_paid_in_or_half_a_token_a_unit(first: int) -> None:
    told = [tell(seed) for seed in range(first, first + 100)]
    assert [one.failure for one in told if one.failure] == []
    assert sum(one.holders for one in told) > 100
    assert sum(one.short for one in told) > 10
    assert 3_000 < max(one.worst_bps for one in told) <= 5_000
