"""Quotes of the market maker: a pure function of chances, own positions and news (docs/liquidity.md).

One scoring rule over the intervals between an issue's dates gives each date its log-odds. A ladder of rungs stands
around them, `unit` units each, equal steps in log-odds; a rung costs what the rule would charge at its far end, asks
rounded up and bids down. So the maker never sells below the rule or buys above it, and of several dates no set of its
quotes is a sure gain for anybody: the rule's own chances lie between all of them.

Floats end in `Ladder.price_mills`. The budget is counted in whole mills: what was paid into the contracts, and what
the offers hold, never come to more. Positions are worth nothing or more, so no verdict, no void, no halt and no missed
re-quote loses more than it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.market.lmsr import log_odds_by_date, logistic, most_lost
from app.market.maker_news import News, Reason, Silence, silence
from app.market.terms.contract import UNIT_MILLS

LEAST_MILLS: Final = 20
MOST_MILLS: Final = 980
"""Prices outside are not quoted: there a unit risks fifty times what it may win."""

LEAST_VOLUME: Final = 5
"""A smaller offer may not rest."""

LEAST_CHANCE: Final = 1e-6
"""Chances are kept so far from 0 and 1."""


@dataclass(frozen=True, slots=True)
class Style:
    """`b`: depth of the rule, in units; `unit`: units of a rung; `rungs`: how many a side; `budget_mills`: the most
    that may be lost in all of an issue's contracts together. Raises ValueError for what cannot be quoted."""

    budget_mills: int
    b: int = 100
    unit: int = 10
    rungs: int = 6

    def __post_init__(self) -> None:
        if not (1 <= self.b <= 10**6 and LEAST_VOLUME <= self.unit <= 10**6 and 1 <= self.rungs <= 20):
            raise ValueError("b is 1 to a million, a rung 5 to a million units, a side 1 to 20 rungs")
        if self.budget_mills < 0:
            raise ValueError("a budget is at least 0")


def unit_for(b: int) -> int:
    """A rung of a tenth of the depth: the same steps in log-odds for every `b`, down to the least volume."""
    return max(LEAST_VOLUME, b // 10)


@dataclass(frozen=True, slots=True)
class Dated:
    """One of an issue's contracts as its maker sees it: the chance by its date, and what the maker holds in it.

    `trades`: it is open and not matured. Units are those that offers hold back too. `others_bid`, `others_ask`: best
    prices of others, which a post-only offer may not reach; `barred`: (bid, price) of more that would fill at once.
    """

    contract: int
    maturation_at: int
    chance: float
    trades: bool = True
    fixed: int = 0
    unfixed: int = 0
    net_paid_mills: int = 0
    others_bid: int = 0
    others_ask: int = UNIT_MILLS
    barred: frozenset[tuple[bool, int]] = frozenset()

    def rests(self, bid: bool, price: int) -> bool:
        """Tell if an offer at this price would meet nobody's."""
        free = price < self.others_ask if bid else price > self.others_bid
        return free and (bid, price) not in self.barred

    @property
    def sold(self) -> int:
        """Units of FIXED that the maker is short of; below 0 it has bought them."""
        return self.unfixed - self.fixed


@dataclass(frozen=True, slots=True)
class Quote:
    """An offer to be: a bid for FIXED or an ask, at a price of FIXED. `units` of its volume are held and sold."""

    contract: int
    bid: bool
    price_mills: int
    volume: int
    units: int

    @property
    def side_mills(self) -> int:
        """The price of the side that is bought: an ask buys UNFIXED."""
        return self.price_mills if self.bid else UNIT_MILLS - self.price_mills

    @property
    def need_mills(self) -> int:
        """Money that the offer holds back."""
        return (self.volume - self.units) * self.side_mills


@dataclass(frozen=True, slots=True)
class Quoting:
    """Quotes, the innermost first; and by contract why there are none."""

    quotes: tuple[Quote, ...] = ()
    silent: Mapping[int, Silence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs around the log-odds of a contract in which `sold` units are out. Rung n ends at n * unit units."""

    log_odds: float
    sold: int
    b: int
    unit: int

    def price_mills(self, end: int, bid: bool) -> int:
        """The price once the units sold are `end`, in whole mills, against whoever takes it."""
        exact = UNIT_MILLS * logistic(self.log_odds + (end - self.sold) / self.b)
        return math.floor(exact) if bid else math.ceil(exact)

    def rungs(self, bid: bool) -> Iterator[tuple[int, int]]:
        """(price, volume) of each rung that may be quoted, innermost first; one with too few units left is skipped."""
        step = -self.unit if bid else self.unit
        at, end = self.sold, self._next_end(bid)
        while True:
            price, volume = self.price_mills(end, bid), abs(end - at)
            if price < LEAST_MILLS if bid else price > MOST_MILLS:
                return
            if volume >= LEAST_VOLUME and LEAST_MILLS <= price <= MOST_MILLS:
                yield price, volume
            at, end = end, end + step

    def _next_end(self, bid: bool) -> int:
        """The first end of a rung beyond what is sold."""
        rung = self.sold // self.unit
        if not bid:
            return (rung + 1) * self.unit
        return (rung - 1 if rung * self.unit == self.sold else rung) * self.unit


def quotes(style: Style, dates: Sequence[Dated], news: News, now: int) -> Quoting:
    """Quotes for all contracts of one issue's round, or the reasons for none."""
    ordered = sorted(dates, key=lambda dated: dated.maturation_at)
    stopped = silence(news, now)
    if stopped is not None:
        return Quoting(silent={dated.contract: stopped for dated in ordered})
    silent = {dated.contract: Silence(Reason.NOT_TRADING) for dated in ordered if not dated.trades}
    sides = _sides(style, ordered)
    kept = _within(style.budget_mills - sum(dated.net_paid_mills for dated in ordered), sides)
    quoted = {quote.contract for quote in kept}
    for dated in ordered:
        if dated.contract not in quoted and dated.contract not in silent:
            lacking = any(side and side[0].contract == dated.contract for side in sides)
            silent[dated.contract] = Silence(Reason.NO_BUDGET if lacking else Reason.DECIDED)
    return Quoting(tuple(kept), silent)


def _sides(style: Style, dates: Sequence[Dated]) -> list[list[Quote]]:
    """Asks and bids of each contract that trades, innermost first."""
    rising, highest = [], LEAST_CHANCE
    for dated in dates:
        highest = min(max(dated.chance, highest), 1.0 - LEAST_CHANCE)
        rising.append(highest)
    found = log_odds_by_date(rising, [dated.sold for dated in dates], style.b)
    return [
        _side(style, dated, Ladder(log_odds, dated.sold, style.b, style.unit), bid)
        for dated, log_odds in zip(dates, found, strict=True)
        if dated.trades and log_odds is not None
        for bid in (False, True)
    ]


def _side(style: Style, dated: Dated, ladder: Ladder, bid: bool) -> list[Quote]:
    held = max(0, dated.sold if bid else -dated.sold)
    found: list[Quote] = []
    for price, volume in ladder.rungs(bid):
        if not dated.rests(bid, price):
            continue
        units = min(held, volume)
        held -= units
        found.append(Quote(dated.contract, bid, price, volume, units))
        if len(found) == style.rungs:
            break
    return found


def _within(room_mills: int, sides: Sequence[Sequence[Quote]]) -> list[Quote]:
    """Quotes that the money is enough for, the innermost of all sides first; a side ends at the first it is not."""
    kept: list[Quote] = []
    ended: set[int] = set()
    for rung in range(max((len(side) for side in sides), default=0)):
        for at, side in enumerate(sides):
            if at in ended or rung >= len(side):
                continue
            if side[rung].need_mills > max(0, room_mills):
                ended.add(at)
                continue
            room_mills -= side[rung].need_mills
            kept.append(side[rung])
    return kept


def ladder_mills(style: Style, chance: float) -> int:
    """The budget that a single date's whole ladder takes from this chance on, whichever way it is bought out."""
    start = Ladder(math.log(chance) - math.log1p(-chance), 0, style.b, style.unit)
    return max(
        sum(volume * (price if bid else UNIT_MILLS - price) for price, volume in start.rungs(bid))
        for bid in (False, True)
    )


def dates_mills(style: Style, interval_chances: Sequence[float]) -> int:
    """The budget that one rule over several dates takes: its loss if the least likely interval comes about."""
    return math.ceil(UNIT_MILLS * most_lost(min(interval_chances), style.b))
