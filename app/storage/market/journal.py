"""The journal: entries appended, balances kept beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, select, update

from app.market.ledger.journal import UNIT_KINDS, AccountKey, Entry, Kind
from app.storage.engine.db import Tx
from app.storage.engine.sql import insert, insert_for
from app.storage.engine.tables import balances, entries, postings

OF_USERS = (Kind.FREE.value, Kind.RESERVE.value, Kind.UNITS_FREE.value, Kind.UNITS_RESERVED.value)

_MOVE = (
    update(balances)
    .where(
        balances.c.kind == bindparam("of_kind"),
        balances.c.owner == bindparam("of_owner"),
        balances.c.currency == bindparam("of_currency"),
    )
    .values(amount=balances.c.amount + bindparam("delta"))
)


_BALANCE = select(balances.c.amount).where(
    balances.c.kind == bindparam("kind"),
    balances.c.owner == bindparam("owner"),
    balances.c.currency == bindparam("currency"),
)


@cache
def _adding(dialect: str) -> Any:
    return insert_for(dialect, entries).returning(entries.c.id, sort_by_parameter_order=True)


@cache
def _opening(dialect: str) -> Any:
    return insert_for(dialect, balances).on_conflict_do_nothing()


async def append(tx: Tx, items: Sequence[Entry]) -> None:
    """Add entries and move the balances they post to.

    The unique key makes an entry that was made before an error, never a second payment. Units are balances of
    positions, which the contract's calculation has already moved.
    """
    if not items:
        return
    values = [{"key": item.key, "cause": item.cause, "at": item.at, "detail": item.detail} for item in items]
    ids = list((await tx.execute(_adding(tx.dialect.name), values)).scalars())
    rows = []
    deltas: dict[AccountKey, int] = {}
    for entry_id, item in zip(ids, items, strict=True):
        for line, posting in enumerate(item.postings):
            rows.append({"entry_id": entry_id, "line": line, **posting._asdict()})
            if posting.kind not in UNIT_KINDS:
                account = AccountKey(posting.kind, posting.owner, posting.currency)
                deltas[account] = deltas.get(account, 0) + posting.amount
    if rows:  # an entry may only tell rows
        await tx.execute(insert(tx, postings), rows)
    await _move(tx, {account: amount for account, amount in deltas.items() if amount})


MOST_ENTRIES = 9
"""Number of entries of one command to look at: its fills are in the first ones."""


async def moved_others(tx: Tx, users: Mapping[str, int]) -> bool:
    """Tell if any of these causes, each of a user, moved money or units of somebody else."""
    for cause, user in users.items():
        keys = [cause, *(f"{cause}:{number}" for number in range(2, MOST_ENTRIES + 1))]
        foreign = postings.c.kind.in_(OF_USERS), postings.c.owner != user
        found = select(postings.c.entry_id).join(entries, entries.c.id == postings.c.entry_id)
        if (await tx.execute(found.where(entries.c.key.in_(keys), *foreign).limit(1))).first() is not None:
            return True
    return False


async def _move(tx: Tx, deltas: dict[AccountKey, int]) -> None:
    """Add to balances in one order for all writers; the table's checks refuse a balance of the wrong sign."""
    if not deltas:
        return
    accounts = sorted(deltas)
    zeros = [{**account._asdict(), "amount": 0} for account in accounts]
    await tx.execute(_opening(tx.dialect.name), zeros)
    await tx.execute(
        _MOVE,
        [{"of_kind": a.kind, "of_owner": a.owner, "of_currency": a.currency, "delta": deltas[a]} for a in accounts],
    )


async def balance(tx: Tx, kind: Kind, owner: int, currency: str) -> int:
    given = {"kind": kind.value, "owner": owner, "currency": currency}
    return (await tx.execute(_BALANCE, given)).scalar() or 0


async def cause_of(tx: Tx, key: str) -> str | None:
    """The cause of the entry with this key; None if there is no such entry."""
    return (await tx.execute(select(entries.c.cause).where(entries.c.key == key))).scalar()


async def amount_of(tx: Tx, key: str, kind: Kind) -> int:
    """Sum the entry's postings to accounts of a kind."""
    statement = (
        select(func.sum(postings.c.amount))
        .join(entries, entries.c.id == postings.c.entry_id)
        .where(entries.c.key == key, postings.c.kind == kind.value)
    )
    return int((await tx.execute(statement)).scalar() or 0)
