"""From what a calculation changed to its journal entry: one entry each, made of the differences of all accounts.

Calculations change positions and purses directly. The entry is reckoned from the outside, before and after: if money
or units had come from nowhere, its postings would not balance and no entry could be made (docs/market.md §4).
"""

from __future__ import annotations

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
    """A market's accounts before a calculation."""

    __slots__ = ("contracts", "net_paid", "pools", "positions", "purses")

    def __init__(self, market: Market) -> None:
        self.purses: dict[int, Held] = {
            user: (purse.free_mills, purse.reserve_mills) for user, purse in market.purses.items()
        }
        self.pools = {user: pool.left_mills for user, pool in market.pools.items()}
        self.contracts = {number: _shape(state) for number, state in market.contracts.items()}
        self.net_paid = {number: state.net_paid for number, state in market.contracts.items()}
        self.positions = {
            (number, side, user): standing(held)
            for number, state in market.contracts.items()
            for side in Side
            for user, held in state.holders(side).items()
        }


def _shape(state: ContractState) -> tuple[int, int, Status]:
    return state.open_interest, state.amendment, state.status


def standing(held: Position) -> Standing:
    return held.free, held.reserved, held.cost_mills, held.pool_units


@dataclass(frozen=True, slots=True)
class Difference:
    """Changes that a calculation made."""

    contracts: list[ContractState]
    positions: list[tuple[int, int, Side, Position]]
    net_paid: list[tuple[int, int, int]]
    pools: list[Pool]


def difference(market: Market, before: Before, changes: Changes) -> Difference:
    """Positions as (contract, user, side, position), net paid as (contract, user, mills), in one order."""
    users = changes.touched_users
    positions = [
        (number, user, side, held)
        for number, state in sorted(market.contracts.items())
        for side in Side
        for user, held in sorted(state.holders(side).items())
        if user in users and standing(held) != before.positions.get((number, side, user), NOTHING)
    ]
    return Difference(
        [state for number, state in sorted(market.contracts.items()) if _shape(state) != before.contracts[number]],
        positions,
        [
            (number, user, mills)
            for number, state in sorted(market.contracts.items())
            for user, mills in sorted(state.net_paid.items())
            if mills != before.net_paid[number].get(user, 0)
        ],
        [pool for user, pool in sorted(market.pools.items()) if pool.left_mills != before.pools.get(user, 0)],
    )


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
            for user, held in sorted(state.holders(side).items()):
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
