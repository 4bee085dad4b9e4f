"""Matching: an offer arrives, fills at the price of the older offers, and what is left rests (docs/market.md §2, §3).

Pure calculation. The same commands in the same order always give the same fills.
"""

from __future__ import annotations

from dataclasses import replace

from app.market.contract import UNIT_MILLS, Status
from app.market.errors import (
    InsufficientFunds,
    InsufficientUnits,
    InvalidOffer,
    NotTrading,
    UnknownOffer,
)
from app.market.fill import AmendmentKind, Fill, FillKind
from app.market.instants import command_date
from app.market.journal import Kind
from app.market.money import format_mills
from app.market.offer import MAX_VOLUME, Action, NewOffer, Offer, book_price, is_bid
from app.market.spoken import spoken
from app.market.state import Changes, ContractState, Recorder

MAX_FILLS = 1_000
MAX_LIVE_OFFERS_OF_USER = 50
MAX_LIVE_OFFERS = 5_000
DUST_VOLUME = 5


def place(
    state: ContractState, new: NewOffer, *, number: int, user: int, free_mills: int, cause: str, now: int
) -> Changes:
    """Let an offer arrive. `free_mills` is the user's free money in the contract's currency.

    Offers that are due by `now` must have expired before (`expire`). Raises a Refusal and changes nothing.
    """
    offer = _arrive(state, new, number, user, free_mills, now)
    recorder = Recorder(state, cause, now)
    recorder.touch(offer)
    recorder.changes.sale_volume = offer.units_left
    passed = _sweep(recorder, offer)
    stopped = len(recorder.changes.fills) == MAX_FILLS and fillable(state, new, user) > 0
    rests = bool(offer.remaining) and not offer.now_or_never and not stopped
    if rests:
        _rest(recorder, offer)
    else:
        offer.cut(offer.remaining)
    for own, wanted in passed:
        volume = own.remaining if rests else min(wanted, own.remaining)
        recorder.changes.cut.append((own, volume))
        recorder.release(own, volume, f"cut:{own.number}:{offer.number}")
    return recorder.changes


def cancel(state: ContractState, number: int, *, user: int, cause: str, now: int) -> Changes:
    """Take a user's live offer out of the book. Raises UnknownOffer."""
    offer = state.book.offers.get(number)
    if offer is None or offer.user != user:
        raise UnknownOffer(f"You have no open offer o{number}.", "/bugmark positions")
    recorder = Recorder(state, cause, now)
    recorder.release(offer, offer.remaining, f"cancel:{number}")
    return recorder.changes


def expire(state: ContractState, now: int) -> Changes:
    """Cancel the offers that are due by `now`, in order of (until, number)."""
    due = sorted(
        (offer for offer in state.book.offers.values() if offer.until_at <= now),
        key=lambda offer: (offer.until_at, offer.number),
    )
    recorder = Recorder(state, "expiry", now)
    for offer in due:
        recorder.release(offer, offer.remaining, f"expiry:{offer.number}")
    return recorder.changes


def fillable(state: ContractState, new: NewOffer, user: int) -> int:
    """How much of an offer others would fill at once, counted no further than its volume."""
    bid = is_bid(new.action, new.side)
    found = 0
    for counter in state.book.half(not bid).reached(book_price(new.side, new.price)):
        if counter.user != user:
            found += counter.remaining
        if found >= new.volume:
            return new.volume
    return found


def _arrive(state: ContractState, new: NewOffer, number: int, user: int, free_mills: int, now: int) -> Offer:
    if state.status is not Status.OPEN or now >= state.maturation_at:
        raise NotTrading("This contract is not trading now.", f"/bugmark book by {command_date(state.maturation_at)}")
    _check_bounds(state, new, now)
    gives = new.side if new.action is Action.SELL else new.side.other
    held = state.free_units(user, gives)
    if new.action is Action.SELL and held < new.volume:
        raise InsufficientUnits(
            new.volume,
            held,
            f"You have {held} free {gives.value} units here, not {new.volume}.",
            _smaller(state, new, held) if held else "/bugmark positions",
        )
    sold = min(new.volume, held)
    need = 0 if new.action is Action.SELL else (new.volume - sold) * new.price
    if need > free_mills:
        raise InsufficientFunds(
            need,
            free_mills,
            f"This needs {format_mills(need)} and you have {format_mills(free_mills)} free.",
            _smaller(state, new, affordable) if (affordable := sold + free_mills // new.price) else "/bugmark balance",
        )
    _check_room(state, new, user)
    return Offer(
        number=number,
        user=user,
        action=new.action,
        side=new.side,
        price=new.price,
        volume=new.volume,
        until_at=state.maturation_at if new.until_at is None else new.until_at,
        now_or_never=new.now_or_never,
        units_left=sold,
        cash_left=new.volume - sold,
    )


def _smaller(state: ContractState, new: NewOffer, volume: int) -> str:
    """The same offer for fewer units; so few that they may not wait, now or never."""
    at_once = new.now_or_never or volume < DUST_VOLUME
    return spoken(replace(new, volume=volume, now_or_never=at_once), state.maturation_at)


def _check_bounds(state: ContractState, new: NewOffer, now: int) -> None:
    if not 1 <= new.volume <= MAX_VOLUME:
        raise InvalidOffer(f"The volume must be 1 to {MAX_VOLUME:,} units.", "/bugmark help offer")
    if not 1 <= new.price < UNIT_MILLS:
        raise InvalidOffer("The price must be between 0.001 and 0.999.")
    if new.until_at is not None and not now < new.until_at <= state.maturation_at:
        raise InvalidOffer(
            "`until` must be later than now and not later than the contract's maturation.",
            spoken(replace(new, until_at=None), state.maturation_at),
        )


def _check_room(state: ContractState, new: NewOffer, user: int) -> None:
    """Bounds against dust; only offers that would come to rest are held to them."""
    refusal = _no_room(state, new, user, spoken(replace(new, now_or_never=True), state.maturation_at))
    if refusal and not new.now_or_never and fillable(state, new, user) < new.volume:
        raise refusal


def _no_room(state: ContractState, new: NewOffer, user: int, at_once: str) -> InvalidOffer | None:
    if new.volume < DUST_VOLUME:
        return InvalidOffer(
            f"An offer that comes to rest must be for at least {DUST_VOLUME} units; a smaller one may be now-or-never.",
            at_once,
        )
    if len(state.book.offers) >= MAX_LIVE_OFFERS:
        return InvalidOffer(f"This contract's book is full ({MAX_LIVE_OFFERS:,} open offers).", at_once)
    if state.book.counts.get(user, 0) >= MAX_LIVE_OFFERS_OF_USER:
        return InvalidOffer(f"You have {MAX_LIVE_OFFERS_OF_USER} open offers here already.", "/bugmark cancel all")
    return None


def _sweep(recorder: Recorder, offer: Offer) -> list[tuple[Offer, int]]:
    """Fill against the other half, best price then oldest.

    Returns the user's own counter-offers that were passed, with the volume still wanted when each was passed.
    """
    passed = []
    gone = []
    for counter in recorder.state.book.half(not offer.bid).reached(offer.fixed_price):
        if not offer.remaining:
            break
        if counter.user == offer.user:
            passed.append((counter, offer.remaining))
            continue
        if len(recorder.changes.fills) == MAX_FILLS:
            break
        while offer.remaining and counter.remaining and len(recorder.changes.fills) < MAX_FILLS:
            _fill(recorder, offer, counter)
        if not counter.remaining:
            gone.append(counter)
    for counter in gone:
        recorder.state.book.remove(counter)
    return passed


def _fill(recorder: Recorder, newcomer: Offer, rester: Offer) -> None:
    """One fill of one kind: as much as the parts of both offers that are paid in the same way allow."""
    volume = min(newcomer.units_left or newcomer.cash_left, rester.units_left or rester.cash_left)
    bid, ask = (newcomer, rester) if newcomer.bid else (rester, newcomer)
    price = rester.fixed_price
    bid_sells, ask_sells = bool(bid.units_left), bool(ask.units_left)
    if bid_sells and ask_sells:
        kind = FillKind.REDUCE
        recorder.retire(volume)
    elif bid_sells or ask_sells:
        kind = FillKind.TRANSFER
    else:
        kind = FillKind.EXPAND
        recorder.issue(volume, volume * price)
    _exchange(recorder, bid, volume, price, rests=bid is rester)
    _exchange(recorder, ask, volume, UNIT_MILLS - price, rests=ask is rester)
    for party in (bid, ask):
        party.take(volume)
        recorder.touch(party)
        recorder.redeem(party.user)
    number = recorder.amend(AmendmentKind.FILL)
    recorder.close_entry(f"fill:{recorder.state.id}:{number}")
    recorder.changes.fills.append(
        Fill(number, bid.number, ask.number, bid.user, ask.user, newcomer.number, volume, price, kind)
    )


def _exchange(recorder: Recorder, party: Offer, volume: int, price: int, rests: bool) -> None:
    """One party's half of a fill; `price` is of the side it gains. What rests pays from its reserve."""
    gained = party.gives.other
    if party.units_left:
        recorder.lose_units(party.user, party.gives, volume, reserved=rests)
        recorder.money(Kind.FREE, party.user, volume * (UNIT_MILLS - price))
    else:
        recorder.gain_units(party.user, gained, volume, volume * price)
        recorder.money(Kind.RESERVE if rests else Kind.FREE, party.user, -volume * price)


def _rest(recorder: Recorder, offer: Offer) -> None:
    """Hold back what the open part needs and put the offer in the book."""
    mills = offer.reserve_mills
    recorder.money(Kind.FREE, offer.user, -mills)
    recorder.money(Kind.RESERVE, offer.user, mills)
    if offer.units_left:
        recorder.reserve_units(offer.user, offer.gives, offer.units_left)
    recorder.state.book.add(offer)
    recorder.close_entry(f"offer:{offer.number}")
