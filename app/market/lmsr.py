"""The logarithmic market scoring rule: chances, and what units cost that move them.

A probability model, and so in floats; money is never reckoned here. Units and money are in tokens, `b` too: the larger
it is, the less a unit moves. Rounding to whole mills is the maker's (app/market/maker.py), in one place.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence


def logit(chance: float) -> float:
    """The logarithm of the odds; ValueError at 0 and 1."""
    return math.log(chance) - math.log1p(-chance)


def logistic(log_odds: float) -> float:
    """The chance of these log-odds; far out it is 0 or 1, never an overflow."""
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-min(log_odds, 700.0)))
    grown = math.exp(max(log_odds, -700.0))
    return grown / (1.0 + grown)


def shares(prior: Sequence[float], sold: Sequence[float], b: float) -> list[float]:
    """Chances of outcomes of which one comes about, once so many units that pay for each were sold."""
    most = max(sold)
    weights = [chance * math.exp((units - most) / b) for chance, units in zip(prior, sold, strict=True)]
    whole = math.fsum(weights)
    return [weight / whole for weight in weights]


def intervals(by_date: Sequence[float]) -> list[float]:
    """From the chance by each date to the chance of each interval between them; the last is never."""
    bounds = [0.0, *by_date, 1.0]
    return [max(0.0, later - earlier) for earlier, later in itertools.pairwise(bounds)]


def log_odds_by_date(by_date: Sequence[float], sold: Sequence[float], b: float) -> list[float | None]:
    """Log-odds of "by date j" for every date, once `sold[j]` units of it were sold; None where nothing is open.

    One rule over the intervals: a unit of "by date j" pays in each of the first j, so it moves all dates.
    """
    paying = [math.fsum(sold[at:]) for at in range(len(sold) + 1)]
    found = shares(intervals(by_date), paying, b)
    sums = [(math.fsum(found[: at + 1]), math.fsum(found[at + 1 :])) for at in range(len(sold))]
    return [math.log(done) - math.log(left) if done > 0 and left > 0 else None for done, left in sums]


def cost(chance: float, units: float, b: float) -> float:
    """Money for so many units at this chance; of a negative number the money that giving them back brings, below 0."""
    return b * math.log1p(chance * math.expm1(units / b))


def units_for(chance: float, money: float, b: float) -> float:
    """Units that this money buys: the inverse of `cost`."""
    return b * math.log1p(math.expm1(money / b) / chance)


def units_until(chance: float, target: float, b: float) -> float:
    """Units to buy until the chance is the target; below 0: to give back."""
    return b * (logit(target) - logit(chance))


def most_lost(least_chance: float, b: float) -> float:
    """The most that the rule can lose: where the least likely outcome comes about."""
    return b * math.log(1.0 / least_chance)


def b_for(money: float, least_chance: float) -> float:
    """The largest `b` whose rule loses no more than this money."""
    return money / math.log(1.0 / least_chance)
