"""Tellings of offers in the journal, entry after entry, and a place out of memory to keep what comes of it.

The journal is read once, whatever is asked for then: an export of all repositories asks for one after the other. SQLite
makes the file for its owner alone in the directory for temporary files, and it is gone when it is closed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from types import TracebackType
from typing import NamedTuple

from sqlalchemy import select

from app.market.exchange.offer import Action, book_price, is_bid
from app.market.ledger.entry_detail import read_detail
from app.market.terms.contract import Side
from app.storage.engine.db import Tx
from app.storage.engine.tables import entries
from app.storage.proof.audit_reader import Found, stream
from app.storage.proof.scratch import CACHE_KIB

EXPIRY = "expiry"
"""The cause of an entry in which an offer expires."""


class UnreadableJournal(Exception):
    """An entry of the journal is not as we write it."""


class Telling(NamedTuple):
    """An offer as an entry tells it, without what is nobody else's business."""

    offer: int
    contract: int
    bid: bool
    fixed_price: int
    until_at: int
    now_or_never: bool
    all_or_none: bool
    rank: int
    remaining: int
    filled: int
    cancelled: int
    state: str
    created_at: int


class Told(NamedTuple):
    """An entry that tells of offers."""

    entry: int
    at: int
    expiry: bool
    offers: list[Telling]


async def entries_on_offers(tx: Tx) -> AsyncIterator[Told]:
    """All of them in order. Raises UnreadableJournal."""
    c = entries.c
    statement = select(c.id, c.at, c.cause, c.detail).where(c.detail.contains('"offer",', autoescape=True))
    async for number, at, cause, detail in stream(tx, statement.order_by(c.id)):
        try:
            offers = [_telling(row) for name, _, row in read_detail(detail) if name == "offer"]
        except (ValueError, TypeError, KeyError):
            raise UnreadableJournal(f"entry {number} of the journal cannot be read") from None
        yield Told(number, at, cause == EXPIRY, offers)


def _telling(row: str) -> Telling:
    """From a row as details tell it (`bookkeeping.KINDS`)."""
    number, contract, _, action, side, price, _, until_at, *more = json.loads(f"[{row}]")
    now_or_never, whole, _, _, _, rank, units, cash, filled, cancelled, state, created_at = more
    bid, fixed_price = is_bid(Action(action), Side(side)), book_price(Side(side), price)
    return Telling(
        number,
        contract,
        bid,
        fixed_price,
        until_at,
        now_or_never,
        whole,
        rank,
        units + cash,
        filled,
        cancelled,
        state,
        created_at,
    )


class Standing(NamedTuple):
    """An offer as it was told of last."""

    rank: int
    filled: int
    cancelled: int
    state: str


class Chronicle:
    """Events of offers, by contract; and how each was told of last."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE", f"cache_size = -{CACHE_KIB}"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("BEGIN")
        self._db.execute("CREATE TABLE last (offer INTEGER PRIMARY KEY, rank, filled, cancelled, state)")
        self._db.execute(
            "CREATE TABLE events (contract, entry, offer, at, event, half, price, rank, remaining, filled, cancelled,"
            " state, PRIMARY KEY (contract, entry, offer)) WITHOUT ROWID"
        )
        self._db.execute("CREATE TABLE wanted (contract INTEGER PRIMARY KEY)")

    def __enter__(self) -> Chronicle:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._db.close()

    def last(self, offer: int) -> Standing | None:
        found = self._db.execute("SELECT rank, filled, cancelled, state FROM last WHERE offer = ?", (offer,))
        row = found.fetchone()
        return Standing(*row) if row else None

    def add(self, told: Told, offer: Telling, event: str) -> None:
        """The offer stands so from now on; `event` "": nothing that others may know has changed."""
        standing = offer.rank, offer.filled, offer.cancelled, offer.state
        self._db.execute("REPLACE INTO last VALUES (?, ?, ?, ?, ?)", (offer.offer, *standing))
        if event:
            half = "bid" if offer.bid else "ask"
            head = offer.contract, told.entry, offer.offer, told.at, event, half, offer.fixed_price
            row = *head, offer.rank, offer.remaining, offer.filled, offer.cancelled, offer.state
            self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def events(self, contracts: Iterable[int]) -> Iterator[Found]:
        """(entry, at, offer, contract, event, half, price, rank, remaining, filled, cancelled, state) of these."""
        self._db.execute("DELETE FROM wanted")
        self._db.executemany("INSERT INTO wanted VALUES (?)", ((number,) for number in contracts))
        return self._db.execute(
            "SELECT entry, at, offer, contract, event, half, price, rank, remaining, filled, cancelled, state"
            " FROM wanted JOIN events USING (contract) ORDER BY entry, offer"
        )
