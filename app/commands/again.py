"""An offer or a sale said again, with the forecast that it should have named."""

from __future__ import annotations

from app.commands.requests import OfferRequest
from app.market.errors import Refusal
from app.market.instants import command_date
from app.market.money import format_mills, format_price
from app.market.offer import Action
from app.market.statement import ADVISORY, said
from app.services import forecasting
from app.services.forecasting import UnclearForecast
from app.services.scene import Scene
from app.storage.db import Tx


async def forecast_meant(tx: Tx, scene: Scene, request: OfferRequest) -> int | None:
    """The forecast an offer or a sale is about, None for the issue's own contracts.

    Raises a Refusal whose correction is the same command with a forecast named, where several could be meant.
    """
    try:
        return await forecasting.number_meant(tx, scene, request.contract, request.truth)
    except UnclearForecast as refusal:
        raise Refusal(refusal.sentence, f"/bugmark {words(request)} on F{refusal.nearest}") from refusal


def words(request: OfferRequest) -> str:
    """What follows `/bugmark`, without saying in which contract."""
    parts = [
        "sell" if request.action is Action.SELL else "offer",
        said(ADVISORY, request.side.value).lower(),
        _quantity(request),
        *_price(request),
        *([f"until {command_date(request.until_at)}"] if request.until_at is not None else []),
        *_conditions(request),
    ]
    return " ".join(parts)


def _quantity(request: OfferRequest) -> str:
    if request.volume is not None:
        return str(request.volume)
    return "all" if request.amount_mills is None else f"for {_plain(request.amount_mills)}"


def _price(request: OfferRequest) -> list[str]:
    given = {"deposit": request.deposit_mills, "profit": request.profit_mills}
    at = [] if request.price is None else [f"at {format_price(request.price)}"]
    return at + [f"{word} {_plain(mills)}" for word, mills in given.items() if mills is not None]


def _conditions(request: OfferRequest) -> list[str]:
    flags = {
        "all-or-none": request.all_or_none,
        "now-or-never": request.now_or_never,
        "post-only": request.post_only,
        "pool": request.pool,
        "cancel-on-halt": request.cancel_on_halt and not request.post_only,  # post-only brings it along
    }
    return [word for word, wanted in flags.items() if wanted]


def _plain(mills: int) -> str:
    return format_mills(mills).replace(",", "")
