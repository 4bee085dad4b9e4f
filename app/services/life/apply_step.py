"""Taking the step that `market.life` says, in the transaction that found it (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.market.exchange.settlement import Payout
from app.market.exchange.voiding import LAW_1, VoidPrice
from app.market.life.facts import Cause, IssueFacts, Watch, as_known
from app.market.life.next_step import ASK_AGAIN_SECONDS, VOID_LOOK_BACK_SECONDS, closed_for_good
from app.market.life.steps import Announce, Extend, OpenWindow, Resume, Settle, Step, Wait
from app.market.terms.contract import Outcome, Status
from app.market.terms.statement import ISSUE_FIXED
from app.services.life import bonds, hearings
from app.services.life.announcing import notify
from app.services.life.transitions import NO_WINDOW, pay_out, start, stop
from app.services.trading.locked_market import LockedMarket
from app.storage.market import contracts, stakes
from app.storage.market.contracts import ContractRow
from app.storage.market.disputes import Dispute, DisputeState
from app.storage.people.places import Place


async def take(
    locked: LockedMarket, place: Place, row: ContractRow, watch: Watch, step: Step, facts: IssueFacts | None
) -> None:
    """`row` is in the locked market; `facts` None: GitHub gave no answer."""
    match step:
        case Wait(until_at):
            await _wait(locked, place, row, watch, until_at, facts)
        case OpenWindow():
            await _open_window(locked, place, row, step, facts)
        case Extend():
            await _extend(locked, place, row, watch, step, facts)
        case Announce(verdict):
            await _announce(locked, place, row, watch, verdict)
        case Resume():
            await _resume(locked, place, row, watch, facts)
        case Settle(outcome):
            await _settle(locked, place, row, watch, outcome, facts)


async def _wait(
    locked: LockedMarket, place: Place, row: ContractRow, watch: Watch, until_at: int, facts: IssueFacts | None
) -> None:
    """A contract for whose halt there is no reason left trades again, as soon as GitHub has answered."""
    idle = row.status is Status.HALTED and watch.cause is None and watch.away_at is None
    if idle and row.maintainer_halt is None:
        if facts is not None:
            returned = watch.back_at is not None and (row.halt_event_at or 0) <= watch.back_at
            await _start(locked, place, row, "returned" if returned else "lifted")
        until_at = until_at if facts is not None else min(until_at, locked.now + ASK_AGAIN_SECONDS)
    await contracts.schedule(locked.tx, row.id, next_look_at=max(row.look_by(until_at, locked.now), locked.now + 1))


async def _extend(
    locked: LockedMarket, place: Place, row: ContractRow, watch: Watch, step: Extend, facts: IssueFacts | None
) -> None:
    """Without an answer GitHub is asked again soon: a reopening may be what we were told of."""
    next_look_at = row.look_by(step.ends_at, locked.now)
    if facts is None:
        next_look_at = min(next_look_at, locked.now + ASK_AGAIN_SECONDS)
    planned = {"window_planned_at": step.ends_at} if step.told else {}
    await contracts.change(
        locked.tx,
        row.id,
        window_ends_at=step.ends_at,
        next_look_at=max(next_look_at, locked.now + 1),
        **({"window_planned_at": row.window_planned_at or row.window_ends_at} | planned),
    )
    if step.told and locked.state(row.id).open_interest:
        cause = watch.cause or Cause.CLOSED
        await _tell_window(locked, place, row, _Told(cause, row.backed, step.ends_at, f"until {step.ends_at}"), facts)
    await locked.publish(place)


async def _open_window(
    locked: LockedMarket, place: Place, row: ContractRow, step: OpenWindow, facts: IssueFacts | None
) -> None:
    """Open a window; if the issue has changed since that close, another look says at once what to expect now."""
    close = facts if facts is None or facts.gone else facts.at(row.maturation_at)
    await bonds.give_back(locked, row, DisputeState.ENDED)
    thread_is_gone = step.cause is Cause.GONE and row.kind == ISSUE_FIXED
    heard = locked.state(row.id).open_interest and not thread_is_gone
    await stop(
        locked,
        row.id,
        step.opened_at,
        **{
            **NO_WINDOW,
            "halt_reason": step.cause.value,
            "window_opened_at": step.opened_at,
            "window_ends_at": step.ends_at,
            "window_planned_at": step.ends_at,
            "announced_at": None if heard else step.opened_at,
            "verdict": step.cause.verdict.value,
            "backed": step.backed,
            "by_pull": step.cause is Cause.CLOSED and close is not None and close.by_pull,
            "next_look_at": max(row.look_by(step.ends_at, locked.now), locked.now) if close is facts else locked.now,
        },
    )
    if locked.state(row.id).open_interest:  # where nobody holds anything the market comment says enough
        told = _Told(step.cause, step.backed, step.ends_at, step.cause.value)
        await _tell_window(locked, place, replace(row, window_opened_at=step.opened_at), told, close)
    await locked.publish(place)


@dataclass(frozen=True, slots=True)
class _Told:
    """Notice of a window; `event` tells it from other news of the same window."""

    cause: Cause
    backed: bool
    ends_at: int
    event: str


async def _tell_window(
    locked: LockedMarket, place: Place, row: ContractRow, told: _Told, facts: IssueFacts | None
) -> None:
    body: dict[str, object] = {
        "notice": "window",
        "contract": row.id,
        "cause": told.cause.value,
        "backed": told.backed,
        "opened_at": row.window_opened_at,
        "ends_at": told.ends_at,
        **_evidence(facts),
    }
    await notify(locked.tx, place, row, f"window:{_of(row)}:{row.window_opened_at}:{told.event}", body, locked.now)


def _of(row: ContractRow) -> str:
    """Subject of a notice: an issue, with all its contracts, or a forecast."""
    return f"issue-{row.issue_id}" if row.kind == ISSUE_FIXED else f"{row.id}"


def _evidence(facts: IssueFacts | None) -> dict[str, object]:
    """Describe the close: its author, its commit or pull request, and the issue's fate, as far as GitHub told."""
    if facts is None:
        return {"closer": "", "closed_at": None, "evidence": [], "gone": None, "reason": None, "duplicate_of": None}
    return {
        "closer": facts.closer,
        "closed_at": facts.closed_at,
        "evidence": list(facts.evidence),
        "gone": facts.gone,
        "reason": facts.reason,
        "duplicate_of": facts.duplicate_of,
    }


async def _announce(
    locked: LockedMarket, place: Place, row: ContractRow, watch: Watch, verdict: Outcome | None
) -> None:
    next_look_at = max(row.look_by(watch.due_at, locked.now), locked.now + 1)
    await contracts.change(locked.tx, row.id, verdict=verdict.value if verdict else None, next_look_at=next_look_at)
    body: dict[str, object] = {
        "notice": "verdict",
        "contract": row.id,
        "verdict": verdict.value if verdict else None,
        "ends_at": watch.due_at,
    }
    if locked.state(row.id).open_interest:
        await notify(locked.tx, place, row, f"verdict:{_of(row)}:{row.window_opened_at}", body, locked.now)
    await locked.publish(place)


async def _resume(locked: LockedMarket, place: Place, row: ContractRow, watch: Watch, facts: IssueFacts | None) -> None:
    """The window is over; a maintainer's halt is lifted by nobody else."""
    await bonds.give_back(locked, row, DisputeState.ENDED)
    await contracts.change(locked.tx, row.id, **NO_WINDOW, next_look_at=row.maturation_at)
    aside = watch.set_aside_at is not None and (watch.window_opened_at or 0) <= watch.set_aside_at
    if row.maintainer_halt is None and watch.away_at is None:
        await _start(locked, place, row, "set aside" if aside else "not closed")
    await locked.publish(place)


async def _start(locked: LockedMarket, place: Place, row: ContractRow, why: str) -> None:
    await start(locked, row.id, why)
    body: dict[str, object] = {"notice": "resumed", "contract": row.id, "why": why}
    if locked.state(row.id).open_interest:
        await notify(locked.tx, place, row, f"resume:{_of(row)}:{row.halt_event_at}:{why}", body, locked.now)
    await locked.publish(place)


async def _settle(
    locked: LockedMarket, place: Place, row: ContractRow, watch: Watch, outcome: Outcome, facts: IssueFacts | None
) -> None:
    answered = facts is not None and watch.away_at is None
    dispute, forfeited_mills = await bonds.lapse(locked, row, outcome, answered)
    price = None if watch.ruling is None else row.ruling_price
    by_law_1 = outcome is Outcome.VOID and price is None and row.terms.law == LAW_1
    paid_in = await stakes.net_paid_by(locked.tx, row.id)
    payouts = await pay_out(locked, row.id, outcome, await _void_price(locked, row) if by_law_1 else None, price)
    issue = place.issue
    known = facts or as_known(issue.state, issue.state_reason, issue.closed_at)
    told = facts.at(row.maturation_at) if facts and outcome is Outcome.FIXED else facts
    ended = outcome is Outcome.FIXED or closed_for_good(watch, known)
    await contracts.change(locked.tx, row.id, ended_round=ended)
    body: dict[str, object] = {
        "notice": "settled",
        "contract": row.id,
        "outcome": outcome.value,
        "cause": row.halt_reason,
        "disputable_until": row.window_ends_at,
        "why": _why(row, watch, dispute, facts),
        "ruling": await hearings.ruling_told(locked.tx, row),
        **({"forfeited": forfeited_mills} if forfeited_mills else {}),
        **_evidence(told),
        "closed_by": told.closed_by if told else None,
        "payouts": [_payout(item) for item in sorted(payouts, key=lambda item: (-item.paid_mills, item.user))],
        "sold": _sold(paid_in, payouts),
    }
    if payouts:
        since = row.window_opened_at if row.window_opened_at is not None else row.halt_event_at
        event = f"{row.halt_reason or body['why']}:{since}:{outcome.value.lower()}"
        await notify(locked.tx, place, row, f"settlement:{_of(row)}:{event}", body, locked.now)
    await locked.publish(place)


def _why(row: ContractRow, watch: Watch, dispute: Dispute | None, facts: IssueFacts | None) -> str:
    """Reason of a VOID, if it is not the cause of the window."""
    if watch.ruling is not None:
        return "ruling"
    if watch.away_at is not None:
        return "away"
    if facts is None:
        return "no answer"
    if dispute is not None:
        return "unanswered" if row.backed or row.halt_reason != Cause.CLOSED else "unanswered, not backed"
    return "facts"


async def _void_price(locked: LockedMarket, row: ContractRow) -> VoidPrice:
    """As it stood seven days before what halted the contract, whenever we learnt of it."""
    event_at = locked.now if row.halt_event_at is None else row.halt_event_at
    return await stakes.void_price(locked.tx, row.id, event_at - VOID_LOOK_BACK_SECONDS)


def _sold(paid_in: Mapping[int, int], payouts: Sequence[Payout]) -> list[tuple[int, int]]:
    """Users who traded and hold nothing any more, with what they gained, the largest gain first."""
    holding = {item.user for item in payouts}
    gone = [(user, -mills) for user, mills in paid_in.items() if user not in holding]
    return sorted(gone, key=lambda each: (-each[1], each[0]))


def _payout(item: Payout) -> list[int]:
    return [item.user, item.paid_mills, item.cost_mills, item.fee_mills]
