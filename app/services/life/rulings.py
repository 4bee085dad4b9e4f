"""Rulings of maintainers on disputes (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.market.exchange.spoken import HandOut, Unclear
from app.market.terms.contract import Outcome, Status
from app.market.terms.errors import Refusal
from app.market.terms.statement import ISSUE_FIXED
from app.services.accounts.insiders import check_impartial
from app.services.life.bonds import pay_bonds, put_up, to_fees, to_users
from app.services.life.disputes import announced, each_of, meant
from app.services.life.hearings import tell_ruling
from app.services.rules.changed import Changed, publish
from app.services.rules.context import CommandContext
from app.storage.engine.db import Tx
from app.storage.market import contracts, disputes
from app.storage.market.contracts import ContractRow
from app.storage.market.disputes import Dispute, DisputeState
from app.storage.people import places


@dataclass(frozen=True, slots=True)
class Resolved:
    """A maintainer's ruling. `aside`: the close was set aside, trading resumes; else it settles at `due_at`.

    `bonds`: by user what those who disputed had put up, whoever began first.
    """

    contract: ContractRow
    dispute: Dispute
    bonds: Mapping[int, int]
    upheld: bool
    aside: bool
    due_at: int


async def resolve(
    tx: Tx,
    context: CommandContext,
    outcome: Outcome,
    reason: str,
    contract_id: int | None = None,
    price: int | None = None,
) -> Resolved:
    """A maintainer without a position decides a dispute; `price` is a void price in mills of FIXED. May be refused."""
    if price is not None and outcome is not Outcome.VOID:
        raise Refusal("Only a VOID has a price.", f"/bugmark {_again(outcome, reason).text}")
    await check_impartial(tx, context, "resolve a dispute")
    row, _ = await _to_resolve(tx, context, outcome, reason, contract_id)
    aside = outcome is Outcome.UNFIXED and context.now < row.maturation_at
    held = await contracts.hold(tx, await _siblings(tx, row, context.now) if aside else {row.id})
    row, found = await _to_resolve(tx, context, outcome, reason, row.id)
    bonds = put_up(found, await disputes.joined(tx, found.id))
    await places.lock_users(tx, set(bonds))
    upheld = outcome is not found.verdict or price is not None
    state = DisputeState.UPHELD if upheld else DisputeState.REJECTED
    shares = to_users(row, bonds) if upheld else to_fees(row, bonds)
    await pay_bonds(tx, row, found.id, context.cause, context.now, shares)
    ruling = {"ruling": outcome.value, "ruled_by": context.user_id, "ruling_reason": reason}
    await disputes.end(tx, found.id, state, context.now, **ruling)
    due_at = context.now if aside else max(row.window_ends_at or 0, context.now)
    if aside:
        await _set_aside(tx, context, row, held)
    else:
        changed = {"ruling": outcome.value, "ruling_price": price, "verdict": outcome.value}
        await contracts.change(tx, row.id, **changed, next_look_at=context.now)  # one may be due or under way, on news
    told = {"outcome": outcome.value, "price": price, "reason": reason, "upheld": upheld, "aside": aside}
    await tell_ruling(tx, context, row, found.id, {**told, "due_at": due_at}, bonds)
    await publish(tx, Changed.here(context.place, row.id), context.now, context.place)
    return Resolved(row, found, bonds, upheld, aside, due_at)


async def _siblings(tx: Tx, row: ContractRow, now: int) -> set[int]:
    """The contracts that the same close may have halted: an issue's own, of forecasts only this one."""
    if row.kind != ISSUE_FIXED:
        return {row.id}
    rows = await contracts.of_issue(tx, row.issue_id, now)
    return {other.id for other in rows if other.status is not Status.SETTLED}


async def _set_aside(tx: Tx, context: CommandContext, row: ContractRow, held: list[ContractRow]) -> None:
    """Trade resumes, in the issue's other contracts too, once GitHub has been asked: nothing resumes on stale news."""
    await disputes.set_close_aside(tx, row.id, row.window_opened_at or context.now)
    for other in held:
        if other.status is Status.HALTED:
            await contracts.schedule(tx, other.id, next_look_at=context.now)


async def _to_resolve(
    tx: Tx, context: CommandContext, outcome: Outcome, reason: str, contract_id: int | None
) -> tuple[ContractRow, Dispute]:
    rows = await meant(tx, context, contract_id)
    found = [(row, waiting) for row in rows if (waiting := await disputes.waiting(tx, row.id)) is not None]
    if not found:
        raise Refusal("There is no dispute to resolve in this thread.", "/bugmark book")
    if len(found) > 1:
        disputed = [row for row, _ in found]
        why = f"Several verdicts are disputed here: {announced(disputed)}; say which."
        raise Unclear(why, *each_of(disputed, _again(outcome, reason)))
    return found[0]


def _again(outcome: Outcome, reason: str) -> HandOut:
    return HandOut("resolve", {"ruling": outcome, "reason": reason})
