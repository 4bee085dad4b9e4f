"""Contracts as stored, without their books: found, locked, made, changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, bindparam, case, delete, false, or_, select, update

from app.market.terms.contract import Outcome, Status, Terms
from app.market.terms.statement import ISSUE_FIXED
from app.storage.engine.awake import awake, idle_seconds
from app.storage.engine.db import FIRST_IMAGINED, Tx, loan_of, rehearsing
from app.storage.engine.sql import in_parts, insert
from app.storage.engine.tables import contracts, offers


@dataclass(frozen=True, slots=True)
class ContractRow:
    """A contract as stored, without its book. Instants in seconds; `next_look_at` None: nothing to wait for.

    `halt_reason` is a market.life.Cause, None while no window runs; `halt_event_at` the event from which trading is
    halted; `maintainer_halt` a maintainer's reason; `verdict` what the thread was told last; `ended_round`: settled
    while the issue was closed for good (market.life); `looks` counts how often GitHub was asked, `traded_units` what
    was filled. `version` rises with every change of book, positions, status, terms, window or verdict.
    `announced_at`: the running window was announced then, None: it has yet to be; `window_planned_at`: its end if that
    needed no waiting; `unanswered_at`, `unanswered_days`, `unanswered_day_at`: the first ask for a verdict since the
    last answer that failed, on how many days one failed, and the last of these; `idle_at`: nobody holds or offers
    anything since. `by_pull`: a merged pull request is behind the close that opened the window. `made_by`: who made it,
    or woke it last, None: nobody remembers.
    """

    id: int
    issue_id: int
    statement_text: str
    statement_hash: str
    kind: str
    round: int
    maturation_at: int
    currency: str
    terms_text: str
    terms_hash: str
    status: Status
    outcome: Outcome | None
    open_interest: int
    minted_mills: int
    amendment: int
    created_at: int
    halted_at: int | None
    halt_reason: str | None
    window_opened_at: int | None
    window_ends_at: int | None
    next_look_at: int | None
    settled_at: int | None
    retry_due: bool
    halt_event_at: int | None
    maintainer_halt: str | None
    verdict: Outcome | None
    backed: bool
    ruling: Outcome | None
    ruling_price: int | None
    ended_round: bool
    looks: int
    traded_units: int
    version: int
    announced_at: int | None
    window_planned_at: int | None
    unanswered_at: int | None
    unanswered_days: int
    unanswered_day_at: int | None
    idle_at: int | None
    by_pull: bool
    made_by: int | None = None

    @property
    def terms(self) -> Terms:
        return Terms.from_text(self.terms_text)

    @property
    def open(self) -> bool:
        return self.status is Status.OPEN

    def asleep(self, now: int) -> bool:
        """Nobody has held or offered anything for so long that it is not counted, listed, asked about or announced."""
        idle = self.open and not self.open_interest and self.idle_at is not None
        return idle and (self.idle_at or 0) + idle_seconds(self.kind) <= now

    def look_by(self, at: int, now: int) -> int:
        """The next look, at the latest: maturation is not passed over, since what is known then counts."""
        return min(at, self.maturation_at) if now < self.maturation_at else at


def contract_from(row: Row[Any]) -> ContractRow:
    values = dict(row._mapping)
    values["status"] = Status(values["status"])
    for name in ("outcome", "verdict", "ruling"):
        values[name] = Outcome(values[name]) if values[name] else None
    return ContractRow(**values)


async def _rows(tx: Tx, statement: Select[Any]) -> list[ContractRow]:
    return [contract_from(row) for row in await tx.execute(statement)]


async def create(tx: Tx, **values: Any) -> ContractRow:
    """A new contract, or the one that somebody else made of this statement and maturation at the same moment.

    A rehearsal, which makes one at most, imagines its number: that of the next real one would be somebody else's.
    """
    if rehearsing(tx):
        values["id"] = FIRST_IMAGINED
    statement = insert(tx, contracts).values(**values).on_conflict_do_nothing().returning(*contracts.columns)
    row = (await tx.execute(statement)).first()
    if row is not None:
        return contract_from(row)
    key = {"statement_hash": values["statement_hash"], "maturation_at": values["maturation_at"]}
    return (await _rows(tx, select(contracts).filter_by(**key)))[0]


# Statements on the way of every offer are made once: putting one together costs more than running it.
_ONE = select(contracts).where(contracts.c.id == bindparam("contract"))
_ONE_LOCKED = _ONE.with_for_update()
_NAMED = contracts.c.id.in_(bindparam("contracts", expanding=True))
_HELD = select(contracts).where(_NAMED).order_by(contracts.c.id).with_for_update()
_OF_ISSUE = (
    select(contracts)
    .where(contracts.c.issue_id == bindparam("issue"), contracts.c.kind == ISSUE_FIXED)
    .order_by(contracts.c.maturation_at, contracts.c.id)
)


async def get(tx: Tx, contract_id: int, lock: bool = False) -> ContractRow | None:
    """One contract; with `lock` no other transaction changes it until this one ends."""
    row = (await tx.execute(_ONE_LOCKED if lock else _ONE, {"contract": contract_id})).first()
    return contract_from(row) if row else None


async def named(tx: Tx, contract_ids: Collection[int]) -> list[ContractRow]:
    """These contracts, in id order."""
    found: list[ContractRow] = []
    for some in in_parts(set(contract_ids)):
        found += await _rows(tx, select(contracts).where(contracts.c.id.in_(some)).order_by(contracts.c.id))
    return found


async def currencies_of_thread(tx: Tx, issue_id: int) -> set[str]:
    """In what the contracts of an issue's thread trade."""
    return set((await tx.execute(select(contracts.c.currency).filter_by(issue_id=issue_id).distinct())).scalars())


async def terms_of_thread(tx: Tx, issue_id: int, settled: bool = True) -> list[Terms]:
    """The different terms under which contracts of an issue's thread were made; with those that are `settled`."""
    which = () if settled else (contracts.c.status != Status.SETTLED.value,)
    texts = select(contracts.c.terms_text).where(contracts.c.issue_id == issue_id, *which).distinct()
    return [Terms.from_text(text) for text in (await tx.execute(texts)).scalars()]


async def hold(tx: Tx, contract_ids: Collection[int]) -> list[ContractRow]:
    """These contracts, which no other transaction changes until this one ends: locked in id order, as by everybody."""
    found: list[ContractRow] = []
    for some in in_parts(set(contract_ids)):
        found += [contract_from(row) for row in await tx.execute(_HELD, {"contracts": some})]
    return found


async def of_issue(tx: Tx, issue_id: int, now: int | None = None) -> list[ContractRow]:
    """Contracts on the issue's being fixed, nearest maturation first: all, or those that are awake at `now`."""
    statement = _OF_ISSUE if now is None else _OF_ISSUE.where(awake(now))
    return [contract_from(row) for row in await tx.execute(statement, {"issue": issue_id})]


async def of_date(tx: Tx, issue_id: int, maturation_at: int) -> list[ContractRow]:
    """The issue's own contracts of this date, the sleeping ones too, newest round first."""
    dated = _OF_ISSUE.where(contracts.c.maturation_at == maturation_at)
    rows = [contract_from(row) for row in await tx.execute(dated, {"issue": issue_id})]
    return sorted(rows, key=lambda row: -row.round)


async def has_siblings(tx: Tx, row: ContractRow) -> bool:
    """Tell if people hold units of other contracts on the same issue, which the same answer judges."""
    others = contracts.c.issue_id == row.issue_id, contracts.c.id != row.id, contracts.c.kind == ISSUE_FIXED
    held = contracts.c.status != Status.SETTLED.value, contracts.c.open_interest > 0
    found = await tx.execute(select(contracts.c.id).where(*others, *held).limit(1))
    return row.kind == ISSUE_FIXED and found.first() is not None


async def judged_at(tx: Tx, issue_id: int, now: int) -> list[int]:
    """Maturations of the issue's own contracts whose trade is halted or over, and which are not settled."""
    waits = (contracts.c.status == Status.HALTED.value) | (contracts.c.maturation_at <= now)
    own = contracts.c.issue_id == issue_id, contracts.c.kind == ISSUE_FIXED
    statement = select(contracts.c.maturation_at).where(*own, contracts.c.status != Status.SETTLED.value, waits)
    return list((await tx.execute(statement)).scalars())


async def of_thread(tx: Tx, issue_id: int, now: int | None = None) -> list[ContractRow]:
    """Contracts that live in an issue's thread, forecasts too, nearest maturation first: all, or those awake then."""
    here = select(contracts).where(contracts.c.issue_id == issue_id, *([] if now is None else [awake(now)]))
    return await _rows(tx, here.order_by(contracts.c.maturation_at, contracts.c.id))


async def unsettled(tx: Tx) -> list[ContractRow]:
    """All contracts that may still change, those that sleep too, in id order."""
    going = contracts.c.status != Status.SETTLED.value
    return await _rows(tx, select(contracts).where(going).order_by(contracts.c.id))


async def unsettled_forecasts(tx: Tx, kind: str, now: int, holding: str = "") -> list[ContractRow]:
    """Forecasts of a kind that are awake and not settled, with this in their predicate, in id order."""
    going = contracts.c.status != Status.SETTLED.value, awake(now)
    open_ones = select(contracts).where(contracts.c.kind == kind, *going)
    holders = open_ones.where(contracts.c.statement_text.contains(holding, autoescape=True))
    return await _rows(tx, holders.order_by(contracts.c.id))


async def due(tx: Tx, now: int, limit: int) -> list[ContractRow]:
    """Contracts whose next look is due."""
    statement = select(contracts).where(contracts.c.next_look_at <= now, contracts.c.status != Status.SETTLED.value)
    return await _rows(tx, statement.order_by(contracts.c.next_look_at, contracts.c.id).limit(limit))


async def with_retry_due(tx: Tx, limit: int, but: Collection[int] = ()) -> list[int]:
    """Open contracts whose all-or-none offers are to be tried, because of what happened in another contract."""
    open_ones = contracts.c.retry_due, contracts.c.status == Status.OPEN.value, contracts.c.id.not_in(list(but))
    statement = select(contracts.c.id).where(*open_ones)
    return list((await tx.execute(statement.order_by(contracts.c.id).limit(limit))).scalars())


SCHEDULE = frozenset(
    {"next_look_at", "looks", "retry_due", "unanswered_at", "unanswered_days", "unanswered_day_at"},
)
"""Columns that only say when to look next; no version counts them."""


async def change(tx: Tx, contract_id: int, **values: Any) -> None:
    """Write columns of a contract. Its version rises by one if any of them but those of the schedule differs then."""
    values["version"] = contracts.c.version + risen({name: new for name, new in values.items() if name not in SCHEDULE})
    await tx.execute(update(contracts).where(contracts.c.id == contract_id).values(**values))


def risen(values: dict[str, Any]) -> Any:
    """One if these columns are to have other values than they have, else nought; for the same UPDATE as they."""
    return case((or_(false(), *(contracts.c[name].is_distinct_from(new) for name, new in values.items())), 1), else_=0)


async def schedule(tx: Tx, contract_id: int, **values: Any) -> None:
    """Write when to look next, and nothing else: the contract stays what it is. Raises ValueError for other columns."""
    if not values.keys() <= SCHEDULE:
        raise ValueError(f"these columns are more than a schedule: {sorted(values.keys() - SCHEDULE)}")
    await tx.execute(update(contracts).where(contracts.c.id == contract_id).values(**values))


async def forget(tx: Tx, contract_id: int) -> None:
    """Take back a contract that was just made, unless somebody has made an offer in it."""
    touched = select(offers.c.id).where(offers.c.contract_id == contract_id).exists()
    await tx.execute(delete(contracts).where(contracts.c.id == contract_id, contracts.c.amendment == 0, ~touched))
    if loan := loan_of(tx):
        loan.drop(contract_id)
