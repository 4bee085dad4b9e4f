"""Arrival of an offer: bounds, units, money, room (docs/market.md §2). Refuses it, or returns it as it will be."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Final

from app.market.exchange.offer import Action, NewOffer, Offer, book_price
from app.market.exchange.spoken import Blank, spoken
from app.market.exchange.state import ContractState, Market
from app.market.exchange.whole import MAX_WHOLE, MAX_WHOLE_OF_USER, many_of, no_place, worst
from app.market.terms.contract import MAX_VOLUME, UNIT_MILLS, Side, Status
from app.market.terms.errors import InsufficientFunds, InsufficientUnits, InvalidOffer, NotTrading, Refusal
from app.market.terms.instants import command_date
from app.market.terms.money import format_mills, format_price

MAX_LIVE_OFFERS_OF_USER: Final = 50
MAX_LIVE_OFFERS: Final = 5_000
MAX_POOL_CONTRACTS: Final = 10
"""Contracts in which one user's pool may have offers."""

DUST_VOLUME: Final = 5

# Looked up once: enums are slow at it.
BUY: Final = Action.BUY
SELL: Final = Action.SELL
FIXED: Final = Side.FIXED
OPEN: Final = Status.OPEN


class Arrival:
    """An offer at the door. `states` in the order in which equal prices are taken; `last`: where a range ends.

    `held` are the free units it sells first; in a range each contract has its own, so none are counted on beforehand.
    `need_mills` is the full reserve at its limit; of a sale nobody asks it.
    """

    __slots__ = ("bid", "held", "last", "market", "need_mills", "new", "now", "states", "user")

    def __init__(
        self, market: Market, states: Sequence[ContractState], new: NewOffer, user: int, now: int, last: int
    ) -> None:
        self.market = market
        self.states = states
        self.new = new
        self.user = user
        self.now = now
        self.last = last
        self.bid = (new.action is BUY) == (new.side is FIXED)
        self.held = 0 if len(states) > 1 else self.free_units(states[0])
        self.need_mills = max(0, new.volume - self.held) * new.price

    def __deepcopy__(self, memo: dict[int, object]) -> Arrival:
        market, states = deepcopy((self.market, self.states), memo)
        return Arrival(market, states, self.new, self.user, self.now, self.last)

    def free_units(self, state: ContractState) -> int:
        """Units that pay for a sale: a bid gives UNFIXED, an ask FIXED."""
        found = (state.unfixed if self.bid else state.fixed).get(self.user)
        return found.free if found is not None else 0

    @property
    def latest(self) -> int:
        return max(state.maturation_at for state in self.states)

    def offers(self, numbers: Sequence[int]) -> list[Offer]:
        """The offers it consists of, one for each contract; the first wants everything."""
        volumes = [self.new.volume, *[0] * (len(numbers) - 1)]
        parts = zip(self.states, numbers, volumes, strict=True)
        return [self._offer(state, number, volume) for state, number, volume in parts]

    def _offer(self, state: ContractState, number: int, volume: int) -> Offer:
        sold = min(volume, self.free_units(state))
        until = state.maturation_at if self.new.until_at is None else min(self.new.until_at, state.maturation_at)
        return Offer(self.new, number, self.user, state.id, until, sold, volume - sold, self.now)


def admit(market: Market, state: ContractState, new: NewOffer, number: int, user: int, now: int) -> Offer | None:
    """Most offers are let in by one look: the offer that then arrives. None: it must be checked in full."""
    volume, price = new.volume, new.price
    held = (state.unfixed if new.side is FIXED else state.fixed).get(user)
    sold = min(held.free, volume) if held is not None and held.free else 0
    book = state.book
    if (
        new.action is BUY
        and not (new.all_or_none or new.post_only or new.pool)
        and new.until_at is None
        and now < state.maturation_at
        and state.status is OPEN
        and 0 < price < UNIT_MILLS
        and DUST_VOLUME <= volume <= MAX_VOLUME
        and (volume - sold) * price <= market.purses[user].free_mills
        and len(book.offers) < MAX_LIVE_OFFERS
        and book.counts[user] < MAX_LIVE_OFFERS_OF_USER
    ):
        return Offer(new, number, user, state.id, state.maturation_at, sold, volume - sold, now)
    return None


def check(arrival: Arrival) -> None:
    """Raises the Refusal that the offer meets first."""
    new, now = arrival.new, arrival.now
    for state in arrival.states:
        if state.status is not OPEN or now >= state.maturation_at:
            again = f"/bugmark book by {command_date(state.maturation_at)}"
            raise NotTrading("This contract is not trading now.", again)
    _check_bounds(arrival)
    if new.action is SELL:
        _check_units(arrival)
    elif arrival.need_mills > arrival.market.purses[arrival.user].free_mills:
        _check_money(arrival)


def _check_bounds(arrival: Arrival) -> None:
    new = arrival.new
    if not 1 <= new.volume <= MAX_VOLUME:
        raise InvalidOffer(f"The volume must be 1 to {MAX_VOLUME:,} units.", "/bugmark help offer")
    if not 1 <= new.price < UNIT_MILLS:
        raise InvalidOffer("The price must be between 0.001 and 0.999.")
    if new.until_at is not None and not arrival.now < new.until_at <= arrival.latest:
        raise InvalidOffer(
            "`until` must be later than now and not later than the contract's maturation.",
            spoken(new, arrival.latest, until=Blank.DATE),
        )
    if new.post_only and (new.all_or_none or new.now_or_never):
        raise InvalidOffer("`post-only` goes with neither `all-or-none` nor `now-or-never`.", "/bugmark help offer")


def _check_units(arrival: Arrival) -> None:
    new, held = arrival.new, arrival.held
    if new.pool or len(arrival.states) > 1:
        instead = spoken(replace(new, pool=False), arrival.latest)
        raise InvalidOffer("Only buy offers can share a pool or span a range.", instead)
    if held < new.volume:
        raise InsufficientUnits(
            new.volume,
            held,
            f"You have {held} free {new.side.value} units here, not {new.volume}.",
            _smaller(arrival, held) if held else "/bugmark positions",
        )


def _check_money(arrival: Arrival) -> None:
    """A pooled offer needs only what its pool does not hold already."""
    new, need = arrival.new, arrival.need_mills
    pool = arrival.market.pools.get(arrival.user) if new.pool else None
    free = arrival.market.purses[arrival.user].free_mills + (pool.left_mills if pool else 0)
    if need > free:
        affordable = arrival.held + free // new.price
        raise InsufficientFunds(
            need,
            free,
            f"This needs {format_mills(need)} and you have {format_mills(free)} free.",
            _smaller(arrival, affordable) if affordable else "/bugmark balance",
        )


def _smaller(arrival: Arrival, volume: int) -> str:
    """The same offer for fewer units; so few that they may not wait, now or never."""
    new = replace(arrival.new, volume=volume)
    if volume < DUST_VOLUME and new.post_only:
        return "/bugmark balance"
    return spoken(replace(new, now_or_never=new.now_or_never or volume < DUST_VOLUME), arrival.latest)


def dust(new: NewOffer) -> bool:
    return new.volume < DUST_VOLUME and not new.now_or_never


def tight(arrival: Arrival, state: ContractState) -> bool:
    """Tell if the bounds on resting offers leave no room for this one."""
    new, user, book = arrival.new, arrival.user, state.book
    if new.now_or_never:
        return False
    return (
        len(book.offers) >= MAX_LIVE_OFFERS
        or book.counts.get(user, 0) >= MAX_LIVE_OFFERS_OF_USER
        or (new.all_or_none and no_place(book, arrival.bid, book_price(new.side, new.price), user))
        or (new.pool and _pool_full(arrival, state))
    )


def _pool_full(arrival: Arrival, state: ContractState) -> bool:
    pool = arrival.market.pools.get(arrival.user)
    spanned = {offer.contract for offer in pool.offers.values()} if pool is not None else set()
    return state.id not in spanned and len(spanned) >= MAX_POOL_CONTRACTS


def no_room(arrival: Arrival, home: ContractState) -> Refusal:
    """Why an offer that would come to rest there may not: it is too small, or there is no room."""
    new, book = arrival.new, home.book
    book_shown = f"/bugmark book by {command_date(arrival.latest)}"
    at_once = book_shown if new.post_only else spoken(replace(new, now_or_never=True), arrival.latest)
    if new.volume < DUST_VOLUME:
        return InvalidOffer(
            f"An offer that comes to rest must be for at least {DUST_VOLUME} units; a smaller one may be now-or-never.",
            at_once,
        )
    if len(book.offers) >= MAX_LIVE_OFFERS:
        return InvalidOffer(f"This contract's book is full ({MAX_LIVE_OFFERS:,} open offers).", at_once)
    if book.counts.get(arrival.user, 0) >= MAX_LIVE_OFFERS_OF_USER:
        return InvalidOffer(f"You have {MAX_LIVE_OFFERS_OF_USER} open offers here already.", "/bugmark offers")
    if new.all_or_none and no_place(book, arrival.bid, book_price(new.side, new.price), arrival.user):
        return InvalidOffer(_no_place(arrival, home), at_once)
    return InvalidOffer(f"Your pool has offers in {MAX_POOL_CONTRACTS} contracts already, which is the most.", at_once)


def _no_place(arrival: Arrival, home: ContractState) -> str:
    last = worst(home.book, arrival.bid)
    if last is None or many_of(home.book, arrival.user):
        return f"You have {MAX_WHOLE_OF_USER} all-or-none offers waiting here already, which is the most."
    full = f"{MAX_WHOLE} all-or-none offers wait on this side of the book already, none at a worse price than yours"
    price, buys = book_price(arrival.new.side, last.fixed_price), arrival.new.action is BUY
    if price == (UNIT_MILLS - 1 if buys else 1):
        return f"{full}."
    return f"{full}; one {'above' if buys else 'below'} {format_price(price)} would take the place of the last."


def crosses(arrival: Arrival) -> Refusal:
    """Why a post-only offer may not come in."""
    instead = spoken(arrival.new, arrival.latest, at=Blank.PRICE)
    return InvalidOffer("This offer would fill at once, and post-only forbids that.", instead)


def check_resume(market: Market, state: ContractState, offer: Offer, now: int) -> int:
    """Check that a suspended offer may come back; returns the units it will sell first. Raises a Refusal."""
    if not state.trades(now) or offer.until_at <= now:
        raise NotTrading("This contract is not trading now.")
    sold = min(offer.remaining, state.free_units(offer.user, offer.gives))
    left = market.pools[offer.user].left_mills
    need = (offer.remaining - sold) * offer.price
    if need > left:
        raise InsufficientFunds(need, left, f"Offer o{offer.number} needs more than is left of its pool.")
    return sold
