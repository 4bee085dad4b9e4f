"""Disputes of announced verdicts, and their bonds (docs/market.md §5)."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.contract import UNIT_MILLS, Outcome, Status
from app.market.errors import InsufficientFunds, Refusal
from app.market.facts import ANSWER_SECONDS
from app.market.journal import AccountKey, Kind, entry
from app.market.money import format_mills
from app.market.spoken import MOST_HANDED_OUT, Blank, HandOut, Unclear, each
from app.market.statement import said, shown
from app.services.accounts import in_currency
from app.services.floor import Floor, open_floor
from app.services.scene import Scene, refresh_board
from app.storage import books, contracts, disputes, journal, places
from app.storage.contracts import ContractRow
from app.storage.db import Tx
from app.storage.disputes import Dispute, DisputeState

UNIT_BOND_MILLS = 50
LEAST_BOND_MILLS = UNIT_MILLS
ESCROW_PER_BOND = 200
"""The bond is at least a 200th of the escrow: 0.5 %."""


@dataclass(frozen=True, slots=True)
class Disputed:
    """A dispute that was taken in; without a maintainer's word the verdict is given at `answer_by_at`."""

    contract: ContractRow
    verdict: Outcome
    bond_mills: int
    answer_by_at: int


def bond_mills(units: int, open_interest: int) -> int:
    """What disputing costs whoever stands to lose that many units."""
    escrow_part = -(-UNIT_MILLS * open_interest // ESCROW_PER_BOND)
    return max(UNIT_BOND_MILLS * units, LEAST_BOND_MILLS, escrow_part)


async def dispute(tx: Tx, scene: Scene, reason: str, contract_id: int | None = None) -> Disputed:
    """Dispute the verdict that was announced for a contract, with a bond from free money. Raises a Refusal."""
    found, _ = await _to_dispute(tx, scene, contract_id, reason)
    floor = await open_floor(tx, {found.id}, cause=scene.cause, now=scene.now, user=scene.user_id)
    row, units = await _to_dispute(tx, scene, found.id, reason)
    bond = bond_mills(units, row.open_interest)
    free = floor.market.purses[scene.user_id].free_mills
    if free < bond:
        why = f"Disputing takes a bond of {format_mills(bond)}; you have {format_mills(free)} free."
        short = InsufficientFunds(bond, free, why, "/bugmark offers")
        raise await in_currency(tx, short, row.currency, scene.place)
    await _move_bond(tx, scene.cause, scene.cause, scene.now, row, scene.user_id, Kind.FREE, -bond)
    verdict = row.verdict or Outcome.VOID
    await disputes.add(
        tx,
        contract_id=row.id,
        cause=row.halt_reason or "",
        window_opened_at=row.window_opened_at,
        user_id=scene.user_id,
        verdict=verdict.value,
        bond_mills=bond,
        reason=reason,
        at=scene.now,
    )
    await contracts.change(tx, row.id, next_look_at=scene.now)  # one may be due or under way, on news
    await refresh_board(tx, scene.place, scene.now)
    return Disputed(row, verdict, bond, max(row.window_ends_at or 0, scene.now + ANSWER_SECONDS))


async def _to_dispute(tx: Tx, scene: Scene, contract_id: int | None, reason: str) -> tuple[ContractRow, int]:
    """The contract that is meant, and how many of the user's units would lose by its verdict. Raises a Refusal."""
    running = [row for row in await meant(tx, scene, contract_id) if row.window_ends_at is not None]
    running = [row for row in running if scene.now < (row.window_ends_at or 0)]
    if not running:
        raise Refusal("No verdict can be disputed in this thread now: no window runs.", "/bugmark book")
    losing = {row.id: await _losing_units(tx, scene, row) for row in running}
    rows = [row for row in running if losing[row.id]]
    if not rows:
        why = f"You hold no units that would lose by what is announced: {announced(running)}."
        raise Refusal(why, "/bugmark positions")
    windows = [
        (row, await disputes.of_window(tx, row.id, row.halt_reason or "", row.window_opened_at or 0)) for row in rows
    ]
    rows = [row for row, disputed in windows if disputed is None]
    if not rows:
        raise Refusal("This verdict was disputed already: there is one dispute a window.", "/bugmark book")
    if len(rows) > 1:
        why = f"Several verdicts are announced here: {announced(rows)}; say which."
        raise Unclear(why, *each_of(rows, HandOut("dispute", {"reason": reason})))
    return rows[0], losing[rows[0].id]


async def meant(tx: Tx, scene: Scene, contract_id: int | None) -> list[ContractRow]:
    """The thread's unsettled contracts, or the one that was named. Raises a Refusal."""
    rows = [row for row in await contracts.of_thread(tx, scene.place.issue.id) if row.status is not Status.SETTLED]
    if contract_id is None:
        return rows
    named = [row for row in rows if row.id == contract_id]
    if not named:
        raise Refusal("There is no such unsettled contract in this thread.", "/bugmark book")
    return named


def each_of(rows: list[ContractRow], command: HandOut) -> tuple[HandOut, ...]:
    """The command for each of these contracts; its help where they are too many."""
    if len(rows) > MOST_HANDED_OUT:
        return (HandOut("help", {"topic": command.name}),)
    return each(command, "which", [(shown(row.kind, row.id), "") for row in rows], Blank.REASON)


def announced(rows: list[ContractRow]) -> str:
    """`c3 as FIXED; c4 as UNFIXED`"""
    told = (f"{shown(row.kind, row.id)} as {said(row.kind, row.verdict) if row.verdict else 'open'}" for row in rows)
    return "; ".join(told)


async def _losing_units(tx: Tx, scene: Scene, row: ContractRow) -> int:
    """By a VOID all units lose against one other verdict or the other."""
    if row.verdict is None:
        return 0
    held = await books.positions_of(tx, scene.user_id, scene.place.issue.id)
    return sum(
        position.units for contract, side, position in held if contract == row.id and side is not row.verdict.winner
    )


async def give_back(floor: Floor, row: ContractRow, state: DisputeState) -> Dispute | None:
    """End the dispute that waits, if there is one, with its bond returned."""
    found = await disputes.waiting(floor.tx, row.id)
    if found is not None:
        await pay_bond(floor.tx, row, found, f"dispute:{found.id}", floor.now, upheld=True)
        await disputes.end(floor.tx, found.id, state, floor.now)
    return found


async def pay_bond(tx: Tx, row: ContractRow, found: Dispute, cause: str, now: int, upheld: bool) -> None:
    """The bond goes back, or to fees."""
    kind, owner = (Kind.FREE, found.user_id) if upheld else (Kind.FEES, 0)
    await _move_bond(tx, f"bond:{found.id}", cause, now, row, owner, kind, found.bond_mills)


async def _move_bond(
    tx: Tx, key: str, cause: str, now: int, row: ContractRow, owner: int, kind: Kind, mills: int
) -> None:
    """To this account from the contract's bond, or the other way round if negative."""
    moves = {
        AccountKey(Kind.BOND, row.id, row.currency): -mills,
        AccountKey(kind, owner, row.currency): mills,
    }
    await journal.append(tx, [entry(key, cause, now, moves)])


async def ruling_told(tx: Tx, row: ContractRow) -> dict[str, object] | None:
    """Who decided the dispute of a contract's window, how and why; None if nobody did."""
    found = await disputes.of_window(tx, row.id, row.halt_reason or "", row.window_opened_at or 0)
    if found is None or found.ruled_by is None:
        return None
    login = (await places.logins(tx, {found.ruled_by})).get(found.ruled_by, "")
    return {"by": login, "reason": found.ruling_reason, "price": row.ruling_price}
