"""A long history for the audit: a short true one, made by the service layer, copied many times under other ids."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.market.exchange.offer import Action, NewOffer
from app.market.ledger.entry_detail import KINDS
from app.market.ledger.journal import GENESIS_SEAL, dated_seal, seal_hash, stored_hash
from app.market.terms.contract import Side, canonical, digest
from app.market.terms.errors import Refusal
from app.market.terms.instants import last_second
from app.services.accounts import accounts
from app.services.accounts.accounts import Opening
from app.services.rules.config import Config
from app.services.trading import offers as trading
from app.storage.engine import tables
from app.storage.engine.db import Database, DatabaseBusy
from app.storage.people import places
from app.storage.people.places import Installation, Issue, Place, Repository
from bench.traders import trader

USERS = 20
COMMANDS = 1_000
NOW = int(time.time()) - 86_400
"""Yesterday: the history is old, and its contracts can still be traded."""

BY = last_second(NOW + 90 * 86_400)
CONFIG = Config(welcome_grant_mills=10**9)
REPOSITORY = Repository(1, 1, 1, "bench", "bench", False)

USER, CONTRACT, OFFER, ENTRY = "user", "contract", "offer", "entry"
SHIFTS: dict[str, dict[str, str]] = {
    "users": {"id": USER},
    "issues": {"id": CONTRACT, "number": CONTRACT},
    "contracts": {"id": CONTRACT, "issue_id": CONTRACT},
    "offers": {"id": OFFER, "contract_id": CONTRACT, "user_id": USER, "rank": OFFER},
    "fills": {"contract_id": CONTRACT, "bid": OFFER, "ask": OFFER, "newcomer": OFFER, "buyer": USER, "seller": USER},
    "amendments": {"contract_id": CONTRACT},
    "positions": {"contract_id": CONTRACT, "user_id": USER},
    "pools": {"user_id": USER},
    "grants": {"user_id": USER},
    "entries": {"id": ENTRY},
    "postings": {"entry_id": ENTRY},
    "balances": {},
}
"""Which columns of which table are counted on in each copy."""

OF_CONTRACTS = frozenset({"escrow", "units_issued"})
Record = list[Any]


def place_of(number: int) -> Place:
    return Place(Issue(number, 1, number, "bench", "open", None, None), REPOSITORY)


async def make(db: Database, users: int = USERS, issues: int = 1) -> None:
    """Places and accounts."""
    async with db.transaction() as tx:
        await places.save_installation(tx, Installation(1, 1, "bench", "active", NOW))
        await places.save_repository(tx, REPOSITORY)
        for number in range(1, issues + 1):
            await places.save_issue(tx, place_of(number).issue)
        for user in range(1, users + 1):
            await accounts.open_account(tx, Opening(user, f"user{user}", 1, "bench"), CONFIG, NOW)


async def trade(db: Database, chance: random.Random, cause: str, now: int, issues: range, pooled: float = 0.05) -> bool:
    """One offer, seldom a pooled one; sometimes a user's offers are cancelled instead. Returns whether it was taken."""
    context = trader(place_of(chance.choice(issues)), CONFIG, chance.randint(1, USERS), cause, now)
    new = NewOffer(
        Action.BUY,
        chance.choice(list(Side)),
        chance.randint(5, 50),
        10 * chance.randint(30, 70),
        pool=chance.random() < pooled,
    )
    try:
        async with db.transaction() as tx:
            if chance.random() < 0.05:
                await trading.cancel_offers(tx, context, None)
            else:
                await trading.offer(tx, context, new, BY)
    except (Refusal, DatabaseBusy):
        return False
    return True


class History:
    """The rows of the true history by table, and copies of them."""

    def __init__(self, rows: dict[str, list[Record]]) -> None:
        self.rows = rows
        self.entries = len(rows["entries"])
        offers = max(row[0] for row in rows["offers"])
        self.steps = {USER: USERS, CONTRACT: 1, OFFER: offers, ENTRY: max(row[0] for row in rows["entries"])}
        columns = {name: columns_of(name) for name in SHIFTS}
        self._places = {name: [(columns[name].index(c), what) for c, what in SHIFTS[name].items()] for name in SHIFTS}
        self._told = {
            name: [(kind.columns.index(c) + 1, what) for c, what in SHIFTS[kind.table].items() if c in kind.columns]
            for name, kind in KINDS.items()
        }

    def copy(self, name: str, number: int) -> list[Record]:
        """The rows of one table in one copy; in copy 0 the ids are those of the history."""
        return [self._copied(name, list(row), number) for row in self.rows[name]]

    def _copied(self, name: str, row: Record, number: int) -> Record:
        self._shift(row, self._places[name], number)
        match name:
            case "contracts":
                row[2] = statement(row[0])
                row[3] = digest(row[2])
            case "entries":
                row[1] = f"{number}:{row[1]}"
                row[4] = self._detail(row[4], number)
            case "postings":
                self._account(row, 2, number)
            case "balances":
                self._account(row, 0, number)
        return row

    def _shift(self, row: Record, where: list[tuple[int, str]], number: int) -> None:
        for place, what in where:
            row[place] += self.steps[what] * number

    def _account(self, row: Record, start: int, number: int) -> None:
        """Kind, owner and currency stand from `start` on."""
        kind, owner, currency = row[start : start + 3]
        if owner:
            row[start + 1] = owner + self.steps[CONTRACT if kind in OF_CONTRACTS else USER] * number
        side, _, contract = currency.partition(":")
        if side in ("FIXED", "UNFIXED"):
            row[start + 2] = f"{side}:{int(contract) + number}"

    def _detail(self, text: str, number: int) -> str:
        if not text:
            return text
        told = json.loads(text)
        for row in told:
            self._shift(row, self._told[row[0]], number)
            if row[0] == "contract":
                row[-1] = digest(statement(row[1]))
        return canonical(told)


def statement(contract: int) -> str:
    return canonical({"kind": "issue_fixed", "issue": contract, "round": 1})


async def read(db: Database) -> History:
    async with db.reading() as tx:
        rows = {}
        for name in SHIFTS:
            table = tables.metadata.tables[name]
            rows[name] = [list(row) for row in await tx.execute(select(table).order_by(*table.primary_key))]
    return History(rows)


class Sealer:
    """Closes each copy with a seal."""

    def __init__(self) -> None:
        self.previous = GENESIS_SEAL
        self.number = 0

    def close(self, entries: list[Record], postings: list[Record]) -> tuple[Record, list[Record]]:
        """The seal and its sealed entries."""
        lines: dict[int, list[Record]] = {}
        for entry_id, _, *posting in postings:
            lines.setdefault(entry_id, []).append(posting)
        hashes = [
            stored_hash(key, cause, at, canonical(lines.get(number, [])), detail)
            for number, key, cause, at, detail in entries
        ]
        self.number += 1
        self.previous = dated_seal(seal_hash(self.previous, hashes), NOW)
        sealed = [[row[0], self.number, found] for row, found in zip(entries, hashes, strict=True)]
        return [self.number, self.previous, len(entries), NOW], sealed


def copies(history: History, sealer: Sealer, numbers: range) -> Iterator[tuple[str, list[Record]]]:
    """The rows of every table, copy after copy, sealed; the issuance account is not among them."""
    for number in numbers:
        rows = {name: history.copy(name, number) for name in SHIFTS}
        rows["balances"] = [row for row in rows["balances"] if row[1]]
        seal, sealed = sealer.close(rows["entries"], rows["postings"])
        yield from rows.items()
        yield "seals", [seal]
        yield "sealed_entries", sealed


def issued(history: History, count: int) -> list[Record]:
    """The balances of issuance, to which all copies post."""
    return [[*row[:3], row[3] * count] for row in history.rows["balances"] if not row[1]]


def columns_of(name: str) -> list[str]:
    return tables.metadata.tables[name].c.keys()


def load_sqlite(path: Path, found: Iterator[tuple[str, list[Record]]]) -> None:
    with sqlite3.connect(path) as db:
        for name, rows in found:
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                columns = ", ".join(columns_of(name))
                db.executemany(" ".join(("REPLACE INTO", name, "(", columns, ") VALUES (", marks, ")")), rows)
    db.close()
