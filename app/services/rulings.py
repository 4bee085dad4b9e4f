"""What maintainers make of disputes (docs/market.md §5)."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.contract import Outcome, Status
from app.market.errors import Refusal
from app.market.statement import shown
from app.services.disputes import announced, meant, pay_bond, spoken
from app.services.floor import open_floor
from app.services.insiders import check_impartial
from app.services.scene import Scene, refresh_board
from app.storage import contracts, disputes
from app.storage.contracts import ContractRow
from app.storage.db import Tx
from app.storage.disputes import Dispute, DisputeState


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a maintainer decided. `aside`: the close was set aside, trading resumes; else it settles at `due_at`."""

    contract: ContractRow
    dispute: Dispute
    upheld: bool
    aside: bool
    due_at: int


async def resolve(
    tx: Tx, scene: Scene, outcome: Outcome, reason: str, contract_id: int | None = None, price: int | None = None
) -> Resolved:
    """A maintainer without a position decides a dispute; `price` is a void price in mills of FIXED. May be refused."""
    if price is not None and outcome is not Outcome.VOID:
        raise Refusal("Only a VOID has a price.", f"/bugmark resolve {outcome.value.lower()} {spoken(reason)}")
    await check_impartial(tx, scene, "resolve a dispute")
    row, _ = await _to_resolve(tx, scene, outcome, reason, contract_id)
    floor = await open_floor(tx, {row.id}, cause=scene.cause, now=scene.now)
    row, found = await _to_resolve(tx, scene, outcome, reason, row.id)
    upheld = outcome is not found.verdict or price is not None
    state = DisputeState.UPHELD if upheld else DisputeState.REJECTED
    await pay_bond(floor, row, found, scene.cause, upheld)
    ruling = {"ruling": outcome.value, "ruled_by": scene.user_id, "ruling_reason": reason}
    await disputes.end(tx, found.id, state, scene.now, **ruling)
    aside = outcome is Outcome.UNFIXED and scene.now < row.maturation_at
    due_at = scene.now if aside else max(row.window_ends_at or 0, scene.now)
    if aside:
        await _set_aside(tx, scene, row)
    else:
        changed = {"ruling": outcome.value, "ruling_price": price, "verdict": outcome.value, "next_look_at": due_at}
        await contracts.change(tx, row.id, **changed)
    await refresh_board(tx, scene.place, scene.now)
    return Resolved(row, found, upheld, aside, due_at)


async def _set_aside(tx: Tx, scene: Scene, row: ContractRow) -> None:
    """Trade resumes, in the issue's other contracts too, once GitHub has been asked: nothing resumes on stale news."""
    await disputes.set_close_aside(tx, row.id, row.window_opened_at or scene.now)
    for other in await contracts.of_thread(tx, row.issue_id):
        if other.status is Status.HALTED and other.kind == row.kind:
            await contracts.change(tx, other.id, next_look_at=scene.now)


async def _to_resolve(
    tx: Tx, scene: Scene, outcome: Outcome, reason: str, contract_id: int | None
) -> tuple[ContractRow, Dispute]:
    rows = await meant(tx, scene, contract_id)
    found = [(row, waiting) for row in rows if (waiting := await disputes.waiting(tx, row.id)) is not None]
    if not found:
        raise Refusal("There is no dispute to resolve in this thread.", "/bugmark book")
    if len(found) > 1:
        disputed = [row for row, _ in found]
        which = shown(disputed[0].kind, disputed[0].id)
        again = f"/bugmark resolve {outcome.value.lower()} on {which} {spoken(reason)}"
        raise Refusal(f"Several verdicts are disputed here: {announced(disputed)}; say which.", again)
    return found[0]
