"""Requests that only look: nothing changes."""

from __future__ import annotations

from app.language.escape import code
from app.language.requests import (
    BalanceRequest,
    BookRequest,
    HelpRequest,
    HistoryRequest,
    OffersRequest,
    PositionsRequest,
    PriceRequest,
    SettingsRequest,
)
from app.market.terms.errors import Refusal
from app.services.rules.context import CommandContext
from app.services.rules.settings_told import InForce, in_force
from app.services.trading import looking
from app.services.uses.results import (
    BookShown,
    HelpShown,
    HistoryShown,
    MoneyShown,
    OffersShown,
    PositionsShown,
    PriceShown,
    PricesShown,
)
from app.services.views import holdings, market_views
from app.storage.engine.db import Tx
from app.storage.market import books, contracts, market_data
from app.storage.people import places

MOST_DAYS = 30
MOST_TRADES = 20


async def book(tx: Tx, context: CommandContext, request: BookRequest) -> BookShown:
    row = await looking.contract_to_show(tx, context, request.by_at, request.contract, "book")
    return BookShown(await market_views.book_view(tx, row, context.now))


async def price(tx: Tx, context: CommandContext, request: PriceRequest) -> PriceShown | PricesShown:
    if request.by_at is None and request.contract is None:
        view = await market_views.issue_view(tx, context.place.issue.id, context.now)
        if len(view.trading) > 1:
            return PricesShown(view)
    row = await looking.contract_to_show(tx, context, request.by_at, request.contract, "price")
    return PriceShown(await market_views.contract_view(tx, row, context.now))


async def history(tx: Tx, context: CommandContext, request: HistoryRequest) -> HistoryShown:
    row = await looking.contract_to_show(tx, context, request.by_at, request.contract, "history")
    days = await market_data.days(tx, row.id, MOST_DAYS)
    return HistoryShown(row, days, await market_data.trades(tx, row.id, MOST_TRADES))


async def positions(tx: Tx, context: CommandContext, request: PositionsRequest) -> PositionsShown:
    user_id = context.user_id if request.login is None else await places.user_by_login(tx, request.login)
    if user_id is None:
        raise Refusal(f"Nobody called {code(request.login or '')} has traded here.", "/bugmark positions")
    user = await holdings.user_view(tx, context.place, user_id, context.now)
    return PositionsShown(user, await holdings.holdings(tx, user, context.now), user_id == context.user_id)


async def offers(tx: Tx, context: CommandContext, _request: OffersRequest) -> OffersShown:
    found = await books.live_offers(tx, context.user_id, context.place.issue.id)
    here = await contracts.of_thread(tx, context.place.issue.id, context.now) if found else []
    rows = {row.id: row for row in here}
    return OffersShown([(offer, rows[contract]) for contract, offer in found])


async def balance(tx: Tx, context: CommandContext, _request: BalanceRequest) -> MoneyShown:
    return MoneyShown(await holdings.user_view(tx, context.place, context.user_id, context.now))


async def settings(tx: Tx, context: CommandContext, _request: SettingsRequest) -> InForce:
    return await in_force(tx, context.place.repository)


async def help_(_tx: Tx, _context: CommandContext, request: HelpRequest) -> HelpShown:
    return HelpShown(request.command)
