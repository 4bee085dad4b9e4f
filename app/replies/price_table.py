"""Prices and price history in Markdown, as answers of at most eight visible lines where that can be."""

from __future__ import annotations

from collections.abc import Sequence

from app.market.prices.quotes import Day, Trade
from app.market.terms.contract import Side
from app.market.terms.instants import format_instant
from app.market.terms.money import format_mills, format_price
from app.market.terms.statement import ISSUE_FIXED
from app.replies.formats import (
    NOTHING,
    ago,
    amount,
    change,
    folded,
    likely,
    moves,
    number,
    percent,
    price,
    priced,
    short_date,
    side,
    table,
    what,
)
from app.replies.market_comment import summary
from app.replies.term_structure import contradiction, curve, differences
from app.services.views.contract_views import ContractView, IssueView
from app.storage.market.contracts import ContractRow

DAYS_SHOWN = 5
MOST_DRAWN = 3
"""With more contracts their table folds away."""


def prices(view: IssueView) -> str:
    """All contracts that are not settled beside each other, and what they imply together."""
    own = [one for one in view.trading if one.row.kind == ISSUE_FIXED]
    forecasts = [one for one in view.trading if one.row.kind != ISSUE_FIXED]
    tables = [summary(own), summary(forecasts)]
    head = curve(view) or f"{len(view.trading)} contracts here:"
    few = len(view.trading) <= MOST_DRAWN
    inner = "\n\n".join(filter(None, [*([] if few else tables), _by_date(view)]))
    parts = [head, *(tables if few else []), contradiction(view), folded("By date", inner)]
    return "\n\n".join(filter(None, parts))


def _by_date(view: IssueView) -> str:
    """The chance of a fix by each date and between two of them."""
    found = differences(view)
    if len(found) < 2:
        return ""
    rows = [
        [
            short_date(one.row.maturation_at),
            priced(one.price),
            likely(chance.price),
            NOTHING if gain is None else percent(gain),
        ]
        for one, chance, gain in found
    ]
    return table(["by", "price", "chance", "since the date before"], "lrrr", rows)


def price_of(view: ContractView) -> str:
    """One contract in words."""
    row = view.row
    yes = side(row, Side.FIXED)
    quotes = f"bid {price(view.best_bid)} · ask {price(view.best_ask)}"
    size = (
        f"Volume {view.volume.whole:,} ({view.volume.late:,} in 24 h) · open interest {row.open_interest:,} · "
        f"holders {view.holders:,} · {_void_price(view)}"
        f"{_reward_words(row)} {format_mills(view.reward_mills)}{_firmness(view)}"
    )
    head = f"**{number(row)} · {what(row)}** · {view.state}"
    return f"{head}\n\nPrice of {yes} **{priced(view.price)}** · {quotes} · {_last(view)}\n\n{size}"


def _firmness(view: ContractView) -> str:
    mills = view.move_mills
    return "" if mills is None else f" · moving the price by 0.10 takes {amount(mills)}"


def _last(view: ContractView) -> str:
    """The last trade that makes a price, with its size and age."""
    if view.last is None:
        return "not traded yet"
    drawn = f" {moves(view.spark())}".rstrip()
    moved = "" if view.change is None else f", {change(view.change)} in 24 h"
    return f"last {price(view.last.price)}{drawn} ({view.last.volume:,} units, {ago(view.last.at, view.now)}{moved})"


def _void_price(view: ContractView) -> str:
    return "" if view.void_price is None else f"void price {price(view.void_price)} · "


def _reward_words(row: ContractRow) -> str:
    """A forecast has nobody who fixes it."""
    return "reward on offer" if row.kind == ISSUE_FIXED else "to win with TRUE"


def history(row: ContractRow, days: Sequence[Day], trades: Sequence[Trade]) -> str:
    """The last days, and folded the older ones and the last fills; newest first."""
    head = f"**{number(row)} · {what(row)}**"
    if not trades:
        return f"{head} · nothing was traded yet."
    closes = [day.closed for day in reversed(days) if day.closed is not None]
    drawn = f" · {moves(closes)}" if len(closes) > 1 else ""
    inner = [_days(days[DAYS_SHOWN:]), _tape(row, trades)]
    parts = [f"{head}{drawn}", _days(days[:DAYS_SHOWN]), folded(_more(days), "\n\n".join(filter(None, inner)))]
    return "\n\n".join(parts)


def _more(days: Sequence[Day]) -> str:
    return "Older days and the last fills" if len(days) > DAYS_SHOWN else "The last fills"


def _days(days: Sequence[Day]) -> str:
    rows = [
        [short_date(day.at + 86_399), *map(price, (day.opened, day.high, day.low, day.closed)), f"{day.volume:,}"]
        for day in days
    ]
    return table(["day", "open", "high", "low", "close", "volume"], "lrrrrr", rows) if rows else ""


def _tape(row: ContractRow, trades: Sequence[Trade]) -> str:
    """The public tape: no names, as an exchange would print it."""
    rows = [
        [trade.id, format_instant(trade.at), format_price(trade.price), f"{trade.volume:,}", trade.kind.value]
        for trade in trades
    ]
    return table(["fill", "at", f"price of {side(row, Side.FIXED)}", "units", "kind"], "llrrl", rows)
