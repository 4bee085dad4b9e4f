"""A contract's version tells of every change, and what is remembered of it is what a fresh load finds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from app.market.exchange.book import Half
from app.market.exchange.offer import FIELDS, Offer
from app.market.exchange.state import ContractState
from app.market.terms.contract import Side
from app.storage.engine.db import Database
from app.storage.engine.tables import contracts
from app.storage.market import books
from app.storage.market.contracts import SCHEDULE, ContractRow, contract_from
from app.storage.market.remembered import Remembered

Picture = dict[str, Any]


def picture(state: ContractState) -> Picture:
    """Everything that a calculation reads of a contract."""
    return {
        "numbers": (state.id, state.maturation_at, state.status, state.open_interest, state.minted_mills),
        "amendment": state.amendment,
        "terms": state.terms,
        "bids": _half(state.book.bids),
        "asks": _half(state.book.asks),
        "offers": {number: vars_of(offer) for number, offer in state.book.offers.items()},
        "suspended": {number: vars_of(offer) for number, offer in state.book.suspended.items()},
        "counts": {user: count for user, count in state.book.counts.items() if count},
        "whole": sorted(state.book.whole),
        "positions": {
            (side, user): held
            for side in Side
            for user, held in state.holders(side).items()
            if held.units or held.net_paid_mills
        },
    }


def vars_of(offer: Offer) -> Picture:
    """Its fields; of what was asked for, what is read of it."""
    conditions = offer.now_or_never, offer.all_or_none, offer.post_only, offer.cancel_on_halt, offer.pooled
    placed = offer.action, offer.side, *conditions
    return {**{name: getattr(offer, name) for name in FIELDS if name != "placed"}, "placed": placed}


def _half(half: Half) -> list[tuple[int, list[int]]]:
    assert half.keys == sorted(price * half.sign for price, level in half.levels.items() if level)
    return [(price, list(half.levels[price])) for price in half.prices()]


async def stored(db: Database) -> dict[int, tuple[ContractRow, Picture]]:
    """Every contract as a fresh load finds it, all at one instant."""
    async with db.reading() as tx:
        rows = [contract_from(row) for row in await tx.execute(select(contracts).order_by(contracts.c.id))]
        return {row.id: (row, picture(await books.load(tx, row))) for row in rows}


Kept = dict[int, tuple[int, Picture]]


def kept(db: Database) -> Kept:
    """What is remembered now, by contract, with its version. Nobody else holds on to any of it."""
    found: Kept = {}
    for number, (version, value) in db.memory.shown().items():
        assert isinstance(value, Remembered)
        assert (value.offers, value.users) == ({}, set())
        found[number] = version, picture(value.state)
    return found


def compare(remembered: Kept, found: dict[int, tuple[ContractRow, Picture]]) -> int:
    """What is remembered under the stored version equals what is stored; returns how many contracts that are."""
    equal = 0
    for number, (version, drawn) in remembered.items():
        row, fresh = found[number]
        assert version <= row.version, "nothing is remembered of what was not committed"
        if version == row.version:
            assert drawn == fresh
            equal += 1
    return equal


async def check_remembered(db: Database) -> int:
    """Compare while others may work on: what is remembered is looked at first."""
    remembered = kept(db)
    return compare(remembered, await stored(db))


class Versions:
    """Contracts as they were found last: a version rose since if and only if there is something else to load."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.seen: dict[int, tuple[int, Picture]] = {}

    async def check(self) -> int:
        remembered, found = kept(self.db), await stored(self.db)
        for number, (row, fresh) in found.items():
            now = row.version, self._content(row, fresh)
            was = self.seen.get(number, (0, {}))
            assert (now[0] > was[0]) is (now[1] != was[1]), f"contract {number}: version {was[0]} → {now[0]}"
            self.seen[number] = now
        return compare(remembered, found)

    @staticmethod
    def _content(row: ContractRow, fresh: Picture) -> Picture:
        values = {name: value for name, value in asdict(row).items() if name not in SCHEDULE | {"version"}}
        return {**fresh, **values}
