"""The maker's prices, slow and obvious: the rule's own cost of each rung in decimal numbers of 50 digits."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

DIGITS = 50
RungPrice = tuple[int, Decimal]
"""(units of it, exact price at its far end)"""


def chance_by_date(by_date: Sequence[float], sold: Sequence[int], b: int, at: int) -> Decimal:
    """Add up the weights of all intervals, each by what everybody holds who is paid there."""
    with localcontext() as context:
        context.prec = DIGITS
        bounds = [Decimal(0), *(Decimal(chance) for chance in by_date), Decimal(1)]
        weights = []
        for interval in range(len(by_date) + 1):
            paid = sum(sold[date] for date in range(len(by_date)) if interval <= date)
            weights.append((bounds[interval + 1] - bounds[interval]) * (Decimal(paid) / b).exp())
        return sum(weights[: at + 1], Decimal(0)) / sum(weights, Decimal(0))


def rungs(
    by_date: Sequence[float], sold: Sequence[int], b: int, unit: int, at: int, bid: bool, most: int
) -> list[RungPrice]:
    """Walk unit by unit to the end of each rung, and ask the rule anew what the chance is there."""
    found: list[RungPrice] = []
    here, volume = sold[at], 0
    while len(found) < most:
        here += -1 if bid else 1
        volume += 1
        if here % unit:
            continue
        there = [*sold[:at], here, *sold[at + 1 :]]
        price = chance_by_date(by_date, there, b, at)
        if price < Decimal("0.019") if bid else price > Decimal("0.981"):
            break
        if volume >= 5:
            found.append((volume, price))
        volume = 0
    return found
