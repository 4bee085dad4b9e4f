"""A repository's trading rules: the defaults, or its `.github/bugmark.yml`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from app.market.terms.contract import Terms
from app.market.terms.names import folded
from app.storage.engine.db import Tx
from app.storage.people.places import Repository

LAW = "2"
"""Version of docs/market.md that contracts made now are judged by."""
MOST_LABELS_NAMED = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one user in one repository; None is no limit.

    `stake_mills` and `position_units` hold for each contract; `cooldown_seconds` is the least time between commands.
    """

    open_offers: int | None = 200
    stake_mills: int | None = None
    commands_per_hour: int | None = 120
    account_age_days: int | None = None
    cooldown_seconds: int | None = None
    position_units: int | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Amounts in mills, prices in mills (`default_price` of FIXED, `fund_price` of UNFIXED), spans in seconds.

    `allow_labels` empty: issues with any labels, or none, may be traded.
    """

    enabled: bool = True
    allow_labels: frozenset[str] = frozenset()
    deny_labels: frozenset[str] = frozenset()
    default_price: int = 500
    fund_price: int = 900
    least_maturation_seconds: int = 3600
    most_maturation_seconds: int = 2 * 366 * 86_400
    dispute_window_seconds: int = 24 * 3600
    not_planned: str = "UNFIXED"
    duplicate: str = "UNFIXED"
    fee_bps: int = 0
    insiders: str = "disclose"
    limits: Limits = field(default_factory=Limits)
    welcome_grant_mills: int = 1_000_000
    reactions_only: bool = False
    label_rewards: bool = False
    badges: bool = True

    def terms(self, owner_id: int) -> Terms:
        """The terms of a contract made now in a repository of this owner."""
        return Terms(
            currency=play_currency(owner_id),
            fee_bps=self.fee_bps,
            dispute_window_seconds=self.dispute_window_seconds,
            not_planned=self.not_planned,
            duplicate=self.duplicate,
            insiders=self.insiders,
            law=LAW,
        )

    def why_not(self, labels: Collection[str], quote: Callable[[str], str]) -> str | None:
        """Why an issue with these labels is not traded here, None if it is. Labels are compared folded.

        `quote` makes a label harmless in a sentence.
        """
        if not self.enabled:
            return "BugMark is switched off in this repository by its `.github/bugmark.yml`."
        seen = {folded(label): label for label in labels}
        denied = [quote(seen[name]) for name in sorted(self.deny_labels & seen.keys())]
        if denied:
            return (
                f"Issues labelled {_either(denied)} are not traded here, says the repository's `.github/bugmark.yml`."
            )
        if self.allow_labels and not seen.keys() & self.allow_labels:
            wanted = _either([quote(name) for name in sorted(self.allow_labels)])
            return f"Only issues labelled {wanted} are traded here, says the repository's `.github/bugmark.yml`."
        return None


def _either(labels: list[str]) -> str:
    named = labels[:MOST_LABELS_NAMED]
    more = [f"one of {len(labels) - len(named)} more"] if len(labels) > len(named) else []
    return " or ".join([*named, *more])


class ConfigSource(Protocol):
    """Source of a repository's rules: the database alone, since it is asked inside transactions."""

    async def config(self, tx: Tx, repository: Repository) -> Config: ...

    async def known(self, tx: Tx, repository: Repository) -> bool:
        """Tell if the repository's file was ever looked for: until then nobody knows what it forbids."""
        ...


@dataclass(frozen=True, slots=True)
class SameEverywhere:
    """One config for all repositories."""

    everywhere: Config = Config()

    async def config(self, tx: Tx, repository: Repository) -> Config:
        return self.everywhere

    async def known(self, tx: Tx, repository: Repository) -> bool:
        return True


def play_currency(owner_id: int) -> str:
    """Play tokens are good in one owner's repositories only."""
    return f"play:{owner_id}"


def owner_of(currency: str) -> int | None:
    """Id of the play tokens' owner; None for other tokens."""
    kind, _, owner = currency.partition(":")
    return int(owner) if kind == "play" and owner.isdecimal() else None
