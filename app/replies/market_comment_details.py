"""Details of the market comment, below its tables or folded: holders, more numbers, settled contracts."""

from __future__ import annotations

from collections.abc import Sequence

from app.market.prices.reward import DEAREST
from app.market.terms.contract import Side
from app.market.terms.instants import format_instant
from app.market.terms.money import format_mills, format_price
from app.market.terms.statement import ISSUE_FIXED
from app.replies.formats import NOTHING, ago, number, price, short_date, side, table, unbroken, what, where
from app.replies.reply import name
from app.services.views.contract_views import ContractView, Holder, IssueView

MOST_HOLDERS_SHOWN = 3
"""With more contracts the largest positions fold away."""


def largest(views: Sequence[ContractView]) -> str:
    """The largest holders, if there are few contracts."""
    held = [view for view in views if view.top]
    if len(held) > MOST_HOLDERS_SHOWN:
        return ""
    return "\n".join(f"Largest positions {where(view.row)}: {_top(view)}." for view in held)


def _top(view: ContractView) -> str:
    return ", ".join(_holder(view, holder) for holder in view.top)


def _holder(view: ContractView, holder: Holder) -> str:
    marked = " (insider)" if holder.insider else ""
    return f"{name(holder.login)} {holder.units:,} {side(view.row, holder.side)}{marked}"


def numbers(views: Sequence[ContractView]) -> str:
    """Numbers for the few who want them."""
    if not views:
        return ""
    many = sum(1 for view in views if view.top) > MOST_HOLDERS_SHOWN
    by_law_1 = any(view.void_price is not None for view in views)
    heads = ["contract", "judged at", "last trade", "volume in 24 h", "holders", *["void price"] * by_law_1]
    rows = [
        [
            number(view.row),
            unbroken(format_instant(view.row.maturation_at)),
            unbroken(_last(view)),
            f"{view.volume.late:,}",
            f"{view.holders:,}",
            *[price(view.void_price)] * by_law_1,
        ]
        for view in views
    ]
    holders = [f"- {number(view.row)}: {_top(view)}" for view in views if view.top] if many else []
    said = _reward_words(views)
    if by_law_1:
        said += f" The void price is what one unit of {_yes(views)} would get if that were void now."
    if any(holder.insider for view in views for holder in view.top):
        said += " An insider is the issue's author or somebody with triage rights."
    largest = "\n".join(["Largest positions:", "", *holders]) if holders else ""
    return "\n\n".join(filter(None, [table(heads, "llrrr" + "r" * by_law_1, rows), said, largest]))


def _last(view: ContractView) -> str:
    """The last trade that makes a price, with its size and age."""
    last = view.last
    return NOTHING if last is None else f"{price(last.price)} × {last.volume:,}, {ago(last.at, view.now)}"


def _reward_words(views: Sequence[ContractView]) -> str:
    stake, dearest = format_mills(views[0].stake_mills), format_price(DEAREST)
    words = {
        True: f"The reward is what a fixer who stakes at most {stake} would win now, at {dearest} a unit or less.",
        False: f"To win is what buying TRUE for at most {stake} would win now, at {dearest} a unit or less.",
    }
    return " ".join(words[one] for one in (True, False) if one in {view.row.kind == ISSUE_FIXED for view in views})


def _yes(views: Sequence[ContractView]) -> str:
    return " or ".join(dict.fromkeys(side(view.row, Side.FIXED) for view in views))


def last_settled(settled: Sequence[ContractView]) -> str:
    """The last outcome, while nothing trades."""
    if not settled:
        return "Nothing trades here."
    row, stands = settled[0].row, settled[0].state
    when = f" on {format_instant(row.settled_at)}" if row.settled_at else ""
    return f"🏁 {number(row)} ({what(row)}): **{stands}**{when}. Nothing trades here now."


def settled_title(view: IssueView) -> str:
    count = len(view.settled)
    return f"{count} settled contract{'' if count == 1 else 's'}"


def settled_table(views: Sequence[ContractView]) -> str:
    if not views:
        return ""
    rows = [
        [
            number(view.row),
            what(view.row),
            unbroken(view.state),
            price(view.last_price),
            f"{view.volume.whole:,}",
            unbroken(short_date(view.row.settled_at)) if view.row.settled_at else NOTHING,
        ]
        for view in views
    ]
    return table(["contract", "on", "outcome", "last price", "volume", "settled"], "lllrrl", rows)
