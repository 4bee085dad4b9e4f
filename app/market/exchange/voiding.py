"""Pay-out of a VOID (docs/market.md §5): by law 2 money goes back as far as the escrow goes, law 1 has a void price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.market.exchange.state import ContractState
from app.market.terms.contract import UNIT_MILLS, Side, Terms

LAW_1: Final = "1"
"""Contracts that were made under it keep its void price."""

HALF_MILLS: Final = UNIT_MILLS // 2
"""Value of a unit of either side, unless a resolver names a price of FIXED."""


@dataclass(frozen=True, slots=True)
class VoidPrice:
    """The pair that law 1 reads: `minted_mills` over `open_interest` units, as it stood before the trouble."""

    minted_mills: int
    open_interest: int


@dataclass(frozen=True, slots=True)
class Stake:
    """Units that a user holds in a contract, free or reserved, and what the user paid in less what was taken out."""

    fixed: int = 0
    unfixed: int = 0
    net_paid_mills: int = 0

    @property
    def pairs(self) -> int:
        """Units that are redeemed once no offer holds them back."""
        return min(self.fixed, self.unfixed)


Stakes = Mapping[int, Stake]
"""By user. Whoever sold everything may be left out: a VOID pays holders."""


def stakes_of(state: ContractState) -> dict[int, Stake]:
    """Everybody's stake in a contract."""
    fixed = {user: held.units for user, held in state.fixed.items()}
    unfixed = {user: held.units for user, held in state.unfixed.items()}
    return {
        user: Stake(fixed.get(user, 0), unfixed.get(user, 0), mills) for user, mills in sorted(state.net_paid.items())
    }


def void_payouts(
    terms: Terms, stakes: Stakes, void: VoidPrice | None = None, price: int | None = None
) -> dict[int, int]:
    """Pay-out of a VOID to each holder, pairs included, in mills: the one place that calculates it.

    `void`: the pair of law 1, which law 2 does not read; `price`: of FIXED, as a resolver named it.
    Raises ValueError if law 1 is given neither.
    """
    if terms.law != LAW_1:
        shares = _money_back(stakes, HALF_MILLS if price is None else price)
    elif price is not None:
        shares = _at_price(stakes, VoidPrice(price, 1))
    elif void is not None:
        shares = _at_price(stakes, void)
    else:
        raise ValueError("a VOID needs its price")
    return {user: mills + UNIT_MILLS * stakes[user].pairs for user, mills in shares.items()}


def of_side(stake: Stake, mills: int, side: Side) -> int:
    """Part of a pay-out for the units of one side: each of a pair counts for half a token."""
    whole = HALF_MILLS * stake.pairs
    larger = Side.FIXED if stake.fixed > stake.unfixed else Side.UNFIXED
    return mills - whole if side is larger else whole


def _money_back(stakes: Stakes, price: int) -> dict[int, int]:
    """Each holder's claim, moved towards half a token a unit until the claims are what the escrow holds.

    What those who claim less than their half leave over is all that those who claim more can have above theirs.
    """
    halves, claims = _halves(stakes, price), _claims(stakes)
    above = {user: claims[user] - half for user, half in halves.items() if claims[user] > half}
    below = {user: half - claims[user] for user, half in halves.items() if claims[user] < half}
    missing = sum(above.values()) - sum(below.values())
    if missing > 0:
        kept = split(sum(below.values()), above)
        return {user: halves[user] + kept[user] if user in above else claim for user, claim in claims.items()}
    over = split(-missing, below)
    return {user: claim + over.get(user, 0) for user, claim in claims.items()}


def _halves(stakes: Stakes, price: int) -> dict[int, int]:
    return {
        user: (stake.fixed - stake.pairs) * price + (stake.unfixed - stake.pairs) * (UNIT_MILLS - price)
        for user, stake in stakes.items()
        if stake.fixed or stake.unfixed
    }


def _claims(stakes: Stakes) -> dict[int, int]:
    """Net paid by each holder: at least nothing, at most a token a unit."""
    found = {}
    for user, stake in stakes.items():
        if stake.fixed or stake.unfixed:
            units = stake.fixed + stake.unfixed - 2 * stake.pairs
            net_mills = stake.net_paid_mills - UNIT_MILLS * stake.pairs
            found[user] = min(max(net_mills, 0), UNIT_MILLS * units)
    return found


def _at_price(stakes: Stakes, void: VoidPrice) -> dict[int, int]:
    """Law 1: FIXED and UNFIXED share the escrow at the void price, each side by units."""
    fixed = {user: stake.fixed - stake.pairs for user, stake in stakes.items() if stake.fixed > stake.pairs}
    unfixed = {user: stake.unfixed - stake.pairs for user, stake in stakes.items() if stake.unfixed > stake.pairs}
    interest = sum(fixed.values())
    fixed_mills = void_fixed_mills(interest, void)
    shares = {user: 0 for user, stake in stakes.items() if stake.fixed or stake.unfixed}
    shares |= split(fixed_mills, fixed)
    shares |= split(UNIT_MILLS * interest - fixed_mills, unfixed)
    return shares


def void_fixed_mills(open_interest: int, void: VoidPrice) -> int:
    """Sum that FIXED holders share by law 1: floor(open interest now * minted / open interest then)."""
    if not void.open_interest:
        return 0
    return open_interest * void.minted_mills // void.open_interest


def split(mills: int, parts: dict[int, int]) -> dict[int, int]:
    """Share `mills` in proportion to the parts; odd mills go by largest remainder, then lowest user id."""
    total = sum(parts.values())
    if not total:
        return {}
    shares = {user: mills * part // total for user, part in parts.items()}
    odd = mills - sum(shares.values())
    by_remainder = sorted(parts, key=lambda user: (-(mills * parts[user] % total), user))
    for user in by_remainder[:odd]:
        shares[user] += 1
    return shares
