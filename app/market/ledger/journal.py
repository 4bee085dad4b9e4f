"""The double-entry journal: accounts, postings, entries and their hashes (docs/market.md §4).

Money moves between user free, user reserve, contract escrow and the outer accounts; units are postings too, each side
of each contract being a currency of its own. Entries are only ever added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

from app.market.terms.contract import Side, canonical, digest


class Kind(StrEnum):
    """Kinds of account. `owner` is a user for the first five, a contract for escrow and minted units, else 0."""

    FREE = "free"
    RESERVE = "reserve"
    WITHDRAWAL = "withdrawal"
    UNITS_FREE = "units_free"
    UNITS_RESERVED = "units_reserved"
    ESCROW = "escrow"
    UNITS_ISSUED = "units_issued"
    BOND = "bond"
    FEES = "fees"
    ISSUANCE = "issuance"
    BRIDGE = "bridge"


NEVER_POSITIVE = frozenset({Kind.ISSUANCE, Kind.BRIDGE, Kind.UNITS_ISSUED})
"""Accounts from which money or units come into being; every other account is never negative."""

UNIT_KINDS = frozenset({Kind.UNITS_FREE, Kind.UNITS_RESERVED, Kind.UNITS_ISSUED})


class AccountKey(NamedTuple):
    kind: Kind
    owner: int
    currency: str


class Posting(NamedTuple):
    kind: Kind
    owner: int
    currency: str
    amount: int


class Entry(NamedTuple):
    """A balanced set of postings. `key` is unique and derives from the cause, so doing it twice finds it done.

    `detail` tells the rows that a command left behind (`bookkeeping.detail_text`); "" in all but its last entry.
    """

    key: str
    cause: str
    at: int
    postings: tuple[Posting, ...]
    detail: str = ""


def unit_currency(contract_id: int, side: Side) -> str:
    return f"{side.value}:{contract_id}"


def entry(key: str, cause: str, at: int, moves: Mapping[AccountKey, int], detail: str = "") -> Entry:
    """An entry from accumulated moves; accounts that come out even are left out. Raises ValueError if unbalanced."""
    postings = tuple(Posting(*account, amount) for account, amount in moves.items() if amount)
    unbalanced = imbalance(postings)
    if unbalanced:
        raise ValueError(f"entry {key} does not balance: {unbalanced}")
    return Entry(key, cause, at, postings, detail)


def imbalance(postings: Iterable[Posting]) -> dict[str, int]:
    """Gap of each currency's postings to a sum of zero; empty when they balance."""
    sums: dict[str, int] = {}
    for posting in postings:
        sums[posting.currency] = sums.get(posting.currency, 0) + posting.amount
    return {currency: amount for currency, amount in sums.items() if amount}


def entry_hash(item: Entry) -> str:
    """SHA-256 (hex) over the entry's canonical text; postings in their stored order.

    An entry without detail hashes as entries did before there were details: their seals hold.
    """
    return stored_hash(
        item.key, item.cause, item.at, canonical([list(posting) for posting in item.postings]), item.detail
    )


def stored_hash(key: str, cause: str, at: int, postings_text: str, detail: str) -> str:
    """The hash of an entry whose postings are canonical text already: `[["free",1,"play:7",-5],…]`."""
    end = f",{quoted(detail)}]" if detail else "]"
    return digest(f"[{quoted(key)},{quoted(cause)},{at},{postings_text}{end}")


GENESIS_SEAL = "0" * 64


def seal_hash(previous: str, entry_hashes: Iterable[str]) -> str:
    """Seal n = H(seal n-1 ‖ H(entry)) applied over the run of entries the seal closes."""
    seal = previous
    for item in entry_hashes:
        seal = digest(seal + item)
    return seal


def dated_seal(chained: str, at: int) -> str:
    """The seal as it is stored: over the instant at which it was made as well. Those made before 0002 go without."""
    return digest(f"{chained}@{at}")
