"""`offers`: one's own open offers in this thread."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import OffersRequest
from app.market.exchange.offer import Action, Offer
from app.market.exchange.spoken import HandOut, conditions
from app.market.terms.instants import format_instant
from app.market.terms.money import format_mills, format_price
from app.replies.formats import NOTHING, side, table, where
from app.services.rules.context import CommandContext
from app.storage.engine.db import Tx
from app.storage.market import books, contracts
from app.storage.market.contracts import ContractRow

MOST_SHOWN = 50


def build(parts: Parts) -> OffersRequest:
    return OffersRequest()


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return (HandOut("offers"),)


async def handle(tx: Tx, context: CommandContext, request: OffersRequest) -> str:
    found = await books.live_offers(tx, context.user_id, context.place.issue.id)
    if not found:
        return "You have no open offers in this thread."
    rows = {row.id: row for row in await contracts.of_thread(tx, context.place.issue.id, context.now)}
    lines = [_line(offer, rows[contract]) for contract, offer in found[:MOST_SHOWN]]
    shown = table(["offer", "what", "open", "contract", "ends", "conditions"], "llrlll", lines)
    more = f"\n\nAnd {len(found) - MOST_SHOWN:,} more." if len(found) > MOST_SHOWN else ""
    return f"Your open offers in this thread:\n\n{shown}{more}"


def _line(offer: Offer, row: ContractRow) -> list[str]:
    """A suspended offer is out of the book until its pool's money is back."""
    held = format_mills(offer.need_mills) if offer.action is Action.BUY else f"{offer.units_left:,} units"
    ends = "with the contract" if offer.until_at == row.maturation_at else format_instant(offer.until_at)
    marks = [*(["**suspended** (its pool has too little left)"] if offer.suspended else []), *conditions(offer)]
    return [
        f"o{offer.number}",
        f"{offer.action.value.lower()} {side(row, offer.side)} at {format_price(offer.price)} ({held})",
        f"{offer.remaining:,} of {offer.volume:,}",
        where(row),
        ends,
        ", ".join(marks) or NOTHING,
    ]


COMMAND = Command(
    name="offers",
    usage="offers",
    summary="Show your open offers in this thread, with their ends and conditions.",
    who="Everybody, about themselves.",
    examples=("offers",),
    build=build,
    handle=handle,
    mend=mend,
    winds_up=True,
    stands=False,
    order=24,
)
