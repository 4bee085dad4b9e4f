"""Room for contracts (docs/market.md §2): how many may stand in a thread, which one gives way, which one wakes up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from app.market.exchange.matching import cancel
from app.market.exchange.offer import NewOffer
from app.market.exchange.spoken import spoken
from app.market.prices.price import Price, Says, price_of
from app.market.terms.contract import Status, Terms, digest
from app.market.terms.errors import Refusal
from app.market.terms.instants import command_date, format_instant
from app.market.terms.money import format_price
from app.services.mentions.notices import tell, tell_made_room
from app.services.rules.context import CommandContext
from app.services.trading.contract_entries import note_woken
from app.services.trading.locked_market import LockedMarket, lock_market
from app.services.trading.locking import hold_all
from app.storage.engine.awake import SLEEP_SECONDS
from app.storage.engine.db import DatabaseBusy, Tx
from app.storage.market import contracts, market_data
from app.storage.market.contracts import ContractRow

MOST_EMPTY, MOST_EMPTY_OF_ONE = 20, 3
"""Contracts on an issue without open interest; made by one user."""

MOST_UNSETTLED, MOST_UNSETTLED_OF_ONE = 100, 10
MOST_NEAREST = 3
NEAR_SECONDS = 3600
DAY_SECONDS = 86_400


class NoRoom(Refusal):
    """As many contracts stand as may."""


def as_a_day(at: int) -> bool:
    """Days are named by their last second; only whoever names that second means something else by it, and the same."""
    return at % DAY_SECONDS == DAY_SECONDS - 1


async def check_date(tx: Tx, context: CommandContext, new: NewOffer, at: int) -> None:
    """Raises a Refusal for an instant so near to a contract that people hold that nobody would mean another one."""
    if as_a_day(at):
        return
    rows = [row for row in await _unsettled(tx, context) if row.open_interest]
    near = [row for row in rows if abs(row.maturation_at - at) <= NEAR_SECONDS]
    if near:
        nearest = min(near, key=lambda row: (abs(row.maturation_at - at), row.id))
        when = format_instant(nearest.maturation_at)
        why = f"A contract by {when} runs here already, within an hour of {format_instant(at)}."
        raise Refusal(f"{why} For another one beside it, give its date as a day.", spoken(new, nearest.maturation_at))


async def make_room(tx: Tx, context: CommandContext, new: NewOffer, at: int, displacing: bool) -> ContractRow | None:
    """The contract that has to give way to one that this offer makes; None: there is room.

    `displacing`: one may give way. Raises a Refusal that names the nearest dates. The issue stays locked, so that two
    cannot take the last place at once.
    """
    rows = await _unsettled(tx, context)
    mine = [row for row in rows if row.made_by == context.user_id]
    if len(rows) >= MOST_UNSETTLED:
        raise await _full(
            tx, context, new, at, rows, f"{MOST_UNSETTLED} contracts run on this issue, the most it may have"
        )
    if len(mine) >= MOST_UNSETTLED_OF_ONE:
        why = f"You have made {len(mine)} contracts that run on this issue, the most one user may"
        raise await _full(tx, context, new, at, rows, why)
    for among, most, why in (
        (
            mine,
            MOST_EMPTY_OF_ONE,
            "You have made {} contracts here in which nobody holds anything, the most one user may",
        ),
        (rows, MOST_EMPTY, "Nobody holds anything in {} contracts here, the most there may be"),
    ):
        empty = [row for row in among if not row.open_interest]
        if len(empty) >= most:
            least = await _least(tx, context, new, empty) if displacing else None
            if least is None:
                more = ", and your offer does not put up more than the least in them" if displacing else ""
                raise await _full(tx, context, new, at, rows, why.format(len(empty)) + more)
            return least
    return None


async def _unsettled(tx: Tx, context: CommandContext) -> list[ContractRow]:
    rows = await contracts.of_issue(tx, context.place.issue.id, context.now)
    return [row for row in rows if row.status is not Status.SETTLED]


async def _least(tx: Tx, context: CommandContext, new: NewOffer, empty: Sequence[ContractRow]) -> ContractRow | None:
    """The open contract whose offers put up least, of several the youngest; None if this one does not put up more."""
    mills = await market_data.put_up(tx, [row.id for row in empty if row.open], context.now)
    least = min((row for row in empty if row.open), key=lambda row: (mills[row.id], -row.id), default=None)
    return least if least is not None and mills[least.id] < puts_up(new) else None


def puts_up(new: NewOffer) -> int:
    """Money that an offer puts up where nobody holds anything, in mills; one that never waits puts up nothing."""
    return 0 if new.now_or_never else new.volume * new.price


async def _full(
    tx: Tx, context: CommandContext, new: NewOffer, at: int, rows: Sequence[ContractRow], why: str
) -> NoRoom:
    """With the dates nearest to the one that was asked for, and their prices."""
    near = sorted((row for row in rows if row.open), key=lambda row: (abs(row.maturation_at - at), row.id))
    if not near:
        return NoRoom(f"{why}.", "/bugmark positions")
    shown = near[:MOST_NEAREST]
    ids = [row.id for row in shown]
    levels, paid = await market_data.levels(tx, ids, context.now), await market_data.paid(tx, ids)
    prices = {number: price_of(levels[number].bids, levels[number].asks, paid[number]) for number in ids}
    dates = "; ".join(f"by {command_date(row.maturation_at)} ({_price(prices[row.id])})" for row in shown)
    instead = spoken(replace(new, until_at=None), near[0].maturation_at)
    return NoRoom(f"{why}. The nearest dates, with their prices of FIXED: {dates}.", instead)


def _price(price: Price | None) -> str:
    if price is None:
        return "no price yet"
    if price.says is Says.BETWEEN:
        return f"{format_price(price.low)} to {format_price(price.high)}"
    return format_price(price.low) if price.says is Says.MIDDLE else f"{price.says.value} {format_price(price.low)}"


async def take_place(tx: Tx, context: CommandContext, new: NewOffer, least: ContractRow) -> None:
    """Put a contract to sleep that gives way: its offers are cancelled, and their owners told."""
    locked = await lock_market(tx, {least.id}, cause=context.cause, now=context.now, everyone=True)
    row = locked.rows[least.id]
    mills = (await market_data.put_up(tx, [row.id], context.now))[row.id]
    if row.open_interest or row.status is Status.SETTLED or mills >= puts_up(new):
        raise DatabaseBusy("the contract that was to give way has changed meanwhile")
    await locked.expire({row.id})
    await _cancel_all(locked, row)
    if not locked.state(row.id).open_interest:
        await contracts.change(tx, row.id, idle_at=context.now - SLEEP_SECONDS)


async def _cancel_all(locked: LockedMarket, row: ContractRow) -> None:
    """All-or-none offers first: none of them can then be met by what the others leave behind."""
    book = locked.state(row.id).book
    offers = sorted(book.open_offers(), key=lambda offer: (not offer.all_or_none, offer.number))
    gone, units, fills = [], [], []
    for offer in offers:
        if offer.remaining:  # a re-try may have filled it meanwhile
            gone.append(offer)
            units.append(offer.remaining)
            taken = partial(cancel, locked.market, offer.number, user=offer.user, now=locked.now)
            fills += (await locked.run(taken, f"room:{offer.number}", locked.cause)).fills
    await tell_made_room(locked.tx, row, gone, units, locked.now)
    await tell(locked.tx, row, [], fills, locked.now)


async def wake(tx: Tx, context: CommandContext, row: ContractRow, terms: Terms) -> ContractRow:
    """A contract that slept is there again. One that never had a fill takes the terms now in force.

    GitHub is asked about it soon: what happened while it slept is not known. Its row must be locked.
    """
    values: dict[str, object] = {"idle_at": context.now, "made_by": context.user_id, "next_look_at": context.now}
    fresh = not row.traded_units and row.terms_text != terms.text()
    if fresh:
        text = terms.text()
        values |= {"terms_text": text, "terms_hash": digest(text), "currency": terms.currency}
    await contracts.change(tx, row.id, **values)
    woken = await contracts.get(tx, row.id)
    if woken is None:
        raise DatabaseBusy("the contract that was to wake up has gone")
    if fresh:
        await note_woken(tx, woken, context.cause, context.now)
    return woken


async def hold(tx: Tx, context: CommandContext, rows: Sequence[ContractRow | None]) -> list[ContractRow]:
    """Lock these contracts in everybody's order, with what the user's pool ties to them; as they are then."""
    found = [row for row in rows if row is not None]
    await hold_all(tx, found, now=context.now, user=context.user_id)
    return await contracts.named(tx, {row.id for row in found})


async def sleeping(tx: Tx, context: CommandContext, at: int, number: int) -> ContractRow | None:
    """The issue's own contract of this date and round that sleeps."""
    rows = await contracts.of_date(tx, context.place.issue.id, at)
    return next((row for row in rows if row.round == number and row.asleep(context.now)), None)
