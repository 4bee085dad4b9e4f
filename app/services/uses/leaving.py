"""Words that are no request: `exit`, `close`, `leave` hand out the commands that sell what somebody holds here."""

from __future__ import annotations

from app.language.grammar import BadCommand, Leaving
from app.market.exchange.spoken import HandOut
from app.market.terms.contract import Side
from app.market.terms.statement import ISSUE_FIXED, said
from app.services.rules.context import CommandContext
from app.services.uses.results import Result
from app.services.uses.use_case import Unread
from app.storage.engine.db import Tx
from app.storage.market import books, contracts
from app.storage.market.contracts import ContractRow

MOST_SOLD = 4


async def refuse(tx: Tx, context: CommandContext, unread: Unread) -> Result:
    """Raise the Refusal for which there is no request."""
    if isinstance(unread.refusal, Leaving):
        raise await of_what_is_held(tx, context, unread.refusal) from unread.refusal
    raise unread.refusal


async def of_what_is_held(tx: Tx, context: CommandContext, refusal: Leaving) -> BadCommand:
    """The refusal with a sale for each position that can be sold; with `positions` where there is none."""
    rows = {row.id: row for row in await contracts.of_thread(tx, context.place.issue.id, context.now) if row.open}
    held = await books.positions_of(tx, context.user_id, context.place.issue.id)
    sales = [one.parts for one in refusal.instead if one.name == "sell"]
    wanted = {parts["side"] for parts in sales if "side" in parts}
    units = {part: value for parts in sales[:1] for part, value in parts.items() if part in ("volume", "everything")}
    found = [
        HandOut("sell", {**_which(rows[contract], of_side), **units}, _what(rows[contract], of_side, position.free))
        for contract, of_side, position in held
        if contract in rows and position.free and of_side in wanted
    ]
    return BadCommand(refusal.sentence, *(found[:MOST_SOLD] or [HandOut("positions")]))


def _which(row: ContractRow, of_side: Side) -> dict[str, object]:
    if row.kind == ISSUE_FIXED:
        return {"side": of_side, "by": row.maturation_at}
    return {"truth": of_side, "on": row.id}


def _what(row: ContractRow, of_side: Side, units: int) -> str:
    return f"your {units:,} {said(row.kind, of_side.value)}"
