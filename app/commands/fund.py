"""`fund`: money for whoever fixes the issue."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.corrections import FILLERS, Slots, joined, keep_date
from app.language.grammar import Parts
from app.language.guesses import near_number
from app.language.requests import FundRequest
from app.language.text import lower
from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.exchange.spoken import Blank, HandOut
from app.market.terms.contract import UNIT_MILLS, Side
from app.market.terms.errors import InvalidOffer
from app.market.terms.instants import format_instant
from app.market.terms.money import format_mills, format_price
from app.replies import trade_results
from app.services.rules.context import CommandContext
from app.services.trading import funding, offers
from app.services.trading.offers import Traded
from app.storage.engine.db import FIRST_IMAGINED, Tx

_PRICE_WORDS = ("at", "@")
_DATE_WORDS = ("by", "within", "in", "before", "until")


def build(parts: Parts) -> FundRequest:
    return FundRequest(parts["amount"], parts.get("by", parts.get("within")), parts.get("at"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """The one number that stands alone is the amount."""
    said = [word for word in joined([lower(word) for word in words]) if word not in FILLERS]
    slots, plain = Slots(), []
    at = 0
    while at < len(said):
        word, value = said[at], said[at + 1] if at + 1 < len(said) else ""
        if word in _PRICE_WORDS:
            slots.keep("at", near_number("at", value), Blank.PRICE)
            at += 2
        elif word in _DATE_WORDS:
            at += keep_date(slots, "by", said[at + (word not in ("in", "within")) :], now) + (
                word not in ("in", "within")
            )
        else:
            plain += [word] if word != "for" else []
            at += 1
    if len(plain) > 1:
        return ()
    slots.keep("amount", near_number("amount", plain[0]) if plain else (), Blank.AMOUNT)
    return slots.hand_outs("fund")


async def handle(tx: Tx, context: CommandContext, request: FundRequest) -> str:
    price = request.price or context.config.fund_price
    volume = request.amount_mills // price
    if not volume:
        raise InvalidOffer(
            f"{format_mills(request.amount_mills)} does not buy a single unit at {format_price(price)}.",
            f"/bugmark {_with_more(request).text}",
        )
    new = NewOffer(Action.BUY, Side.UNFIXED, volume, price)
    by_at = request.by_at or await funding.date_for(tx, context)
    traded = await offers.offer(tx, context, new, by_at)
    which = "" if request.by_at else f"{_where(traded, by_at)} "
    told = f"{which}{await trade_results.told(tx, context, traded)}{_for_a_fixer(traded.offer)}"
    rest = request.amount_mills - volume * price
    free = f" {format_mills(rest)} of the {format_mills(request.amount_mills)} is not enough for a unit and stays free."
    return f"{told}{free if rest else ''}"


def _with_more(request: FundRequest) -> HandOut:
    """Leave the amount to the user: nobody else may choose it."""
    given = {"at": request.price, "by": request.by_at}
    return HandOut(
        "fund", {"amount": Blank.AMOUNT, **{part: value for part, value in given.items() if value is not None}}
    )


def _where(traded: Traded, by_at: int) -> str:
    """Without a date the reply says which contract was chosen."""
    how = "a new contract" if traded.made else "the contract"
    return f"Without a date this goes to {how} by {format_instant(by_at)}."


def _for_a_fixer(offer: Offer) -> str:
    """Describe the resting offer as a reward for the user who takes the other side and fixes the issue."""
    if not offer.cash_left or offer.number >= FIRST_IMAGINED:
        return ""
    units = offer.cash_left
    return (
        f" Whoever fixes it can take the other side, `/bugmark take o{offer.number}`: that costs "
        f"{format_mills(units * offer.fixed_price)} and pays {format_mills(units * UNIT_MILLS)}."
    )


COMMAND = Command(
    name="fund",
    aliases=("bounty", "reward", "sponsor"),
    usage="fund AMOUNT [by DATE | within SPAN | in SPAN] [at PRICE]",
    summary="Put money up for whoever fixes this issue by the date.",
    who="Everybody with enough free money.",
    notes=(
        "The same as `offer unfixed V at PRICE` with as many units as the amount buys. Without `at` the price is the "
        "repository's fund price, 0.90 unless it says otherwise.",
        "Without a date the money goes to the open contract with the most open interest, else to the one with the most "
        "put up, of those that mature in 14 to 365 days; else to a new one in 90 days. The reply says which.",
        "If the issue is fixed in time, the money goes to those who bet on that; if not, it comes back with what they "
        "put up. What is not enough for a whole unit stays free.",
    ),
    examples=("fund 50 within 2 months", "fund 50", "fund 100 by end of month at 0.80"),
    rules="amount (at (by | within)? | (by | within) at?)?",
    build=build,
    handle=handle,
    mend=mend,
    risks=True,
    order=12,
)
