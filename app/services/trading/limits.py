"""Limits of one user in one repository (its config's `limits`), checked in the transaction of the command."""

from __future__ import annotations

from typing import Protocol

from app.market.exchange.offer import Action, NewOffer
from app.market.exchange.state import ContractState
from app.market.terms.contract import Side
from app.market.terms.errors import Refusal
from app.market.terms.instants import format_instant
from app.market.terms.money import format_mills
from app.services.rules.config import Config, Limits
from app.services.rules.context import CommandContext
from app.storage.engine.db import Tx
from app.storage.market import usage
from app.storage.people.places import Place

HOUR_SECONDS, DAY_SECONDS = 3600, 86_400


class OverLimit(Refusal):
    """More than a user may do in this repository."""


NOT_TOLD = -1


class People(Protocol):
    """GitHub as those who know its users."""

    async def account_made_at(self, place: Place, user_id: int, login: str) -> int | None:
        """Ask for the account's creation; NOT_TOLD if there is no such user, None when nobody answers."""
        ...

    async def holder_of(self, place: Place, login: str) -> int | None:
        """The id of the user who has this login now; NOT_TOLD where there is none, None where nobody answers."""
        ...


async def asks_for_age(tx: Tx, config: Config, user_id: int) -> bool:
    """Tell if GitHub must be asked for the age of the user's account: a limit needs it and we do not know it."""
    return config.limits.account_age_days is not None and await usage.account_made_at(tx, user_id) is None


async def note_age(tx: Tx, user_id: int, made_at: int) -> None:
    await usage.note_account_made(tx, user_id, made_at)


async def check(tx: Tx, context: CommandContext, state: ContractState, new: NewOffer) -> None:
    """Refuses an offer that comes too soon, or that could leave its user with more than is allowed."""
    limits = context.config.limits
    await _check_pace(tx, context, limits)
    await _check_open_offers(tx, context, limits, new)
    if new.action is Action.BUY:
        bought = new.volume - min(new.volume, state.free_units(context.user_id, new.side.other))
        await _check_stake(tx, context, limits, state, new, bought * new.price)
        _check_units(context.user_id, limits, state, new.side, bought)


async def _check_pace(tx: Tx, context: CommandContext, limits: Limits) -> None:
    user, repository = context.user_id, context.place.repository.id
    if limits.account_age_days is not None:
        _check_age(limits.account_age_days, await usage.account_made_at(tx, user), context.now)
    if limits.commands_per_hour is not None:
        given = await usage.commands_done(tx, user, repository, context.now - HOUR_SECONDS)
        if len(given) >= limits.commands_per_hour:
            freed = given[-limits.commands_per_hour] if limits.commands_per_hour else context.now
            _refuse(
                f"You have given {len(given)} command{'s' * (len(given) != 1)} here within the last hour, the most is "
                f"{limits.commands_per_hour}; you can trade again at {format_instant(freed + HOUR_SECONDS)}."
            )
    if limits.cooldown_seconds is not None:
        last = await usage.last_offer_at(tx, user, repository)
        if last is not None and context.now < last + limits.cooldown_seconds:
            _refuse(
                f"Between two trades here {limits.cooldown_seconds} seconds have to pass; "
                f"you can trade again at {format_instant(last + limits.cooldown_seconds)}."
            )


def _check_age(days: int, made_at: int | None, now: int) -> None:
    if made_at is None:
        _refuse("GitHub did not say how old your account is, which this repository asks for; please try again later.")
    elif now < made_at + days * DAY_SECONDS:
        _refuse(
            f"Accounts younger than {days} days do not trade here; yours can at "
            f"{format_instant(made_at + days * DAY_SECONDS)}."
        )


def _refuse(sentence: str, correction: str = "/bugmark balance") -> None:
    raise OverLimit(sentence, correction)


async def _check_open_offers(tx: Tx, context: CommandContext, limits: Limits, new: NewOffer) -> None:
    if limits.open_offers is None or new.now_or_never:
        return
    count = await usage.open_offers(tx, context.user_id, context.place.repository.id)
    if count >= limits.open_offers:
        _refuse(
            f"You have {count} open offers in this repository, the most is {limits.open_offers}; you can make another "
            "when one of them is filled, cancelled or expired.",
            "/bugmark offers",
        )


async def _check_stake(
    tx: Tx, context: CommandContext, limits: Limits, state: ContractState, new: NewOffer, need_mills: int
) -> None:
    if limits.stake_mills is None:
        return
    left = await usage.pool_left(tx, context.user_id, state.terms.currency)
    stake = _stake(context.user_id, state, need_mills if new.pool else 0, left) + (0 if new.pool else need_mills)
    if stake > limits.stake_mills:
        _refuse(
            f"With this you could have {format_mills(stake)} at stake in this contract, the most is "
            f"{format_mills(limits.stake_mills)}; it is free again when offers end or units are sold.",
            "/bugmark positions",
        )


def _stake(user: int, state: ContractState, pooled_mills: int, pool_left: int) -> int:
    """Money up for offers and cost of positions. Pooled offers cannot take more than the pool has, or will have."""
    mine = state.book.owned_by(user)
    pooled = pooled_mills + sum(offer.need_mills for offer in mine if offer.pooled)
    alone = sum(offer.need_mills for offer in mine if not offer.pooled)
    cost = sum(held.cost_mills for side in Side if (held := state.holders(side).get(user)))
    return alone + min(pooled, max(pool_left, pooled_mills)) + cost


def _check_units(user: int, limits: Limits, state: ContractState, side: Side, bought: int) -> None:
    """Units held, and those that open offers would buy."""
    held = state.holders(side).get(user)
    wanted = sum(
        offer.cash_left for offer in state.book.owned_by(user) if (offer.action, offer.side) == (Action.BUY, side)
    )
    units = bought + wanted + (held.units if held else 0)
    if limits.position_units is not None and units > limits.position_units:
        _refuse(
            f"With this you could hold {units:,} {side.value} units of this contract, the most is "
            f"{limits.position_units:,}; there is room again when units are sold or offers end.",
            "/bugmark positions",
        )
