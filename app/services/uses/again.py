"""An offer or a sale said again, as a command to copy."""

from __future__ import annotations

from app.language.requests import OfferRequest
from app.market.exchange.offer import Action
from app.market.exchange.spoken import Blank, HandOut, Unclear, each
from app.services.rules.context import CommandContext
from app.services.trading import forecasting
from app.services.trading.forecasting import UnclearForecast
from app.storage.engine.db import Tx

_CONDITIONS = ("all_or_none", "now_or_never", "post_only", "pool")


async def forecast_meant(tx: Tx, context: CommandContext, request: OfferRequest) -> int | None:
    """The forecast an offer or a sale is about, None for the issue's own contracts.

    Raises a Refusal with the same command for each forecast that could be meant.
    """
    try:
        return await forecasting.number_meant(tx, context, request.contract, request.truth)
    except UnclearForecast as refusal:
        command = again(request, on=Blank.FORECAST)
        raise Unclear(refusal.sentence, *each(command, "on", refusal.choices, Blank.FORECAST)) from refusal


def again(request: OfferRequest, **instead: object) -> HandOut:
    """The same command; `instead` are parts to be said so, None those to be left out."""
    forecast = request.truth or request.contract is not None or instead.get("on") is not None
    given: dict[str, object] = {
        "truth" if forecast else "side": request.side,
        "volume": request.volume,
        "spend": request.amount_mills,
        "everything": True if request.volume is None and request.amount_mills is None else None,
        "at": request.price,
        "deposit": request.deposit_mills,
        "profit": request.profit_mills,
        "by_range": None if request.by_at is None else (request.from_at, request.by_at),
        "on": request.contract,
        "until": request.until_at,
        **{part: getattr(request, part) or None for part in _CONDITIONS},
        "cancel_on_halt": True if request.cancel_on_halt and not request.post_only else None,
    }
    said = {part: value for part, value in {**given, **instead}.items() if value is not None}
    return HandOut("sell" if request.action is Action.SELL else "offer", said)
