"""Halting, resuming and paying a contract out (docs/market.md §5)."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.contract import UNIT_MILLS, Outcome, Side, Status
from app.market.fill import AmendmentKind
from app.market.journal import Kind
from app.market.matching import expire
from app.market.state import Changes, ContractState, Recorder

BPS = 10_000


@dataclass(frozen=True, slots=True)
class VoidPrice:
    """The pair a VOID reads: `minted_mills` over `open_interest` units, as it stood before the trouble."""

    minted_mills: int
    open_interest: int


@dataclass(frozen=True, slots=True)
class Payout:
    """What one user got: `paid_mills` after `fee_mills`, having entered at `cost_mills`."""

    user: int
    paid_mills: int
    cost_mills: int
    fee_mills: int


def halt(state: ContractState, cause: str, now: int) -> Changes:
    """Stop trading; a halted contract stays as it is. Raises ValueError if it is settled: settled is final."""
    return _change_status(state, Status.HALTED, AmendmentKind.HALT, cause, now)


def resume(state: ContractState, cause: str, now: int) -> Changes:
    """Open the book again; offers that came due meanwhile expire. Raises ValueError if it is settled."""
    changes = _change_status(state, Status.OPEN, AmendmentKind.RESUME, cause, now)
    expired = expire(state, now)
    expired.amendments[:0] = changes.amendments
    return expired


def _change_status(state: ContractState, status: Status, kind: AmendmentKind, cause: str, now: int) -> Changes:
    _check_unsettled(state)
    recorder = Recorder(state, cause, now)
    if state.status is not status:
        state.status = status
        recorder.amend(kind)
    return recorder.changes


def _check_unsettled(state: ContractState) -> None:
    if state.status is Status.SETTLED:
        raise ValueError(f"contract {state.id} is settled already")


def settle(
    state: ContractState, outcome: Outcome, cause: str, now: int, void: VoidPrice | None = None
) -> tuple[Changes, list[Payout]]:
    """Cancel every offer, pay the winners, leave escrow and positions at nothing.

    Raises ValueError if the contract is settled already or a VOID comes without its price.
    """
    _check_unsettled(state)
    if outcome is Outcome.VOID and void is None:
        raise ValueError("a VOID needs its price")
    recorder = Recorder(state, cause, now)
    for offer in list(state.book.offers.values()):
        recorder.release(offer, offer.remaining, f"cancel:{offer.number}")
    payouts = _payouts(state, outcome, void or VoidPrice(0, 0))
    for user, side in sorted(state.positions):
        units = state.position(user, side).units
        if units:
            recorder.lose_units(user, side, units, reserved=False)
    if state.open_interest:
        recorder.retire(state.open_interest)
    for payout in payouts:
        recorder.money(Kind.FREE, payout.user, payout.paid_mills)
        recorder.money(Kind.FEES, 0, payout.fee_mills)
    state.status = Status.SETTLED
    recorder.amend(AmendmentKind.SETTLEMENT)
    recorder.close_entry(f"settlement:{state.id}")
    return recorder.changes, payouts


def _payouts(state: ContractState, outcome: Outcome, void: VoidPrice) -> list[Payout]:
    costs: dict[int, int] = {}
    units: dict[Side, dict[int, int]] = {side: {} for side in Side}
    for (user, side), position in sorted(state.positions.items()):
        if position.units:
            costs[user] = costs.get(user, 0) + position.cost_mills
            units[side][user] = position.units
    if outcome.winner is not None:
        gross = {user: UNIT_MILLS * held for user, held in units[outcome.winner].items()}
        return [_with_fee(user, gross.get(user, 0), cost, state.terms.fee_bps) for user, cost in costs.items()]
    fixed_mills = void_fixed_mills(state.open_interest, void)
    shares = split(fixed_mills, units[Side.FIXED])
    for user, mills in split(state.escrow_mills - fixed_mills, units[Side.UNFIXED]).items():
        shares[user] = shares.get(user, 0) + mills
    return [Payout(user, shares.get(user, 0), cost, 0) for user, cost in costs.items()]


def _with_fee(user: int, gross: int, cost: int, fee_bps: int) -> Payout:
    fee = max(0, gross - cost) * fee_bps // BPS
    return Payout(user, gross - fee, cost, fee)


def void_fixed_mills(open_interest: int, void: VoidPrice) -> int:
    """What FIXED holders share in a VOID: floor(open interest now * minted / open interest then)."""
    if not void.open_interest:
        return 0
    return open_interest * void.minted_mills // void.open_interest


def split(mills: int, units: dict[int, int]) -> dict[int, int]:
    """Share `mills` by units held; odd mills go by largest remainder, then lowest user id."""
    total = sum(units.values())
    if not total:
        return {}
    shares = {user: mills * held // total for user, held in units.items()}
    odd = mills - sum(shares.values())
    by_remainder = sorted(units, key=lambda user: (-(mills * units[user] % total), user))
    for user in by_remainder[:odd]:
        shares[user] += 1
    return shares
