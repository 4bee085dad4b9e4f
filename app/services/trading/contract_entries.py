"""Journal entries of contracts apart from trading: their making, and the thread they live in."""

from __future__ import annotations

from collections.abc import Iterable

from app.market.ledger.entry_detail import Row, contract_row, detail_text, made_row
from app.market.ledger.journal import entry
from app.storage.engine.db import Tx
from app.storage.market import journal
from app.storage.market.contracts import ContractRow


def made_of(row: ContractRow) -> Row:
    return made_row(row.id, row.issue_id, row.created_at)


def contract_of(row: ContractRow) -> Row:
    """A contract as it is stored."""
    return contract_row(
        row.id,
        row.status,
        row.outcome,
        open_interest=row.open_interest,
        minted_mills=row.minted_mills,
        amendment=row.amendment,
        maturation_at=row.maturation_at,
        round_number=row.round,
        terms_hash=row.terms_hash,
        statement_hash=row.statement_hash,
    )


async def note_made(tx: Tx, row: ContractRow, cause: str) -> None:
    """A contract was made without an offer in it, which would tell it."""
    detail = detail_text([contract_of(row), made_of(row)])
    await journal.append(tx, [entry(f"made:{row.id}", cause, row.created_at, {}, detail)])


async def note_woken(tx: Tx, row: ContractRow, cause: str, now: int) -> None:
    """A contract that slept has other terms from now on."""
    detail = detail_text([contract_of(row), made_of(row)])
    await journal.append(tx, [entry(f"woken:{row.id}:{row.version}", cause, now, {}, detail)])


async def note_moved(tx: Tx, rows: Iterable[ContractRow], issue_id: int, now: int) -> None:
    """Contracts that were in one thread are in another from now on."""
    items = [
        entry(
            f"moved:{row.id}:{issue_id}", "transfer", now, {}, detail_text([made_row(row.id, issue_id, row.created_at)])
        )
        for row in rows
    ]
    await journal.append(tx, items)
