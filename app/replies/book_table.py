"""A contract's book in Markdown: its levels side by side, and the offers that can be taken."""

from __future__ import annotations

from collections.abc import Sequence

from app.market.prices.price import Level
from app.market.terms.contract import Side
from app.market.terms.instants import format_instant
from app.market.terms.money import format_price
from app.replies.formats import bar, folded, number, price, side, table, what
from app.services.views.contract_views import BookView
from app.storage.market.contracts import ContractRow
from app.storage.market.market_data import Standing

BOOK_LEVELS = 5


def book(view: BookView) -> str:
    """A book as an answer: its levels, and folded the offers with their numbers."""
    inner = "\n\n".join(filter(None, [_deeper(view), offers(view)]))
    return "\n\n".join(filter(None, [head(view), levels(view), folded("Offers by number", inner)]))


def head(view: BookView) -> str:
    return f"**{number(view.row)} · {what(view.row)}** · {view.state}"


def levels(view: BookView) -> str:
    """Bids and asks side by side, the best of both in the first line."""
    bids, asks = view.levels.bids, view.levels.asks
    if not bids and not asks:
        return "No open offers." if not view.offers else "Only offers that fill wholly or not at all."
    yes = side(view.row, Side.FIXED)
    most = max(units for _, units in [*bids[:BOOK_LEVELS], *asks[:BOOK_LEVELS]])
    rows = [[*_bid(bids, at, most), *_ask(asks, at, most)] for at in range(min(BOOK_LEVELS, max(len(bids), len(asks))))]
    return table([f"bids for {yes}", "price", "price", f"asks for {yes}"], "rrll", rows)


def _deeper(view: BookView) -> str:
    more = [
        f"{len(half) - BOOK_LEVELS:,} of {word}"
        for half, word in ((view.levels.bids, "bids"), (view.levels.asks, "asks"))
        if len(half) > BOOK_LEVELS
    ]
    return f"Deeper levels not drawn: {', '.join(more)}." if more else ""


def _bid(half: Sequence[Level], at: int, most: int) -> list[str]:
    if at >= len(half):
        return ["", ""]
    return [f"{bar(half[at][1], most)} {half[at][1]:,}", price(half[at][0])]


def _ask(half: Sequence[Level], at: int, most: int) -> list[str]:
    if at >= len(half):
        return ["", ""]
    return [price(half[at][0]), f"{half[at][1]:,} {bar(half[at][1], most)}"]


def offers(view: BookView) -> str:
    """Table of the offers that can be taken by number."""
    if not view.offers:
        return ""
    rows = [_offer(view.row, offer) for offer in view.offers]
    return table(["offer", "of", "wants to", "to take it"], "llll", rows)


def _offer(row: ContractRow, offer: Standing) -> list[str]:
    wish = f"{offer.action.value.lower()} {offer.units:,} {side(row, offer.side)} at {format_price(offer.price)}"
    conditions = ", all-or-none" if offer.all_or_none else ""
    until = "" if offer.until_at == row.maturation_at else f", until {format_instant(offer.until_at)}"
    return [f"o{offer.number}", f"**{offer.login}**", f"{wish}{conditions}{until}", f"`/bugmark take o{offer.number}`"]


def rules(row: ContractRow) -> str:
    """Under what a contract is judged and paid."""
    terms = row.terms
    judged = "the issue's state" if number(row).startswith("c") else "its statement"
    return (
        f"{number(row)}: judged at {format_instant(row.maturation_at)} by {judged} as GitHub gives it; "
        f"trades in play tokens; window {_span(terms.dispute_window_seconds)}; {_fee(terms.fee_bps)}; "
        f"terms `{row.terms_hash[:12]}`, statement `{row.statement_hash[:12]}`"
    )


def _span(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min"


def _fee(bps: int) -> str:
    """`no fee`, `fee 2.5 % of the gain`"""
    percent = f"{bps // 100}.{bps % 100:02}".rstrip("0").rstrip(".")
    return f"fee {percent} % of the gain" if bps else "no fee"
