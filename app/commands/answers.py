"""What trading did, in plain words: one short paragraph for each command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.market.contract import UNIT_MILLS, Side
from app.market.fill import Fill
from app.market.instants import command_date, format_instant
from app.market.money import format_mills, format_price
from app.market.offer import Offer
from app.services.trading import Traded
from app.storage import places
from app.storage.db import Tx


@dataclass(frozen=True, slots=True)
class _Tally:
    """What an arriving offer's fills came to: units bought and sold, and what was paid and got, in mills."""

    bought: int
    paid_mills: int
    sold: int
    got_mills: int


async def told(tx: Tx, result: Traded) -> str:
    """The outcome of an offer, sell or take in the words of the thread."""
    users = {fill.buyer for fill in result.changes.fills} | {fill.seller for fill in result.changes.fills}
    return traded(result, await places.logins(tx, users) if users else {})


def traded(result: Traded, logins: Mapping[int, str]) -> str:
    """The outcome of an offer, sell or take. Users whose resting offers were filled are mentioned."""
    offer = result.offer
    parts = [
        *_fill_sentences(result, logins),
        *_rest_sentences(result),
        *_cut_sentences(result),
    ]
    if offer.cancelled and not offer.remaining:
        parts.append(
            f"{offer.cancelled:,} of {offer.volume:,} units were not to be had at that price and are cancelled."
        )
    if result.made and result.neighbours:
        known = ", ".join(command_date(row.maturation_at) for row in result.neighbours)
        parts.append(f"This is a new contract; open here already: by {known}. A thin market is better not split.")
    return " ".join(parts)


def _tally(result: Traded) -> _Tally:
    """The sale fills first."""
    offer = result.offer
    bought = paid = sold = got = 0
    for fill in result.changes.fills:
        price = _price_for(offer, fill)
        part = min(result.changes.sale_volume - sold, fill.volume)
        sold += part
        got += part * (UNIT_MILLS - price)
        bought += fill.volume - part
        paid += (fill.volume - part) * price
    return _Tally(bought, paid, sold, got)


def _price_for(offer: Offer, fill: Fill) -> int:
    """What a unit of the side that `offer` gains cost in this fill."""
    return fill.price if offer.bid else UNIT_MILLS - fill.price


def _each(mills: int, units: int) -> str:
    """A price if it was one price, else the whole sum alone."""
    return f" ({format_price(mills // units)} each)" if mills % units == 0 else ""


def _fill_sentences(result: Traded, logins: Mapping[int, str]) -> list[str]:
    offer, tally = result.offer, _tally(result)
    gained = offer.gives.other
    names = _counterparties(result, logins)
    sentences = []
    if tally.sold:
        sentences.append(
            f"**Sold {tally.sold:,} {offer.gives.value}** for {format_mills(tally.got_mills)}"
            f"{_each(tally.got_mills, tally.sold)}; counterparty: {names}."
        )
    if tally.bought:
        sentences.append(
            f"**Bought {tally.bought:,} {gained.value}** for {format_mills(tally.paid_mills)}"
            f"{_each(tally.paid_mills, tally.bought)}; counterparty: {names}."
        )
        sentences.append(_win_sentence(gained, tally.bought, result.contract.maturation_at))
    return sentences


def _counterparties(result: Traded, logins: Mapping[int, str]) -> str:
    users: dict[int, None] = {}
    for fill in result.changes.fills:
        users[fill.seller if result.offer.bid else fill.buyer] = None
    return ", ".join(f"@{logins[user]}" for user in users)


def _condition(side: Side, maturation_at: int) -> str:
    closed = "closed" if side is Side.FIXED else "not closed"
    return f"this issue is {closed} as completed by {format_instant(maturation_at)}"


def _win_sentence(side: Side, units: int, maturation_at: int) -> str:
    otherwise = "if it is not, nothing" if side is Side.FIXED else "if it is, nothing"
    return f"If {_condition(side, maturation_at)}, you get {format_mills(units * UNIT_MILLS)}; {otherwise}."


def _rest_sentences(result: Traded) -> list[str]:
    offer = result.offer
    if not offer.remaining:
        return []
    gained = offer.gives.other
    sentences = [f"**o{offer.number}** waits in the book: {_wish(offer)} at {format_price(offer.price)}."]
    if offer.units_left:
        got = offer.units_left * (UNIT_MILLS - _gain_price(offer))
        sentences.append(
            f"{offer.units_left:,} {offer.gives.value} units are held for it and bring {format_mills(got)}"
            " if somebody takes the other side."
        )
    if offer.cash_left:
        otherwise = "if it is not, nothing" if gained is Side.FIXED else "if it is, nothing"
        sentences.append(
            f"You put up {format_mills(offer.reserve_mills)}. If somebody takes the other side and "
            f"{_condition(gained, result.contract.maturation_at)}, you get "
            f"{format_mills(offer.cash_left * UNIT_MILLS)}; {otherwise}."
        )
    until = offer.until_at
    ends = "" if until == result.contract.maturation_at else f" It expires {format_instant(until)}."
    sentences.append(f"Until somebody does, you can cancel: `/bugmark cancel o{offer.number}`.{ends}")
    return sentences


def _gain_price(offer: Offer) -> int:
    """The limit in the price of the side the offer gains."""
    return offer.fixed_price if offer.bid else UNIT_MILLS - offer.fixed_price


def _wish(offer: Offer) -> str:
    return f"{offer.action.value.lower()} {offer.remaining:,} {offer.side.value}"


def _cut_sentences(result: Traded) -> list[str]:
    return [
        f"Your own o{own.number} was {f'cut by {volume:,} units' if own.remaining else 'cancelled'}:"
        " an offer never fills against its own user."
        for own, volume in result.changes.cut
    ]
