"""Halting, resuming and paying a contract out (docs/market.md §5)."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.exchange.fill import AmendmentKind
from app.market.exchange.matching import retry_all
from app.market.exchange.moves import enforce_pool, receive, release
from app.market.exchange.position import Position
from app.market.exchange.state import Changes, ContractState, Market
from app.market.exchange.voiding import VoidPrice, stakes_of, void_payouts
from app.market.terms.contract import UNIT_MILLS, Outcome, Side, Status

BPS = 10_000


@dataclass(frozen=True, slots=True)
class Payout:
    """Pay-out of one user: `paid_mills` after `fee_mills`, for units that cost `cost_mills`."""

    user: int
    paid_mills: int
    cost_mills: int
    fee_mills: int


def halt(market: Market, contract: int) -> Changes:
    """Stop trading and cancel what is to be cancelled then; a halted contract stays as it is.

    Raises ValueError if it is settled: settled is final.
    """
    state = _unsettled(market, contract)
    changes = _change_status(state, Status.HALTED, AmendmentKind.HALT)
    if changes.amendments:
        for offer in [offer for offer in state.book.open_offers() if offer.cancel_on_halt]:
            release(market, changes, offer, offer.remaining)
    return changes


def resume(market: Market, contract: int, *, now: int) -> Changes:
    """Open the book again and try its all-or-none offers. Raises ValueError if it is settled.

    Offers that came due meanwhile must have expired before.
    """
    state = _unsettled(market, contract)
    changes = _change_status(state, Status.OPEN, AmendmentKind.RESUME)
    if changes.amendments:
        retry_all(market, changes, state, now)
    return changes


def _change_status(state: ContractState, status: Status, kind: AmendmentKind) -> Changes:
    changes = Changes()
    if state.status is not status:
        state.status = status
        changes.amend(state, kind)
    return changes


def _unsettled(market: Market, contract: int) -> ContractState:
    state = market.contracts[contract]
    if state.status is Status.SETTLED:
        raise ValueError(f"contract {contract} is settled already")
    return state


def settle(
    market: Market, contract: int, outcome: Outcome, void: VoidPrice | None = None, price: int | None = None
) -> tuple[Changes, list[Payout]]:
    """Cancel every offer, pay the winners, leave escrow and positions at nothing.

    Of a VOID: `void` is the pair that law 1 reads, `price` of FIXED is a resolver's. Raises ValueError if the contract
    is settled already or a VOID under law 1 comes with neither.
    """
    state = _unsettled(market, contract)
    if outcome is Outcome.VOID:
        void_payouts(state.terms, {}, void, price)  # what cannot be reckoned is refused before anything changes
    state.status = Status.SETTLED
    changes = Changes()
    for offer in state.book.open_offers():
        release(market, changes, offer, offer.remaining)
    payouts = _payouts(state, outcome, void, price)
    pooled = _pool_shares(state)
    for holders in (state.fixed, state.unfixed):
        changes.users |= holders.keys()
        holders.update((user, Position()) for user in holders)
    state.open_interest = state.minted_mills = 0
    for payout in payouts:
        units, of_pool = pooled[payout.user]
        receive(market, payout.user, payout.paid_mills, payout.paid_mills * of_pool // units)
        changes.fees_mills += payout.fee_mills
        enforce_pool(market, changes, payout.user)
    changes.amend(state, AmendmentKind.SETTLEMENT)
    return changes, payouts


def _pool_shares(state: ContractState) -> dict[int, tuple[int, int]]:
    """(units, units of them that the pool bought) of every holder."""
    shares: dict[int, tuple[int, int]] = {}
    for holders in (state.fixed, state.unfixed):
        for user, held in holders.items():
            units, pooled = shares.get(user, (0, 0))
            shares[user] = units + held.units, pooled + held.pool_units
    return shares


def _payouts(state: ContractState, outcome: Outcome, void: VoidPrice | None, price: int | None) -> list[Payout]:
    costs: dict[int, int] = {}
    units: dict[Side, dict[int, int]] = {side: {} for side in Side}
    for side in Side:
        for user, position in sorted(state.holders(side).items()):
            if position.units:
                costs[user] = costs.get(user, 0) + position.cost_mills
                units[side][user] = position.units
    holders = sorted(costs)
    if outcome.winner is not None:
        gross = {user: UNIT_MILLS * held for user, held in units[outcome.winner].items()}
        return [_with_fee(user, gross.get(user, 0), costs[user], state.terms.fee_bps) for user in holders]
    shares = void_payouts(state.terms, stakes_of(state), void, price)
    return [Payout(user, shares[user], costs[user], 0) for user in holders]


def _with_fee(user: int, gross: int, cost: int, fee_bps: int) -> Payout:
    fee = max(0, gross - cost) * fee_bps // BPS
    return Payout(user, gross - fee, cost, fee)
