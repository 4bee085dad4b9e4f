"""Contracts' books and positions, kept in memory from one transaction to the next (app/storage/engine/memory.py)."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field

from app.market.exchange.offer import Offer
from app.market.exchange.state import ContractState
from app.market.terms.contract import Side
from app.storage.engine.db import Tx, loan_of
from app.storage.market import books
from app.storage.market.contracts import ContractRow


@dataclass(slots=True)
class Remembered:
    """A contract's state, and the offers and people that the transaction at work has touched in it."""

    state: ContractState
    offers: dict[int, Offer] = field(default_factory=dict)
    users: set[int] = field(default_factory=set)

    @property
    def weight(self) -> int:
        state = self.state
        return 1 + len(state.book.offers) + len(state.book.suspended) + len(state.fixed) + len(state.unfixed)

    def part(self) -> None:
        """Leave the offers that were handed out to those who have them, and look as if it was just loaded."""
        for offer in self.offers.values():
            if offer.remaining:
                self.state.book.swap(copy(offer))
        for user in self.users:
            _tidy(self.state, user)
        self.offers, self.users = {}, set()


def _tidy(state: ContractState, user: int) -> None:
    """Keep what a user paid for both sides with FIXED, as loading does, and no position that says nothing."""
    paid = state.net_paid_by(user)
    for side in Side:
        held = state.holders(side).get(user)
        if held is not None:
            held.net_paid_mills = 0
            if not held.units:
                del state.holders(side)[user]
    if paid:
        state.position(user, Side.FIXED).net_paid_mills = paid


async def load(tx: Tx, row: ContractRow) -> ContractState:
    """The state of a contract whose row was read under its lock: the remembered one if it is of the row's version."""
    loan = loan_of(tx)
    if loan is None:
        return await books.load(tx, row)
    value = loan.take(row.id, row.version)
    if not isinstance(value, Remembered):
        value = Remembered(await books.load(tx, row))
    loan.hold(row.id, row.version, value)
    return value.state


def note(tx: Tx, state: ContractState, version: int, touched: Iterable[Offer], users: Iterable[int]) -> None:
    """A calculation changed this contract, and what it changed is written: its row is of this version now."""
    loan = loan_of(tx)
    value = loan.held(state.id) if loan is not None else None
    if loan is None or not isinstance(value, Remembered) or value.state is not state:
        return
    value.offers.update((offer.number, offer) for offer in touched if offer.contract == state.id)
    value.users.update(users)
    loan.hold(state.id, version, value)


def drop(tx: Tx, contract_ids: Iterable[int]) -> None:
    """A calculation, or the writing of what it changed, ended in the midst: these states may be wrong."""
    loan = loan_of(tx)
    if loan is not None:
        for number in contract_ids:
            loan.drop(number)
