"""From what was typed to an offer's volume and limit price."""

from __future__ import annotations

from app.language.requests import OfferRequest
from app.market.exchange.offer import NewOffer, price_from_deposit, price_from_profit
from app.market.exchange.spoken import Blank
from app.market.terms.contract import UNIT_MILLS, Side
from app.market.terms.errors import InvalidOffer
from app.services.rules.config import Config
from app.services.uses.again import again


def priced(request: OfferRequest, config: Config) -> NewOffer:
    """The offer a buy request means, with the repository's default price where none is named."""
    price = _price(request, config)
    if not 1 <= price < UNIT_MILLS:
        raise InvalidOffer(
            "That comes to a price outside 0.001 to 0.999; name the price instead.",
            f"/bugmark {again(request, at=Blank.PRICE, deposit=None, profit=None).text}",
        )
    volume = request.volume
    if volume is None:
        amount = request.amount_mills or 0
        volume = amount // price
    if not volume:
        raise InvalidOffer(
            "That amount does not buy a single unit at this price.",
            f"/bugmark {again(request, spend=Blank.AMOUNT).text}",
        )
    return NewOffer(
        request.action,
        request.side,
        volume,
        price,
        request.until_at,
        now_or_never=request.now_or_never,
        all_or_none=request.all_or_none,
        post_only=request.post_only,
        pool=request.pool,
        cancel_on_halt=request.cancel_on_halt,
    )


def _price(request: OfferRequest, config: Config) -> int:
    if request.price is not None:
        return request.price
    if request.volume is not None and request.deposit_mills is not None:
        return price_from_deposit(request.deposit_mills, request.volume)
    if request.volume is not None and request.profit_mills is not None:
        return price_from_profit(request.profit_mills, request.volume)
    fixed = config.default_price if request.contract is None else UNIT_MILLS // 2
    return fixed if request.side is Side.FIXED else UNIT_MILLS - fixed
