"""Prices, dates and states of contracts as the bot's Markdown draws them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.market.prices.price import Price, Says
from app.market.prices.quotes import spark_range
from app.market.terms.contract import UNIT_MILLS, Side
from app.market.terms.instants import command_date
from app.market.terms.money import format_mills, format_price
from app.market.terms.statement import ISSUE_FIXED, said, short_words, shown
from app.services.views.state_words import DAY_SECONDS as DAY_SECONDS
from app.services.views.state_words import time_left as time_left
from app.storage.market.contracts import ContractRow

SPARKS = "▁▂▃▄▅▆▇█"
NOTHING = "–"
LARGE_MILLS = 10_000 * UNIT_MILLS
BAR = "■"
LONGEST_BAR = 6


def short_date(at: int) -> str:
    """`1 Dec 2026` for that day's last second, else with the clock time."""
    moment = datetime.fromtimestamp(at, UTC)
    day = f"{moment.day} {moment:%b %Y}"
    return day if at % DAY_SECONDS == DAY_SECONDS - 1 else f"{day} {moment:%H:%M} UTC"


def ago(at: int, now: int) -> str:
    """`3 hours ago`"""
    return f"{time_left(now, at)} ago"


def price(mills: int | None) -> str:
    return NOTHING if mills is None else format_price(mills)


def priced(found: Price | None) -> str:
    """`0.52`, `0.30–0.70`, `entered at 0.20`, `at least 0.50`, `at most 0.20`"""
    return NOTHING if found is None else _said(found, format_price(found.low), format_price(found.high), "–")


def likely(found: Price | None) -> str:
    """The same as a chance: `52 %`, `30 % to 70 %`, `entered at 20 %`, `at least 50 %`, `at most 20 %`"""
    return NOTHING if found is None else _said(found, percent(found.low), percent(found.high), " to ")


def _said(found: Price, low: str, high: str, between: str) -> str:
    if found.says is Says.BETWEEN:
        return f"{low}{between}{high}"
    return low if found.says is Says.MIDDLE else f"{found.says.value} {low}"


def change(mills: int | None) -> str:
    """`+0.05`, `−0.005`, `±0.00`"""
    return NOTHING if mills is None else signed(mills) if mills else "±0.00"


def signed(mills: int) -> str:
    return f"{'+' if mills > 0 else '−' if mills < 0 else ''}{format_mills(abs(mills))}"


def percent(mills: int) -> str:
    """`35 %`, `3.5 %`"""
    return f"{mills // 10}{f'.{mills % 10}' if mills % 10 else ''} %"


def spark(prices: Sequence[int], low: int = 0, high: int = UNIT_MILLS) -> str:
    """Prices as a line of eight heights between `low` and `high`."""
    return "".join(SPARKS[min(7, (mills - low) * 8 // (high - low))] for mills in prices)


def moves(prices: Sequence[int]) -> str:
    """A spark line of how the prices went, from about their lowest to about their highest; none for one price."""
    return spark(prices, *spark_range(prices)) if len(prices) > 1 else ""


def amount(mills: int) -> str:
    """An amount in a table: large ones in whole tokens, rounded down."""
    return format_mills(mills) if mills < LARGE_MILLS else f"{mills // UNIT_MILLS:,}"


def unbroken(text: str) -> str:
    """Text that a table keeps in one line."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def bar(units: int, most: int) -> str:
    """Units against the most there are, at least one block for any."""
    return BAR * max(1, units * LONGEST_BAR // most)


def side(row: ContractRow, which: Side) -> str:
    """FIXED or UNFIXED; forecasts read TRUE or FALSE."""
    return said(row.kind, which.value)


def side_word(row: ContractRow, which: Side) -> str:
    """The side as a command takes it."""
    return side(row, which).lower()


def number(row: ContractRow) -> str:
    """`c3`, `F12`"""
    return shown(row.kind, row.id)


def where(row: ContractRow) -> str:
    """Name a contract as a command does: `by 2026-12-01`, `on F12`."""
    return f"by {command_date(row.maturation_at)}" if row.kind == ISSUE_FIXED else f"on {number(row)}"


def what(row: ContractRow) -> str:
    """Label a contract in a table: `fixed by 1 Dec 2026`."""
    return f"{short_words(row.statement_text)} by {short_date(row.maturation_at)}"


def table(heads: Sequence[str], ranks: str, rows: Sequence[Sequence[str]]) -> str:
    """A table. `ranks` has a letter for each column: l, r or c."""
    rules = {"l": ":--", "r": "--:", "c": ":-:"}
    lines = [heads, [rules[rank] for rank in ranks], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def folded(summary: str, inner: str) -> str:
    """A block that opens at a click; GitHub wants blank lines around Markdown inside it."""
    return f"<details><summary>{summary}</summary>\n\n{inner}\n\n</details>" if inner else ""


def block(*commands: str) -> str:
    """Commands to copy at once."""
    return "\n".join(["```", *commands, "```"])
