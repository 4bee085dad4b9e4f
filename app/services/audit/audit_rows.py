"""The tables row by row beside what the journal's details tell: each difference named, with the entry that says so."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Iterator
from itertools import islice, zip_longest

from app.market.ledger.entry_detail import KINDS, Value
from app.market.terms.contract import canonical
from app.services.audit.findings import Report
from app.storage.engine.db import Tx
from app.storage.proof import audit_reader
from app.storage.proof.scratch import Scratch

Found = tuple[Value, ...]

NAMES = {
    "offer": "offer o{0}",
    "position": "position of user {1} in c{0} {2}",
    "net_paid": "net paid of user {1} in c{0}",
    "fill": "fill {1} of c{0}",
    "amendment": "amendment {1} of c{0}",
    "contract": "contract c{0}",
    "pool": "pool of user {0} in {1}",
    "made": "contract c{0}",
    "grant": "grant of user {0} in {1}",
    "joiner": "bond of user {1} in dispute {0}",
}

DATED = frozenset({"offer", "fill", "amendment", "made", "joiner"})
"""Kinds of row whose last column is the instant at which they were made."""


async def compare(tx: Tx, report: Report, scratch: Scratch, early_at: int | None) -> None:
    """Invariant 8 to the row. `early_at`: up to when rows may be there that no detail tells of."""
    for name in KINDS:
        beside = _Beside(report, name, scratch.told(name), early_at)
        async for page in audit_reader.stored(tx, name):
            beside.compare(page)
        beside.close()


class _Beside:
    """One table's rows, page by page, beside those that are told. As a rule whole pages are alike."""

    def __init__(self, report: Report, name: str, told: Iterator[tuple[str, int]], early_at: int | None) -> None:
        self.report = report
        self.name = name
        self.kind = KINDS[name]
        self.early_at = early_at
        self._told = told
        self._ahead: deque[tuple[str, int]] = deque()

    def compare(self, page: list[str]) -> None:
        _count(self.report, self.name, len(page))
        self._ahead += islice(self._told, max(0, len(page) - len(self._ahead)))
        if page == [written for written, _ in self._ahead]:
            self._ahead.clear()
        else:
            for row in page:
                self._place(read(row))

    def close(self) -> None:
        while (other := self._next()) is not None:
            self._missing(*other)

    def _place(self, row: Found) -> None:
        """Pass what is told of rows before this one, and compare it with what is told of it."""
        keys = self.kind.keys
        while (other := self._next()) is not None and other[0][:keys] < row[:keys]:
            self._missing(*other)
        if other is not None and other[0][:keys] == row[:keys]:
            self._differ(row, *other)
            return
        if other is not None:
            self._ahead.appendleft((canonical(other[0])[1:-1], other[1]))
        if not _excused(self.name, row, self.early_at):
            self.report.add(f"{NAMES[self.name].format(*row)} is there and no entry tells of it")

    def _next(self) -> tuple[Found, int] | None:
        found = self._ahead.popleft() if self._ahead else next(self._told, None)
        return None if found is None else (read(found[0]), found[1])

    def _missing(self, told: Found, entry_id: int) -> None:
        self.report.add(f"{NAMES[self.name].format(*told)} is missing; entry {entry_id} tells of it")

    def _differ(self, live: Found, told: Found, entry_id: int) -> None:
        what = NAMES[self.name].format(*live)
        for column, found, expected in zip_longest(self.kind.columns, live, told):
            if found != expected:
                self.report.add(f"{what}: {column} is {_said(found)}, entry {entry_id} says {_said(expected)}")


def read(row: str) -> Found:
    """A row's values; what is no JSON stays as it is written."""
    try:
        return tuple(json.loads(f"[{row}]"))
    except ValueError:
        return tuple(map(_value, row.split(",")))


def _value(written: str) -> Value:
    try:
        found: Value = json.loads(written)
    except ValueError:
        return written
    return found


async def pairs(
    live: AsyncIterator[Found], told: Iterator[Found], keys: int
) -> AsyncIterator[tuple[Found | None, Found | None]]:
    """Rows of both in the order of their first `keys` columns, those with the same key together."""
    other = next(told, None)
    async for row in live:
        key = row[:keys]
        while other is not None and other[:keys] < key:
            yield None, other
            other = next(told, None)
        if other is not None and other[:keys] == key:
            yield row, other
            other = next(told, None)
        else:
            yield row, None
    while other is not None:
        yield None, other
        other = next(told, None)


def _excused(name: str, live: Found, early_at: int | None) -> bool:
    """Rows from before there were details; what anybody had paid by then was told when it was counted."""
    if early_at is None or name == "net_paid":
        return False
    made_at = live[-1] if name in DATED else early_at
    return isinstance(made_at, int) and made_at <= early_at


def _said(value: Value) -> str:
    return "nothing" if value is None else str(value)


def _count(report: Report, name: str, rows: int) -> None:
    if name == "offer":
        report.offers += rows
    elif name == "position":
        report.positions += rows
    elif name == "contract":
        report.contracts += rows
