"""From news about an issue to a paid winner. News only wakes us: the verdict comes from what GitHub's API says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from app.base.clock import Clock, ClockDoubted
from app.market.life.facts import Cause, IssueFacts, Watch
from app.market.life.forecast_memory import Known
from app.market.life.next_step import another_day, close_event, look, needs_answer
from app.market.terms.contract import Status
from app.market.terms.statement import ISSUE_FIXED, AnyForecast, read_forecast
from app.services.life import apply_step, halting
from app.services.life.life_state import backed, watch_of, watches_of
from app.services.life.transitions import lock_markets, stop
from app.services.rules.changed import Changed, publish
from app.services.trading.contract_entries import note_moved
from app.services.trading.locking import hold_all
from app.storage.engine.db import Database, DatabaseBusy, Tx
from app.storage.market import contracts, disputes, last_known, workers
from app.storage.market.contracts import ContractRow
from app.storage.people import absences, insiders, places
from app.storage.people.places import Place

LOOK_SECONDS = 180
"""A contract that is being looked at is left alone by others for so long: longer than asking GitHub takes."""


BUSY_SECONDS = 5
"""A look that the database ended, beside others that wanted the same locks, is begun again after this."""


class Oracle(Protocol):
    """Tells what has become of what contracts are about. May raise ClockDoubted: then nothing may follow."""

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        """The issue as the API gives it now; None when there is no answer."""

    async def forecast_facts(self, place: Place, forecast: AnyForecast, now: int, known: Known) -> IssueFacts | None:
        """A forecast's statement as the API gives it now, `closed` meaning true; None when there is no answer."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """Contracts looked at together: one answer judges all contracts of an issue; a forecast has its own.

    `looks`: by contract the number of this look, which tells it from any other; `until_at`: when the next would be;
    `before`: by contract when it was due to be looked at. `away`: as far as we know the App is not installed there.
    """

    place: Place
    looks: dict[int, int]
    before: dict[int, int | None]
    until_at: int
    away: bool
    forecast: AnyForecast | None
    known: Known


async def note_news(tx: Tx, place: Place, facts: IssueFacts, now: int) -> None:
    """An event or a comment showed the issue in this state.

    A close that opens a window stops trading at once; whatever does not fit what a contract remembers has GitHub asked.
    """
    if facts.gone is not None:
        await note_gone(tx, place, now, facts.gone_at)
        return
    if facts.closed:
        await workers.end(tx, place.issue.id, now if facts.closed_at is None else facts.closed_at)
    rows = [row for row in await contracts.of_issue(tx, place.issue.id, now) if row.status is not Status.SETTLED]
    going = [row for row in rows if row.halt_reason is None]
    closes = {number: close_event(watch, facts) for number, watch in (await watches_of(tx, place, going)).items()}
    struck = [row for row in rows if closes.get(row.id) is not None]
    aside = facts.closed and facts.completed and await disputes.set_aside_of_issue(tx, place.issue.id) is not None
    to_ask = [row for row in rows if row not in struck and (aside or row.status is Status.HALTED)]
    await hold_all(tx, [*struck, *to_ask], now=now)
    for locked in await lock_markets(tx, struck, f"news:{place.issue.id}", now):
        for row in struck:
            close = closes[row.id]
            if row.id in locked.rows and close is not None and locked.rows[row.id].halt_reason is None:
                cause, at = close
                await stop(locked, row.id, at, **_news(cause, at, now))
        await locked.publish(place)
    for row in to_ask:
        await contracts.schedule(tx, row.id, next_look_at=now)


async def closed_to_trade(tx: Tx, place: Place, facts: IssueFacts) -> bool:
    """Tell if the issue is gone, or closed as completed by a close that no maintainer has set aside."""
    if facts.gone is not None:
        return True
    return facts.closed and facts.completed and not await _close_set_aside(tx, place, facts)


async def rejected_as(tx: Tx, place: Place, facts: IssueFacts) -> str | None:
    """The reason for which the issue is closed, if not as completed nor by a close that was set aside."""
    if not facts.closed or facts.completed or await _close_set_aside(tx, place, facts):
        return None
    return facts.reason


async def _close_set_aside(tx: Tx, place: Place, facts: IssueFacts) -> bool:
    aside_at = await disputes.set_aside_of_issue(tx, place.issue.id)
    return aside_at is not None and facts.closed_at is not None and facts.closed_at <= aside_at


async def note_gone(tx: Tx, place: Place, now: int, gone_at: int | None = None) -> None:
    """The issue was deleted or left the repository: trading stops. A VOID is reckoned from then, or from now."""
    at = now if gone_at is None else gone_at
    rows = [row for row in await contracts.of_issue(tx, place.issue.id, now) if row.status is not Status.SETTLED]
    struck = [row for row in rows if row.halt_reason is None and at <= row.maturation_at]
    await hold_all(tx, rows, now=now)
    for locked in await lock_markets(tx, struck, f"gone:{place.issue.id}", now):
        for row in struck:
            if row.id in locked.rows and locked.rows[row.id].halt_reason is None:
                await stop(locked, row.id, at, **_news(Cause.GONE, at, now))
        await locked.publish(place)
    for row in rows:
        await contracts.schedule(tx, row.id, next_look_at=now)


async def note_true(tx: Tx, contract_id: int, at: int, now: int) -> None:
    """News makes a forecast's statement true since that instant: trading stops at once, and GitHub is asked."""
    row = await contracts.get(tx, contract_id)
    place = await places.place(tx, row.issue_id) if row else None
    if row is None or place is None or row.status is Status.SETTLED:
        return
    if at <= (await disputes.set_aside_of(tx, contract_id) or 0):
        await contracts.schedule(tx, contract_id, next_look_at=now)
        return
    (locked,) = await lock_markets(tx, [row], f"news:{contract_id}", now)
    if locked.rows[contract_id].halt_reason is None:
        await stop(locked, contract_id, at, **_news(Cause.CLOSED, at, now))
        await locked.publish(place)


def _news(cause: Cause, at: int, now: int) -> dict[str, object]:
    """A window whose end is not known before GitHub has been asked."""
    return {
        "halt_reason": cause.value,
        "window_opened_at": at,
        "window_ends_at": None,
        "verdict": None,
        "next_look_at": now,
    }


async def follow(tx: Tx, old_issue_id: int, place: Place, now: int) -> None:
    """The issue was transferred to where the App is installed: its contracts follow, with their terms and insiders."""
    rows = await contracts.hold(tx, [row.id for row in await contracts.of_thread(tx, old_issue_id)])
    await note_moved(tx, rows, place.issue.id, now)
    for row in rows:
        settled = row.status is Status.SETTLED
        await contracts.change(tx, row.id, issue_id=place.issue.id, next_look_at=None if settled else now)
    await insiders.follow(tx, old_issue_id, place.issue.id)
    if rows:
        await publish(tx, Changed.here(place, *(row.id for row in rows)), now, place)


async def ask(db: Database, oracle: Oracle, contract_id: int, clock: Clock) -> bool:
    """Before something fills by itself: whether GitHub has answered and the contract trades after all."""
    answered = await look_at(db, oracle, contract_id, clock)
    async with db.reading() as tx:
        row = await contracts.get(tx, contract_id)
    return answered and row is not None and row.open


async def look_at(db: Database, oracle: Oracle, contract_id: int, clock: Clock) -> bool:
    """Ask what has become of a contract's issue and take the step that follows. Safe to run any number of times.

    News that comes while GitHub is asked moves the next look, and another look takes the place of this one: the answer
    may be older than either and is dropped. The step is that of the instant at which it is taken, since GitHub may take
    its time. Returns whether there was an answer that counts for this contract.
    """
    asked_at = clock.now()
    looked = await _begin_look(db, contract_id, asked_at)
    if looked is None:
        return False
    try:
        facts = await _ask(oracle, looked, asked_at)
    except ClockDoubted:
        await _put_back(db, looked)
        return False
    try:
        if facts is not None and looked.away:
            await _note_answer(db, looked, clock)
        taken = await _take_steps(db, looked, facts, clock)
    except DatabaseBusy:
        await _look_sooner(db, looked, clock.now() + BUSY_SECONDS)
        raise
    return facts is not None and contract_id in taken


async def _begin_look(db: Database, contract_id: int, now: int) -> _Looked | None:
    """Begin a look and return its subject; if it fails the next comes after contracts that can be looked at.

    A contract that sleeps is not looked at before an offer wakes it.
    """
    until_at = now + LOOK_SECONDS
    async with db.transaction() as tx:
        row = await contracts.get(tx, contract_id)
        if row is None or row.status is Status.SETTLED:
            return None
        if row.asleep(now):
            await contracts.schedule(tx, row.id, next_look_at=None)
            return None
        begun = {number: await _numbered(tx, number, until_at) for number in await _siblings(tx, row, now)}
        looks = {number: look_number for number, (look_number, _) in begun.items()}
        before = {number: due_at for number, (_, due_at) in begun.items()}
        place = await places.place(tx, row.issue_id)
        if place is None:
            return None
        away = bool(await absences.away(tx, {place.repository.id}))
        aside_at = await disputes.set_aside_of(tx, row.id) or 0
        known = replace(await last_known.of(tx, row.id), aside_at=aside_at)
        return _Looked(place, looks, before, until_at, away, read_forecast(row.statement_text), known)


async def _numbered(tx: Tx, number: int, until_at: int) -> tuple[int, int | None]:
    """Begin a look at a contract; its number, which no other look at it has, and when it was due to be looked at."""
    row = await contracts.get(tx, number, lock=True)
    look_number = (row.looks if row else 0) + 1
    await contracts.schedule(tx, number, next_look_at=until_at, looks=look_number)
    return look_number, row.next_look_at if row else None


async def _siblings(tx: Tx, row: ContractRow, now: int) -> tuple[int, ...]:
    if row.kind != ISSUE_FIXED:
        return (row.id,)
    rows = await contracts.of_issue(tx, row.issue_id, now)
    return tuple(sorted(found.id for found in rows if found.status is not Status.SETTLED))


async def _ask(oracle: Oracle, looked: _Looked, now: int) -> IssueFacts | None:
    if looked.forecast is not None:
        return await oracle.forecast_facts(looked.place, looked.forecast, now, looked.known)
    return await oracle.issue_facts(looked.place)


async def _note_answer(db: Database, looked: _Looked, clock: Clock) -> None:
    """GitHub answers about an issue: the App is not away, although nobody told us that it is back.

    An answer older than the news that it is away says nothing. All contracts of the repository are locked in order,
    which whoever has one of them already could not do.
    """
    repository = looked.place.repository.id
    async with db.transaction() as tx:
        rows = await halting.hold_those_in(tx, {repository}, clock.now())
        if not all(_dropped(row, looked) for row in rows):
            await halting.note_back(tx, {repository}, clock.now(), but=looked.looks)


async def _take_steps(db: Database, looked: _Looked, facts: IssueFacts | None, clock: Clock) -> set[int]:
    """Each contract in a transaction of its own; those for which the answer was not dropped."""
    taken: set[int] = set()
    for number in looked.looks:
        async with db.transaction() as tx:
            if await _look_with(tx, looked, number, facts, clock):
                taken.add(number)
    return taken


async def _look_sooner(db: Database, looked: _Looked, at: int) -> None:
    """The database ended this look: what it has not come to does not wait until its end."""
    async with db.transaction() as tx:
        for row in await contracts.hold(tx, looked.looks):
            if not _dropped(row, looked):
                await contracts.schedule(tx, row.id, next_look_at=at)


async def _put_back(db: Database, looked: _Looked) -> None:
    """Nothing has come of this look: each contract is due when it was."""
    async with db.transaction() as tx:
        for row in await contracts.hold(tx, looked.looks):
            if not _dropped(row, looked):
                await contracts.schedule(tx, row.id, next_look_at=looked.before[row.id])


async def _look_with(tx: Tx, looked: _Looked, number: int, facts: IssueFacts | None, clock: Clock) -> bool:
    """Take the step that follows; False: the answer is dropped, since it may be older than news."""
    row, place = await contracts.get(tx, number), looked.place
    if row is None or _dropped(row, looked):
        return False
    (locked,) = await lock_markets(tx, [row], f"look:{number}", clock.now())
    row = locked.rows[number]
    if _dropped(row, looked):
        return False
    locked.now = now = clock.now()  # others may have held the locks for a while
    if facts is not None:
        await last_known.keep(tx, number, now, facts.told)
    watch = await watch_of(tx, place, row)
    days = await _count_unanswered(tx, row, watch, facts, now)
    watch = replace(watch, unanswered_days=days)
    step = look(watch, facts, facts is not None and await backed(tx, row, facts), now)
    await apply_step.take(locked, place, row, watch, step, facts)
    return True


async def _count_unanswered(tx: Tx, row: ContractRow, watch: Watch, facts: IssueFacts | None, now: int) -> int:
    """On how many different days asking has failed by now, each time that an answer was needed; an answer ends it."""
    if facts is not None or not needs_answer(watch, now):
        if facts is not None and row.unanswered_at is not None:
            await contracts.schedule(tx, row.id, unanswered_at=None, unanswered_days=0, unanswered_day_at=None)
        return 0 if facts is not None else row.unanswered_days
    another = another_day(row.unanswered_day_at, now)
    days = row.unanswered_days + int(another)
    if another or (row.unanswered_day_at or 0) > now:
        first_at = now if row.unanswered_at is None else min(row.unanswered_at, now)
        await contracts.schedule(tx, row.id, unanswered_at=first_at, unanswered_days=days, unanswered_day_at=now)
    return days


def _dropped(row: ContractRow, looked: _Looked) -> bool:
    """Another look, or news, has come to the contract since this look began."""
    mine = looked.looks.get(row.id), looked.until_at
    return row.status is Status.SETTLED or (row.looks, row.next_look_at) != mine
