"""What prices say: mid, implied curve and arbitrage over maturations, days and spark lines (docs/market.md §8).

Pure integer functions over quotes and trades. Prices are mills of FIXED; for a forecast read TRUE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.market.contract import MAX_VOLUME, UNIT_MILLS, Side
from app.market.fill import FillKind

PRICE_VOLUME = 5
"""A fill of fewer units does not make a price."""

LEAST_SPAN = 200
"""Mills over which a spark line runs at least."""

Level = tuple[int, int]
"""(price, units)"""


@dataclass(frozen=True, slots=True)
class Trade:
    """A fill as the public tape has it: without its parties."""

    contract: int
    amendment: int
    at: int
    price: int
    volume: int
    kind: FillKind

    @property
    def id(self) -> str:
        return f"c{self.contract}-{self.amendment}"


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day of a contract, from its midnight. No prices where no fill of the day made one."""

    at: int
    opened: int | None
    high: int | None
    low: int | None
    closed: int | None
    volume: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """What one contract's plain offers would trade, best price first."""

    contract: int
    maturation_at: int
    bids: Sequence[Level]
    asks: Sequence[Level]


@dataclass(frozen=True, slots=True)
class Arbitrage:
    """Buy FIXED in the later contract and sell it in the earlier: fixed by the earlier date is fixed by the later.

    `ask` and `bid` are the limits that `units` need. At least `units` tokens come back, so `gain_mills` is certain.
    """

    earlier: int
    later: int
    units: int
    ask: int
    bid: int
    gain_mills: int

    @property
    def cost_mills(self) -> int:
        """What both purchases cost together: FIXED in the later contract, UNFIXED in the earlier."""
        return self.units * UNIT_MILLS - self.gain_mills


def mid(bid: int | None, ask: int | None) -> int | None:
    """The middle, rounded down; None unless there are both."""
    return None if bid is None or ask is None else (bid + ask) // 2


def reward_mills(asks: Iterable[Level]) -> int:
    """What a fixer would win by taking every ask."""
    return sum(units * (UNIT_MILLS - price) for price, units in asks)


def side_price(side: Side, price: int) -> int:
    """What a unit of the side is worth where FIXED is worth `price`."""
    return price if side is Side.FIXED else UNIT_MILLS - price


def implied(prices: Sequence[int | None]) -> list[int | None]:
    """The chances of being fixed by each date, nearest date first, that do not fall and are nearest to the prices.

    Neighbours that fall share their mean (least squares), rounded down; without a price there is no chance either.
    """
    blocks: list[tuple[int, int]] = []
    for price in prices:
        if price is None:
            continue
        total, count = price, 1
        while blocks and blocks[-1][0] * count > total * blocks[-1][1]:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    chances = iter([total // count for total, count in blocks for _ in range(count)])
    return [None if price is None else next(chances) for price in prices]


def arbitrages(ladders: Iterable[Ladder]) -> list[Arbitrage]:
    """Every pair of dates whose quotes contradict each other, largest gain first."""
    ordered = sorted(ladders, key=lambda ladder: (ladder.maturation_at, ladder.contract))
    pairs = [
        _arbitrage(earlier, later)
        for at, earlier in enumerate(ordered)
        for later in ordered[at + 1 :]
        if earlier.maturation_at < later.maturation_at and _contradict(earlier, later)
    ]
    return sorted(pairs, key=lambda found: (-found.gain_mills, found.earlier, found.later))


def _contradict(earlier: Ladder, later: Ladder) -> bool:
    return bool(earlier.bids and later.asks) and later.asks[0][0] < earlier.bids[0][0]


def _arbitrage(earlier: Ladder, later: Ladder) -> Arbitrage:
    """Level against level for as long as each unit gains."""
    units = gain = ask = bid = 0
    bids, asks = list(reversed(earlier.bids)), list(reversed(later.asks))
    while bids and asks and asks[-1][0] < bids[-1][0] and units < MAX_VOLUME:
        (bid, bid_units), (ask, ask_units) = bids.pop(), asks.pop()
        volume = min(bid_units, ask_units, MAX_VOLUME - units)
        units += volume
        gain += volume * (bid - ask)
        if bid_units > volume:
            bids.append((bid, bid_units - volume))
        if ask_units > volume:
            asks.append((ask, ask_units - volume))
    return Arbitrage(earlier.contract, later.contract, units, ask, bid, gain)


def spark_range(prices: Sequence[int]) -> tuple[int, int]:
    """Between which prices a spark line is drawn: theirs, widened so that a small move does not look large."""
    low, high = min(prices), max(prices)
    wider = max(0, LEAST_SPAN - (high - low))
    low = max(0, min(low - wider // 2, UNIT_MILLS - LEAST_SPAN))
    return low, max(high, low + LEAST_SPAN)


def spark_points(prices: Sequence[int], most: int) -> list[int]:
    """At most `most` of the prices, evenly spread, the last always among them."""
    count = min(most, len(prices))
    return [prices[len(prices) * (i + 1) // count - 1] for i in range(count)]
