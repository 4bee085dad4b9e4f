"""Somebody's positions and open offers in one thread."""

from __future__ import annotations

from collections.abc import Sequence

from app.market.exchange.offer import Action, Offer
from app.market.exchange.spoken import conditions
from app.market.terms.instants import format_instant
from app.market.terms.money import format_mills, format_price
from app.replies import reply
from app.replies.formats import NOTHING, folded, price, side, signed, table, where
from app.services.uses.results import OffersShown, PositionsShown
from app.services.views.holdings import Holding
from app.storage.market.contracts import ContractRow

MOST_POSITIONS = 6
MOST_OFFERS = 50


def positions(shown: PositionsShown) -> str:
    parts = [reply.standing(shown.user, with_money=shown.own), worth(shown.held[:MOST_POSITIONS])]
    return "\n\n".join(filter(None, [*parts, folded("More positions", worth(shown.held[MOST_POSITIONS:]))]))


def worth(held: Sequence[Holding]) -> str:
    """Table of positions: their cost and their value."""
    heads = ["position", "average cost", "cost", "price now", "worth", "unrealised", "a VOID now would pay"]
    return table(heads, "lrrrrrr", [_position(one) for one in held]) if held else ""


def _position(one: Holding) -> list[str]:
    units = one.position.units
    return [
        f"{units:,} {side(one.row, one.side)} {where(one.row)}",
        format_price(one.average),
        format_mills(one.position.cost_mills),
        f"{price(one.price)} ({one.basis})" if one.price is not None else "–",
        "–" if one.price is None else format_mills(units * one.price),
        "–" if one.unrealised_mills is None else signed(one.unrealised_mills),
        "–" if one.void_mills is None else format_mills(one.void_mills),
    ]


def offers(shown: OffersShown) -> str:
    if not shown.offers:
        return "You have no open offers in this thread."
    lines = [_offer(offer, row) for offer, row in shown.offers[:MOST_OFFERS]]
    drawn = table(["offer", "what", "open", "contract", "ends", "conditions"], "llrlll", lines)
    left = len(shown.offers) - MOST_OFFERS
    more = f"\n\nAnd {left:,} more." if left > 0 else ""
    return f"Your open offers in this thread:\n\n{drawn}{more}"


def _offer(offer: Offer, row: ContractRow) -> list[str]:
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
