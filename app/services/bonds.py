"""Bonds of disputes on their way: put up, given back, kept as fees, or shared (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.market.bonds import FIRST_LAW, forfeited
from app.market.contract import Outcome
from app.market.facts import Cause
from app.market.journal import AccountKey, Kind, entry
from app.services.floor import Floor
from app.storage import disputes, journal, places
from app.storage.contracts import ContractRow
from app.storage.db import Tx
from app.storage.disputes import Dispute, DisputeState, Joiner


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


async def give_back(floor: Floor, row: ContractRow, state: DisputeState) -> Dispute | None:
    """End the dispute that waits, if there is one, with all bonds returned."""
    found = await disputes.waiting(floor.tx, row.id)
    if found is not None:
        bonds = put_up(found, await disputes.joined(floor.tx, found.id))
        await _end(floor, row, found, state, bonds)
    return found


async def lapse(floor: Floor, row: ContractRow, outcome: Outcome, answered: bool) -> tuple[Dispute | None, int]:
    """End the dispute that nobody has decided, as its contract settles; and what of its bonds is forfeited, in mills.

    Silence alone made it VOID: the bonds go to those whom the announced verdict would have paid, so that nobody gains
    by disputing what is right. `answered`: GitHub has told; a VOID for want of its answer is nobody's doing.
    """
    found = await disputes.waiting(floor.tx, row.id)
    if found is None:
        return None, 0
    bonds = put_up(found, await disputes.joined(floor.tx, found.id))
    winners = _winners(floor, row, found) if answered and outcome is Outcome.VOID and silence_voids(row) else {}
    lost = sum(bonds.values()) if winners else 0
    await _end(floor, row, found, DisputeState.UNANSWERED, forfeited(lost, winners) if winners else bonds)
    return found, lost


def silence_voids(row: ContractRow) -> bool:
    """Bonds are forfeited if nobody decides about a close that is not backed. Law 1 gives them back."""
    return row.halt_reason == Cause.CLOSED and not row.backed and row.terms.law != FIRST_LAW


def _winners(floor: Floor, row: ContractRow, found: Dispute) -> dict[int, int]:
    """By user the units that the announced verdict would have paid."""
    if found.verdict.winner is None:
        return {}
    held = floor.state(row.id).holders(found.verdict.winner)
    return {user: position.units for user, position in sorted(held.items()) if position.units}


async def _end(floor: Floor, row: ContractRow, found: Dispute, state: DisputeState, shares: Mapping[int, int]) -> None:
    await places.lock_users(floor.tx, set(shares))
    await pay_bonds(floor.tx, row, found.id, f"dispute:{found.id}", floor.now, to_users(row, shares))
    await disputes.end(floor.tx, found.id, state, floor.now)
