"""Bonds of disputes on their way: put up, given back, kept as fees, or shared (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.market.ledger.journal import AccountKey, Kind, entry
from app.market.life.bonds import FIRST_LAW, forfeited
from app.market.life.facts import Cause
from app.market.terms.contract import Outcome
from app.services.trading.locked_market import LockedMarket
from app.storage.engine.db import Tx
from app.storage.market import disputes, journal
from app.storage.market.contracts import ContractRow
from app.storage.market.disputes import Dispute, DisputeState, Joiner
from app.storage.people import places


async def take_bond(tx: Tx, cause: str, now: int, row: ContractRow, user_id: int, mills: int, detail: str = "") -> None:
    """Out of a user's free money, for a contract."""
    moves = {
        AccountKey(Kind.FREE, user_id, row.currency): -mills,
        AccountKey(Kind.BOND, row.id, row.currency): mills,
    }
    await journal.append(tx, [entry(cause, cause, now, moves, detail)])


def put_up(found: Dispute, joined: Sequence[Joiner]) -> dict[int, int]:
    """By user what those who dispute a verdict have put up, whoever began first."""
    return {found.user_id: found.bond_mills, **{one.user_id: one.bond_mills for one in joined}}


async def pay_bonds(
    tx: Tx, row: ContractRow, number: int, cause: str, now: int, shares: Mapping[AccountKey, int]
) -> None:
    """All bonds of a dispute leave its contract in one entry, to these accounts."""
    moves = {AccountKey(Kind.BOND, row.id, row.currency): -sum(shares.values()), **shares}
    await journal.append(tx, [entry(f"bond:{number}", cause, now, moves)])


def to_users(row: ContractRow, mills: Mapping[int, int]) -> dict[AccountKey, int]:
    return {AccountKey(Kind.FREE, user, row.currency): each for user, each in mills.items()}


def to_fees(row: ContractRow, mills: Mapping[int, int]) -> dict[AccountKey, int]:
    return {AccountKey(Kind.FEES, 0, row.currency): sum(mills.values())}


async def give_back(locked: LockedMarket, row: ContractRow, state: DisputeState) -> Dispute | None:
    """End the dispute that waits, if there is one, with all bonds returned."""
    found = await disputes.waiting(locked.tx, row.id)
    if found is not None:
        bonds = put_up(found, await disputes.joined(locked.tx, found.id))
        await _end(locked, row, found, state, bonds)
    return found


async def lapse(locked: LockedMarket, row: ContractRow, outcome: Outcome, answered: bool) -> tuple[Dispute | None, int]:
    """End the dispute that nobody has decided, as its contract settles; and what of its bonds is forfeited, in mills.

    Silence alone made it VOID: the bonds go to those whom the announced verdict would have paid, so that nobody gains
    by disputing what is right. `answered`: GitHub has told; a VOID for want of its answer is nobody's doing.
    """
    found = await disputes.waiting(locked.tx, row.id)
    if found is None:
        return None, 0
    bonds = put_up(found, await disputes.joined(locked.tx, found.id))
    winners = _winners(locked, row, found) if answered and outcome is Outcome.VOID and silence_voids(row) else {}
    lost = sum(bonds.values()) if winners else 0
    await _end(locked, row, found, DisputeState.UNANSWERED, forfeited(lost, winners) if winners else bonds)
    return found, lost


def silence_voids(row: ContractRow) -> bool:
    """Bonds are forfeited if nobody decides about a close that is not backed. Law 1 gives them back."""
    return row.halt_reason == Cause.CLOSED and not row.backed and row.terms.law != FIRST_LAW


def _winners(locked: LockedMarket, row: ContractRow, found: Dispute) -> dict[int, int]:
    """By user the units that the announced verdict would have paid."""
    if found.verdict.winner is None:
        return {}
    held = locked.state(row.id).holders(found.verdict.winner)
    return {user: position.units for user, position in sorted(held.items()) if position.units}


async def _end(
    locked: LockedMarket, row: ContractRow, found: Dispute, state: DisputeState, shares: Mapping[int, int]
) -> None:
    await places.lock_users(locked.tx, set(shares))
    await pay_bonds(locked.tx, row, found.id, f"dispute:{found.id}", locked.now, to_users(row, shares))
    await disputes.end(locked.tx, found.id, state, locked.now)
