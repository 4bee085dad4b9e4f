"""The result of a replay of the journal, kept in a private SQLite file instead of memory.

SQLite makes the file for its owner alone in the directory for temporary files when the cache is full, and it is gone
when it is closed, however the process ends.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType

from app.market.ledger.entry_detail import KINDS, Key, Told

CACHE_KIB = 16_384
MOST_HELD = 30_000
"""Rows and accounts that wait in memory: most are told of again soon, and only the last telling counts."""

LARGEST = 2**62
"""Amounts are kept within what SQLite can add; a true one is far from it."""


class Scratch:
    """Accounts as the postings leave them, and each row as the last detail that tells of it leaves it."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE", f"cache_size = -{CACHE_KIB}"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("BEGIN")
        self._make("accounts", 3, ("kind", "owner", "currency", "contract", "side", "amount"))
        self._make("put_up", 4, ("contract", "user", "mills", "at"))
        for name, kind in KINDS.items():
            self._make(name, kind.keys, (*kind.columns[: kind.keys], "written", "entry"))
        self._accounts: dict[tuple[str, int, str], int] = defaultdict(int)
        self._tellings = 0
        self._rows: dict[str, dict[Key, tuple[str, int]]] = {name: {} for name in KINDS}

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._db.close()

    def post(self, postings: Iterable[tuple[str, int, str, int]]) -> None:
        """Postings as (kind, owner, currency, amount)."""
        accounts = self._accounts
        for kind, owner, currency, amount in postings:
            accounts[kind, owner, currency] += amount
        if len(accounts) > MOST_HELD:
            self._flush_accounts()

    def tell(self, rows: Sequence[Told], entry_id: int) -> None:
        """These rows stood so after the entry; of two tellings the later counts."""
        held = self._rows
        for name, key, written in rows:
            held[name][key] = written, entry_id
        self._tellings += len(rows)
        if self._tellings > MOST_HELD:
            self._tellings = 0
            for name in held:
                self._flush_rows(name)

    def told(self, name: str) -> Iterator[tuple[str, int]]:
        """The rows of a kind as they were told last, in the order of their keys, and the entry that told so."""
        self._flush_rows(name)
        order = ", ".join(KINDS[name].columns[: KINDS[name].keys])
        return self._db.execute(" ".join(("SELECT written, entry FROM", name, "ORDER BY", order)))

    def put_up(self, contract: int, user: int, mills: int, at: int) -> None:
        """A user's money became a bond for a contract at that instant."""
        self._db.execute("INSERT OR IGNORE INTO put_up VALUES (?, ?, ?, ?)", (contract, user, mills, at))

    def was_put_up(self, contract: int, user: int, mills: int, at: int) -> bool:
        asked = "SELECT 1 FROM put_up WHERE contract = ? AND user = ? AND mills = ? AND at = ?"
        found = self._db.execute(asked, (contract, user, mills, at))
        return found.fetchone() is not None

    def accounts(self) -> Iterator[tuple[str, int, str, int]]:
        """(kind, owner, currency, amount), ordered so."""
        self._flush_accounts()
        return self._db.execute("SELECT kind, owner, currency, amount FROM accounts ORDER BY kind, owner, currency")

    def units(self) -> Iterator[tuple[int, int, str, str, int]]:
        """(contract, user, side, kind, amount) of units that users hold and that are not none, ordered so."""
        self._flush_accounts()
        return self._db.execute(
            "SELECT contract, owner, side, kind, amount FROM accounts"
            " WHERE kind IN ('units_free', 'units_reserved') AND amount <> 0 ORDER BY contract, owner, side, kind"
        )

    def reserves(self) -> Iterator[tuple[int, str, int]]:
        """(user, currency, amount) of money held back that is not none, ordered so."""
        return self._money("reserve")

    def bonds(self) -> Iterator[tuple[int, str, int]]:
        """(contract, currency, amount) of bonds that are not none, ordered so."""
        return self._money("bond")

    def _money(self, kind: str) -> Iterator[tuple[int, str, int]]:
        self._flush_accounts()
        return self._db.execute(
            "SELECT owner, currency, amount FROM accounts WHERE kind = ? AND amount <> 0 ORDER BY owner, currency",
            (kind,),
        )

    def units_reserved(self) -> Iterator[tuple[int, int, str, int]]:
        """(contract, user, side, amount) of units held back that are not none, ordered so."""
        self._flush_accounts()
        return self._db.execute(
            "SELECT contract, owner, side, amount FROM accounts"
            " WHERE kind = 'units_reserved' AND amount <> 0 ORDER BY contract, owner, side"
        )

    def of_contracts(self) -> Iterator[tuple[int, str, str, int]]:
        """(contract, kind, currency, amount) of what contracts hold and issued, in the order of contracts."""
        self._flush_accounts()
        return self._db.execute(
            "SELECT owner, kind, currency, amount FROM accounts"
            " WHERE kind IN ('escrow', 'units_issued') AND amount <> 0 ORDER BY owner"
        )

    def _make(self, name: str, keys: int, columns: Sequence[str]) -> None:
        key = ", ".join(columns[:keys])
        self._db.execute(f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY ({key})) WITHOUT ROWID")

    def _flush_accounts(self) -> None:
        self._db.executemany(
            "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET amount = min(max(amount + excluded.amount, ?), ?)",
            [
                (*key, *_unit(key[2]), min(max(amount, -LARGEST), LARGEST), -LARGEST, LARGEST)
                for key, amount in self._accounts.items()
            ],
        )
        self._accounts.clear()

    def _flush_rows(self, name: str) -> None:
        marks = ", ".join("?" * (KINDS[name].keys + 2))
        rows = [(*key, *told) for key, told in self._rows[name].items()]
        self._db.executemany(" ".join(("REPLACE INTO", name, "VALUES (", marks, ")")), rows)
        self._rows[name].clear()


def _unit(currency: str) -> tuple[int, str]:
    """The contract and side of which a currency is the unit; (0, "") if it is money."""
    side, _, contract = currency.partition(":")
    return (int(contract), side) if side in ("FIXED", "UNFIXED") and contract.isdecimal() else (0, "")
