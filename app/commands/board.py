"""The market comment of an issue in Markdown, edited in place (docs/commands.md)."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.board_details import largest, last_settled, numbers, settled_table, settled_title
from app.commands.drawing import (
    DAY_SECONDS,
    NOTHING,
    amount,
    block,
    change,
    folded,
    moves,
    number,
    price,
    short_date,
    side,
    side_word,
    state,
    table,
    time_left,
    unbroken,
    what,
    where,
)
from app.commands.replies import FOOTER, bounded, name
from app.commands.term_structure import contradiction, curve
from app.market.contract import Side, Status
from app.market.instants import format_instant
from app.market.money import command_price, format_price
from app.market.quotes import side_price
from app.market.statement import ISSUE_FIXED, words
from app.services.contract_views import ContractView, IssueView

USUAL_VOLUME = 50
EVEN = 500


def board(view: IssueView, elsewhere: str = "") -> str:
    """Contracts, what they imply, who holds most, and what to write to trade; all else folded.

    `elsewhere`: where answers are that were not posted.
    """
    own = [one for one in view.trading if one.row.kind == ISSUE_FIXED]
    forecasts = [one for one in view.trading if one.row.kind != ISSUE_FIXED]
    parts = [
        "### Will this be fixed?" if own or not forecasts else "",
        summary(own),
        stopped(view.trading),
        working(view),
        "" if own or forecasts else last_settled(view.settled),
        curve(view),
        contradiction(view),
        "### Forecasts" if forecasts else "",
        statements(forecasts),
        summary(forecasts),
        largest(view.trading),
        _next_steps(view.trading),
        _left_out(view),
        elsewhere,
        f"<sub>As of {format_instant(view.now)}. A unit costs its price and pays 1 token or nothing.</sub>\n{FOOTER}",
    ]
    details = [folded("More numbers", numbers(view.trading)), folded(settled_title(view), settled_table(view.settled))]
    parts[-1:-1] = details
    return bounded("\n\n".join(filter(None, parts)), "")


def summary(views: Sequence[ContractView]) -> str:
    """One line for each contract."""
    if not views:
        return ""
    yes, fixing = side(views[0].row, Side.FIXED), views[0].row.kind == ISSUE_FIXED
    heads = [
        "by" if fixing else "forecast",
        yes,
        "24 h",
        "bid / ask",
        "volume",
        "open interest",
        "reward" if fixing else "to win",
        "left",
    ]
    return table(heads, "lrrcrrrl", [_line(view) for view in views])


def statements(views: Sequence[ContractView]) -> str:
    """What each forecast says."""
    return "\n".join(f"- **{number(view.row)}**: {words(view.row.statement_text)}" for view in views)


def stopped(views: Sequence[ContractView]) -> str:
    """Which contracts do not trade now, and until when."""
    halted = [
        f"⏸️ {number(view.row)} ({what(view.row)}): {state(view.row, view.now)}." for view in views if not view.row.open
    ]
    return "\n".join(halted)


def working(view: IssueView) -> str:
    """Who is at it. The comment may be older than a name in it, so each says until when."""
    if not view.working:
        return ""
    named = ", ".join(f"{name(one.login)} until {_last_day(one.until_at)}" for one in view.working)
    more = view.all_working - len(view.working)
    return f"🛠️ Working on it: {named}{f' and {more:,} more' if more else ''}."


def _last_day(until_at: int) -> str:
    """The last whole day before it."""
    return short_date(until_at - until_at % DAY_SECONDS - 1)


def _line(view: ContractView) -> list[str]:
    row = view.row
    return [
        unbroken(short_date(row.maturation_at)) if row.kind == ISSUE_FIXED else f"**{number(row)}**",
        _price(view),
        change(view.change),
        unbroken(f"{price(view.best_bid)} / {price(view.best_ask)}"),
        f"{view.volume.whole:,}",
        f"{row.open_interest:,}",
        amount(view.reward_mills),
        unbroken(time_left(row.maturation_at, view.now)) if row.open else "halted",
    ]


def _price(view: ContractView) -> str:
    if view.price is None:
        return NOTHING
    return unbroken(f"**{format_price(view.price)}** {moves(view.spark()) if view.prices else 'quoted'}".rstrip())


def _next_steps(views: Sequence[ContractView]) -> str:
    """The two commonest next steps in the nearest contract that trades, each to be copied alone."""
    for view in views:
        if view.row.status is Status.OPEN:
            hopes = "You will fix it, or think somebody will" if view.row.kind == ISSUE_FIXED else "You think so"
            doubts = "You want it fixed, or think nobody will" if view.row.kind == ISSUE_FIXED else "You think not"
            fixed = _step(view, Side.FIXED, view.best_ask)
            unfixed = _step(view, Side.UNFIXED, view.best_bid)
            return f"{hopes}? Comment:\n\n{block(fixed)}\n\n{doubts}? Comment:\n\n{block(unfixed)}"
    return ""


def _step(view: ContractView, which: Side, quote: int | None) -> str:
    found = quote or view.price or EVEN
    at = command_price(side_price(which, found))
    return f"/bugmark offer {side_word(view.row, which)} {USUAL_VOLUME} at {at} {where(view.row)}"


def _left_out(view: IssueView) -> str:
    return f"{view.left_out:,} smaller or older contracts are left out here." if view.left_out else ""
