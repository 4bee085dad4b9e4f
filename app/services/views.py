"""What the market tells: read-only views for replies, the market comment and badges (docs/market.md §8)."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.book import Half
from app.market.contract import UNIT_MILLS, Side, Status
from app.market.fill import Fill
from app.market.offer import Offer
from app.market.position import Position
from app.services.accounts import Balance, balance
from app.storage import contracts, places
from app.storage.contracts import ContractRow
from app.storage.db import Tx
from app.storage.places import Place

LAST_PRICE_VOLUME = 5
"""A smaller fill does not make a price."""

LOOK_BACK_FILLS = 40


@dataclass(frozen=True, slots=True)
class Holder:
    login: str
    side: Side
    units: int


@dataclass(frozen=True, slots=True)
class ContractView:
    """A contract as people see it. Prices in mills of FIXED; bids and asks as (price, units), best first."""

    row: ContractRow
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    offers: list[Offer]
    prices: list[int]
    volume: int
    holders: list[Holder]
    logins: dict[int, str]

    @property
    def best_bid(self) -> int | None:
        return self.bids[0][0] if self.bids else None

    @property
    def best_ask(self) -> int | None:
        return self.asks[0][0] if self.asks else None

    @property
    def last_price(self) -> int | None:
        return self.prices[-1] if self.prices else None

    @property
    def price(self) -> int | None:
        """Last price, else the middle of the book, else the only side's best."""
        if self.last_price is not None:
            return self.last_price
        if self.best_bid is not None and self.best_ask is not None:
            return (self.best_bid + self.best_ask) // 2
        return self.best_bid if self.best_ask is None else self.best_ask

    @property
    def reward_mills(self) -> int:
        """What a fixer would win by taking every ask now."""
        return sum(units * (UNIT_MILLS - price) for price, units in self.asks)


@dataclass(frozen=True, slots=True)
class UserView:
    """What a user has in one thread: offers and positions by contract, and free and reserved money."""

    login: str
    balance: Balance
    offers: list[tuple[int, Offer]]
    positions: list[tuple[int, Side, Position]]
    maturations: dict[int, int]


async def contract_view(tx: Tx, row: ContractRow) -> ContractView:
    state = await contracts.load(tx, row)
    fills = await contracts.fills_of(tx, row.id, LOOK_BACK_FILLS)
    users = {user for user, _ in state.positions} | {found.user for found in state.book.offers.values()}
    logins = await places.logins(tx, users)
    holders = [Holder(logins[user], side, position.units) for (user, side), position in state.positions.items()]
    return ContractView(
        row=row,
        bids=_levels(state.book.bids),
        asks=_levels(state.book.asks),
        offers=[*state.book.bids.all(), *state.book.asks.all()],
        prices=_prices(fills),
        volume=await contracts.traded_units(tx, row.id),
        holders=sorted(holders, key=lambda holder: (-holder.units, holder.login)),
        logins=logins,
    )


async def issue_view(tx: Tx, issue_id: int) -> list[ContractView]:
    """Every contract of an issue, nearest maturation first."""
    return [await contract_view(tx, row) for row in await contracts.of_issue(tx, issue_id)]


async def user_view(tx: Tx, place: Place, user_id: int) -> UserView:
    rows = await contracts.of_issue(tx, place.issue.id)
    return UserView(
        login=(await places.logins(tx, {user_id})).get(user_id, ""),
        balance=await balance(tx, user_id, place.repository.owner_id),
        offers=await contracts.live_offers(tx, user_id, place.issue.id),
        positions=await contracts.positions_of(tx, user_id, place.issue.id),
        maturations={row.id: row.maturation_at for row in rows},
    )


async def badge_price(tx: Tx, owner: str, name: str, number: int) -> int | None:
    """The FIXED price of an issue's nearest open contract; None where there is none or the repository is private.

    A contract that has traded goes before one that has only offers, which anybody can make for a few tokens.
    """
    place = await places.place_by_name(tx, owner, name, number)
    if place is None or place.repository.private:
        return None
    rows = [row for row in await contracts.of_issue(tx, place.issue.id) if row.status is Status.OPEN]
    views = [await contract_view(tx, row) for row in rows]
    traded = (view.last_price for view in views if view.last_price is not None)
    offered = (view.price for view in views if view.price is not None)
    return next(traded, next(offered, None))


def _levels(half: Half) -> list[tuple[int, int]]:
    levels: dict[int, int] = {}
    for found in half.all():
        levels[found.fixed_price] = levels.get(found.fixed_price, 0) + found.remaining
    return list(levels.items())


def _prices(newest_first: list[Fill]) -> list[int]:
    return [fill.price for fill in reversed(newest_first) if fill.volume >= LAST_PRICE_VOLUME]
