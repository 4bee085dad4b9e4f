"""Finding the contract that a reader means. Settled ones may be looked at, too."""

from __future__ import annotations

from app.market.terms.contract import Status
from app.market.terms.errors import Refusal
from app.market.terms.instants import command_date, format_instant
from app.market.terms.statement import ISSUE_FIXED, shown
from app.services.rules.context import CommandContext
from app.services.trading import forecasting
from app.storage.engine.db import Tx
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow

MOST_NAMED = 5


async def contract_to_show(
    tx: Tx, context: CommandContext, by_at: int | None, forecast: int | None, verb: str
) -> ContractRow:
    """The forecast of that number, or the newest contract on the issue of that date; the only one if neither is said.

    `verb` is the command that asks. Raises a Refusal that hands out one that works.
    """
    if forecast is not None:
        return await forecasting.contract_of(tx, context, forecast)
    rows = await contracts.of_thread(tx, context.place.issue.id, context.now)
    going = [row for row in rows if row.status is not Status.SETTLED]
    if by_at is None:
        return _only(going, context, verb)
    dated = await contracts.of_date(tx, context.place.issue.id, by_at)
    if dated:
        return max(dated, key=lambda row: (row.status is not Status.SETTLED, row.round))
    if not going:
        raise _nothing(context)
    raise Refusal(
        f"No contract here matures at {format_instant(by_at)}; there is {_known(going)}.", _again(going, verb)
    )


def _only(going: list[ContractRow], context: CommandContext, verb: str) -> ContractRow:
    """Pick the only one of the issue's own contracts, or of the forecasts if there are none."""
    meant = [row for row in going if row.kind == ISSUE_FIXED] or going
    if not meant:
        raise _nothing(context)
    if len(meant) > 1:
        raise Refusal(f"There are several contracts here: {_known(going)}; say which.", _again(meant, verb))
    return meant[0]


def _nothing(context: CommandContext) -> Refusal:
    return Refusal(
        "No contract is open on this issue.", "/bugmark positions" if context.closed else "/bugmark help fund"
    )


def _known(rows: list[ContractRow]) -> str:
    """The first few; halted ones are said to be."""
    named = [
        f"{shown(row.kind, row.id)} by {format_instant(row.maturation_at)}{'' if row.open else ' (halted)'}"
        for row in rows[:MOST_NAMED]
    ]
    return "; ".join([*named, *([f"and {len(rows) - MOST_NAMED} more"] if len(rows) > MOST_NAMED else [])])


def _again(rows: list[ContractRow], verb: str) -> str:
    first = rows[0]
    which = f"by {command_date(first.maturation_at)}" if first.kind == ISSUE_FIXED else shown(first.kind, first.id)
    return f"/bugmark {verb} {which}"
