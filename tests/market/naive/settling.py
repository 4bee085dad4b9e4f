"""What the naive market pays out at the end of a contract."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from tests.market.naive.matching import Matching
from tests.market.naive.things import FIXED, OTHER, UNFIXED, Contract


@dataclass
class Due:
    """What a user gets for units of one side: before the fee, and what of it goes back to the pool."""

    user: int
    side: str
    gross: int


class Settling(Matching):
    def pay_out(self, contract: Contract, outcome: str, void: tuple[int, int]) -> None:
        dues = self.dues(contract, outcome, void)
        for user in self.free:
            mine = [due for due in dues if due.user == user]
            cost = sum(contract.holdings[user, side].cost for side in OTHER)
            gross = sum(due.gross for due in mine)
            fee = 0 if outcome == "VOID" else max(0, gross - cost) * self.fee_bps // 10_000
            self.fees += fee
            for due in mine:
                holding = contract.holdings[user, due.side]
                if due.gross:
                    self.receive(user, due.gross - fee, holding.pool, holding.units)
        contract.escrow -= sum(due.gross for due in dues)

    def dues(self, contract: Contract, outcome: str, void: tuple[int, int]) -> list[Due]:
        if outcome != "VOID":
            return share(contract, outcome, contract.escrow)
        if contract.law == "2":
            return money_back(contract, void)
        of_fixed = contract.open_interest * void[0] // void[1]
        return share(contract, FIXED, of_fixed) + share(contract, UNFIXED, contract.escrow - of_fixed)

    def void_pair(self, number: int, instant: int) -> tuple[int, int]:
        """(minted, open interest) at `instant`, else the last before with open interest, else the first."""
        pairs = [(at, minted, units) for of, at, minted, units in self.history.pairs if of == number and units]
        past = [(minted, units) for at, minted, units in pairs if at <= instant]
        return past[-1] if past else next(((minted, units) for _, minted, units in pairs), (0, 1))


def money_back(contract: Contract, price: tuple[int, int]) -> list[Due]:
    """Law 2: what each holder paid in and did not take out, moved towards half a token a unit, or a named price."""
    of_unit = {FIXED: Fraction(*price), UNFIXED: 1000 - Fraction(*price)}
    held = {(user, side): holding.units for (user, side), holding in contract.holdings.items() if holding.units}
    half = {key: units * of_unit[key[1]] for key, units in held.items()}
    claim = {key: max(0, min(contract.net_paid[key[0]], 1000 * units)) for key, units in held.items()}
    surplus = contract.escrow - sum(claim.values())
    moved = {key: half[key] - claim[key] for key in held if (half[key] - claim[key]) * surplus > 0}
    exact = {key: Fraction(mills) for key, mills in claim.items()}
    for key, distance in moved.items():
        exact[key] += surplus * distance / sum(moved.values())
    whole = {key: mills.numerator // mills.denominator for key, mills in exact.items()}
    odd = contract.escrow - sum(whole.values())
    for key in sorted(held, key=lambda key: (whole[key] - exact[key], key[0]))[:odd]:
        whole[key] += 1
    return [Due(user, side, mills) for (user, side), mills in whole.items()]


def share(contract: Contract, side: str, mills: int) -> list[Due]:
    """By units; odd mills go by largest remainder, then lowest user id."""
    units = {user: held.units for (user, of), held in contract.holdings.items() if of == side and held.units}
    total = sum(units.values())
    odd = mills - sum(mills * count // total for count in units.values())
    first = sorted(units, key=lambda user: (-(mills * units[user] % total), user))[:odd]
    return [Due(user, side, mills * count // total + (user in first)) for user, count in units.items()]
