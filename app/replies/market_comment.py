"""The market comment of an issue in Markdown, edited in place (docs/commands.md)."""

from __future__ import annotations

from collections.abc import Sequence

from app.market.prices.quotes import side_price
from app.market.terms.contract import Side
from app.market.terms.instants import format_instant
from app.market.terms.money import command_price
from app.market.terms.statement import ISSUE_FIXED, words
from app.replies.book_table import rules
from app.replies.formats import (
    DAY_SECONDS,
    NOTHING,
    amount,
    block,
    change,
    folded,
    likely,
    moves,
    number,
    price,
    priced,
    short_date,
    side,
    side_word,
    table,
    time_left,
    unbroken,
    what,
    where,
)
from app.replies.market_comment_details import largest, last_settled, numbers, settled_table, settled_title
from app.replies.reply import FOOTER, bounded, name
from app.replies.term_structure import contradiction, curve
from app.services.trading.funding import LATEST_SECONDS, SOONEST_SECONDS
from app.services.views.contract_views import ContractView, IssueView
from app.storage.market.market_data import Standing

NAME = "BugMark"
USUAL_AMOUNT = 50
USUAL_VOLUME = 50
EVEN = 500


def board(view: IssueView, elsewhere: str = "") -> str:
    """Heading, a line for each contract and what to write to trade, to be read on a phone; all else folded.

    `elsewhere`: where answers are that were not posted.
    """
    own = [one for one in view.trading if one.row.kind == ISSUE_FIXED]
    forecasts = [one for one in view.trading if one.row.kind != ISSUE_FIXED]
    parts = [
        heading(view),
        dates(own),
        stopped(view.trading),
        working(view),
        "" if own or forecasts else last_settled(view.settled),
        curve(view),
        contradiction(view),
        "### Forecasts" if forecasts else "",
        statements(forecasts),
        next_steps(view),
        _left_out(view),
        elsewhere,
        f"<sub>As of {format_instant(view.now)}. A unit costs its price and pays 1 token or nothing.</sub>\n{FOOTER}",
    ]
    more = [summary(own), summary(forecasts), largest(view.trading), numbers(view.trading), terms(view.trading)]
    details = [
        folded("More numbers", "\n\n".join(filter(None, more))),
        folded(settled_title(view), settled_table(view.settled)),
    ]
    parts[-1:-1] = details
    return bounded("\n\n".join(filter(None, parts)), "")


def terms(views: Sequence[ContractView]) -> str:
    return "\n".join(f"- {rules(view.row)}" for view in views)


def dates(views: Sequence[ContractView]) -> str:
    """Lines of the contracts about the issue: by when, at which price, for which reward."""
    return "\n".join(f"- by **{short_date(view.row.maturation_at)}**: {_said(view)}" for view in views)


def _said(view: ContractView) -> str:
    """The part that fits on a line of a phone."""
    left = time_left(view.row.maturation_at, view.now) + " left" if view.row.open else "halted"
    reward = f"{'reward' if view.row.kind == ISSUE_FIXED else 'to win'} {amount(view.reward_mills)}"
    return " · ".join([_price(view), *([reward] if view.reward_mills else []), left])


def summary(views: Sequence[ContractView]) -> str:
    """A row of numbers for each contract."""
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
    """Lines of the forecasts' statements."""
    return "\n".join(f"- **{number(view.row)}**: {words(view.row.statement_text)}: {_said(view)}" for view in views)


def stopped(views: Sequence[ContractView]) -> str:
    """Lines of the contracts that do not trade now, with the end of each halt."""
    halted = [f"⏸️ {number(view.row)} ({what(view.row)}): {view.state}." for view in views if not view.row.open]
    return "\n".join(halted)


def working(view: IssueView) -> str:
    """Users working on the issue. The comment may be older than a name in it, so each carries its end."""
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
    return unbroken(f"**{priced(view.price)}** {moves(view.spark()) if view.marks else 'quoted'}".rstrip())


def heading(view: IssueView) -> str:
    """The first line: how likely, by when, and what a fixer would win. Underlined, so that it begins with our name."""
    return f"{NAME} · {' · '.join(_headline(view))}\n---"


def _headline(view: IssueView) -> list[str]:
    speaker = view.headline
    if speaker is None:
        found = [*view.trading, *view.settled]
        return [found[0].state] if found else ["nothing trades here"]
    if speaker.row.kind != ISSUE_FIXED:
        return [f"{number(speaker.row)} {likely(speaker.price) if speaker.price else 'no price yet'}"]
    when = f"by {short_date(speaker.row.maturation_at)}"
    said = f"{likely(speaker.price)} {when}" if speaker.price else f"no price yet {when}"
    return [said, *([f"reward {amount(view.reward_mills)}"] if view.reward_mills else [])]


def next_steps(view: IssueView) -> str:
    """The commonest next steps, each to be copied alone: where most is at stake, at the best price there is."""
    if view.headline is None:
        return ""
    row = view.headline.row
    if row.kind == ISSUE_FIXED:
        doubter = ("You want it fixed?", f"fund {USUAL_AMOUNT}{_date_for_money(view.headline)}")
        fixer = ("You will fix it, or think somebody will?", _take(view.to_fixer))
    else:
        fixer = ("You think so?", _take(view.to_fixer) or _offer(view.headline, Side.FIXED))
        doubter = ("You think not?", _take(view.to_doubter) or _offer(view.headline, Side.UNFIXED))
    steps = [fixer, doubter]
    return "\n\n".join(f"{why} Comment:\n\n{block(f'/bugmark {command}')}" for why, command in steps if command)


def _date_for_money(view: ContractView) -> str:
    """Nothing where `fund` chooses this contract by itself."""
    chosen = SOONEST_SECONDS <= view.row.maturation_at - view.now <= LATEST_SECONDS
    return "" if chosen else f" {where(view.row)}"


def _take(offer: Standing | None) -> str:
    return "" if offer is None else f"take o{offer.number}"


def _offer(view: ContractView, which: Side) -> str:
    """An offer that waits, at the price there is or at even odds: nobody is on the other side."""
    found = view.price.mills if view.price else None
    at = command_price(side_price(which, found or EVEN))
    return f"offer {side_word(view.row, which)} {USUAL_VOLUME} at {at} {where(view.row)}"


def _left_out(view: IssueView) -> str:
    return f"{view.left_out:,} smaller or older contracts are left out here." if view.left_out else ""
