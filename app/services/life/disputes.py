"""Disputes of announced verdicts: who may dispute or join, with which bond (docs/market.md §5)."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.exchange.spoken import MOST_HANDED_OUT, Blank, HandOut, Unclear, each
from app.market.ledger.entry_detail import detail_text, joiner_row
from app.market.life.bonds import bond_mills, joining_mills
from app.market.life.facts import answer_due_at
from app.market.terms.contract import Outcome, Status, digest
from app.market.terms.errors import InsufficientFunds, Refusal
from app.market.terms.money import format_mills
from app.market.terms.statement import said, shown
from app.services.accounts.accounts import in_currency
from app.services.life.bonds import take_bond
from app.services.life.hearings import announce
from app.services.rules.changed import Changed, publish
from app.services.rules.context import CommandContext
from app.services.trading.locked_market import lock_market
from app.storage.engine.db import Tx
from app.storage.market import books, contracts, disputes
from app.storage.market.contracts import ContractRow
from app.storage.market.disputes import Dispute, DisputeState, Joiner
from app.storage.queues import outages


@dataclass(frozen=True, slots=True)
class Disputed:
    """A dispute that was taken in; without a maintainer's word the verdict is given at `answer_by_at`.

    `joined`: somebody else had opened it.
    """

    contract: ContractRow
    verdict: Outcome
    bond_mills: int
    answer_by_at: int
    joined: bool = False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A verdict that a user may dispute: by how many units they would lose, and the dispute that waits already."""

    row: ContractRow
    units: int
    waiting: Dispute | None

    @property
    def bond_mills(self) -> int:
        if self.waiting is not None:
            return joining_mills(self.units)
        merged = self.row.by_pull and self.row.verdict is Outcome.FIXED
        return bond_mills(self.units, self.row.open_interest, by_pull=merged, law=self.row.terms.law)


async def dispute(tx: Tx, context: CommandContext, reason: str, contract_id: int | None = None) -> Disputed:
    """Dispute the verdict that was announced for a contract, or join whoever does, with a bond from free money.

    Raises a Refusal.
    """
    found = await _to_dispute(tx, context, contract_id, reason)
    locked = await lock_market(tx, {found.row.id}, cause=context.cause, now=context.now, user=context.user_id)
    found = await _to_dispute(tx, context, found.row.id, reason)
    row, bond, free = found.row, found.bond_mills, locked.market.purses[context.user_id].free_mills
    if free < bond:
        what = "Disputing" if found.waiting is None else "Joining the dispute"
        why = f"{what} takes a bond of {format_mills(bond)}; you have {format_mills(free)} free."
        short = InsufficientFunds(bond, free, why, "/bugmark offers")
        raise await in_currency(tx, short, row.currency, context.place)
    opened = await _open(tx, context, row, bond, reason) if found.waiting is None else found.waiting
    if found.waiting is not None:
        await _join(tx, context, row, found.waiting, bond, reason)
    due_at = await answer_by(tx, row, opened)
    await announce(tx, context.place, row, opened, due_at, context.now)
    await publish(tx, Changed.here(context.place, row.id), context.now, context.place)
    return Disputed(row, opened.verdict, bond, due_at, found.waiting is not None)


async def answer_by(tx: Tx, row: ContractRow, found: Dispute) -> int:
    """Give the instant until which a maintainer has time, which counts from the first who disputed while we ran."""
    return max(row.window_ends_at or 0, answer_due_at(found.at, await outages.known(tx)))


async def _open(tx: Tx, context: CommandContext, row: ContractRow, bond: int, reason: str) -> Dispute:
    await take_bond(tx, context.cause, context.now, row, context.user_id, bond)
    made = await disputes.add(
        tx,
        contract_id=row.id,
        cause=row.halt_reason or "",
        window_opened_at=row.window_opened_at,
        user_id=context.user_id,
        verdict=(row.verdict or Outcome.VOID).value,
        bond_mills=bond,
        reason=reason,
        at=context.now,
    )
    await contracts.schedule(tx, row.id, next_look_at=context.now)  # one may be due or under way, on news
    return made


async def _join(tx: Tx, context: CommandContext, row: ContractRow, opened: Dispute, bond: int, reason: str) -> None:
    """The journal tells the joiner's row, too."""
    joiner = Joiner(opened.id, context.user_id, bond, reason, digest(reason), context.now)
    told = detail_text([joiner_row(joiner.dispute_id, joiner.user_id, bond, joiner.reason_hash, joiner.at)])
    await take_bond(tx, context.cause, context.now, row, context.user_id, bond, told)
    await disputes.join(tx, joiner)


async def _to_dispute(tx: Tx, context: CommandContext, contract_id: int | None, reason: str) -> _Wanted:
    """Find the contract that a disputing user means. Raises a Refusal."""
    running = [row for row in await meant(tx, context, contract_id) if row.window_ends_at is not None]
    running = [row for row in running if context.now < (row.window_ends_at or 0)]
    if not running:
        raise Refusal("No verdict can be disputed in this thread now: no window runs.", "/bugmark book")
    losing = {row.id: await _losing_units(tx, context, row) for row in running}
    rows = [row for row in running if losing[row.id]]
    if not rows:
        why = f"You hold no units that would lose by what is announced: {announced(running)}."
        raise Refusal(why, "/bugmark positions")
    found = [await _wanted(tx, context, row, losing[row.id]) for row in rows]
    wanted = [one for one in found if isinstance(one, _Wanted)]
    if not wanted:
        raise next(one for one in found if isinstance(one, Refusal))
    if len(wanted) > 1:
        rows = [one.row for one in wanted]
        why = f"Several verdicts are announced here: {announced(rows)}; say which."
        raise Unclear(why, *each_of(rows, HandOut("dispute", {"reason": reason})))
    return wanted[0]


async def _wanted(tx: Tx, context: CommandContext, row: ContractRow, units: int) -> _Wanted | Refusal:
    """There is one dispute a window, which others may join until it is decided."""
    known = await disputes.of_window(tx, row.id, row.halt_reason or "", row.window_opened_at or 0)
    if known is None:
        return _Wanted(row, units, None)
    if known.state is not DisputeState.OPEN:
        return Refusal("This dispute has been decided: there is one dispute a window.", "/bugmark book")
    users = {known.user_id, *(joiner.user_id for joiner in await disputes.joined(tx, known.id))}
    if context.user_id in users:
        return Refusal(
            "You dispute this verdict already: there is one dispute a window, and one ruling answers everybody in it.",
            "/bugmark book",
        )
    return _Wanted(row, units, known)


async def meant(tx: Tx, context: CommandContext, contract_id: int | None) -> list[ContractRow]:
    """The thread's unsettled contracts, or the one that was named. Raises a Refusal."""
    going = await contracts.of_thread(tx, context.place.issue.id, context.now)
    rows = [row for row in going if row.status is not Status.SETTLED]
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


async def _losing_units(tx: Tx, context: CommandContext, row: ContractRow) -> int:
    """By a VOID all units lose against one other verdict or the other."""
    if row.verdict is None:
        return 0
    held = await books.positions_of(tx, context.user_id, context.place.issue.id)
    return sum(
        position.units for contract, side, position in held if contract == row.id and side is not row.verdict.winner
    )
