"""`fund`: money for whoever fixes the issue."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands import answers
from app.commands.command import Command
from app.commands.grammar import Parts
from app.commands.mending import kept_date, nearly, suggested_date
from app.commands.near import near_amount, near_price
from app.commands.requests import FundRequest
from app.market.contract import UNIT_MILLS, Side
from app.market.errors import InvalidOffer
from app.market.instants import command_date
from app.market.money import format_mills, format_price
from app.market.offer import Action, NewOffer, Offer
from app.services import trading
from app.services.scene import Scene
from app.storage.db import FIRST_IMAGINED, Tx

USUAL_AMOUNT = "50"
LEAST_VOLUME = 5


def build(parts: Parts) -> FundRequest:
    return FundRequest(parts["amount"], parts["by"], parts.get("at"))


def mend(words: Sequence[str], now: int) -> str:
    """The amount is the first number that stands alone."""
    plain = [word for word in words if word != "for"]
    amount = next((near for word in plain[:1] if (near := nearly("amount", word, near_amount))), USUAL_AMOUNT)
    by, price = suggested_date(now), ""
    for at, word in enumerate(plain):
        if word == "by":
            by = kept_date(plain[at + 1 :], now)[0] or by
        if word in ("at", "@"):
            near = nearly("at", " ".join(plain[at + 1 : at + 2]), near_price)
            price = f" at {near}" if near else ""
    return f"fund {amount} by {by}{price}"


async def handle(tx: Tx, scene: Scene, request: FundRequest) -> str:
    price = request.price or scene.config.fund_price
    volume = request.amount_mills // price
    if not volume:
        by = command_date(request.by_at)
        least = format_mills(LEAST_VOLUME * price)
        raise InvalidOffer(
            f"{format_mills(request.amount_mills)} does not buy a single unit at {format_price(price)}.",
            f"/bugmark fund {least.replace(',', '')} by {by} at {format_price(price)}",
        )
    new = NewOffer(Action.BUY, Side.UNFIXED, volume, price)
    traded = await trading.offer(tx, scene, new, request.by_at)
    told = f"{await answers.told(tx, scene, traded)}{_for_a_fixer(traded.offer)}"
    rest = request.amount_mills - volume * price
    free = f" {format_mills(rest)} of the {format_mills(request.amount_mills)} is not enough for a unit and stays free."
    return f"{told}{free if rest else ''}"


def _for_a_fixer(offer: Offer) -> str:
    """What waits is a reward: who takes the other side and fixes it gets it."""
    if not offer.cash_left or offer.number >= FIRST_IMAGINED:
        return ""
    units = offer.cash_left
    return (
        f" Whoever fixes it can take the other side, `/bugmark take o{offer.number}`: that costs "
        f"{format_mills(units * offer.fixed_price)} and pays {format_mills(units * UNIT_MILLS)}."
    )


COMMAND = Command(
    name="fund",
    usage="fund AMOUNT by DATE [at PRICE]",
    summary="Put money up for whoever fixes this issue by the date.",
    who="Everybody with enough free money.",
    notes=(
        "The same as `offer unfixed V at PRICE` with as many units as the amount buys. Without `at` the price is the "
        "repository's fund price, 0.90 unless it says otherwise.",
        "If the issue is fixed in time, the money goes to those who bet on that; if not, it comes back with what they "
        "put up. What is not enough for a whole unit stays free.",
    ),
    examples=("fund 50 by in 2 months", "fund 100 by end of month at 0.80"),
    rules="amount (by at? | at by)",
    build=build,
    handle=handle,
    mend=mend,
    order=12,
)
