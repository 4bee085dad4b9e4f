"""Positions: units of one side that a user holds, and what they cost (docs/market.md §3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Position:
    """Units free and reserved for live sells, with their integer cost in mills (0 where there are no units)."""

    free: int = 0
    reserved: int = 0
    cost_mills: int = 0

    @property
    def units(self) -> int:
        return self.free + self.reserved

    def gain(self, volume: int, paid_mills: int) -> None:
        self.free += volume
        self.cost_mills += paid_mills

    def lose(self, volume: int, reserved: bool) -> None:
        """Take v of n units away with floor(cost * v / n) of their cost."""
        self.cost_mills -= self.cost_mills * volume // self.units
        if reserved:
            self.reserved -= volume
        else:
            self.free -= volume

    def reserve(self, volume: int) -> None:
        self.free -= volume
        self.reserved += volume
