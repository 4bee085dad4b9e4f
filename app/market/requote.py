"""From quotes to the offers of the maker in the books: what goes, what comes, and what the budget still allows.

The maker is an ordinary account with plain post-only offers. Nothing is remembered: what should stand follows from the
market without its own offers, and is compared with those. So a restart, or a re-quote that was missed or cut short,
comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace

from app.market.exchange.matching import cancel, place
from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.exchange.state import ContractState, Market
from app.market.maker import Dated, Quote, Quoting, Style, quotes
from app.market.maker_news import News
from app.market.terms.contract import UNIT_MILLS, Side
from app.market.terms.errors import Refusal

Barred = dict[int, frozenset[tuple[bool, int]]]
"""(bid, price) of quotes that would fill at once, by contract."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Offers to cancel by number, and quotes to place in this order once all of them are gone."""

    cancel: tuple[int, ...]
    place: tuple[Quote, ...]
    quoting: Quoting


def plan(market: Market, user: int, style: Style, chances: Mapping[int, float], news: News, now: int) -> Plan:
    """Keep every offer that is a quote already, to the unit; the rest goes. `chances` by contract, of one issue.

    Changes nothing. The market must hold the maker's purse, and offers due by `now` must have expired.
    """
    quoting = standing(market, user, style, chances, news, now)
    wanted = list(quoting.quotes)
    gone = []
    for offer in own_offers(market, user, chances):
        quote = as_quote(offer)
        if quote in wanted:
            wanted.remove(quote)
        else:
            gone.append(offer.number)
    return Plan(tuple(gone), tuple(wanted), quoting)


def standing(market: Market, user: int, style: Style, chances: Mapping[int, float], news: News, now: int) -> Quoting:
    """Quotes that may all rest. Others' all-or-none offers are tried on a copy: their limits alone bar nothing."""
    barred: Barred = {}
    within = _within_purse(market, user, style, chances)
    while True:
        dates = [_dated(market, user, contract, chance, now, barred) for contract, chance in chances.items()]
        quoting = quotes(within, dates, news, now)
        refused = _refused(market, user, quoting, chances, now)
        if refused is None:
            return quoting
        barred[refused.contract] = barred.get(refused.contract, frozenset()) | {(refused.bid, refused.price_mills)}


def _within_purse(market: Market, user: int, style: Style, contracts: Iterable[int]) -> Style:
    """The style with a budget that the maker has the money for."""
    among = list(contracts)
    held = sum(offer.reserve_mills for offer in own_offers(market, user, among))
    money = net_paid_mills(market, user, among) + market.purses[user].free_mills + held
    return replace(style, budget_mills=max(0, min(style.budget_mills, money)))


def _dated(market: Market, user: int, contract: int, chance: float, now: int, barred: Barred) -> Dated:
    state = market.contracts[contract]
    units = {side: held.units if (held := state.holders(side).get(user)) else 0 for side in Side}
    return Dated(
        contract,
        state.maturation_at,
        chance,
        state.trades(now),
        units[Side.FIXED],
        units[Side.UNFIXED],
        net_paid_mills(market, user, (contract,)),
        _best(state, user, bids=True),
        _best(state, user, bids=False),
        barred.get(contract, frozenset()),
    )


def _best(state: ContractState, user: int, bids: bool) -> int:
    """The best price of others' plain offers; beyond every price where there is none."""
    plain = (offer for offer in state.book.half(bids).all() if offer.user != user and not offer.all_or_none)
    found = next(plain, None)
    return found.fixed_price if found is not None else 0 if bids else UNIT_MILLS


def _refused(market: Market, user: int, quoting: Quoting, contracts: Iterable[int], now: int) -> Quote | None:
    """The first quote that a re-try of somebody's all-or-none offer would fill."""
    if not any(_reaches_whole(market.contracts[quote.contract], quote, user) for quote in quoting.quotes):
        return None
    twin = deepcopy(market)
    for offer in list(own_offers(twin, user, contracts)):
        cancel(twin, offer.number, user=user, now=now)
    for at, quote in enumerate(quoting.quotes):
        try:
            place(twin, quote.contract, as_offer(quote), number=-1 - at, user=user, now=now)
        except Refusal:
            return quote
    return None


def _reaches_whole(state: ContractState, quote: Quote, user: int) -> bool:
    whole = (offer for offer in state.book.whole.values() if offer.user != user and offer.bid is not quote.bid)
    return any(
        offer.fixed_price <= quote.price_mills if quote.bid else offer.fixed_price >= quote.price_mills
        for offer in whole
    )


def as_quote(offer: Offer) -> Quote:
    """An offer as the quote that it is, for what is open of it."""
    return Quote(offer.contract, offer.bid, offer.fixed_price, offer.remaining, offer.units_left)


def as_offer(quote: Quote) -> NewOffer:
    side = Side.FIXED if quote.bid else Side.UNFIXED
    return NewOffer(Action.BUY, side, quote.volume, quote.side_mills, post_only=True, cancel_on_halt=True)


def own_offers(market: Market, user: int, contracts: Iterable[int]) -> Iterator[Offer]:
    """Open offers of this account there, by contract and number."""
    for contract in contracts:
        yield from (offer for offer in market.contracts[contract].book.open_offers() if offer.user == user)


def net_paid_mills(market: Market, user: int, contracts: Iterable[int]) -> int:
    """Money that went into the contracts less what came out of them."""
    states = [market.contracts[contract] for contract in contracts]
    positions = [held for state in states for side in Side if (held := state.holders(side).get(user))]
    return sum(held.net_paid_mills for held in positions)


def room_mills(market: Market, user: int, budget_mills: int, contracts: Iterable[int]) -> int:
    """Budget that is left: less what was paid in and what open offers hold. Each placement asks it again."""
    among = list(contracts)
    held = sum(offer.reserve_mills for offer in own_offers(market, user, among))
    return budget_mills - net_paid_mills(market, user, among) - held


def affordable(market: Market, user: int, budget_mills: int, contracts: Iterable[int], quote: Quote) -> bool:
    """Tell if the budget allows this quote as it would come to rest now."""
    gives = Side.UNFIXED if quote.bid else Side.FIXED
    units = min(quote.volume, market.contracts[quote.contract].free_units(user, gives))
    need = (quote.volume - units) * quote.side_mills
    return need <= room_mills(market, user, budget_mills, contracts)
