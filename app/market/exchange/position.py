"""Positions and purses: the units and the money of a user (docs/market.md §3, §4)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Position:
    """Units of one side, free and reserved for live offers, with their integer cost in mills.

    `pool_units` of them were bought by the user's pool. `net_paid_mills`: what the user paid for units of this side
    less what they brought, sold or redeemed; it stays when the units are gone, and is negative after a gain.
    """

    free: int = 0
    reserved: int = 0
    cost_mills: int = 0
    pool_units: int = 0
    net_paid_mills: int = 0

    @property
    def units(self) -> int:
        return self.free + self.reserved

    def lose(self, volume: int, reserved: bool) -> int:
        """Take v of n units away with floor(cost * v / n) of their cost; returns how many of them the pool bought."""
        units = self.free + self.reserved
        self.cost_mills -= self.cost_mills * volume // units
        if reserved:
            self.reserved -= volume
        else:
            self.free -= volume
        if not self.pool_units:
            return 0
        pooled = self.pool_units * volume // units
        self.pool_units -= pooled
        return pooled

    def reserve(self, volume: int) -> None:
        """Hold free units back for a live offer; a negative volume lets reserved ones go."""
        self.free -= volume
        self.reserved += volume


@dataclass(slots=True)
class Purse:
    """A user's money in one currency, in mills: what is free and what live offers hold."""

    free_mills: int = 0
    reserve_mills: int = 0

    def hold(self, mills: int) -> None:
        self.free_mills -= mills
        self.reserve_mills += mills


class Purses(dict[int, Purse]):
    """Purses by user; one that was not put in starts empty and then shows what came and went."""

    def __missing__(self, user: int) -> Purse:
        purse = self[user] = Purse()
        return purse
