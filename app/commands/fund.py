"""`fund`: money for whoever fixes the issue."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.corrections import FILLERS, Slots, joined, keep_date
from app.language.grammar import Parts
from app.language.guesses import near_number
from app.language.requests import FundRequest
from app.language.text import lower
from app.market.exchange.spoken import Blank, HandOut

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
    mend=mend,
    risks=True,
    order=12,
)
