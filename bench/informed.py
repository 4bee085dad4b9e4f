"""The market maker among informed traders: policies beside each other on the same 150 issues of 30 days.

    python -m bench.informed [ISSUES] [SEED]

Every issue has a fixer who knows a day before the close, bots a minute after a pull request is linked, and three of
noise a day. All policies meet the same issues and the same people. Beside each figure stands the one that the design
was chosen by (docs/liquidity.md): its world is not known to the letter, so only the signs are compared.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

from app.market.exchange.matching import cancel, place
from app.market.exchange.state import Market
from app.market.maker import LEAST_MILLS, MOST_MILLS, Quote, Style
from app.market.maker_news import News
from app.market.requote import as_offer, own_offers
from app.simulate.flow import (
    CONTRACT,
    DAY,
    HOUR,
    MAKER,
    Chance,
    Following,
    Life,
    Maker,
    Numbers,
    People,
    Told,
    play,
    stream,
)

DAYS = 30
LINKS_A_DAY, CLOSES_A_DAY = 0.0175, 0.0014
"""Hazards of a linked pull request, and of a close without one: together one issue in three is fixed in time."""
MERGED, DAYS_TO_MERGE = 0.75, 3.0
"""Share of linked pull requests that fix the issue, and the mean of the days until then."""
STYLE = Style(110_000, b=100, unit=10)
OTHER = "OTHER SIGN"


@dataclass(frozen=True, slots=True)
class World:
    """An issue's life, and what everybody may know of it at an instant. Links come one after the other, each with its
    own end, until one is merged or the issue is closed without."""

    life: Life

    def unlinked(self, now: int) -> float:
        """Chance by the hazards alone, as if no pull request were open: all that the maker knows of."""
        days = max(0.0, (self.life.maturation_at - now) / DAY)
        merging = days + DAYS_TO_MERGE * math.expm1(-days / DAYS_TO_MERGE)
        return -math.expm1(-CLOSES_A_DAY * days - LINKS_A_DAY * MERGED * merging)

    def truth(self, now: int) -> float:
        """Chance with every link that is known, too."""
        left = max(0.0, (self.life.maturation_at - now) / DAY)
        fails = 1 - self.unlinked(now)
        for linked_at in self.links(now):
            still = MERGED * math.exp(-(now - linked_at) / DAY / DAYS_TO_MERGE)
            fails *= 1 - still / (still + 1 - MERGED) * -math.expm1(-left / DAYS_TO_MERGE)
        return 1 - fails

    def jumped(self, now: int) -> float:
        """Chance that a maker has who jumps at a link to what it is worth then, and waits for the verdict."""
        links = self.links(now)
        return self.truth(max(links)) if links else self.unlinked(now)

    def links(self, now: int) -> list[int]:
        return [linked_at for linked_at in self.life.links_at if linked_at <= now]

    def news(self, now: int) -> News:
        return News(linked_at=max(self.links(now), default=None))


def drawn(seed: int, number: int) -> World:
    chance = stream(seed, "life", number)
    closed, linked, links = chance.expovariate(CLOSES_A_DAY), 0.0, []
    while (linked := linked + chance.expovariate(LINKS_A_DAY)) < min(closed, DAYS):
        links.append(int(linked * DAY))
        merged = linked + chance.expovariate(1 / DAYS_TO_MERGE)
        closed = min(closed, merged if chance.random() < MERGED else math.inf)
    closed_at = int(closed * DAY) + 2 if closed < DAYS else None
    return World(Life(DAYS * DAY, closed_at, tuple(links)))


def none(now: int) -> News:
    return News()


def constant(chance: float) -> Chance:
    return lambda now: chance


def stretched(chance: Chance, factor: float) -> Chance:
    """The same with every hazard times the factor."""
    return lambda now: 1 - (1 - chance(now)) ** factor


@dataclass(slots=True)
class Pausing:
    """Follows the hazard and stops at links, and for six hours more after three rungs in one direction."""

    inner: Following
    sold: int = 0
    until_at: int = 0

    def requote(self, market: Market, now: int, numbers: Numbers) -> None:
        state = market.contracts[CONTRACT]
        sold = sum(held.units for user, held in state.unfixed.items() if user == MAKER)
        sold -= sum(held.units for user, held in state.fixed.items() if user == MAKER)
        if abs(sold - self.sold) >= 3 * STYLE.unit:
            self.until_at = now + 6 * HOUR
            self.sold = sold
        if now >= self.until_at:
            self.inner.requote(market, now, numbers)
            return
        for offer in list(own_offers(market, MAKER, (CONTRACT,))):
            cancel(market, offer.number, user=MAKER, now=now)


@dataclass(slots=True)
class ConstantProduct:
    """A pool that keeps the product of both sides' units, as a ladder of the same rungs; its loss is `least` times
    the units that it begins with on the dearer side."""

    chance: float
    most_units: float

    def requote(self, market: Market, now: int, numbers: Numbers) -> None:
        for offer in list(own_offers(market, MAKER, (CONTRACT,))):
            cancel(market, offer.number, user=MAKER, now=now)
        state = market.contracts[CONTRACT]
        fixed, unfixed = state.fixed.get(MAKER), state.unfixed.get(MAKER)
        sold = (unfixed.units if unfixed else 0) - (fixed.units if fixed else 0)
        for bid in (False, True):
            for rung in range(1, STYLE.rungs + 1):
                end = sold + (-rung if bid else rung) * STYLE.unit
                exact = 1000 * self.price(end)
                price = math.floor(exact) if bid else math.ceil(exact)
                if LEAST_MILLS <= price <= MOST_MILLS:
                    new = as_offer(Quote(CONTRACT, bid, price, STYLE.unit, 0))
                    place(market, CONTRACT, new, number=numbers.next(), user=MAKER, now=now)

    def price(self, sold: float) -> float:
        yes = self.most_units
        no = yes * self.chance / (1 - self.chance)
        shift = sold - (yes - no)
        held = (shift + math.sqrt(shift * shift + 4 * yes * no)) / 2
        return held / (held + yes * no / held)


Policy = Callable[[World], Maker]


def start() -> float:
    return World(Life(DAYS * DAY)).unlinked(0)


def last_days_off(world: World) -> Callable[[int], News]:
    return lambda now: News(stopped_at=now) if now > (DAYS - 3) * DAY else world.news(now)


POLICIES: tuple[tuple[str, float, Policy], ...] = (
    ("stands still at the first chance", -27.5, lambda world: Following(STYLE, constant(start()), none)),
    ("the same money as a constant product", -28.9, lambda world: ConstantProduct(start(), 110.0)),
    ("stands still at 1/2", -32.1, lambda world: Following(Style(65_000), constant(0.5), none)),
    ("... and stops at the link", -5.7, lambda world: Following(Style(65_000), constant(0.5), world.news)),
    ("follows the hazard", -10.5, lambda world: Following(STYLE, world.unlinked, none)),
    ("... and stops at the link", 8.1, lambda world: Following(STYLE, world.unlinked, world.news)),
    ("... instead jumps to the chance once linked", -1.1, lambda world: Following(STYLE, world.jumped, none)),
    ("... and stops for the last 3 days", 7.9, lambda world: Following(STYLE, world.unlinked, last_days_off(world))),
    ("... and pauses 6 h after 3 rungs", 6.9, lambda world: Pausing(Following(STYLE, world.unlinked, world.news))),
    ("... with the hazard times 0.4", -3.3, lambda world: Following(STYLE, stretched(world.unlinked, 0.4), world.news)),
    ("... with the hazard times 2.5", -1.6, lambda world: Following(STYLE, stretched(world.unlinked, 2.5), world.news)),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A policy's result a contract in tokens with its standard error, beside the design's."""

    policy: str
    result: float
    error: float
    quoted: float
    distance: float
    worst: float
    designs: float

    @property
    def verdict(self) -> str:
        """The same sign, either (nothing is less than two standard errors away), or the other."""
        if (self.result > 0) == (self.designs > 0):
            return "same sign"
        return "either sign" if abs(self.result) < 2 * self.error else OTHER

    def row(self) -> str:
        return (
            f"{self.policy:<46} {self.result:>7.1f} ± {self.error:<4.1f} {self.designs:>7.1f}"
            f" {100 * self.quoted:>6.0f} % {self.distance:>8.3f} {self.worst:>8.1f}"
            f"  {self.verdict}"
        )


def measured(name: str, designs: float, policy: Policy, issues: int, seed: int, people: People) -> Figure:
    told: list[Told] = []
    for number in range(issues):
        world = drawn(seed, number)
        told.append(play(world.life, world.truth, policy(world), people, stream(seed, "people", number)))
    results = [one.result_mills / 1000 for one in told]
    distances = [one.distance for one in told if not math.isnan(one.distance)]
    error = statistics.stdev(results) / math.sqrt(issues)
    quoted = statistics.mean(one.quoted for one in told)
    return Figure(name, statistics.mean(results), error, quoted, statistics.mean(distances), min(results), designs)


def table(issues: int, seed: int, people: People | None = None) -> list[Figure]:
    return [measured(*policy, issues, seed, people or People()) for policy in POLICIES]


def main(issues: int = 150, seed: int = 1) -> int:
    """Print the table; fail if a sign is not the design's."""
    print(f"{'policy':<46} {'result a contract':>14} {'design':>7} {'quoted':>8} {'distance':>8} {'worst':>8}")
    found = []
    for policy in POLICIES:
        found.append(measured(*policy, issues, seed, People()))
        print(found[-1].row(), flush=True)
    other = sum(figure.verdict == OTHER for figure in found)
    print(f"informed: {len(found)} policies on {issues} issues, {other} with another sign than the design's")
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
