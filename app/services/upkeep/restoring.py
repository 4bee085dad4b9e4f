"""Steps after the restore of an older backup: no number that somebody may have read is handed out again.

Replies, notices and market comments of the time that is lost stand in the threads with numbers that this database does
not know of. So everything that is numbered from here on is numbered a million higher, amendments and versions of
contracts too, and the journal says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.market.exchange.fill import Amendment, AmendmentKind
from app.market.ledger.entry_detail import amendment_row, detail_text
from app.market.ledger.journal import Entry, entry
from app.services.audit import sealing
from app.services.trading import contract_entries
from app.storage.engine.db import Database, Tx
from app.storage.market import contracts, journal
from app.storage.market.contracts import ContractRow
from app.storage.proof import numbers
from app.storage.proof.numbers import AHEAD
from app.storage.queues import outbox

TOLD_AT_ONCE = 500
"""Contracts in one entry of the journal."""


async def restored(db: Database, now: int, times: int = 1) -> bool:
    """Move every number ahead, so often a million. False: nothing has happened since that was done."""
    await _seal_all(db, now)
    async with db.transaction() as tx:
        if await numbers.done_already(tx):
            return False
        for _ in range(times):
            await _move(tx, now)
        await outbox.doubt(tx)
        await numbers.ask_all_anew(tx, now)
        await numbers.note(tx, now)
    await _seal_all(db, now)
    return True


async def _move(tx: Tx, now: int) -> None:
    """One leap. Its entries come after it, so that each has a key of its own."""
    await numbers.move_ahead(tx, AHEAD)
    await numbers.move_contracts_ahead(tx, now, AHEAD)
    rows = await contracts.unsettled(tx)
    newest = await numbers.newest_entry(tx) or 0
    await journal.append(tx, list(_told(rows, newest, now)))


def _told(rows: list[ContractRow], newest: int, now: int) -> Iterator[Entry]:
    """`newest`: the last entry before."""
    for part in range(0, len(rows), TOLD_AT_ONCE):
        some = rows[part : part + TOLD_AT_ONCE]
        told = [
            row
            for found in some
            for row in (_amendment(found, now), contract_entries.contract_of(found), contract_entries.made_of(found))
        ]
        yield entry(f"restored:{newest}:{part}", "restored", now, {}, detail_text(told))


def _amendment(row: ContractRow, now: int) -> list[int | str | None]:
    leap = Amendment(row.id, row.amendment, AmendmentKind.RESTORED, row.open_interest, row.minted_mills)
    return amendment_row(leap, now)


async def _seal_all(db: Database, now: int) -> None:
    more = True
    while more:
        async with db.transaction() as tx:
            more = await sealing.seal(tx, now)
