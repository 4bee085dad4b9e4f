"""The journal read from its first entry: is each entry sound and sealed, and what do all of them come to?"""

from __future__ import annotations

import json

from app.market.ledger.entry_detail import Value, read_detail
from app.market.ledger.journal import GENESIS_SEAL, NEVER_POSITIVE, Kind, dated_seal, seal_hash, stored_hash
from app.services.audit.findings import Report
from app.storage.engine.db import Tx
from app.storage.proof import integrity, seals
from app.storage.proof.scratch import Scratch
from app.storage.proof.seals import Seal, StoredEntry

TAIL_SECONDS = 60
"""An entry without a seal is seconds old; one that has waited so long says that nobody seals."""

TRADING = frozenset({Kind.RESERVE, Kind.UNITS_FREE, Kind.UNITS_RESERVED, Kind.ESCROW})

_DECODE = json.JSONDecoder().raw_decode

Lines = list[tuple[str, int, str, int]]
"""Postings as (kind, owner, currency, amount)."""


class Replay:
    """Reads entry after entry. `early_at`: the last instant of trading that no detail tells of; None: all is told."""

    def __init__(self, report: Report, scratch: Scratch, now: int | None) -> None:
        self.report = report
        self.scratch = scratch
        self.now = now
        self.early_at: int | None = None
        self._untold: tuple[str, int] | None = None
        self._telling = False
        self._sealed = self._lines_read = 0

    async def run(self, tx: Tx) -> None:
        """Invariants 1, 2 and 9, and what 3, 4, 7 and 8 need."""
        async for page in seals.all_entries(tx):
            for item in page:
                self._read(item)
        self._mark_early("")
        if await seals.count_postings(tx) != self._lines_read:
            async for entry_id in integrity.postings_of_nothing(tx):
                self.report.add(f"there are postings of entry {entry_id}, which is not there")
        await self._read_seals(tx)
        self._check_accounts()

    def _read(self, item: StoredEntry) -> None:
        self.report.entries += 1
        self._check_seal(item)
        lines, sums = self._lines(item)
        self.report.postings += len(lines)
        if any(sums.values()):
            off = ", ".join(f"{amount} in {currency}" for currency, amount in sums.items() if amount)
            self.report.add(f"entry {item.id} ({item.key}) is off by {off}")
        self.scratch.post(lines)
        if '"bond"' in item.postings_text:
            self._put_up(item, lines)
        if item.detail:
            self._tell(item)
        elif not lines:
            self.report.add(f"entry {item.id} ({item.key}) says nothing")
        elif not self._telling:
            self._note_untold(item, lines)

    def _check_seal(self, item: StoredEntry) -> None:
        found = stored_hash(item.key, item.cause, item.at, item.postings_text, item.detail)
        if item.seal is not None:
            self._sealed += 1
            if found != item.hash:
                self.report.add(f"entry {item.id} ({item.key}) is not what seal {item.seal} closed")
            return
        self.report.unsealed += 1
        waited = 0 if self.now is None else self.now - item.at
        if waited > TAIL_SECONDS:
            self.report.add(f"entry {item.id} ({item.key}) has waited {waited} s for its seal: does a worker run?")

    def _lines(self, item: StoredEntry) -> tuple[Lines, dict[str, int]]:
        """The postings, and their sum in each currency."""
        sums: dict[str, int] = {}
        try:
            lines: Lines = _DECODE(item.postings_text)[0]
            for _, _, currency, amount in lines:
                sums[currency] = sums.get(currency, 0) + amount
        except (ValueError, TypeError):
            lines, sums = [], {}
        self._lines_read += item.lines
        if item.first_line or not len(lines) == item.lines == item.last_line + 1:
            self.report.add(f"entry {item.id} ({item.key}) has postings that are not lines 0, 1, 2, … of it")
        return lines, sums

    def _put_up(self, item: StoredEntry, lines: Lines) -> None:
        """A bond for a contract, out of somebody's free money."""
        contracts = [owner for kind, owner, _, amount in lines if kind == Kind.BOND and amount > 0]
        users = [(owner, -amount) for kind, owner, _, amount in lines if kind == Kind.FREE and amount < 0]
        for contract in contracts:
            for user, mills in users:
                self.scratch.put_up(contract, user, mills, item.at)

    def _tell(self, item: StoredEntry) -> None:
        self._mark_early(item.cause)
        self._untold = None
        self._telling = True
        try:
            rows = read_detail(item.detail)
        except ValueError:
            self.report.add(f"entry {item.id} ({item.key}) has a detail that cannot be read")
            return
        self.report.told += len(rows)
        self.scratch.tell(rows, item.id)

    def _note_untold(self, item: StoredEntry, lines: Lines) -> None:
        self._mark_early(item.cause)
        if any(line[0] in TRADING for line in lines):
            self._untold = item.cause, item.at

    def _mark_early(self, cause: str) -> None:
        """Trading that no detail tells of is from before there were any, unless a later entry of its command does."""
        if self._untold and self._untold[0] != cause:
            self.early_at = max(self.early_at or 0, self._untold[1])
            self._untold = None

    async def _read_seals(self, tx: Tx) -> None:
        """Each seal follows from the one before, its entries and, once seals are dated, its instant."""
        sealed = await seals.count_sealed(tx)
        if sealed != self._sealed:
            async for entry_id in integrity.sealed_and_gone(tx):
                self.report.add(f"entry {entry_id} is sealed and not there")
        previous, number, dated = GENESIS_SEAL, 0, False
        async for run in seals.all_runs(tx):
            number += 1
            if run.seal is None or run.number != number:
                self.report.add(f"seal {min(number, run.number)} is missing")
            if run.seal is not None:
                dated = self._check_run(run.seal, run.hashes, previous, dated)
                previous = run.seal.hash
            number = run.number

    def _check_run(self, seal: Seal, hashes: list[str], previous: str, dated: bool) -> bool:
        """Returns whether seals are dated from here on."""
        self.report.seals += 1
        chained = seal_hash(previous, hashes)
        undated = not dated and seal.hash == chained
        good = undated or seal.hash == dated_seal(chained, seal.at)
        self.report.check(good, f"seal {seal.number} is broken: its hash is not that of its entries and its instant")
        count = len(hashes)
        self.report.check(seal.entries == count, f"seal {seal.number} is of {seal.entries} entries and closes {count}")
        return not undated

    def _check_accounts(self) -> None:
        for kind, owner, currency, amount in self.scratch.accounts():
            self.report.accounts += 1
            if amount > 0 if kind in NEVER_POSITIVE else amount < 0:
                self.report.add(f"account {name(kind, owner, currency)} stands at {amount}")


def name(kind: Value, owner: Value, currency: Value) -> str:
    return f"{kind}:{owner} ({currency})"
