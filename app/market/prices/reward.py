"""The reward on offer: what somebody who fixes the issue would win with what a newcomer has (docs/market.md §8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.market.terms.contract import UNIT_MILLS

DEAREST = 800
"""An ask above it is a bet against the fix, no reward for it."""

USUAL_STAKE_MILLS = 100_000
"""Assumed money of a fixer where newcomers are granted nothing."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Units of FIXED that can be had at a price, in mills; `whole`: all of them or none."""

    price: int
    units: int
    whole: bool = False


def stake_of(grant_mills: int) -> int:
    """Assumed stake of a fixer, by the welcome grant of the place."""
    return grant_mills or USUAL_STAKE_MILLS


def reward_mills(asks: Iterable[Ask], stake_mills: int) -> int:
    """Gain, if the issue is fixed, from buying FIXED from the lowest ask up for at most this stake."""
    left, won = stake_mills, 0
    for ask in sorted(asks, key=lambda ask: (ask.price, ask.whole)):
        units = min(ask.units, left // ask.price)
        if ask.price > DEAREST or (ask.whole and units < ask.units):
            continue
        left -= units * ask.price
        won += units * (UNIT_MILLS - ask.price)
    return won
