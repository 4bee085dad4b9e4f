"""Figures from quotes of several dates; trades, days and spark lines (docs/market.md §8).

Pure integer functions over quotes and trades. Prices are mills of FIXED; for a forecast read TRUE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.market.exchange.fill import FillKind
from app.market.prices.price import NOTHING_PAID, Level, Paid, Price, firm_ask, firm_bid, price_between
from app.market.terms.contract import MAX_VOLUME, UNIT_MILLS, Side

PRICE_VOLUME = 5
"""A fill of fewer units does not make a price."""

LEAST_SPAN = 200
"""Mills over which a spark line runs at least."""


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
    """Volume of one contract's plain offers, best price first, and the payments of its holders."""

    contract: int
    maturation_at: int
    bids: Sequence[Level]
    asks: Sequence[Level]
    paid: Paid = NOTHING_PAID

    @property
    def firm_bid(self) -> int | None:
        return firm_bid(self.bids, self.paid.escrow_mills)

    @property
    def firm_ask(self) -> int | None:
        return firm_ask(self.asks, self.paid.escrow_mills)


@dataclass(frozen=True, slots=True)
class Chance:
    """The chance of a fix by one date: no less than `low`, no more than `high`, in mills, and what that comes to.

    `contradicted`: other dates leave nothing between the two, so the date has its own quotes alone.
    """

    contract: int
    low: int | None
    high: int | None
    price: Price | None
    contradicted: bool = False


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
        """Cost of both purchases together: FIXED in the later contract, UNFIXED in the earlier."""
        return self.units * UNIT_MILLS - self.gain_mills


_Quoted = tuple[Ladder, int | None, int | None]
"""A book with its firm bid and firm ask."""


def side_price(side: Side, price: int) -> int:
    """Value of a unit of the side if FIXED is worth `price`."""
    return price if side is Side.FIXED else UNIT_MILLS - price


def chances(ladders: Iterable[Ladder]) -> list[Chance]:
    """The chance of a fix by each date, nearest first: what is fixed by one date is fixed by every later one."""
    ordered = sorted(ladders, key=lambda ladder: (ladder.maturation_at, ladder.contract))
    quotes = [(ladder, ladder.firm_bid, ladder.firm_ask) for ladder in ordered]
    return [_chance(ladder, bid, ask, quotes) for ladder, bid, ask in quotes]


def _chance(own: Ladder, bid: int | None, ask: int | None, quotes: Sequence[_Quoted]) -> Chance:
    bids = [bid for other, bid, _ in quotes if bid is not None and other.maturation_at <= own.maturation_at]
    asks = [ask for other, _, ask in quotes if ask is not None and other.maturation_at >= own.maturation_at]
    low, high = max(bids, default=None), min(asks, default=None)
    empty = low is not None and high is not None and low > high
    if empty:
        low, high = bid, ask
    return Chance(own.contract, low, high, price_between(low, high, own.paid), empty)


def contradictions(ladders: Sequence[Ladder]) -> list[Arbitrage]:
    """Pairs of dates whose firm quotes contradict each other, with all that can be gained from them, largest first.

    A few units at a silly price contradict nobody.
    """
    firm = {ladder.contract: (ladder.firm_bid, ladder.firm_ask) for ladder in ladders}

    def serious(found: Arbitrage) -> bool:
        bid, ask = firm[found.earlier][0], firm[found.later][1]
        return bid is not None and ask is not None and ask < bid

    return [found for found in arbitrages(ladders) if serious(found)]


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
