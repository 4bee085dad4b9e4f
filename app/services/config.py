"""What a repository trades under: the defaults every installation starts with."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.contract import Terms

LAW = "1"
"""Version of docs/market.md that contracts made now are judged by."""


@dataclass(frozen=True, slots=True)
class Config:
    """Amounts in mills, prices in mills of FIXED, spans in seconds."""

    default_price: int = 500
    least_maturation_seconds: int = 3600
    most_maturation_seconds: int = 2 * 366 * 86_400
    dispute_window_seconds: int = 24 * 3600
    fee_bps: int = 0
    welcome_grant_mills: int = 1_000_000

    def terms(self, owner_id: int) -> Terms:
        """The terms of a contract made now in a repository of this owner."""
        return Terms(
            currency=play_currency(owner_id),
            fee_bps=self.fee_bps,
            dispute_window_seconds=self.dispute_window_seconds,
            not_planned="UNFIXED",
            duplicate="UNFIXED",
            insiders="allow",
            law=LAW,
        )


def play_currency(owner_id: int) -> str:
    """Play tokens are good in one owner's repositories only."""
    return f"play:{owner_id}"
