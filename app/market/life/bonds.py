"""Bonds of disputes: what disputing costs, and how a forfeited bond is shared (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import Mapping

from app.market.terms.contract import UNIT_MILLS

FIRST_LAW = "1"
"""Contracts made under it keep its bonds: the same whatever closed the issue, and back if nobody answers."""

UNIT_BOND_MILLS = 50
MERGED_UNIT_BOND_MILLS = 100
"""A losing unit, where a merged pull request closed the issue."""

LEAST_BOND_MILLS = UNIT_MILLS
ESCROW_PER_BOND = 200
"""The first bond is at least a 200th of the escrow: 0.5 %."""


def bond_mills(units: int, open_interest: int, *, by_pull: bool, law: str) -> int:
    """Bond of the first user to dispute a verdict, who stands to lose that many units."""
    each = MERGED_UNIT_BOND_MILLS if by_pull and law != FIRST_LAW else UNIT_BOND_MILLS
    escrow_part = -(-UNIT_MILLS * open_interest // ESCROW_PER_BOND)
    return max(each * units, LEAST_BOND_MILLS, escrow_part)


def joining_mills(units: int) -> int:
    """Bond of a user who joins an open dispute."""
    return max(UNIT_BOND_MILLS * units, LEAST_BOND_MILLS)


def forfeited(mills: int, units: Mapping[int, int]) -> dict[int, int]:
    """A bond shared among users by units; odd mills go by largest remainder, then lowest user id."""
    total = sum(units.values())
    whole = {user: divmod(mills * held, total) for user, held in units.items()}
    odd = mills - sum(share for share, _ in whole.values())
    lucky = sorted(whole, key=lambda user: (-whole[user][1], user))[:odd]
    return {user: share + (user in lucky) for user, (share, _) in whole.items()}
