"""A journal read so that it can be laid beside that of another run of the same script.

What may differ between two runs of which neither is wrong, and how it is told alike here:

- Numbers that databases draw (commands, offers and their ranks, contracts, disputes, comments): owners trade beside
  each other, so the order in which numbers are drawn across owners is chance. A command is known by the comment of the
  script and its place in it, an offer or rank by the entry that first tells of it, a contract by its issue, kind and
  maturation.
- Instants, which are seconds of a clock that goes on while programs are dead: by the round they fall into. Those that
  the script itself names are ends of days and are compared to the second.
- A forecast's statement holds the instant at which it was made, and so do its hashes.
- In which order entries of different owners were made; those of one owner are compared by key, and each tells every
  row it left behind, so that another order of what depends on each other shows.
- How it was learnt that an issue was closed: while the news of it is under way, a look that was due may see it first.
- Rows that an entry tells as they were told before: an offer may expire a moment before or after its contract is
  halted, and an entry tells a contract again as long as nothing has happened in it.

Everything else is compared to the letter: keys, causes, postings, and every column of every row told.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import select

from app.market.ledger.entry_detail import KINDS
from app.storage.engine.db import Database, Tx
from app.storage.engine.tables import commands, contracts, disputes, entries, postings
from tests.chaos.lines import DAY, ROUND_SECONDS, START_AT

OF_CONTRACT = frozenset({"escrow", "bond", "units_issued"})
INSTANTS = frozenset({"at", "until_at", "created_at", "maturation_at"})
OFFERS = frozenset({"id", "rank", "bid", "ask", "newcomer"})
NAMED = re.compile(
    r"(?P<kind>command|comment|halt|resume|settlement|look|retry|expiry|resumed|bond|dispute|news|gone|moved|made|give:command)"
    r":(?P<number>\d+)(?P<rest>(:\d+)?)\Z"
)
LEARNT = "GitHub"
CURRENCY = re.compile(r"(?P<side>[A-Z]+):(?P<contract>\d+)\Z")


class Entry(NamedTuple):
    """Told with names instead of numbers."""

    cause: str
    at: str
    postings: tuple[Any, ...]
    detail: tuple[Any, ...]


class Raw(NamedTuple):
    id: int
    key: str
    cause: str
    at: int
    detail: list[list[Any]]
    postings: list[tuple[str, int, str, int]]


@dataclass(slots=True)
class Books:
    """`exact`: instants are told as they are."""

    comments: dict[int, str]
    exact: bool = False
    raw: list[Raw] = field(default_factory=list)
    commands: dict[int, str] = field(default_factory=dict)
    contracts: dict[int, str] = field(default_factory=dict)
    disputes: dict[int, str] = field(default_factory=dict)
    offers: dict[int, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    _last: dict[tuple[Any, ...], list[Any]] = field(default_factory=dict)

    async def read(self, db: Database) -> None:
        async with db.reading() as tx:
            await self._read_names(tx)
            self.raw = await raw_entries(tx)
        for raw in self.raw:
            self._meet(raw)
        for raw in self.raw:
            self.entries[self._named(raw.key)] = self._told(raw)

    async def _read_names(self, tx: Tx) -> None:
        c = contracts.c
        places: Counter[str] = Counter()
        for row in await tx.execute(select(contracts).order_by(c.id)):
            name = f"{row.currency}/{row.issue_id}/{row.kind}/{row.maturation_at}"
            places[name] += 1
            self.contracts[row.id] = f"{name}/{places[name]}"
        for row in await tx.execute(select(commands.c.id, commands.c.comment_id).order_by(commands.c.id)):
            comment = self.comments.get(row.comment_id, f"unknown comment {row.comment_id}")
            places[comment] += 1
            self.commands[row.id] = f"{comment}/{places[comment]}"
        for row in await tx.execute(select(disputes.c.id, disputes.c.contract_id).order_by(disputes.c.id)):
            name = f"dispute of {self.contracts[row.contract_id]}"
            places[name] += 1
            self.disputes[row.id] = f"{name}/{places[name]}"

    def _meet(self, raw: Raw) -> None:
        """Offers and ranks get their names from the entry that first tells of them."""
        fresh = 0
        for kind, *row in raw.detail:
            if kind == "offer":
                for number in (row[0], row[KINDS["offer"].columns.index("rank")]):
                    if number not in self.offers:
                        fresh += 1
                        self.offers[number] = f"{self._named(raw.cause)}#{fresh}"

    def _named(self, text: str) -> str:
        found = NAMED.match(text)
        if found is None:
            return text
        kind, number, rest = found["kind"], int(found["number"]), found["rest"]
        if kind == "resumed" and rest:
            rest = f":{self.offers[int(rest[1:])]}"
        return f"{kind}:{self._name(kind, number)}{rest}"

    def _name(self, kind: str, number: int) -> str:
        tables: dict[str, dict[int, str]] = {
            "command": self.commands,
            "give:command": self.commands,
            "comment": self.comments,
            "expiry": self.offers,
            "resumed": self.offers,
            "bond": self.disputes,
            "dispute": self.disputes,
        }
        if kind in ("news", "gone"):
            return self.contracts.get(number, str(number))
        return tables.get(kind, self.contracts)[number]

    def _told(self, raw: Raw) -> Entry:
        lines = sorted((self._posting(*line) for line in raw.postings), key=str)
        rows = tuple(self._row(row) for row in raw.detail if self._is_news(row))
        cause = LEARNT if raw.key.startswith("halt:") and raw.cause.startswith(("news:", "look:")) else raw.cause
        return Entry(self._named(cause), self._when(raw.at), tuple(lines), rows)

    def _is_news(self, row: list[Any]) -> bool:
        key = tuple(row[: 1 + KINDS[row[0]].keys])
        before, self._last[key] = self._last.get(key), row
        return row != before

    def _posting(self, kind: str, owner: int, currency: str, amount: int) -> tuple[Any, ...]:
        units = CURRENCY.match(currency)
        money = f"{units['side']} {self.contracts[int(units['contract'])]}" if units else currency
        return kind, self.contracts[owner] if kind in OF_CONTRACT else owner, money, amount

    def _row(self, row: list[Any]) -> tuple[Any, ...]:
        kind, *values = row
        told = KINDS[kind]
        return kind, *(self._value(kind, name, value) for name, value in zip(told.columns, values, strict=True))

    def _value(self, kind: str, column: str, value: Any) -> Any:
        if column == "contract_id" or (column == "id" and KINDS[kind].table == "contracts"):
            return self.contracts[value]
        if column == "dispute_id":
            return self.disputes[value]
        if column in OFFERS:
            return self.offers[value]
        if column == "statement_hash":
            return value if self.exact else "hash"
        return self._when(value) if column in INSTANTS else value

    def _when(self, instant: int) -> str:
        if self.exact or instant % DAY == DAY - 1:
            return str(instant)
        return f"round {(instant - START_AT) // ROUND_SECONDS}"


async def raw_entries(tx: Tx, after: int = 0) -> list[Raw]:
    """In the order of their ids, those beyond `after`."""
    lines: dict[int, list[tuple[str, int, str, int]]] = {}
    order = postings.c.entry_id, postings.c.line
    for row in await tx.execute(select(postings).where(postings.c.entry_id > after).order_by(*order)):
        lines.setdefault(row.entry_id, []).append((row.kind, row.owner, row.currency, row.amount))
    rows = await tx.execute(select(entries).where(entries.c.id > after).order_by(entries.c.id))
    return [
        Raw(row.id, row.key, row.cause, row.at, json.loads(row.detail) if row.detail else [], lines.get(row.id, []))
        for row in rows
    ]


def differences(one: Books, other: Books, most: int = 20) -> list[str]:
    """What is in one journal and not, or otherwise, in the other."""
    found = [f"only in the first: {key} {one.entries[key]}" for key in _left(one, other)]
    found += [f"only in the second: {key} {other.entries[key]}" for key in _left(other, one)]
    for key in one.entries.keys() & other.entries.keys():
        if one.entries[key] != other.entries[key]:
            found.append(f"{key}: {_apart(one.entries[key], other.entries[key])}")
    return [
        *(item[:400] for item in sorted(found)[:most]),
        *([f"… {len(found)} differences"] if len(found) > most else []),
    ]


def _left(one: Books, other: Books) -> Iterable[str]:
    return one.entries.keys() - other.entries.keys()


def _apart(one: Entry, other: Entry) -> str:
    ours, theirs = ([item.cause, item.at, *item.postings, *item.detail] for item in (one, other))
    return f"{[part for part in ours if part not in theirs]} against {[part for part in theirs if part not in ours]}"
