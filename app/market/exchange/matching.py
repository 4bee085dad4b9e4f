"""Matching: an offer arrives, fills at the price of the older offers, and what is left rests (docs/market.md §2, §3).

Pure calculation. The same commands in the same order always give the same fills.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from app.market.exchange.arrival import Arrival, admit, check, check_resume, crosses, dust, no_room, tight
from app.market.exchange.moves import enforce_pool, release, take_out
from app.market.exchange.offer import NewOffer, Offer
from app.market.exchange.pool import Pool
from app.market.exchange.state import MAX_FILLS, Changes, ContractState, Market
from app.market.exchange.sweep import Passed, Taker, count, fills_whole, sweep, sweep_range
from app.market.exchange.whole import displaced_by
from app.market.terms.contract import Side
from app.market.terms.errors import UnknownOffer


def place(
    market: Market, contract: int, new: NewOffer, *, number: int, user: int, now: int, room: int = MAX_FILLS
) -> Changes:
    """Let an offer arrive in one contract. The user's free money is in the market's purses.

    Offers that are due by `now` must have expired before (`expire`). `room`: how many fills its command may still make.
    Raises a Refusal and changes nothing.
    """
    state = market.contracts[contract]
    offer = admit(market, state, new, number, user, now)
    if offer is None:
        return _place(Arrival(market, [state], new, user, now, contract), [number], room)
    changes = Changes(room)
    _enter(market, changes, state, offer, now)
    return changes


def place_range(
    market: Market, contracts: Sequence[int], new: NewOffer, *, numbers: Sequence[int], user: int, now: int, last: int
) -> Changes:
    """Let an offer arrive in several contracts of one statement, in each under a number of its own.

    `last` is the contract in which the rest waits if none of them has open interest. Raises a Refusal.
    """
    states = [market.contracts[contract] for contract in contracts]
    states.sort(key=lambda state: state.maturation_at, reverse=new.side is Side.FIXED)
    return _place(Arrival(market, states, new, user, now, last), numbers, MAX_FILLS)


def _place(arrival: Arrival, numbers: Sequence[int], room: int) -> Changes:
    check(arrival)
    offers = arrival.offers(numbers)
    _check_room(arrival, offers, room)
    if arrival.new.post_only:
        _check_post_only(arrival, offers)
    return _let_in(arrival, offers, room)


def _let_in(arrival: Arrival, offers: list[Offer], room: int) -> Changes:
    market, changes = arrival.market, Changes(room)
    if arrival.new.pool:
        _join_pool(market, offers, arrival.need_mills)
    if len(offers) == 1:
        _enter(market, changes, arrival.states[0], offers[0], arrival.now)
    else:
        pool = market.pools[arrival.user] if arrival.new.pool else None
        _enter_range(market, changes, arrival, offers, pool)
    return changes


def _check_room(arrival: Arrival, offers: list[Offer], room: int) -> None:
    """Bounds against dust; only an offer that would come to rest is held to them, where it would."""
    new = arrival.new
    if dust(new) or any(tight(arrival, state) for state in arrival.states):
        home = _resting_place(arrival, offers, room)
        if home is not None and (dust(new) or tight(arrival, home)):
            raise no_room(arrival, home)


def _resting_place(arrival: Arrival, offers: list[Offer], room: int) -> ContractState | None:
    """Find the contract in which such an offer would rest, None if nowhere; tried on a copy if it cannot be counted."""
    found, fills, pooled = count(arrival.states, offers[0], arrival.new.volume)
    if not pooled and fills <= room:
        if found == arrival.new.volume:
            return None
        if len(offers) == 1:
            return arrival.states[0]
    twin, parts = deepcopy((arrival, offers))
    _let_in(twin, parts, room)
    return next((arrival.market.contracts[part.contract] for part in parts if part.held), None)


def _join_pool(market: Market, offers: Sequence[Offer], need_mills: int) -> None:
    user = offers[0].user
    pool = market.pools.setdefault(user, Pool(user))
    pool.offers.update((offer.number, offer) for offer in offers)
    pool.fund(need_mills, market.purses[user])


def _enter(market: Market, changes: Changes, state: ContractState, offer: Offer, now: int) -> None:
    """An arrival: fill, rest, cut what one's own offers would have filled, try the all-or-none offers."""
    changes.touched.append(offer)
    passed: Passed | None = None
    if not (offer.special and offer.all_or_none) or fills_whole(market, changes.room, [state], [offer]):
        passed = sweep(market, changes, state, offer)
    open_volume = offer.units_left + offer.cash_left
    rests = open_volume > 0 and not offer.placed.now_or_never and not changes.stopped
    if rests:
        _rest(market, changes, state, offer)
    elif open_volume:
        offer.cut(open_volume)
    if passed:
        _cut_own(market, changes, passed, open_volume, state.id if rests else None)
    if market.pools:
        enforce_pool(market, changes, offer.user)
    if state.book.whole or market.pools:
        retry_all(market, changes, state, now)


def _enter_range(market: Market, changes: Changes, arrival: Arrival, offers: list[Offer], pool: Pool | None) -> None:
    """The same in several contracts."""
    new, now = arrival.new, arrival.now
    whole = not new.all_or_none or fills_whole(market, changes.room, arrival.states, offers)
    taker = Taker(arrival.states, offers, pool)
    passed = sweep_range(market, changes, taker) if whole else []
    open_volume = taker.offer.remaining
    rests = open_volume > 0 and not new.now_or_never and not changes.stopped
    if rests:
        home = taker.move_to(_home(taker.states, arrival.last))
        _rest(market, changes, market.contracts[home.contract], home)
    else:
        home = taker.move_to(_filled_last(market, changes, taker))
        _, unsold = home.cut(open_volume)
        taker.sales[home.contract] += unsold
    home.ranging = False
    taker.let_go(market, changes)
    changes.touched += [offer for offer in taker.offers.values() if offer.volume]
    _cut_own(market, changes, passed, open_volume, home.contract if rests else None)
    enforce_pool(market, changes, home.user)
    for state in taker.states:
        retry_all(market, changes, state, now)


def _filled_last(market: Market, changes: Changes, taker: Taker) -> ContractState:
    """Choose the contract in which a rest that may not rest is cancelled; without fills, the first of the range."""
    return market.contracts[changes.raw_fills[-1][0]] if changes.raw_fills else taker.states[0]


def _home(states: Sequence[ContractState], last: int) -> ContractState:
    """Choose the contract for a range's rest: most open interest, of equals the latest; if there is none, the last."""
    best = max(states, key=lambda state: (state.open_interest, state.maturation_at))
    return best if best.open_interest else next(state for state in states if state.id == last)


def _rest(market: Market, changes: Changes, state: ContractState, offer: Offer) -> None:
    """Hold back what the open part needs and put the offer in the book, in another's place if there is no other."""
    gone = displaced_by(state.book, offer) if offer.special and offer.all_or_none else None
    if not (offer.special and offer.pooled):
        held = offer.cash_left * offer.price
        purse = market.purses[offer.user]
        purse.free_mills -= held
        purse.reserve_mills += held
    if offer.units_left and not offer.ranging:
        (state.unfixed if offer.bid else state.fixed)[offer.user].reserve(offer.units_left)
    offer.held = True
    state.book.add(offer)
    if gone is not None:
        changes.displaced = (*changes.displaced, (gone, gone.remaining))
        release(market, changes, gone, gone.remaining)


def _cut_own(market: Market, changes: Changes, passed: Passed, left: int, home: int | None) -> None:
    """Reckon what own counter-offers that were passed lose. `left`: the newcomer's open volume after its fills.

    One that a fill suspended meanwhile is in nobody's way.
    """
    for own, wanted in passed:
        volume = 0 if own.suspended else _lost(own, wanted, wanted - left, own.contract == home)
        if volume:
            changes.cut = (*changes.cut, (own, volume))
            release(market, changes, own, volume)


def _lost(own: Offer, wanted: int, filled: int, rests: bool) -> int:
    """Each is judged by itself. `filled`: what others filled after it was passed; `rests`: the newcomer does, here."""
    if own.all_or_none and own.remaining > wanted:
        return 0  # it would have been skipped: it was not reached
    whole = rests or (filled > 0 and (own.all_or_none or own.post_only))
    return own.remaining if whole else min(own.remaining, wanted, filled)


def retry(market: Market, contract: int, *, now: int) -> Changes:
    """Try the all-or-none offers of a contract whose book was changed by what happened in another."""
    changes = Changes()
    retry_all(market, changes, market.contracts[contract], now)
    return changes


def retry_all(market: Market, changes: Changes, state: ContractState, now: int) -> None:
    """After a change of a book: its all-or-none offers whose limit is met, until a round fills nothing."""
    changes.to_retry -= {state.id}
    while state.book.whole and state.trades(now) and _round(market, changes, state):
        changes.to_retry -= {state.id}


def _round(market: Market, changes: Changes, state: ContractState) -> bool:
    for offer in sorted(state.book.whole.values(), key=_turn):
        if not state.book.half(not offer.bid).crosses(offer.fixed_price):
            continue
        made = len(changes.raw_fills)
        if fills_whole(market, changes.room - made, [state], [offer]):
            changes.touched.append(offer)
            passed = sweep(market, changes, state, offer)
            changes.retried += len(changes.raw_fills) - made
            take_out(market, offer)
            _cut_own(market, changes, passed, 0, None)
            return True
        if _bounded(changes, state) and fills_whole(market, MAX_FILLS, [state], [offer]):
            changes.to_retry |= {state.id}
    return False


def _bounded(changes: Changes, state: ContractState) -> bool:
    """Tell if a re-try may have failed for want of room: two offers make up to three fills of each other."""
    room = changes.room - len(changes.raw_fills)
    return room < MAX_FILLS and room < 3 * len(state.book.offers)


def _turn(offer: Offer) -> tuple[bool, int, int]:
    """Bids (highest, oldest), then asks (lowest, oldest)."""
    return not offer.bid, -offer.fixed_price if offer.bid else offer.fixed_price, offer.rank


def _check_post_only(arrival: Arrival, offers: list[Offer]) -> None:
    """Refuse if any fill, by itself or by a re-try, would follow; what re-tries would do is found out on a copy."""
    if count(arrival.states, offers[0], arrival.new.volume)[0]:
        raise crosses(arrival)
    if any(state.book.whole for state in arrival.states):
        twin, parts = deepcopy((arrival, offers))
        if _let_in(twin, parts, MAX_FILLS).raw_fills:
            raise crosses(arrival)


def resume_offer(market: Market, number: int, *, rank: int, now: int) -> Changes:
    """A suspended offer arrives anew, with a new place, if what is left of its pool is enough. Raises a Refusal."""
    offer = market.find(number)
    if offer is None or not offer.suspended:
        raise UnknownOffer(f"Offer o{number} is not suspended.", "/bugmark offers")
    state = market.contracts[offer.contract]
    units = check_resume(market, state, offer, now)
    again = Arrival(market, [state], offer.as_new(), offer.user, now, state.id)
    if offer.post_only or tight(again, state):
        _try_resume(again, offer, units, rank)
    return _come_back(market, offer, units, rank, now)


def _come_back(market: Market, offer: Offer, units: int, rank: int, now: int) -> Changes:
    take_out(market, offer)
    offer.suspended = False
    offer.rank = rank
    offer.cash_left = offer.remaining - units
    offer.units_left = units
    changes = Changes()
    _enter(market, changes, market.contracts[offer.contract], offer, now)
    return changes


def _try_resume(arrival: Arrival, offer: Offer, units: int, rank: int) -> None:
    """Bring a suspended offer back, unless a new arrival like it would be refused."""
    twin, again = deepcopy((arrival.market, offer))
    changes = _come_back(twin, again, units, rank, arrival.now)
    if offer.post_only and changes.raw_fills:
        raise crosses(arrival)
    if again.held and tight(arrival, arrival.states[0]):
        raise no_room(arrival, arrival.states[0])


def cancel(market: Market, number: int, *, user: int, now: int, keep: int = 0, room: int = MAX_FILLS) -> Changes:
    """Take a user's offer back but for `keep` units, which keep their place. Raises UnknownOffer.

    `room`: how many fills its command may still make.
    """
    offer = market.find(number)
    if offer is None or offer.user != user or keep >= offer.remaining:
        raise UnknownOffer(f"You have no open offer o{number}.", "/bugmark positions")
    changes = Changes(room)
    release(market, changes, offer, offer.remaining - keep)
    state = market.contracts[offer.contract]
    if state.book.whole or market.pools:
        retry_all(market, changes, state, now)
    return changes
