"""A user's holdings in one thread, and their worth (docs/market.md §8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.market.exchange.offer import Offer
from app.market.exchange.position import Position
from app.market.exchange.voiding import of_side
from app.market.prices.quotes import side_price
from app.market.terms.contract import Side
from app.services.accounts import insiders
from app.services.accounts.accounts import Balance, balance, balance_in, issuer
from app.services.rules.config import play_currency
from app.services.views import market_views
from app.storage.engine.db import Tx
from app.storage.market import books, contracts
from app.storage.market.contracts import ContractRow
from app.storage.people import places
from app.storage.people.places import Place


@dataclass(frozen=True, slots=True)
class UserView:
    """Offers and positions by contract, free and reserved money, and the contracts they are in.

    `older`: what the user has in other currencies in which contracts of the thread trade, each with its owner's name.
    `void_mills`: what a VOID would pay now for a position, by contract and side.
    """

    login: str
    balance: Balance
    owner_login: str
    offers: list[tuple[int, Offer]]
    positions: list[tuple[int, Side, Position]]
    rows: dict[int, ContractRow]
    insider: bool = False
    older: Sequence[tuple[str, Balance]] = ()
    void_mills: Mapping[tuple[int, Side], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Holding:
    """A position and what one unit of it is worth now, by the mid or the last price (`basis`); None without either."""

    row: ContractRow
    side: Side
    position: Position
    price: int | None
    basis: str
    void_mills: int | None = None

    @property
    def average(self) -> int:
        """Cost of a unit, in mills, rounded down."""
        return self.position.cost_mills // self.position.units

    @property
    def unrealised_mills(self) -> int | None:
        """Gain from selling all of it at that price."""
        return None if self.price is None else self.position.units * self.price - self.position.cost_mills


async def user_view(tx: Tx, place: Place, user_id: int, now: int) -> UserView:
    offers = await books.live_offers(tx, user_id, place.issue.id)
    positions = await books.positions_of(tx, user_id, place.issue.id)
    held = {contract for contract, *_ in positions}
    rows = await contracts.named(tx, held | {contract for contract, _ in offers})
    own = play_currency(place.repository.owner_id)
    older = await contracts.currencies_of_thread(tx, place.issue.id) - {own}
    return UserView(
        login=(await places.logins(tx, {user_id})).get(user_id, ""),
        balance=await balance(tx, user_id, place.repository.owner_id),
        owner_login=place.repository.owner_login,
        offers=offers,
        positions=positions,
        rows={row.id: row for row in rows},
        insider=user_id in await insiders.disclosed(tx, place.issue.id),
        older=[found for currency in sorted(older) if (found := await _older(tx, user_id, currency))],
        void_mills=await _void_mills(tx, user_id, [row for row in rows if row.id in held], now),
    )


async def _void_mills(tx: Tx, user_id: int, rows: Sequence[ContractRow], now: int) -> dict[tuple[int, Side], int]:
    found = await market_views.void_payouts(tx, rows, now)
    mine = {contract: paid[user_id] for contract, paid in found.items() if user_id in paid}
    return {(contract, side): of_side(*of_user, side) for contract, of_user in mine.items() for side in Side}


async def _older(tx: Tx, user_id: int, currency: str) -> tuple[str, Balance] | None:
    """Holdings in the tokens of an earlier owner of the repository; None: nothing."""
    found = await balance_in(tx, user_id, currency)
    return (await issuer(tx, currency), found) if found.free_mills or found.reserve_mills else None


async def holdings(tx: Tx, user: UserView, now: int) -> list[Holding]:
    """The user's positions, each at what the market says of it."""
    held = {contract for contract, _, _ in user.positions}
    worths = await market_views.worths(tx, [user.rows[contract] for contract in sorted(held)], now)
    found = []
    for contract, side, position in user.positions:
        worth = worths[contract]
        price, basis = (None, "") if worth is None else (side_price(side, worth[0]), worth[1])
        found.append(Holding(user.rows[contract], side, position, price, basis, user.void_mills.get((contract, side))))
    return found
