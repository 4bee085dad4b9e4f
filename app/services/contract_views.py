"""Contracts as people see them, as of an instant (docs/market.md §8). Prices are in mills of FIXED."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.market.contract import Side, Status
from app.market.quotes import Arbitrage, Ladder, arbitrages, implied, mid, reward_mills, spark_points
from app.market.statement import ISSUE_FIXED
from app.storage.contracts import ContractRow
from app.storage.tape import Levels, Standing, Volume
from app.storage.workers import Worker

SPARK_POINTS = 6


@dataclass(frozen=True, slots=True)
class Holder:
    login: str
    side: Side
    units: int
    insider: bool = False


@dataclass(frozen=True, slots=True)
class BookView:
    """A contract's book: levels as (price, units) and the best offers by name."""

    row: ContractRow
    now: int
    levels: Levels
    offers: list[Standing]


@dataclass(frozen=True, slots=True)
class ContractView:
    """A contract as people see it. `void_price` is what a VOID would pay for FIXED as things stand."""

    row: ContractRow
    now: int
    levels: Levels = field(default_factory=Levels)
    prices: list[int] = field(default_factory=list)
    price_before: int | None = None
    volume: Volume = field(default_factory=Volume)
    void_price: int | None = None
    top: list[Holder] = field(default_factory=list)
    holders: int = 0

    @property
    def best_bid(self) -> int | None:
        return self.levels.bids[0][0] if self.levels.bids else None

    @property
    def best_ask(self) -> int | None:
        return self.levels.asks[0][0] if self.levels.asks else None

    @property
    def mid(self) -> int | None:
        return mid(self.best_bid, self.best_ask)

    @property
    def last_price(self) -> int | None:
        return self.prices[-1] if self.prices else None

    @property
    def price(self) -> int | None:
        """Last price, else the middle of the book, else the only side's best."""
        return self.quoted if self.last_price is None else self.last_price

    @property
    def quoted(self) -> int | None:
        """The middle of the book, else the only side's best."""
        return self.mid or self.best_bid or self.best_ask

    @property
    def change(self) -> int | None:
        """The last price against the last price as it stood a day ago; None if there was none then."""
        return None if self.last_price is None or self.price_before is None else self.last_price - self.price_before

    @property
    def reward_mills(self) -> int:
        """What a fixer would win by taking every ask now, those that fill only wholly too."""
        return reward_mills([*self.levels.asks, *self.levels.whole_asks])

    @property
    def worth(self) -> tuple[int, str] | None:
        """What FIXED is worth by the book or the last trade, and which of them says so."""
        if self.mid is not None:
            return self.mid, "mid"
        return None if self.last_price is None else (self.last_price, "last price")

    def spark(self) -> list[int]:
        return spark_points(self.prices, SPARK_POINTS)


@dataclass(frozen=True, slots=True)
class IssueView:
    """The contracts of an issue: what trades or is halted, nearest maturation first, and what is settled, newest first.

    `left_out` counts those that are too many to show.
    """

    now: int
    trading: list[ContractView]
    settled: list[ContractView]
    left_out: int = 0
    working: list[Worker] = field(default_factory=list)
    all_working: int = 0
    """How many say to be working on it; the first few are named."""

    def curve(self) -> list[tuple[ContractView, int]]:
        """The implied chance of being fixed by each date (mills), over the open contracts that have a price."""
        dated = [view for view in self._dated() if view.worth or view.quoted]
        chances = implied([view.worth[0] if view.worth else view.quoted for view in dated])
        return [(view, chance) for view, chance in zip(dated, chances, strict=True) if chance is not None]

    def contradictions(self) -> list[Arbitrage]:
        """Dates whose quotes in one currency contradict each other, largest gain first."""
        ladders: dict[str, list[Ladder]] = {}
        for view in self._dated():
            ladder = Ladder(view.row.id, view.row.maturation_at, view.levels.bids, view.levels.asks)
            ladders.setdefault(view.row.currency, []).append(ladder)
        found = [one for same in ladders.values() for one in arbitrages(same)]
        return sorted(found, key=lambda one: -one.gain_mills)

    def _dated(self) -> list[ContractView]:
        """The open contracts of the newest round about the issue itself: one statement, several dates."""
        found = [view for view in self.trading if view.row.kind == ISSUE_FIXED and view.row.status is Status.OPEN]
        newest = max((view.row.round for view in found), default=1)
        return [view for view in found if view.row.round == newest]
