"""Every use case, by the type of its request."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from app.language.requests import (
    DRY_RUN,
    BalanceRequest,
    BookRequest,
    CancelRequest,
    ChangeRequest,
    DisputeRequest,
    DryRunRequest,
    ForecastRequest,
    FundRequest,
    GiveRequest,
    HelpRequest,
    HistoryRequest,
    MarketRequest,
    MuteRequest,
    OfferRequest,
    OffersRequest,
    PositionsRequest,
    PriceRequest,
    Request,
    ResolveRequest,
    SettingsRequest,
    TakeRequest,
    WorkRequest,
)
from app.market.exchange.spoken import Unclear
from app.market.terms.errors import Refusal
from app.services.rules.context import CommandContext
from app.services.uses import house, leaving, looks, trades
from app.services.uses.results import Rehearsed
from app.services.uses.use_case import Unread, UseCase, UseCases
from app.storage.engine.db import Tx, rehearsal
from app.storage.people.places import Place

_CORRECTED = re.compile(r"^/bugmark ")


async def ask_for_rehearsal(oracle: Any, place: Place, request: DryRunRequest) -> DryRunRequest | None:
    """Ask GitHub what the request itself would ask."""
    prepare = of(request.request).prepare
    if prepare is None:
        return request
    found = await prepare(oracle, place, request.request)
    return None if found is None else replace(request, request=found)


async def rehearse(tx: Tx, context: CommandContext, request: DryRunRequest) -> Rehearsed:
    try:
        async with rehearsal(tx):
            return Rehearsed(await of(request.request).handle(tx, context, request.request))
    except Unclear as refusal:
        raise Unclear(_would(refusal), *(one.rehearsed() for one in refusal.instead)) from refusal
    except Refusal as refusal:
        again = _CORRECTED.sub(f"/bugmark {DRY_RUN} ", refusal.correction) if refusal.correction else None
        raise Refusal(_would(refusal), again) from refusal


def _would(refusal: Refusal) -> str:
    return f"This would be refused: {refusal.sentence}"


USE_CASES: UseCases = {
    OfferRequest: UseCase(trades.trade),
    TakeRequest: UseCase(trades.take),
    CancelRequest: UseCase(trades.cancel, winds_up=True),
    ChangeRequest: UseCase(trades.change),
    FundRequest: UseCase(trades.fund),
    WorkRequest: UseCase(trades.work),
    BookRequest: UseCase(looks.book),
    PriceRequest: UseCase(looks.price),
    HistoryRequest: UseCase(looks.history),
    PositionsRequest: UseCase(looks.positions),
    OffersRequest: UseCase(looks.offers, winds_up=True),
    BalanceRequest: UseCase(looks.balance),
    SettingsRequest: UseCase(looks.settings, winds_up=True),
    HelpRequest: UseCase(looks.help_),
    ForecastRequest: UseCase(house.forecast, house.ask_subject),
    DisputeRequest: UseCase(house.dispute, winds_up=True),
    ResolveRequest: UseCase(house.resolve, winds_up=True, needs_rights=True),
    MarketRequest: UseCase(house.market, winds_up=True, needs_rights=True),
    GiveRequest: UseCase(house.give, house.ask_holder),
    MuteRequest: UseCase(house.choose_mentions, winds_up=True),
    DryRunRequest: UseCase(rehearse, ask_for_rehearsal),
    Unread: UseCase(leaving.refuse),
}


def of(request: Request | Unread) -> UseCase:
    return USE_CASES[type(request)]


def winds_up(request: Request | Unread) -> bool:
    """Tell if it works where trading is switched off; a dry run does where what it tries would."""
    if isinstance(request, Unread):
        return request.winds_up
    return of(_tried(request)).winds_up


def needs_rights(request: Request | Unread) -> bool:
    return not isinstance(request, Unread) and of(_tried(request)).needs_rights


def _tried(request: Request) -> Request:
    return request.request if isinstance(request, DryRunRequest) else request
