"""Results of trading in plain words: one short paragraph for each command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.market.exchange.fill import Fill, FillKind
from app.market.exchange.offer import Action, Offer
from app.market.exchange.state import MAX_FILLS
from app.market.exchange.whole import MAX_WHOLE
from app.market.terms.contract import UNIT_MILLS, Side
from app.market.terms.instants import command_date, format_instant
from app.market.terms.money import format_mills, format_price
from app.market.terms.statement import ISSUE_FIXED, said, shown
from app.services.trading.offers import Traded
from app.services.uses.results import Changed, Funded, Listed, Neighbour, TakenBack, Trade
from app.storage.engine.db import FIRST_IMAGINED
from app.storage.market.contracts import ContractRow

MOST_PRICES = 4
"""With more of them a fill tells their range."""


@dataclass(slots=True)
class _Tally:
    """An offer's fills: units bought and sold by price, that of the side in question, and with whom."""

    bought: Counter[int] = field(default_factory=Counter)
    sold: Counter[int] = field(default_factory=Counter)
    parties: dict[int, None] = field(default_factory=dict)


def trade(result: Trade) -> str:
    """The outcome of an offer, sale or take in the words of the thread."""
    known = [_beside(one) for one in result.beside]
    return traded(result.traded, result.named, result.pool_left_mills, result.dated, known)


def _beside(one: Neighbour) -> str:
    quotes = {"bid": one.bid, "ask": one.ask, "last": one.last}
    known = [f"{word} {format_price(price)}" for word, price in quotes.items() if price is not None]
    return f"by {command_date(one.row.maturation_at)} (FIXED: {', '.join(known) or 'no price yet'})"


def funded(result: Funded) -> str:
    free = (
        f" {format_mills(result.rest_mills)} of the {format_mills(result.amount_mills)} is not enough for a unit and "
        "stays free."
    )
    told = f"{_chosen(result)}{trade(result.trade)}{_for_a_fixer(result.trade.traded.offer)}"
    return f"{told}{free if result.rest_mills else ''}"


def _chosen(result: Funded) -> str:
    """Without a date the reply says which contract was chosen."""
    if result.chosen_at is None:
        return ""
    how = "a new contract" if result.trade.traded.made else "the contract"
    return f"Without a date this goes to {how} by {format_instant(result.chosen_at)}. "


def _for_a_fixer(offer: Offer) -> str:
    """Describe the resting offer as a reward for the user who takes the other side and fixes the issue."""
    if not offer.cash_left or offer.number >= FIRST_IMAGINED:
        return ""
    units = offer.cash_left
    return (
        f" Whoever fixes it can take the other side, `/bugmark take o{offer.number}`: that costs "
        f"{format_mills(units * offer.fixed_price)} and pays {format_mills(units * UNIT_MILLS)}."
    )


def listed(result: Listed) -> str:
    until = format_instant(result.until_at)
    head = f"**You are listed as working on this issue** until {until}; `/bugmark work stop` ends it."
    if not result.backed:
        return head
    if result.trade is None:
        return f"{head} Nothing was bought: no contract is open on this issue."
    return f"{head} {trade(result.trade)}"


def changed(result: Changed) -> str:
    offer, number = result.trade.traded.offer, result.number
    if offer.number != number:
        return f"**o{number}** is cancelled, and this is in its place: {trade(result.trade)}"
    place = "is still suspended" if offer.suspended else "keeps its place"
    return (
        f"**o{number}** {place} and is open for {offer.remaining:,} units now, at {format_price(offer.price)}. "
        f"{_freed([offer], 'the rest')}"
    )


def taken_back(result: TakenBack) -> str:
    """With what others' all-or-none offers could do once these were out of their way."""
    offers = result.cancelled.offers
    names = ", ".join(f"**o{offer.number}**" for offer in offers)
    head = f"Cancelled {names}. {_freed(offers, 'it' if len(offers) == 1 else 'them')}"
    fills = [fill for each in result.cancelled.changes for fill in each.fills]
    return " ".join([head, *_sentence_of_others(fills, result.named, set())])


def _freed(offers: list[Offer], rest: str) -> str:
    """A pool holds what the largest of its other offers needs."""
    but = ", but for what your other pooled offers need" if any(offer.pooled for offer in offers) else ""
    return f"What was held for {rest} is free again{but}."


def traded(
    result: Traded,
    named: Mapping[int, str],
    pool_left_mills: int = 0,
    dated: bool = False,
    known: Sequence[str] = (),
) -> str:
    """`named` is how the parties of the fills are to be named, `known` the contracts open beside a new one."""
    parts = sorted([result, *result.others], key=lambda part: part.contract.maturation_at)
    mine = {part.offer.number for part in parts}
    met = _parties([fill for fill in result.changes.fills if mine & {fill.bid, fill.ask}])
    sentences = [
        *(sentence for part in parts for sentence in _fill_sentences(part, named, dated)),
        *(sentence for part in parts for sentence in _rest_sentences(part, pool_left_mills)),
        *_sentence_of_others(_fills_of_others(result, mine), named, met),
        *_cut_sentences(result),
        *_displaced_sentences(result),
        *_suspended_sentences(result, mine),
        *_cancelled_sentences(result, parts),
    ]
    if known:
        sentences.append(
            f"This is a new contract; open here already: {'; '.join(known)}. A thin market is better not split."
        )
    if result.made and result.contract.kind == ISSUE_FIXED and result.contract.round > 1:
        sentences.append(f"This is round {result.contract.round}: only a close after the reopening counts.")
    return " ".join(sentences)


def _fills_of_others(result: Traded, mine: set[int]) -> list[Fill]:
    later = [fill for fill in result.changes.fills if not mine & {fill.bid, fill.ask}]
    return [*(result.before.fills if result.before else []), *later]


def _parties(fills: list[Fill]) -> set[int]:
    return {user for fill in fills for user in (fill.buyer, fill.seller)}


def _tally(offer: Offer, fills: list[Fill]) -> _Tally:
    """Its fills, as newcomer or because somebody's all-or-none offer was tried again after it came to rest."""
    tally = _Tally()
    for fill in fills:
        if offer.number not in (fill.bid, fill.ask):
            continue
        price = fill.price if offer.bid else UNIT_MILLS - fill.price
        tally.parties[fill.seller if offer.bid else fill.buyer] = None
        if _paid_with_units(offer, fill):
            tally.sold[UNIT_MILLS - price] += fill.volume
        else:
            tally.bought[price] += fill.volume
    return tally


def _paid_with_units(offer: Offer, fill: Fill) -> bool:
    """In a transfer one of both sells; the fill says it of the newcomer."""
    if fill.kind is FillKind.TRANSFER:
        return fill.sold == (fill.newcomer == offer.number)
    return fill.kind is FillKind.REDUCE


def _money(units: Counter[int]) -> str:
    """Format a total and its prices: `28.80 (60 at 0.28, 40 at 0.30)`."""
    total = format_mills(sum(price * volume for price, volume in units.items()))
    if len(units) == 1:
        return f"{total} ({format_price(min(units))} each)"
    if len(units) > MOST_PRICES:
        return f"{total} (at {format_price(min(units))} to {format_price(max(units))})"
    return f"{total} ({', '.join(f'{volume:,} at {format_price(price)}' for price, volume in units.items())})"


def _fill_sentences(part: Traded, named: Mapping[int, str], dated: bool) -> list[str]:
    offer, row = part.offer, part.contract
    tally = _tally(offer, part.changes.fills)
    names = ", ".join(named.get(user, "somebody") for user in tally.parties)
    where = f" by {command_date(row.maturation_at)}" if dated else ""
    sentences = []
    if tally.sold:
        sentences.append(
            f"**Sold {tally.sold.total():,} {said(row.kind, offer.gives.value)}{where}** "
            f"for {_money(tally.sold)}, with {names}."
        )
    if tally.bought:
        gained = offer.gives.other
        sentences.append(
            f"**Bought {tally.bought.total():,} {said(row.kind, gained.value)}{where}** "
            f"for {_money(tally.bought)}, with {names}."
        )
        sentences.append(_win_sentence(gained, tally.bought.total(), row))
    return sentences


def _condition(side: Side, row: ContractRow) -> str:
    if row.kind != ISSUE_FIXED:
        return f"{shown(row.kind, row.id)} comes {said(row.kind, side.value)}"
    closed = "closed" if side is Side.FIXED else "not closed"
    return f"this issue is {closed} as completed by {format_instant(row.maturation_at)}"


def _otherwise(side: Side, row: ContractRow) -> str:
    if row.kind != ISSUE_FIXED:
        return "if it does not, nothing"
    return "if it is not, nothing" if side is Side.FIXED else "if it is, nothing"


def _win_sentence(side: Side, units: int, row: ContractRow) -> str:
    return f"If {_condition(side, row)}, you get {format_mills(units * UNIT_MILLS)}; {_otherwise(side, row)}."


def _rest_sentences(part: Traded, pool_left_mills: int) -> list[str]:
    offer, row = part.offer, part.contract
    if not offer.remaining:
        return []
    taken = "all of it can be had" if offer.all_or_none else ""
    how = f"waits until {taken}" if taken else "waits in the book"
    sentences = [f"**{_name(offer)}** {how}: {_wish(offer, row)} at {format_price(offer.price)}."]
    if offer.suspended:
        sentences = [f"**{_name(offer)}** is suspended: its pool has too little left."]
    if offer.units_left:
        got = offer.units_left * (UNIT_MILLS - _gain_price(offer))
        sentences.append(
            f"{offer.units_left:,} {said(row.kind, offer.gives.value)} units are held for it and bring "
            f"{format_mills(got)} if somebody takes the other side."
        )
    if offer.cash_left:
        sentences.append(_put_up_sentence(offer, row, pool_left_mills))
    return [*sentences, *_condition_sentences(offer, row)]


def _put_up_sentence(offer: Offer, row: ContractRow, pool_left_mills: int) -> str:
    gained = offer.gives.other
    what = f"You put up {format_mills(offer.need_mills)}"
    if offer.pooled:
        what += f", out of the {format_mills(pool_left_mills)} that all your pooled offers share"
    return (
        f"{what}. If somebody takes the other side and {_condition(gained, row)}, you get "
        f"{format_mills(offer.cash_left * UNIT_MILLS)}; {_otherwise(gained, row)}."
    )


def _condition_sentences(offer: Offer, row: ContractRow) -> list[str]:
    """Describe how the offer ends. An offer of a dry run has no number by which it could be cancelled."""
    sentences = []
    if offer.number < FIRST_IMAGINED:
        sentences.append(f"Until somebody does, you can cancel: `/bugmark cancel o{offer.number}`.")
    if offer.until_at != row.maturation_at:
        sentences.append(f"It expires {format_instant(offer.until_at)}.")
    if offer.cancel_on_halt:
        sentences.append("It is cancelled if trading halts.")
    return sentences


def _name(offer: Offer) -> str:
    return f"o{offer.number}" if offer.number < FIRST_IMAGINED else "Your offer"


def _gain_price(offer: Offer) -> int:
    """The limit in the price of the side the offer gains."""
    return offer.fixed_price if offer.bid else UNIT_MILLS - offer.fixed_price


def _wish(offer: Offer, row: ContractRow) -> str:
    action = "buy" if offer.action is Action.BUY else "sell"
    return f"{action} {offer.remaining:,} {said(row.kind, offer.side.value)}"


def _sentence_of_others(fills: list[Fill], named: Mapping[int, str], met: set[int]) -> list[str]:
    """Fills that this command only made possible; who is named in the same reply already is not named again."""
    if not fills:
        return []
    names = ", ".join(named[user] for user in sorted(_parties(fills) - met) if user in named)
    volume = sum(fill.volume for fill in fills)
    return [f"That let all-or-none offers fill: {volume:,} units more{f', of {names}' if names else ''}."]


def _cut_sentences(result: Traded) -> list[str]:
    gone = [f"o{own.number}" for own, _ in result.changes.cut if not own.remaining]
    parts = [f"o{own.number} was cut by {volume:,} units" for own, volume in result.changes.cut if own.remaining]
    if gone:
        parts.insert(0, f"{', '.join(gone)} {'was' if len(gone) == 1 else 'were'} cancelled")
    return [f"Your own {'; '.join(parts)}: an offer never fills against its own user."] if parts else []


def _displaced_sentences(result: Traded) -> list[str]:
    """Name the owner of the offer that lost its place."""
    why = f"at most {MAX_WHOLE} all-or-none offers wait on each side of a book, and its price was worse"
    gone = [(offer, "Your own " if offer.user == result.offer.user else "") for offer, _ in result.changes.displaced]
    return [f"{own}o{offer.number} was cancelled to make room for it: {why}." for offer, own in gone]


def _suspended_sentences(result: Traded, mine: set[int]) -> list[str]:
    """Describe suspended offers of the user; those of others whose pools paid here are listed by `offers`."""
    user = result.offer.user
    own = [offer for offer in result.changes.suspended if offer.user == user and offer.number not in mine]
    if not own:
        return []
    names = ", ".join(f"o{offer.number}" for offer in own)
    return [f"Suspended until your pool has enough again: {names}."]


def _cancelled_sentences(result: Traded, parts: list[Traded]) -> list[str]:
    gone = sum(part.offer.cancelled for part in parts if not part.offer.remaining)
    if not gone:
        return []
    volume = sum(part.offer.volume for part in parts)
    if result.changes.stopped:
        return [f"A command makes at most {MAX_FILLS:,} fills; the other {gone:,} of {volume:,} units are cancelled."]
    if gone == volume and not result.changes.fills:
        done = "bought" if result.offer.action is Action.BUY else "sold"
        if result.offer.all_or_none:
            return [f"**Nothing was {done}**: not all of it can be had at that price now, and this one does not wait."]
        return [f"**Nothing was {done}**: no offer can be taken at that price now, and this one does not wait."]
    if result.offer.action is Action.SELL:
        return [f"For {gone:,} of {volume:,} units there was no buyer at that price; they stay yours."]
    return [f"{gone:,} of {volume:,} units were not to be had at that price and are cancelled."]
