"""`offer`: buy units of a side, at once from whoever offers them or by waiting in the book."""

from __future__ import annotations

from app.commands.command import Command
from app.language.corrections import OfferMender
from app.language.grammar import BadCommand, Parts
from app.language.requests import OfferRequest
from app.market.exchange.offer import Action

CONDITIONS = "[until DATE] [all-or-none] [now-or-never] [post-only] [cancel-on-halt]"
CONDITION_NOTES = (
    "`until` is when the offer expires, without it when the contract matures; `now-or-never` leaves nothing waiting.",
    "`all-or-none` fills wholly in one go or not at all, and waits for that; with `now-or-never` it does not wait.",
    "`post-only` is refused if it would trade at once; it is cancelled when trading halts, as is every offer with "
    "`cancel-on-halt`.",
)
CLAUSES = "until | all_or_none | now_or_never | post_only | pool | cancel_on_halt"


def build(parts: Parts) -> OfferRequest:
    if "spend" in parts and ("deposit" in parts or "profit" in parts):
        raise BadCommand("With `for AMOUNT` the price is said by `at`: `deposit` and `profit` need a volume.")
    from_at, by_at = parts.get("by_range", (None, None))
    return OfferRequest(
        action=Action.BUY,
        side=parts["truth"] if "truth" in parts else parts["side"],
        volume=parts.get("volume"),
        amount_mills=parts.get("spend"),
        price=parts.get("at"),
        deposit_mills=parts.get("deposit"),
        profit_mills=parts.get("profit"),
        by_at=by_at,
        until_at=parts.get("until"),
        now_or_never="now_or_never" in parts,
        all_or_none="all_or_none" in parts,
        post_only="post_only" in parts,
        pool="pool" in parts,
        cancel_on_halt="cancel_on_halt" in parts or "post_only" in parts,
        from_at=from_at,
        contract=forecast_of(parts),
        truth="truth" in parts,
    )


def forecast_of(parts: Parts) -> int | None:
    """The forecast that a command says it is about. Raises BadCommand."""
    if "on" in parts and "by_range" in parts:
        raise BadCommand(f"`on F{parts['on']}` says which contract, and with it by when: leave out `by`.")
    return parts.get("on")


COMMAND = Command(
    name="offer",
    aliases=("buy",),
    usage="offer (fixed|unfixed|true|false) (VOLUME | for AMOUNT) [at PRICE | deposit AMOUNT | profit AMOUNT] "
    f"[by DATE[..DATE] | on F12] {CONDITIONS} [pool]",
    summary="Offer to buy units that pay 1 token each if the issue is fixed (or unfixed) by the date.",
    who="Everybody with enough free money.",
    notes=(
        "Without a price the odds are even: 0.50, unless the repository says otherwise. The price is that of the "
        "side named; `@` is `at`.",
        "`deposit` is the most you put up, `profit` the most you gain; `for` buys as many units as the money does.",
        "Without `by` the issue's only open contract is meant. A range of dates takes what every contract maturing in "
        "it offers, best price first; the rest waits in the one with the most open interest.",
        "`true` and `false` are the sides of a forecast, which `on` names; without `on` the thread's only open one.",
        *CONDITION_NOTES,
        "`pool`: all your pooled offers share one budget, the largest of their needs when the last one was made. What "
        "one of them pays is gone for the others; those that need more than is left are suspended until it is back.",
    ),
    examples=(
        "offer fixed 50 by in 2 weeks",
        "offer unfixed 200 at 0.80 by end of month",
        "offer fixed for 25 at 0.60 now-or-never",
        "offer true 50 at 0.30 on F12",
        "offer fixed 100 deposit 40 by friday until tomorrow",
        "offer fixed 100 at 0.10 by in 2 months all-or-none",
        "offer unfixed 20 at 0.90 by in 1 week..in 2 months post-only pool",
    ),
    rules=f"(side | truth) (volume | spend) (at | deposit | profit | by_range | on | {CLAUSES})*",
    build=build,
    mend=OfferMender("offer", quantities=("for",), by="by_range"),
    risks=True,
    order=10,
)
