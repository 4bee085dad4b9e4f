"""The audit: every invariant of docs/market.md §4 checked on what a database holds, from one snapshot of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from app.market.contract import UNIT_MILLS, Side, Status, digest
from app.market.journal import (
    GENESIS_SEAL,
    NEVER_POSITIVE,
    UNIT_KINDS,
    AccountKey,
    Kind,
    entry_hash,
    imbalance,
    seal_hash,
    unit_currency,
)
from app.storage import rows, seals
from app.storage.contracts import ContractRow
from app.storage.db import Database, Tx

MOST_PROBLEMS = 200


@dataclass(slots=True)
class Report:
    """What was counted and what is wrong. `problems` names each place; at most 200 are kept."""

    entries: int = 0
    postings: int = 0
    seals: int = 0
    unsealed: int = 0
    accounts: int = 0
    contracts: int = 0
    positions: int = 0
    offers: int = 0
    wrong: int = 0
    problems: list[str] = field(default_factory=list)

    def check(self, good: bool, problem: str) -> None:
        if not good:
            self.wrong += 1
            if len(self.problems) < MOST_PROBLEMS:
                self.problems.append(problem)


@dataclass(slots=True)
class _Held:
    """What offers and positions come to, gathered while streaming."""

    reserves: dict[AccountKey, int] = field(default_factory=lambda: defaultdict(int))
    best: dict[tuple[int, bool], int] = field(default_factory=dict)
    live: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    units: dict[tuple[int, Side], int] = field(default_factory=lambda: defaultdict(int))


async def audit(db: Database) -> Report:
    """Check everything. A sound database gives a report without problems."""
    report = Report()
    async with db.reading() as tx:
        replayed = await _replay(tx, report)
        held = _Held()
        contracts = {row.id: row async for row in rows.all_contracts(tx)}
        await _check_offers(tx, report, contracts, held)
        await _check_positions(tx, report, replayed, held)
        _check_reserves(report, replayed, held)
        _check_contracts(report, contracts, replayed, held)
        await _check_balances(tx, report, replayed)
        await _check_history(tx, report)
    return report


async def _replay(tx: Tx, report: Report) -> dict[AccountKey, int]:
    """Invariants 1, 2 and 9; returns every account as the entries give it."""
    accounts: dict[AccountKey, int] = defaultdict(int)
    chain = _Chain(report, {seal.number: seal async for seal in seals.all_seals(tx)})
    async for stored in seals.all_entries(tx):
        entry = stored.entry
        report.entries += 1
        report.postings += len(entry.postings)
        for currency, amount in imbalance(entry.postings).items():
            report.check(False, f"entry {stored.id} ({entry.key}) is off by {amount} in {currency}")
        chain.add(stored)
        for posting in entry.postings:
            accounts[AccountKey(posting.kind, posting.owner, posting.currency)] += posting.amount
    chain.close()
    for account, amount in accounts.items():
        good = amount <= 0 if account.kind in NEVER_POSITIVE else amount >= 0
        report.check(good, f"account {_name(account)} stands at {amount}")
    report.accounts = len(accounts)
    return accounts


class _Chain:
    """Follows the seals while entries come by in their order."""

    def __init__(self, report: Report, found: dict[int, seals.Seal]) -> None:
        self.report = report
        self.found = found
        self.previous = GENESIS_SEAL
        self.number = 0
        self.hashes: list[str] = []
        report.seals = len(found)

    def add(self, stored: seals.StoredEntry) -> None:
        if stored.seal is None:
            self.report.unsealed += 1
            return
        if stored.seal != self.number:
            self._finish()
            self.number = stored.seal
        now = entry_hash(stored.entry)
        self.report.check(
            now == stored.hash,
            f"entry {stored.id} ({stored.entry.key}) is not what seal {stored.seal} closed",
        )
        self.hashes.append(now)

    def close(self) -> None:
        self._finish()
        missing = set(self.found) ^ set(range(1, self.number + 1))
        self.report.check(not missing, f"seals are missing or too many: {sorted(missing)[:10]}")

    def _finish(self) -> None:
        if not self.number:
            return
        seal = self.found.get(self.number)
        expected = seal_hash(self.previous, self.hashes)
        good = seal is not None and seal.hash == expected and seal.entries == len(self.hashes)
        self.report.check(good, f"seal {self.number} is broken")
        self.previous = seal.hash if seal else expected
        self.hashes = []


async def _check_offers(tx: Tx, report: Report, contracts: dict[int, ContractRow], held: _Held) -> None:
    """Invariant 6, and what 4 and 5 need."""
    async for contract_id, state, offer in rows.all_offers(tx):
        report.offers += 1
        parts = offer.filled + offer.remaining + offer.cancelled
        small = min(offer.filled, offer.cancelled, offer.units_left, offer.cash_left)
        report.check(parts == offer.volume and small >= 0, f"offer o{offer.number} does not add up")
        report.check(state is offer.state, f"offer o{offer.number} is {state} with {offer.remaining} open")
        if not offer.remaining:
            continue
        held.live[contract_id] += 1
        currency = contracts[contract_id].currency
        held.reserves[AccountKey(Kind.RESERVE, offer.user, currency)] += offer.reserve_mills
        units = unit_currency(contract_id, offer.gives)
        held.reserves[AccountKey(Kind.UNITS_RESERVED, offer.user, units)] += offer.units_left
        key = contract_id, offer.bid
        better = max if offer.bid else min
        held.best[key] = better(held.best.get(key, offer.fixed_price), offer.fixed_price)


async def _check_positions(tx: Tx, report: Report, replayed: dict[AccountKey, int], held: _Held) -> None:
    """Invariants 8 (positions), 10 and 11."""
    seen: set[AccountKey] = set()
    both: set[tuple[int, int]] = set()
    async for contract_id, user, side, position in rows.all_positions(tx):
        report.positions += 1
        what = f"position of user {user} in c{contract_id} {side.value}"
        currency = unit_currency(contract_id, side)
        for kind, units in ((Kind.UNITS_FREE, position.free), (Kind.UNITS_RESERVED, position.reserved)):
            account = AccountKey(kind, user, currency)
            seen.add(account)
            expected = replayed.get(account, 0)
            report.check(units == expected, f"{what}: {kind.value} {units}, the journal says {expected}")
        good_cost = position.cost_mills >= 0 and (position.units > 0 or position.cost_mills == 0)
        report.check(good_cost, f"{what}: cost {position.cost_mills} for {position.units} units")
        held.units[contract_id, side] += position.units
        if position.free:
            report.check((contract_id, user) not in both, f"user {user} has free units of both sides of c{contract_id}")
            both.add((contract_id, user))
    for account, amount in replayed.items():
        if account.kind in (Kind.UNITS_FREE, Kind.UNITS_RESERVED) and amount:
            report.check(account in seen, f"no position for account {_name(account)}")


def _check_reserves(report: Report, replayed: dict[AccountKey, int], held: _Held) -> None:
    """Invariant 4."""
    kinds = (Kind.RESERVE, Kind.UNITS_RESERVED)
    for account in {key for key in replayed if key.kind in kinds} | set(held.reserves):
        have, need = replayed.get(account, 0), held.reserves.get(account, 0)
        report.check(have == need, f"{_name(account)} holds {have}, its offers need {need}")


def _check_contracts(
    report: Report, contracts: dict[int, ContractRow], replayed: dict[AccountKey, int], held: _Held
) -> None:
    """Invariants 3, 5 and 7."""
    for row in contracts.values():
        report.contracts += 1
        interest, what = row.open_interest, f"contract c{row.id}"
        for side in Side:
            units = held.units.get((row.id, side), 0)
            report.check(units == interest, f"{what}: {units} {side.value} units, open interest {interest}")
            issued = -replayed.get(AccountKey(Kind.UNITS_ISSUED, row.id, unit_currency(row.id, side)), 0)
            report.check(issued == interest, f"{what}: {issued} {side.value} issued, open interest {interest}")
        escrow = replayed.get(AccountKey(Kind.ESCROW, row.id, row.currency), 0)
        report.check(escrow == UNIT_MILLS * interest, f"{what}: escrow {escrow}, open interest {interest}")
        report.check(0 <= row.minted_mills <= UNIT_MILLS * interest, f"{what}: minted {row.minted_mills}")
        bid, ask = held.best.get((row.id, True)), held.best.get((row.id, False))
        report.check(bid is None or ask is None or bid < ask, f"{what}: its book is crossed ({bid} >= {ask})")
        known = digest(row.terms_text) == row.terms_hash and digest(row.statement_text) == row.statement_hash
        report.check(known, f"{what}: its terms or its statement were changed")
        settled = {row.status is Status.SETTLED, row.outcome is not None, row.settled_at is not None}
        report.check(len(settled) == 1, f"{what} is {row.status.value} with outcome {row.outcome}")
        if row.status is Status.SETTLED:
            empty = not interest and not held.live.get(row.id)
            report.check(empty, f"{what} is settled and not empty")


async def _check_balances(tx: Tx, report: Report, replayed: dict[AccountKey, int]) -> None:
    """Invariant 8 (balances)."""
    seen: set[AccountKey] = set()
    async for account, amount in rows.all_balances(tx):
        seen.add(account)
        expected = replayed.get(account, 0)
        report.check(amount == expected, f"balance {_name(account)} is {amount}, the journal says {expected}")
    for account, amount in replayed.items():
        if account.kind not in UNIT_KINDS and amount:
            report.check(account in seen, f"no balance for account {_name(account)}")


async def _check_history(tx: Tx, report: Report) -> None:
    """That fills, offers and amendments tell the same story."""
    async for contract_id, amendment in rows.unfit_fills(tx):
        report.check(False, f"fill {amendment} of c{contract_id} does not fit its offers or its entry")
    async for number in rows.unfit_offers(tx):
        report.check(False, f"offer o{number} counts as filled what its fills do not say")
    async for contract_id in rows.unfit_contracts(tx):
        report.check(False, f"contract c{contract_id} is not as its amendments left it")


def _name(account: AccountKey) -> str:
    return f"{account.kind.value}:{account.owner} ({account.currency})"
