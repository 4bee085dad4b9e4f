"""The bot's comments in Markdown: the reply to a comment, the market comment, notices. At most 12 visible lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.market.contract import UNIT_MILLS, Side, Status
from app.market.instants import command_date, format_instant
from app.market.money import format_mills, format_price
from app.services.views import ContractView, UserView
from app.storage.commands import CommandRecord

MAX_BODY = 65_536
MOST_COMMANDS = 20
"""A comment may hold thousands; running them all would keep everybody else waiting."""

FOOTER = "<sub>BugMark trades contracts on whether issues get fixed, in play tokens · `/bugmark help`</sub>"
SPARKS = "▁▂▃▄▅▆▇█"
TOP_HOLDERS = 3
BOOK_LEVELS = 5
MOST_LISTED = 5


def marker(key: str) -> str:
    """The hidden first line by which the bot finds its own comment again."""
    return f"<!-- bugmark:{key} -->"


def reply(
    records: Sequence[CommandRecord],
    user: UserView,
    views: Sequence[ContractView],
    granted_mills: int,
    left_out: int = 0,
) -> str:
    """The one reply to a comment: a paragraph for each command, then where the user stands in this thread."""
    parts = [f"{'🚀' if record.done else '😕'} {record.answer}" for record in records]
    if granted_mills:
        parts.insert(
            0,
            f"Welcome, {name(user.login)}: your account is open with {format_mills(granted_mills)} play tokens.",
        )
    if left_out:
        parts.append(f"😕 A comment runs at most {MOST_COMMANDS} commands; {left_out:,} more were left out.")
    now = standing(user)
    if all(record.answer != now for record in records):
        parts.append(now)
    parts.append(f"{receipts(records)}\n{FOOTER}")
    details = book_details(views)
    return bounded("\n\n".join(parts), details)


def receipts(records: Sequence[CommandRecord]) -> str:
    numbers = ", ".join(f"r{record.id}" for record in records)
    return f"<sub>Receipt {numbers}</sub>"


def standing(user: UserView, with_money: bool = True) -> str:
    """One line: positions and open offers of a user in this thread, and the user's money."""
    held = [
        f"{position.units:,} {side.value} by {command_date(user.maturations[contract])} "
        f"(cost {format_mills(position.cost_mills)})"
        for contract, side, position in user.positions
    ]
    waiting = [
        f"o{offer.number} {offer.action.value.lower()} {offer.remaining:,} {offer.side.value} "
        f"at {format_price(offer.price)} by {command_date(user.maturations[contract])}"
        for contract, offer in user.offers
    ]
    money = f"{format_mills(user.balance.free_mills)} free"
    if user.balance.reserve_mills:
        money += f", {format_mills(user.balance.reserve_mills)} held for offers"
    line = f"**{user.login}** here · positions: {some(held)} · open offers: {some(waiting)}"
    return f"{line} · tokens: {money}" if with_money else line


def some(items: Sequence[str]) -> str:
    """The first few of a list, and how many more there are."""
    more = [f"and {len(items) - MOST_LISTED} more"] if len(items) > MOST_LISTED else []
    return "; ".join([*items[:MOST_LISTED], *more]) or "none"


def bounded(body: str, details: str) -> str:
    """The body with its details, without them if the comment would be too long, cut at a line as a last resort."""
    whole = f"{body}\n\n{details}" if details else body
    if len(whole) <= MAX_BODY - 200:
        return whole
    if len(body) <= MAX_BODY - 200:
        return body
    cut = body[: MAX_BODY - 400]
    return cut[: cut.rfind("\n")] + "\n\n(The rest is left out: a comment can be no longer.)"


def name(login: str) -> str:
    """A user's name that is no mention."""
    return f"**{login}**"


def book_details(views: Sequence[ContractView]) -> str:
    """The folded block: the book of each contract that trades."""
    books = [book_table(view) for view in views if view.row.status is not Status.SETTLED]
    if not books:
        return ""
    inner = "\n\n".join(books)
    return f"<details><summary>Book and rules</summary>\n\n{inner}\n\n{rules(views)}\n\n</details>"


def rules(views: Sequence[ContractView]) -> str:
    lines = [
        f"c{view.row.id}: judged by the issue's state as GitHub gives it; trades in `{view.row.currency}`; "
        f"window {view.row.terms.dispute_window_seconds // 3600} h; "
        f"fee {view.row.terms.fee_bps} bps of profit; "
        f"terms `{view.row.terms_hash[:12]}`"
        for view in views
        if view.row.status is not Status.SETTLED
    ]
    return "\n".join(lines)


def book_table(view: ContractView) -> str:
    """One contract's book: bids and asks side by side, in the price of FIXED."""
    head = f"**Contract c{view.row.id}, by {format_instant(view.row.maturation_at)}** ({state_words(view)})"
    if not view.bids and not view.asks:
        return f"{head}\n\nNo open offers."
    rows = ["| FIXED bids | price | price | FIXED asks (UNFIXED bids) |", "|---:|---:|:---|:---|"]
    for i in range(min(BOOK_LEVELS, max(len(view.bids), len(view.asks)))):
        bid = view.bids[i] if i < len(view.bids) else None
        ask = view.asks[i] if i < len(view.asks) else None
        rows.append(
            f"| {f'{bid[1]:,}' if bid else ''} | {format_price(bid[0]) if bid else ''} "
            f"| {format_price(ask[0]) if ask else ''} | {f'{ask[1]:,}' if ask else ''} |"
        )
    offers = ", ".join(
        f"o{offer.number} {view.logins[offer.user]} {offer.action.value.lower()} {offer.remaining:,} "
        f"{offer.side.value} at {format_price(offer.price)}"
        for offer in view.offers[: 2 * BOOK_LEVELS]
    )
    return head + "\n\n" + "\n".join(rows) + f"\n\nOffers: {offers}."


def state_words(view: ContractView) -> str:
    row = view.row
    if row.status is Status.SETTLED:
        return f"settled {row.outcome.value if row.outcome else ''}"
    if row.status is Status.HALTED:
        return f"halted until {format_instant(row.window_ends_at)}" if row.window_ends_at else "halted"
    return "open"


def spark(prices: Sequence[int]) -> str:
    """Prices of 0 to 1000 mills as a line of eight heights."""
    return "".join(SPARKS[min(7, price * 8 // 1000)] for price in prices)


def board(views: Sequence[ContractView]) -> str:
    """The market comment of an issue, edited in place."""
    lines = [
        "### Will this be fixed?",
        "",
        "| by | price of FIXED | bid / ask | traded | open interest | reward for a fixer | state |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    lines += [_board_row(view) for view in views]
    holders = [line for line in (_top_holders(view) for view in views) if line]
    if holders:
        lines += ["", *holders]
    commands = _next_steps(views)
    if commands:
        lines += ["", "To trade, comment:", "", "```", *commands, "```"]
    return bounded("\n".join([*lines, "", FOOTER]), "")


def _board_row(view: ContractView) -> str:
    price = "–" if view.price is None else f"**{format_price(view.price)}** {spark(view.prices)}"
    bid = "–" if view.best_bid is None else format_price(view.best_bid)
    ask = "–" if view.best_ask is None else format_price(view.best_ask)
    return (
        f"| {format_instant(view.row.maturation_at)} | {price} | {bid} / {ask} | {view.volume:,} "
        f"| {view.row.open_interest:,} | {format_mills(view.reward_mills)} | {state_words(view)} |"
    )


def _top_holders(view: ContractView) -> str:
    top = [f"{name(h.login)} {h.units:,} {h.side.value}" for h in view.holders[:TOP_HOLDERS]]
    return f"Largest positions by {command_date(view.row.maturation_at)}: {', '.join(top)}." if top else ""


def _next_steps(views: Sequence[ContractView]) -> list[str]:
    """The two commonest next steps in the nearest contract that trades."""
    for view in views:
        if view.row.status is Status.OPEN:
            by = command_date(view.row.maturation_at)
            price = 500 if view.price is None else view.price
            fixed = price if view.best_ask is None else view.best_ask
            unfixed = UNIT_MILLS - (price if view.best_bid is None else view.best_bid)
            return [
                f"/bugmark offer fixed 50 at {format_price(fixed)} by {by}",
                f"/bugmark offer unfixed 50 at {format_price(unfixed)} by {by}",
            ]
    return []


def settled(body: Mapping[str, Any], maturation_at: int, logins: Mapping[int, str]) -> str:
    """The settlement comment: outcome, evidence, every payout. Each holder is mentioned once."""
    outcome = str(body["outcome"])
    by = format_instant(maturation_at)
    closed_at, closer = body["closed_at"], body["closer"]
    if outcome == Side.FIXED.value:
        who = f" by {name(closer)}" if closer else ""
        when = f" on {format_instant(closed_at)}" if closed_at else ""
        what = f"The issue was closed as completed{who}{when}."
    elif outcome == Side.UNFIXED.value:
        what = f"The issue was not closed as completed by {by}."
    else:
        what = "GitHub gave no answer about the issue for 30 days: everybody gets the void price."
    rows = ["| holder | paid out | had cost | result | fee |", "|---|---:|---:|---:|---:|"]
    for user, paid, cost, fee in body["payouts"]:
        result = paid - cost
        sign = "+" if result > 0 else "−" if result < 0 else ""
        rows.append(
            f"| @{logins.get(user, 'unknown')} | {format_mills(paid)} | {format_mills(cost)} "
            f"| {sign}{format_mills(abs(result))} | {format_mills(fee)} |"
        )
    table = "\n".join(rows) if body["payouts"] else "Nobody held a position."
    head = f"🏁 **Contract c{body['contract']} (by {by}) is settled: {outcome}.** {what}"
    return bounded(f"{head}\n\n{table}\n\nSettled is final.\n\n{FOOTER}", "")


def window(body: Mapping[str, Any], maturation_at: int) -> str:
    """What will happen and when, said as a window opens."""
    ends = format_instant(body["ends_at"])
    head = f"⏸️ **Contract c{body['contract']} (by {format_instant(maturation_at)}) is halted.**"
    if not body["by_close"]:
        what = (
            "Its maturation has come and the issue was not closed as completed: it settles as **UNFIXED**"
            f" after {ends}, unless a close before maturation comes to light."
        )
    else:
        longer = (
            "" if body["backed"] else " The closer holds a position or has no rights here, so the window is longer."
        )
        what = f"The issue was closed as completed. Unless it is reopened, it settles as **FIXED** after {ends}."
        what += longer
    return f"{head} {what}\n\n{FOOTER}"


def resumed(body: Mapping[str, Any], maturation_at: int) -> str:
    return (
        f"▶️ **Contract c{body['contract']} (by {format_instant(maturation_at)}) trades again:** "
        f"the issue is not closed as completed.\n\n{FOOTER}"
    )
