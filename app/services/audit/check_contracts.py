"""Each contract beside its accounts, its positions and its book, and beside the texts it was made with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby

from app.market.ledger.journal import Kind, unit_currency
from app.market.terms.contract import UNIT_MILLS, Side, Status, digest
from app.services.audit.findings import Report
from app.storage.engine.db import Tx
from app.storage.proof import audit_reader
from app.storage.proof.audit_reader import ContractFacts
from app.storage.proof.scratch import Scratch


async def check_contracts(tx: Tx, report: Report, scratch: Scratch) -> None:
    """Invariants 3, 5 and 7, and that contracts are what they were made as."""
    accounts = _by_contract(scratch)
    ahead = next(accounts, None)
    async for row in audit_reader.contract_facts(tx):
        while ahead is not None and ahead[0] < row.id:
            report.add(f"there are accounts of c{ahead[0]}, which is not there")
            ahead = next(accounts, None)
        mine = ahead[1] if ahead is not None and ahead[0] == row.id else {}
        ahead = next(accounts, None) if mine else ahead
        _check_interest(report, row, mine)
        _check_state(report, row)
        _check_texts(report, row)
    if ahead is not None:
        report.add(f"there are accounts of c{ahead[0]}, which is not there")


def _by_contract(scratch: Scratch) -> Iterator[tuple[int, dict[tuple[str, str], int]]]:
    """Each contract's accounts as the journal gives them, by kind and currency."""
    for contract, group in groupby(scratch.of_contracts(), key=lambda account: account[0]):
        yield contract, {(kind, currency): amount for _, kind, currency, amount in group}


def _check_interest(report: Report, row: ContractFacts, accounts: dict[tuple[str, str], int]) -> None:
    interest, what = row.open_interest, f"contract c{row.id}"
    expected: dict[tuple[str, str], int] = {(Kind.ESCROW, row.currency): UNIT_MILLS * interest}
    for side, units in ((Side.FIXED, row.fixed), (Side.UNFIXED, row.unfixed)):
        expected[Kind.UNITS_ISSUED, unit_currency(row.id, side)] = -interest
        report.check((units or 0) == interest, f"{what}: {units or 0} {side} units, open interest {interest}")
    for account in accounts.keys() | expected.keys():
        found, right = accounts.get(account, 0), expected.get(account, 0)
        report.check(found == right, f"{what}: {account[0]} ({account[1]}) is {found}, not {right}")
    paid, escrow = row.net_paid or 0, UNIT_MILLS * interest
    report.check(paid == escrow, f"{what}: all users have paid in {paid} net, the escrow is {escrow}")
    report.check(0 <= row.minted_mills <= UNIT_MILLS * interest, f"{what}: minted {row.minted_mills}")


def _check_state(report: Report, row: ContractFacts) -> None:
    what = f"contract c{row.id}"
    crossed = row.bid is not None and row.ask is not None and row.bid >= row.ask
    report.check(not crossed, f"{what}: its book is crossed ({row.bid} >= {row.ask})")
    settled = {row.status == Status.SETTLED, row.outcome is not None, row.settled_at is not None}
    report.check(len(settled) == 1, f"{what} is {row.status} with outcome {row.outcome}, settled at {row.settled_at}")
    full = row.open_interest or row.standing or row.fixed or row.unfixed
    report.check(row.status != Status.SETTLED or not full, f"{what} is settled and not empty")


def _check_texts(report: Report, row: ContractFacts) -> None:
    what = f"contract c{row.id}"
    report.check(digest(row.terms_text) == row.terms_hash, f"{what}: its terms were changed")
    report.check(digest(row.statement_text) == row.statement_hash, f"{what}: its statement was changed")
    for text, columns in ((row.terms_text, ("currency",)), (row.statement_text, ("kind", "round"))):
        said = _fields(text)
        for column in columns:
            found = getattr(row, column)
            right = said.get(column, found)
            report.check(found == right, f"{what}: {column} is {found}, it was made with {right}")


def _fields(text: str) -> dict[str, object]:
    """A changed text may be anything; that it was changed is said already."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
