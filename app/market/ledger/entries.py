"""From what a calculation changed to its journal entry: one entry each, made of the differences of all accounts.

Calculations change positions and purses directly. The entry is reckoned from the outside, before and after: if money
or units had come from nowhere, its postings would not balance and no entry could be made (docs/market.md §4).
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from app.market.exchange.pool import Pool
from app.market.exchange.position import Position
from app.market.exchange.state import Changes, ContractState, Market
from app.market.ledger.journal import AccountKey, Entry, Kind, entry, unit_currency
from app.market.terms.contract import UNIT_MILLS, Side, Status

Held = tuple[int, int]
Standing = tuple[int, int, int, int]
"""A position: free, reserved, cost in mills, units the pool bought."""

NOTHING: Standing = (0, 0, 0, 0)


class Before:
    """A market's accounts before a calculation: those of the people whom it may concern, or of everybody.

    A contract may have thousands of holders, and a calculation concerns a few: whoever names them must name all.
    """

    __slots__ = ("contracts", "net_paid", "pools", "positions", "purses", "users")

    def __init__(self, market: Market, users: Set[int] | None = None) -> None:
        self.users = users
        self.purses: dict[int, Held] = {
            user: (purse.free_mills, purse.reserve_mills) for user, purse in market.purses.items()
        }
        self.pools = {user: pool.left_mills for user, pool in market.pools.items()}
        self.contracts = {number: _shape(state) for number, state in market.contracts.items()}
        self.positions: dict[tuple[int, Side, int], Standing] = {}
        self.net_paid: dict[tuple[int, int], int] = {}
        for number, state in market.contracts.items():
            for side in Side:
                for user, held in _held_by(state.holders(side), users):
                    self.positions[number, side, user] = standing(held)
                    self.net_paid[number, user] = self.net_paid.get((number, user), 0) + held.net_paid_mills

    def check(self, touched: Set[int]) -> None:
        """Raises ValueError for a calculation that touched anybody else: they are not locked, and not known."""
        if self.users is not None and not touched <= self.users:
            raise ValueError(f"a calculation touched people whom it does not concern: {sorted(touched - self.users)}")


def _held_by(holders: dict[int, Position], users: Set[int] | None) -> list[tuple[int, Position]]:
    """Positions of these people, in the order of their ids."""
    if users is None:
        return sorted(holders.items())
    return [(user, held) for user in sorted(users) if (held := holders.get(user)) is not None]


def _shape(state: ContractState) -> tuple[int, int, Status]:
    return state.open_interest, state.amendment, state.status


def standing(held: Position) -> Standing:
    return held.free, held.reserved, held.cost_mills, held.pool_units


@dataclass(frozen=True, slots=True)
class Difference:
    """Changes that a calculation made. `changed`: contracts that would now be loaded otherwise than before."""

    contracts: list[ContractState]
    positions: list[tuple[int, int, Side, Position]]
    net_paid: list[tuple[int, int, int]]
    pools: list[Pool]
    changed: set[int]


def difference(market: Market, before: Before, changes: Changes) -> Difference:
    """Positions as (contract, user, side, position), net paid as (contract, user, mills), in one order.

    An offer that came now or never and had to go again is in no book, before or after.
    """
    users = changes.touched_users
    before.check(users)
    states = sorted(market.contracts.items())
    contracts = [state for number, state in states if _shape(state) != before.contracts[number]]
    positions = [
        (number, user, side, held)
        for number, state in states
        for side in Side
        for user, held in _held_by(state.holders(side), users)
        if standing(held) != before.positions.get((number, side, user), NOTHING)
    ]
    net_paid = [
        (number, user, mills)
        for number, state in states
        for user in sorted(users)
        if (mills := state.net_paid_by(user)) != before.net_paid.get((number, user), 0)
    ]
    pools = [pool for user, pool in sorted(market.pools.items()) if pool.left_mills != before.pools.get(user, 0)]
    changed = {state.id for state in contracts} | {number for number, *_ in positions} | {each[0] for each in net_paid}
    changed |= {offer.contract for offer in changes.touched if offer.remaining or not offer.now_or_never}
    return Difference(contracts, positions, net_paid, pools, changed)


def moves(market: Market, before: Before, changes: Changes, currency: str) -> dict[AccountKey, int]:
    """Gain of every account, by account, in one order."""
    found: dict[AccountKey, int] = {}
    for user in sorted(changes.touched_users):
        purse, was = market.purses[user], before.purses.get(user, (0, 0))
        found[AccountKey(Kind.FREE, user, currency)] = purse.free_mills - was[0]
        found[AccountKey(Kind.RESERVE, user, currency)] = purse.reserve_mills - was[1]
    for number, state in market.contracts.items():
        grown = state.open_interest - before.contracts[number][0]
        found[AccountKey(Kind.ESCROW, number, currency)] = UNIT_MILLS * grown
        for side in Side:
            units = unit_currency(number, side)
            found[AccountKey(Kind.UNITS_ISSUED, number, units)] = -grown
            for user, held in _held_by(state.holders(side), changes.touched_users):
                free, reserved, *_ = before.positions.get((number, side, user), NOTHING)
                found[AccountKey(Kind.UNITS_FREE, user, units)] = held.free - free
                found[AccountKey(Kind.UNITS_RESERVED, user, units)] = held.reserved - reserved
    found[AccountKey(Kind.FEES, 0, currency)] = changes.fees_mills
    return found


def entry_of(
    market: Market, before: Before, changes: Changes, currency: str, *, key: str, cause: str, now: int, detail: str = ""
) -> Entry:
    """The entry of a calculation. Raises ValueError if it does not balance: then the calculation is wrong."""
    return entry(key, cause, now, moves(market, before, changes, currency), detail)
