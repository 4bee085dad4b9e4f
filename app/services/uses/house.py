"""Requests about the market itself and about other people: forecasts, disputes, halts, gifts, mentions."""

from __future__ import annotations

from dataclasses import replace

from app.language.requests import (
    AboutAdvisory,
    AboutIssue,
    AboutMilestone,
    AboutPull,
    AboutRelease,
    DisputeRequest,
    ForecastRequest,
    GiveRequest,
    MarketRequest,
    MuteRequest,
    ResolveRequest,
)
from app.market.terms.pull import PullState
from app.services.accounts import gifts
from app.services.forecasts import making
from app.services.forecasts.making import Made, Subjects
from app.services.life import disputes, halting, rulings
from app.services.life.disputes import Disputed
from app.services.mentions import mutes
from app.services.rules.context import CommandContext
from app.services.trading.limits import People
from app.services.uses.results import Given, HaltLifted, MarketHalted, MentionsChosen, Ruled
from app.storage.engine.db import Tx
from app.storage.people import places
from app.storage.people.places import Place


async def ask_subject(oracle: Subjects, place: Place, request: ForecastRequest) -> ForecastRequest | None:
    """GitHub is asked which milestone is meant, and whether what is to come is there already."""
    match request.about:
        case AboutMilestone() as about:
            known = await oracle.milestones(place.repository)
            return None if known is None else replace(request, about=replace(about, known=tuple(known)))
        case AboutPull(number) as about:
            state = await oracle.pull_request(place.repository, number)
            return None if state is None else replace(request, about=replace(about, state=state))
        case AboutRelease(tag) as about:
            published = await oracle.released(place.repository, tag)
            return None if published is None else replace(request, about=replace(about, published=published))
    return request


async def forecast(tx: Tx, context: CommandContext, request: ForecastRequest) -> Made:
    match request.about:
        case AboutAdvisory(ecosystem, package, severity):
            return await making.forecast_advisory(tx, context, ecosystem, package, severity, request.by_at)
        case AboutIssue(label, title):
            return await making.forecast_issue(tx, context, label, title, request.by_at)
        case AboutMilestone(name, known):
            return await making.forecast_milestone(tx, context, name, known or (), request.by_at)
        case AboutPull(number, state):
            return await making.forecast_pull(tx, context, number, state or PullState.ABSENT, request.by_at)
        case AboutRelease(tag, published):
            return await making.forecast_release(tx, context, tag, published is not False, request.by_at)


async def dispute(tx: Tx, context: CommandContext, request: DisputeRequest) -> Disputed:
    return await disputes.dispute(tx, context, request.reason, request.contract)


async def resolve(tx: Tx, context: CommandContext, request: ResolveRequest) -> Ruled:
    found = await rulings.resolve(tx, context, request.outcome, request.reason, request.contract, request.price)
    return Ruled(found, request.outcome, await places.logins(tx, set(found.bonds)))


async def market(tx: Tx, context: CommandContext, request: MarketRequest) -> MarketHalted | HaltLifted:
    if request.halt:
        return MarketHalted(await halting.halt_market(tx, context, request.reason), request.reason)
    return HaltLifted(await halting.resume_market(tx, context), request.reason)


async def ask_holder(oracle: People, place: Place, request: GiveRequest) -> GiveRequest | None:
    """Names change hands: GitHub says whose this one is now."""
    holder = await oracle.holder_of(place, request.login)
    return None if holder is None else replace(request, holder=holder)


async def give(tx: Tx, context: CommandContext, request: GiveRequest) -> Given:
    gift = await gifts.give(tx, context, request.login, request.amount_mills, request.holder)
    named = await mutes.addressed(tx, context.place.repository.id, {gift.receiver}, context.now)
    return Given(gift, named[gift.receiver], request.amount_mills)


async def choose_mentions(tx: Tx, context: CommandContext, request: MuteRequest) -> MentionsChosen:
    await mutes.choose(tx, context.user_id, context.place.repository.id, request.mode)
    return MentionsChosen(request.mode)
