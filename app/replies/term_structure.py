"""The maturations of one issue beside each other: the chance of a fix by each date, contradicting quotes."""

from __future__ import annotations

from itertools import pairwise

from app.market.prices.quotes import Arbitrage, Chance, side_price
from app.market.terms.contract import Side
from app.market.terms.money import command_price, format_mills, format_price
from app.replies.formats import block, likely, short_date, spark, where
from app.services.views.contract_views import ContractView, IssueView

MOST_DATES = 6


def curve(view: IssueView) -> str:
    """The chance of being fixed by each date, in one line; nothing where there are not two."""
    found = view.chances()
    if len(found) < 2:
        return ""
    dates = [f"**{likely(chance.price)}** by {short_date(one.row.maturation_at)}" for one, chance in _spread(found)]
    points = [mills for mills in map(_point, found) if mills is not None]
    drawn = f" {spark(points)}" if len(points) == len(found) else ""
    return f"Chance of a fix{drawn}: {' · '.join(dates)}."


def _point(found: tuple[ContractView, Chance]) -> int | None:
    price = found[1].price
    return None if price is None else price.mills


def _spread(points: list[tuple[ContractView, Chance]]) -> list[tuple[ContractView, Chance]]:
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


def differences(view: IssueView) -> list[tuple[ContractView, Chance, int | None]]:
    """For each date its chance, and how much of it lies after the date before; None where that cannot be said."""
    found = view.chances()
    points = [_point(one) for one in found]
    since = [points[0] if points else None, *(_gained(before, after) for before, after in pairwise(points))]
    return [(one, chance, gain) for (one, chance), gain in zip(found, since, strict=False)]


def _gained(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None or after < before else after - before
