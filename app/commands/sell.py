"""`sell`: give up units that one holds."""

from __future__ import annotations

from app.commands.command import Command
from app.commands.offer import CLAUSES, CONDITION_NOTES, CONDITIONS, forecast_of
from app.language.corrections import OfferMender
from app.language.grammar import BadCommand, Parts
from app.language.requests import OfferRequest
from app.market.exchange.offer import Action


def build(parts: Parts) -> OfferRequest:
    if "pool" in parts:
        raise BadCommand("`pool` is for offers that buy: a sale needs no money.")
    if "post_only" in parts and "at" not in parts:
        raise BadCommand("`post-only` needs a price: without one you get at once what the book gives.")
    from_at, by_at = parts.get("by_range", (None, None))
    return OfferRequest(
        action=Action.SELL,
        side=parts["truth"] if "truth" in parts else parts["side"],
        volume=parts.get("volume"),
        amount_mills=None,
        price=parts.get("at"),
        deposit_mills=None,
        profit_mills=None,
        by_at=by_at,
        until_at=parts.get("until"),
        now_or_never="now_or_never" in parts,
        all_or_none="all_or_none" in parts,
        post_only="post_only" in parts,
        cancel_on_halt="cancel_on_halt" in parts or "post_only" in parts,
        from_at=from_at,
        contract=forecast_of(parts),
        truth="truth" in parts,
    )


COMMAND = Command(
    name="sell",
    usage=f"sell (fixed|unfixed|true|false) (VOLUME|all) [at PRICE] [by DATE | on F12] {CONDITIONS}",
    summary="Sell units that you hold.",
    who="Everybody who holds that many free units.",
    notes=(
        "Without a price you get at once what the book gives, and nothing waits.",
        "`all` is all your free units. Without `by` the only contract in which you hold such units is meant.",
        *CONDITION_NOTES,
    ),
    examples=(
        "sell fixed 20 at 0.40",
        "sell fixed all at 0.40 all-or-none",
        "sell unfixed all by end of month",
        "sell true all on F12",
    ),
    rules=f"(side | truth) (volume | everything) (at | by_range | on | {CLAUSES})*",
    build=build,
    mend=OfferMender(
        "sell",
        quantities=("all",),
        prices=("at",),
        conditions=("all-or-none", "now-or-never", "post-only", "cancel-on-halt"),
    ),
    risks=True,
    order=11,
)
