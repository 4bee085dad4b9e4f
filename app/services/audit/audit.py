"""The audit: every invariant of docs/market.md §4 checked on what a database holds, from one snapshot of it.

The journal is replayed into a scratch file; then every table is read in order beside it. Memory stays the same however
long the journal is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import groupby

from app.market.ledger.entry_detail import Value
from app.market.ledger.journal import UNIT_KINDS, Kind
from app.market.terms.contract import digest
from app.services.audit.audit_rows import Found, compare, pairs
from app.services.audit.check_contracts import check_contracts
from app.services.audit.findings import Report
from app.services.audit.replay import Replay, name
from app.storage.engine.db import Database, Tx
from app.storage.proof import audit_reader, integrity, paid
from app.storage.proof.scratch import Scratch

__all__ = ["Report", "audit"]


async def audit(db: Database, now: int | None = None) -> Report:
    """Check everything. A sound database gives a report without problems. With `now` the seals' delay counts too."""
    report = Report()
    with Scratch() as scratch:
        async with db.reading() as tx:
            replay = Replay(report, scratch, now)
            await replay.run(tx)
            await compare(tx, report, scratch, replay.early_at)
            await _check_balances(tx, report, scratch)
            await _check_positions(tx, report, scratch)
            await _check_reserves(tx, report, scratch)
            await check_contracts(tx, report, scratch)
            await _check_history(tx, report, replay.early_at)
    return report


async def _check_balances(tx: Tx, report: Report, scratch: Scratch) -> None:
    """Invariant 8 (balances). An account that comes to nothing needs no row."""
    replayed = (account for account in scratch.accounts() if account[0] not in UNIT_KINDS and account[3])
    async for live, told in pairs(audit_reader.all_balances(tx), replayed, 3):
        account = name(*(live or told or ())[:3])
        expected = told[3] if told else 0
        if live is None:
            report.add(f"there is no balance {account}; the journal says {expected}")
        elif live[3] != expected:
            report.add(f"balance {account} is {live[3]}, the journal says {expected}")


async def _check_positions(tx: Tx, report: Report, scratch: Scratch) -> None:
    """Invariants 8 (units), 10 and 11."""
    async for live, told in pairs(audit_reader.all_units(tx), _units(scratch), 3):
        what = _position(*(live or told or ())[:3])
        expected = told[3:] if told else (0, 0)
        if live is None:
            report.add(f"there is no {what}; the journal says {expected[0]} free, {expected[1]} reserved")
        elif live[3:] != expected:
            found = f"{live[3]} free, {live[4]} reserved"
            report.add(f"{what}: {found}, the journal says {expected[0]} free, {expected[1]} reserved")
    async for contract, user, side in integrity.odd_positions(tx):
        report.add(f"{_position(contract, user, side)} has a cost or units of a pool that cannot be")
    async for contract, user in integrity.both_sides_free(tx):
        report.add(f"user {user} has free units of both sides of c{contract}")


def _units(scratch: Scratch) -> Iterator[tuple[Value, ...]]:
    """(contract, user, side, free, reserved) as the journal gives them."""
    for key, group in groupby(scratch.units(), key=lambda row: row[:3]):
        amounts = {row[3]: row[4] for row in group}
        yield *key, amounts.get(Kind.UNITS_FREE, 0), amounts.get(Kind.UNITS_RESERVED, 0)


def _position(contract: Value, user: Value, side: Value) -> str:
    return f"position of user {user} in c{contract} {side}"


async def _check_reserves(tx: Tx, report: Report, scratch: Scratch) -> None:
    """Invariant 4: a user's money in a currency, a user's units in a contract, bonds of a contract's open disputes."""
    async for need, held in pairs(_needs(tx, report), scratch.reserves(), 2):
        _check_held(report, name(Kind.RESERVE, *(need or held or ())[:2]), need, held)
    async for need, held in pairs(audit_reader.units_held_back(tx), scratch.units_reserved(), 3):
        what = f"{_position(*(need or held or ())[:3])}, units reserved,"
        _check_held(report, what, need, held)
    async for bond, held in pairs(audit_reader.open_bonds(tx), scratch.bonds(), 2):
        _check_held(report, name(Kind.BOND, *(bond or held or ())[:2]), bond, held)
    await _check_disputes(tx, report, scratch)
    async for user, currency, left in integrity.idle_pools(tx):
        report.add(f"pool of user {user} in {currency}: {left} left for no offer")


async def _check_disputes(tx: Tx, report: Report, scratch: Scratch) -> None:
    """A bond goes back to whoever put it up: the journal says who did. What joiners said is as they said it."""
    async for number, *bond in integrity.bonds_of_disputes(tx):
        report.check(scratch.was_put_up(*bond), f"dispute {number} has a bond that no entry tells of")
    async for dispute, user, reason, reason_hash in integrity.reasons_of_joiners(tx):
        good = digest(reason) == reason_hash
        report.check(good, f"bond of user {user} in dispute {dispute}: its reason is not what its hash says")


def _check_held(report: Report, what: str, need: Found | None, held: Found | None) -> None:
    needed, found = (need[-1] if need else 0), (held[-1] if held else 0)
    report.check(needed == found, f"{what} holds {found}, {needed} is needed")


async def _needs(tx: Tx, report: Report) -> AsyncIterator[Found]:
    """(user, currency, mills) that offers need: each its own, and the pooled ones what is left of their pool."""
    key: tuple[int, str] | None = None
    need = 0
    pool = _PoolCheck()
    async for user, currency, units, price, pooled, live, left in audit_reader.standing(tx):
        if (user, currency) != key:
            if key is not None:
                yield *key, pool.close(report, *key) + need
            key, need, pool = (user, currency), 0, _PoolCheck(left or 0)
        if pooled:
            pool.add(units * price, live)
        elif live:
            need += units * price
    if key is not None:
        yield *key, pool.close(report, *key) + need


class _PoolCheck:
    """The part of a pool that its offers do not need."""

    def __init__(self, left: int = 0) -> None:
        self.left = left
        self.largest = self.largest_live = 0

    def add(self, need: int, live: bool) -> None:
        self.largest = max(self.largest, need)
        if live:
            self.largest_live = max(self.largest_live, need)

    def close(self, report: Report, user: int, currency: str) -> int:
        """Returns what is left."""
        fits = self.largest_live <= self.left <= self.largest
        bounds = f"its offers need {self.largest_live} to {self.largest}"
        report.check(fits, f"pool of user {user} in {currency}: {self.left} left, {bounds}")
        return self.left


async def _check_history(tx: Tx, report: Report, early_at: int | None) -> None:
    """Invariant 6, and that fills, offers and amendments tell the same story."""
    async for number in integrity.odd_offers(tx):
        report.add(f"offer o{number} does not add up, or its state is not what is open of it")
    async for contract_id, amendment in integrity.unfit_fills(tx):
        report.add(f"fill {amendment} of c{contract_id} does not fit its offers or its amendment")
    if early_at is not None:
        async for contract_id, amendment in integrity.unfit_early_fills(tx, early_at):
            report.add(f"fill {amendment} of c{contract_id} does not fit its entry")
    async for contract_id, user, mills, right in paid.unfit_net_paid(tx):
        report.add(f"net paid of user {user} in c{contract_id} is {mills}, its fills and positions come to {right}")
    async for number in integrity.unfit_offers(tx):
        report.add(f"offer o{number} counts as filled what its fills do not say")
    async for contract_id in integrity.unfit_contracts(tx):
        report.add(f"contract c{contract_id} is not as its amendments left it")
    async for contract_id in integrity.unfit_volumes(tx):
        report.add(f"contract c{contract_id} counts another volume than its fills come to")
