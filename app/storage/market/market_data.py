"""Market data: figures of a contract's book, fills and holders. Nothing is locked, nothing loaded whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, and_, case, func, select

from app.market.exchange.fill import FillKind
from app.market.exchange.offer import Action, OfferState
from app.market.prices.price import Level, Paid
from app.market.prices.quotes import PRICE_VOLUME, Day, Trade
from app.market.terms.contract import UNIT_MILLS, Side
from app.storage.engine.db import Tx
from app.storage.engine.sql import of_each
from app.storage.engine.tables import contracts, fills, offers, positions, users

DAY_SECONDS = 86_400


@dataclass(slots=True)
class Levels:
    """A book by price, best first. Plain offers are `bids` and `asks`; all-or-none asks stand apart, one by one."""

    bids: list[Level] = field(default_factory=list)
    asks: list[Level] = field(default_factory=list)
    whole_asks: list[Level] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Standing:
    """An offer in the book, as anybody may see it; `units` are what is open of it."""

    number: int
    user: int
    login: str
    action: Action
    side: Side
    price: int
    units: int
    until_at: int
    all_or_none: bool


@dataclass(frozen=True, slots=True)
class Volume:
    """Units traded, in all and of late."""

    whole: int = 0
    late: int = 0


_FIXED_PRICE: ColumnElement[int] = case(
    (offers.c.side == Side.FIXED.value, offers.c.price), else_=UNIT_MILLS - offers.c.price
)
_BID: ColumnElement[bool] = (offers.c.action == Action.BUY.value) == (offers.c.side == Side.FIXED.value)
_OPEN = func.sum(offers.c.units_left + offers.c.cash_left)
_PRICED = fills.c.volume >= PRICE_VOLUME


def _standing(now: int) -> ColumnElement[bool]:
    """In the book at `now`: offers that are due may not have been swept out yet."""
    return and_(offers.c.state == OfferState.LIVE.value, offers.c.until_at > now)


async def levels(tx: Tx, contract_ids: Sequence[int], now: int) -> dict[int, Levels]:
    """The books of these contracts; an empty one where nothing stands."""
    found = {contract: Levels() for contract in contract_ids}
    bid, price = case((_BID, 1), else_=0).label("bid"), _FIXED_PRICE.label("fixed_price")
    alone = case((offers.c.all_or_none, offers.c.id), else_=0).label("alone")
    keys = offers.c.contract_id, bid, price, offers.c.all_or_none, alone
    statement = select(*keys, _OPEN.label("units")).where(offers.c.contract_id.in_(contract_ids), _standing(now))
    for row in await tx.execute(statement.group_by(*keys).order_by(price, alone)):
        book, level = found[row.contract_id], (row.fixed_price, int(row.units))
        if not row.all_or_none:
            (book.bids if row.bid else book.asks).append(level)
        elif not row.bid:
            book.whole_asks.append(level)
    for book in found.values():
        book.bids.reverse()
    return found


async def best_offers(tx: Tx, contract_ids: Sequence[int], now: int, most: int) -> dict[int, list[Standing]]:
    """The best offers of either half of each contract: bids, then asks, best price first, then oldest."""
    standing = select(offers, users.c.login, _FIXED_PRICE.label("fixed_price"))
    standing = standing.join(users, users.c.id == offers.c.user_id).where(_standing(now))
    place = offers.c.rank, offers.c.id
    bids = standing.where(_BID).order_by(_FIXED_PRICE.desc(), *place).limit(most)
    asks = standing.where(~_BID).order_by(_FIXED_PRICE, *place).limit(most)
    rows = await of_each(tx, contract_ids, lambda number: bids.where(offers.c.contract_id == number))
    rows.sort(key=lambda row: (-row.fixed_price, row.rank, row.id))
    others = await of_each(tx, contract_ids, lambda number: asks.where(offers.c.contract_id == number))
    rows += sorted(others, key=lambda row: (row.fixed_price, row.rank, row.id))
    found: dict[int, list[Standing]] = {contract: [] for contract in contract_ids}
    for row in rows:
        found[row.contract_id].append(_standing_from(row))
    return found


def _standing_from(row: Row[Any]) -> Standing:
    return Standing(
        number=row.id,
        user=row.user_id,
        login=row.login,
        action=Action(row.action),
        side=Side(row.side),
        price=row.price,
        units=row.units_left + row.cash_left,
        until_at=row.until_at,
        all_or_none=row.all_or_none,
    )


async def best_ask(tx: Tx, contract_ids: Sequence[int], now: int) -> Standing | None:
    """The offer by which FIXED can be had cheapest in any of these; of equal ones that of the latest maturation."""
    order = _FIXED_PRICE, contracts.c.maturation_at.desc(), offers.c.rank, offers.c.id
    return await _best(tx, contract_ids, now, ~_BID, order)


async def best_bid(tx: Tx, contract_ids: Sequence[int], now: int) -> Standing | None:
    """The offer by which UNFIXED can be had cheapest; of equal ones that of the earliest maturation."""
    order = _FIXED_PRICE.desc(), contracts.c.maturation_at, offers.c.rank, offers.c.id
    return await _best(tx, contract_ids, now, _BID, order)


async def _best(
    tx: Tx, contract_ids: Sequence[int], now: int, half: ColumnElement[bool], order: Sequence[ColumnElement[Any]]
) -> Standing | None:
    """Condition: a part of the offer may be taken."""
    statement = (
        select(offers, users.c.login)
        .join(users, users.c.id == offers.c.user_id)
        .join(contracts, contracts.c.id == offers.c.contract_id)
        .where(offers.c.contract_id.in_(contract_ids), _standing(now), half, ~offers.c.all_or_none)
    )
    row = (await tx.execute(statement.order_by(*order).limit(1))).first()
    return _standing_from(row) if row else None


async def put_up(tx: Tx, contract_ids: Sequence[int], now: int) -> dict[int, int]:
    """Money that the offers in each of these contracts put up, in mills; what is suspended puts up nothing."""
    found = dict.fromkeys(contract_ids, 0)
    group = offers.c.contract_id, offers.c.price
    buying = offers.c.contract_id.in_(contract_ids), _standing(now), offers.c.action == Action.BUY.value
    statement = select(*group, func.sum(offers.c.cash_left).label("units")).where(*buying).group_by(*group)
    for row in await tx.execute(statement):
        found[row.contract_id] += row.price * int(row.units)
    return found


async def volumes(tx: Tx, contract_ids: Sequence[int], since_at: int) -> dict[int, Volume]:
    """Sum up trading in these contracts; `late` counts trades after `since_at`, and only those fills are read."""
    wanted = select(contracts.c.id, contracts.c.traded_units, _late(since_at).label("late"))
    found = await tx.execute(wanted.where(contracts.c.id.in_(contract_ids)))
    return {row.id: Volume(row.traded_units, int(row.late)) for row in found}


def _late(since_at: int) -> ScalarSelect[int]:
    """Fills have later instants with higher numbers, so the last one before says where to begin."""
    before = fills.alias("before")
    last = (
        select(before.c.amendment)
        .where(before.c.contract_id == contracts.c.id, before.c.at <= since_at)
        .order_by(before.c.amendment.desc())
        .limit(1)
        .correlate(contracts)
        .scalar_subquery()
    )
    summed = select(func.coalesce(func.sum(fills.c.volume), 0))
    of_late = summed.where(fills.c.contract_id == contracts.c.id, fills.c.amendment > func.coalesce(last, 0))
    return of_late.correlate(contracts).scalar_subquery()


async def paid(tx: Tx, contract_ids: Sequence[int]) -> dict[int, Paid]:
    """Sum the payments of these contracts' holders for their units."""
    units, cost = func.sum(positions.c.free + positions.c.reserved), func.sum(positions.c.cost_mills)
    sides = select(positions.c.contract_id, positions.c.side, units.label("units"), cost.label("cost"))
    of_these = sides.where(positions.c.contract_id.in_(contract_ids))
    rows = await tx.execute(of_these.group_by(positions.c.contract_id, positions.c.side))
    found = {(row.contract_id, row.side): (int(row.units), int(row.cost)) for row in rows}
    sums = {}
    for contract in contract_ids:
        interest, fixed = found.get((contract, Side.FIXED.value), (0, 0))
        _, unfixed = found.get((contract, Side.UNFIXED.value), (0, 0))
        sums[contract] = Paid(interest, fixed, unfixed)
    return sums


async def marks(tx: Tx, contract_ids: Sequence[int], most: int) -> dict[int, list[Trade]]:
    """The last fills of each contract that make a price, oldest first."""
    rows = await of_each(tx, contract_ids, lambda number: _last_fills(number, most, _PRICED))
    found: dict[int, list[Trade]] = {contract: [] for contract in contract_ids}
    for trade in sorted(map(_trade, rows), key=lambda trade: trade.amendment):
        found[trade.contract].append(trade)
    return found


async def prices_at(tx: Tx, contract_ids: Sequence[int], at: int) -> dict[int, int]:
    """The last price of each contract as it stood then; none of those that had none yet."""
    rows = await of_each(tx, contract_ids, lambda number: _last_fills(number, 1, _PRICED, fills.c.at <= at))
    return {row.contract_id: row.price for row in rows}


async def largest(tx: Tx, contract_ids: Sequence[int], most: int) -> dict[int, list[tuple[int, str, Side, int]]]:
    """The largest positions in each contract as (user, login, side, units)."""
    units = positions.c.free + positions.c.reserved
    who = positions.c.contract_id, positions.c.user_id, users.c.login, positions.c.side, units.label("units")
    held = select(*who).join(users, users.c.id == positions.c.user_id).where(units > 0)
    ordered = held.order_by(units.desc(), users.c.login, positions.c.user_id).limit(most)
    rows = await of_each(tx, contract_ids, lambda number: ordered.where(positions.c.contract_id == number))
    found: dict[int, list[tuple[int, str, Side, int]]] = {contract: [] for contract in contract_ids}
    for row in rows:
        found[row.contract_id].append((row.user_id, row.login, Side(row.side), row.units))
    for top in found.values():
        top.sort(key=lambda one: (-one[3], one[1], one[0]))
    return found


async def holders(tx: Tx, contract_ids: Sequence[int]) -> dict[int, int]:
    """Count the holders of each contract."""
    statement = (
        select(positions.c.contract_id, func.count(positions.c.user_id.distinct()))
        .where(positions.c.contract_id.in_(contract_ids), positions.c.free + positions.c.reserved > 0)
        .group_by(positions.c.contract_id)
    )
    return {row[0]: row[1] for row in await tx.execute(statement)}


async def trades(tx: Tx, contract_id: int, most: int) -> list[Trade]:
    """The public tape of a contract, newest first."""
    return [_trade(row) for row in await tx.execute(_last_fills(contract_id, most))]


def _last_fills(contract_id: int, most: int, *which: ColumnElement[bool]) -> Select[Any]:
    columns = (fills.c[name] for name in ("contract_id", "amendment", "at", "price", "volume", "kind"))
    statement = select(*columns).where(fills.c.contract_id == contract_id, *which)
    return statement.order_by(fills.c.amendment.desc()).limit(most)


def _trade(row: Row[Any]) -> Trade:
    return Trade(row.contract_id, row.amendment, row.at, row.price, row.volume, FillKind(row.kind))


async def days(tx: Tx, contract_id: int, most: int) -> list[Day]:
    """The last days on which the contract was traded, newest first."""
    day = fills.c.at // DAY_SECONDS
    price, number = case((_PRICED, fills.c.price)), case((_PRICED, fills.c.amendment))
    statement = (
        select(
            day.label("day"),
            func.min(number).label("first"),
            func.max(price).label("high"),
            func.min(price).label("low"),
            func.max(number).label("last"),
            func.sum(fills.c.volume).label("volume"),
        )
        .where(fills.c.contract_id == contract_id)
        .group_by(day)
        .order_by(day.desc())
        .limit(most)
    )
    rows = (await tx.execute(statement)).all()
    ends = {number for row in rows for number in (row.first, row.last) if number is not None}
    of = select(fills.c.amendment, fills.c.price).where(fills.c.contract_id == contract_id)
    known = {row.amendment: row.price for row in await tx.execute(of.where(fills.c.amendment.in_(ends)))}
    return [
        Day(row.day * DAY_SECONDS, known.get(row.first), row.high, row.low, known.get(row.last), int(row.volume))
        for row in rows
    ]
