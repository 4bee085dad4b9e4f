"""One issue's contract played on the core: a maker, a fixer who knows first, bots who follow the news, and noise.

Pure and seeded: the same life, policy and seed give the same fills. Instants are seconds since the issue was opened.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from app.market.exchange.matching import cancel, place
from app.market.exchange.offer import Action, NewOffer
from app.market.exchange.settlement import settle
from app.market.exchange.state import ContractState, Market
from app.market.lmsr import logistic, logit
from app.market.maker import Style
from app.market.maker_news import News
from app.market.requote import as_offer, plan
from app.market.terms.contract import UNIT_MILLS, Outcome, Side, Terms

CONTRACT: Final = 1
MAKER, FIXER, BOTS, NOISE = 1, 2, 3, 4
PURSE_MILLS: Final = 10**9
HOUR, DAY = 3_600, 86_400
TERMS: Final = Terms("play:1", 0, DAY, "UNFIXED", "UNFIXED", "allow", "2")

Chance = Callable[[int], float]
"""Chance that the issue is fixed in time, by the instant at which it is told."""


@dataclass(frozen=True, slots=True)
class Life:
    """An issue's life: when it is closed as completed, None: never; and when pull requests are linked."""

    maturation_at: int
    closed_at: int | None = None
    links_at: tuple[int, ...] = ()

    @property
    def fixed(self) -> bool:
        return self.closed_at is not None and self.closed_at <= self.maturation_at

    @property
    def ends_at(self) -> int:
        return self.closed_at if self.closed_at is not None and self.fixed else self.maturation_at


@dataclass(frozen=True, slots=True)
class People:
    """Traders: how many of noise a day, how far each errs in log-odds, how long before others the fixer knows, how
    much the fixer buys, and how soon after the news the bots are there."""

    noise_a_day: float = 3.0
    noise_error: float = 1.0
    noise_volumes: tuple[int, int] = (5, 20)
    fixer_knows_seconds: int = DAY
    fixer_volume: int = 150
    bots_after_seconds: int = 60
    margin: float = 0.02


@dataclass(frozen=True, slots=True)
class Told:
    """Result of a contract: the maker's, in mills; the share of the time in which it quoted both sides; and how far the
    middle of its quotes was from the chance then, on average."""

    result_mills: int
    quoted: float
    distance: float
    fills: int


class Maker(Protocol):
    """Somebody who keeps quotes in the book."""

    def requote(self, market: Market, now: int, numbers: Numbers) -> None:
        """Look at the market and change offers."""


class Numbers:
    """Numbers of offers, one after the other."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> int:
        self.last += 1
        return self.last


@dataclass(slots=True)
class Following:
    """The market maker of app/market: `chance` is the centre by the instant, `news` what it is told."""

    style: Style
    chance: Chance
    news: Callable[[int], News]

    def requote(self, market: Market, now: int, numbers: Numbers) -> None:
        todo = plan(market, MAKER, self.style, {CONTRACT: self.chance(now)}, self.news(now), now)
        for number in todo.cancel:
            cancel(market, number, user=MAKER, now=now)
        for quote in todo.place:
            place(market, CONTRACT, as_offer(quote), number=numbers.next(), user=MAKER, now=now)


@dataclass(slots=True)
class Scene:
    """A contract in play, and what was seen of the maker's quotes."""

    life: Life
    truth: Chance
    maker: Maker
    people: People
    chance: random.Random
    market: Market
    numbers: Numbers
    now: int = 0
    quoted_seconds: int = 0
    missed: float = 0.0
    fills: int = 0

    def pass_to(self, instant: int) -> None:
        """Let time pass; quotes stand as they are."""
        book = self.market.contracts[CONTRACT].book
        seconds = instant - self.now
        if book.best_bid is not None and book.best_ask is not None:
            middle = (book.best_bid + book.best_ask) / 2 / UNIT_MILLS
            self.quoted_seconds += seconds
            self.missed += seconds * abs(middle - self.truth(self.now))
        self.now = instant

    def take(self, user: int, belief: float, volume: int) -> None:
        """Buy what is cheap and sell what is dear by this belief, now or never."""
        book = self.market.contracts[CONTRACT].book
        price = round(UNIT_MILLS * belief)
        if book.best_ask is not None and book.best_ask < price:
            self._buy(user, Side.FIXED, min(price, UNIT_MILLS - 1), volume)
        elif book.best_bid is not None and book.best_bid > price:
            self._buy(user, Side.UNFIXED, min(UNIT_MILLS - price, UNIT_MILLS - 1), volume)

    def _buy(self, user: int, side: Side, price: int, volume: int) -> None:
        new = NewOffer(Action.BUY, side, volume, price, now_or_never=True)
        changes = place(self.market, CONTRACT, new, number=self.numbers.next(), user=user, now=self.now)
        self.fills += len(changes.raw_fills)


Deed = Callable[[Scene], None]


def stream(*names: object) -> random.Random:
    """A source of chance of its own for each seed and name; the same ones give the same numbers on any machine."""
    return random.Random("/".join(str(name) for name in names))  # noqa: S311 - a simulation keeps no secret


def play(life: Life, truth: Chance, maker: Maker, people: People, chance: random.Random) -> Told:
    """Play a contract from its opening to its verdict."""
    market = Market()
    market.add(ContractState(CONTRACT, TERMS, life.maturation_at))
    for user in (MAKER, FIXER, BOTS, NOISE):
        market.purses[user].free_mills = PURSE_MILLS
    scene = Scene(life, truth, maker, people, chance, market, Numbers())
    maker.requote(market, 0, scene.numbers)
    for at, deed in _deeds(scene):
        scene.pass_to(at)
        deed(scene)
        maker.requote(market, at, scene.numbers)
    scene.pass_to(life.ends_at)
    settle(market, CONTRACT, Outcome.FIXED if life.fixed else Outcome.UNFIXED)
    purse = market.purses[MAKER]
    seconds = max(1, life.ends_at)
    distance = scene.missed / scene.quoted_seconds if scene.quoted_seconds else math.nan
    return Told(
        purse.free_mills + purse.reserve_mills - PURSE_MILLS, scene.quoted_seconds / seconds, distance, scene.fills
    )


def _deeds(scene: Scene) -> list[tuple[int, Deed]]:
    """Everything that happens before the end, in order. The maker looks every six hours, too."""
    life, people = scene.life, scene.people
    found: list[tuple[int, Deed]] = [(at, _nothing) for at in range(6 * HOUR, life.ends_at, 6 * HOUR)]
    at = 0.0
    while people.noise_a_day:
        at += scene.chance.expovariate(people.noise_a_day / DAY)
        if at >= life.ends_at:
            break
        found.append((int(at), _noise))
    if life.closed_at is not None and life.fixed:
        found.append((max(1, life.closed_at - people.fixer_knows_seconds), _fixer))
    for linked_at in life.links_at:
        found += [(linked_at, _nothing), (linked_at + people.bots_after_seconds, _bots)]
    return sorted((deed for deed in found if deed[0] < life.ends_at), key=lambda deed: deed[0])


def _nothing(scene: Scene) -> None:
    """Only the maker looks."""


def _noise(scene: Scene) -> None:
    truth = min(max(scene.truth(scene.now), 0.005), 0.995)
    belief = logistic(logit(truth) + scene.chance.gauss(0.0, scene.people.noise_error))
    scene.take(NOISE, belief, scene.chance.randint(*scene.people.noise_volumes))


def _fixer(scene: Scene) -> None:
    scene.take(FIXER, 0.97, scene.people.fixer_volume)


def _bots(scene: Scene) -> None:
    """Both sides of the news: up to what it is worth, but for a margin."""
    truth = scene.truth(scene.now)
    book = scene.market.contracts[CONTRACT].book
    up = book.best_ask is not None and book.best_ask < UNIT_MILLS * truth
    scene.take(BOTS, truth - scene.people.margin if up else truth + scene.people.margin, 1_000)
