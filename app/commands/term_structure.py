"""The maturations of one issue beside each other: the implied chance of a fix by each date, contradicting quotes."""

from __future__ import annotations

from itertools import pairwise

from app.commands.drawing import block, percent, short_date, spark, where
from app.market.contract import Side
from app.market.money import command_price, format_mills, format_price
from app.market.quotes import Arbitrage, side_price
from app.services.contract_views import ContractView, IssueView

MOST_DATES = 6


def curve(view: IssueView) -> str:
    """The chance of being fixed by each date, in one line; nothing where there are not two."""
    points = view.curve()
    if len(points) < 2:
        return ""
    shown = _spread(points)
    dates = " · ".join(f"**{percent(chance)}** by {short_date(one.row.maturation_at)}" for one, chance in shown)
    return f"Implied chance of a fix {spark([chance for _, chance in points])}: {dates}."


def _spread(points: list[tuple[ContractView, int]]) -> list[tuple[ContractView, int]]:
    """As many of the dates as a line takes, first and last among them."""
    if len(points) <= MOST_DATES:
        return points
    return [points[at * (len(points) - 1) // (MOST_DATES - 1)] for at in range(MOST_DATES)]


def contradiction(view: IssueView) -> str:
    """The largest arbitrage with the commands that take it; both in one comment."""
    found = view.contradictions()
    if not found:
        return ""
    best, by_id = found[0], {one.row.id: one for one in view.trading}
    earlier, later = by_id[best.earlier], by_id[best.later]
    more = f" {len(found) - 1} more pairs of dates contradict each other." if len(found) > 1 else ""
    return f"⚖️ {_explained(best, earlier, later)}{more} Both in one comment:\n\n{block(*_both(best, earlier, later))}"


def _explained(best: Arbitrage, earlier: ContractView, later: ContractView) -> str:
    first, second = short_date(earlier.row.maturation_at), short_date(later.row.maturation_at)
    fee = " before the fee" if earlier.row.terms.fee_bps or later.row.terms.fee_bps else ""
    return (
        f"**The quotes contradict each other.** What is fixed by {first} is fixed by {second}, yet FIXED by {first} "
        f"is bid at {format_price(earlier.levels.bids[0][0])} and FIXED by {second} asked at "
        f"{format_price(later.levels.asks[0][0])}. Whoever buys the later and sells the earlier, {best.units:,} units "
        f"each, pays {format_mills(best.cost_mills)} and gets at least {format_mills(best.units * 1000)}: "
        f"**{format_mills(best.gain_mills)}** without risk{fee}, as long as both "
        "are judged alike (none void, no reopening in between)."
    )


def _both(best: Arbitrage, earlier: ContractView, later: ContractView) -> list[str]:
    """Selling FIXED is buying UNFIXED: whoever holds FIXED sells it by that."""
    return [
        f"/bugmark offer fixed {best.units} at {command_price(best.ask)} {where(later.row)} now-or-never",
        f"/bugmark offer unfixed {best.units} at {command_price(side_price(Side.UNFIXED, best.bid))} "
        f"{where(earlier.row)} now-or-never",
    ]


def differences(view: IssueView) -> list[tuple[ContractView, int, int]]:
    """For each date the implied chance, and how much of it lies after the date before."""
    points = view.curve()
    gains = [points[0][1], *(after - before for (_, before), (_, after) in pairwise(points))] if points else []
    return [(one, chance, gain) for (one, chance), gain in zip(points, gains, strict=True)]
