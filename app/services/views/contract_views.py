"""Contracts as people see them, as of an instant (docs/market.md §8). Prices are in mills of FIXED."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.market.life.facts import Watch
from app.market.prices.firmness import cost_to_move
from app.market.prices.price import NOTHING_PAID, Paid, Price, Says, price_of
from app.market.prices.quotes import Arbitrage, Chance, Ladder, Trade, chances, contradictions, spark_points
from app.market.prices.reward import USUAL_STAKE_MILLS, Ask, reward_mills
from app.market.terms.contract import Side, Status
from app.market.terms.statement import ISSUE_FIXED
from app.services.views.state_words import state
from app.storage.market.contracts import ContractRow
from app.storage.market.market_data import Levels, Standing, Volume
from app.storage.market.workers import Worker

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
    watch: Watch | None = None

    @property
    def state(self) -> str:
        return state(self.row, self.now, self.watch)


@dataclass(frozen=True, slots=True)
class ContractView:
    """A contract as people see it. `void_price`: what a VOID would pay for FIXED now, by law 1 only.

    `marks` are the last fills that make a price, oldest first; `stake_mills` is what a fixer is thought to have.
    """

    row: ContractRow
    now: int
    levels: Levels = field(default_factory=Levels)
    paid: Paid = NOTHING_PAID
    stake_mills: int = USUAL_STAKE_MILLS
    marks: list[Trade] = field(default_factory=list)
    price_before: int | None = None
    volume: Volume = field(default_factory=Volume)
    void_price: int | None = None
    top: list[Holder] = field(default_factory=list)
    holders: int = 0
    watch: Watch | None = None
    """Known of the contract's life while it is halted."""

    @property
    def state(self) -> str:
        return state(self.row, self.now, self.watch)

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def round(self) -> int:
        return self.row.round

    @property
    def open_interest(self) -> int:
        return self.row.open_interest

    @property
    def maturation_at(self) -> int:
        return self.row.maturation_at

    @property
    def says_something(self) -> bool:
        return self.price is not None

    @property
    def best_bid(self) -> int | None:
        return self.levels.bids[0][0] if self.levels.bids else None

    @property
    def best_ask(self) -> int | None:
        return self.levels.asks[0][0] if self.levels.asks else None

    @property
    def price(self) -> Price | None:
        """Value of FIXED by firm quotes, else by its holders' payments: the one price that is shown anywhere."""
        return price_of(self.levels.bids, self.levels.asks, self.paid)

    @property
    def move_mills(self) -> int | None:
        """Money it takes to move the price by 0.10; None without one price."""
        return cost_to_move(self.levels.bids, self.levels.asks, self.paid)

    @property
    def last(self) -> Trade | None:
        """The last fill that makes a price."""
        return self.marks[-1] if self.marks else None

    @property
    def last_price(self) -> int | None:
        return self.marks[-1].price if self.marks else None

    @property
    def change(self) -> int | None:
        """The last price against the last price as it stood a day ago; None if there was none then."""
        return None if self.last_price is None or self.price_before is None else self.last_price - self.price_before

    @property
    def reward_mills(self) -> int:
        """Gain of a fixer with a newcomer's money who buys FIXED here now."""
        asks = [Ask(price, units) for price, units in self.levels.asks]
        whole = [Ask(price, units, whole=True) for price, units in self.levels.whole_asks]
        return reward_mills([*asks, *whole], self.stake_mills)

    @property
    def worth(self) -> tuple[int, str] | None:
        """Value of a unit of FIXED by the price, else by the last trade, and its source."""
        price = self.price
        if price is not None and price.mills is not None:
            return price.mills, "mid" if price.says is Says.MIDDLE else "entry price"
        return None if self.last_price is None else (self.last_price, "last price")

    @property
    def ladder(self) -> Ladder:
        return Ladder(self.row.id, self.row.maturation_at, self.levels.bids, self.levels.asks, self.paid)

    def spark(self) -> list[int]:
        return spark_points([mark.price for mark in self.marks], SPARK_POINTS)


@dataclass(frozen=True, slots=True)
class IssueView:
    """The contracts of an issue: what trades or is halted, nearest maturation first, and what is settled, newest first.

    `left_out` counts those that are too many to show. `headline` is the one that speaks for the issue (or, where only
    forecasts trade, the largest of them); `to_fixer` the cheapest offer of FIXED (TRUE) that matures within a day of
    it, `to_doubter` that of FALSE where it is a forecast; `reward_mills` the largest reward of the open contracts.
    """

    now: int
    trading: list[ContractView]
    settled: list[ContractView]
    left_out: int = 0
    headline: ContractView | None = None
    to_fixer: Standing | None = None
    to_doubter: Standing | None = None
    reward_mills: int = 0
    working: list[Worker] = field(default_factory=list)
    all_working: int = 0
    """Number of users who say they are working on it; the first few are named."""

    def chances(self) -> list[tuple[ContractView, Chance]]:
        """The chance of a fix by each date, nearest first, of the open contracts that have one."""
        dated = self._dated()
        found = {chance.contract: chance for same in _by_currency(dated) for chance in chances(same)}
        return [(view, found[view.row.id]) for view in dated if found[view.row.id].price is not None]

    def contradictions(self) -> list[Arbitrage]:
        """Dates whose firm quotes in one currency contradict each other, largest gain first."""
        found = [one for same in _by_currency(self._dated()) for one in contradictions(same)]
        return sorted(found, key=lambda one: -one.gain_mills)

    def _dated(self) -> list[ContractView]:
        """The open contracts of the newest round about the issue itself: one statement, several dates."""
        found = [view for view in self.trading if view.row.kind == ISSUE_FIXED and view.row.status is Status.OPEN]
        newest = max((view.row.round for view in found), default=1)
        return [view for view in found if view.row.round == newest]


def _by_currency(views: Sequence[ContractView]) -> list[list[Ladder]]:
    """Books whose quotes can be taken together."""
    found: dict[str, list[Ladder]] = {}
    for view in views:
        found.setdefault(view.row.currency, []).append(view.ladder)
    return list(found.values())
