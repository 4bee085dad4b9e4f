"""The life around a repository's trading, read for research: issues, halts, disputes, rulings, insiders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, String, case, cast, or_, select

from app.market.exchange.fill import AmendmentKind
from app.market.terms.contract import Outcome
from app.storage.engine.db import Tx
from app.storage.engine.tables import (
    amendments,
    commands,
    contracts,
    disputes,
    entries,
    insiders,
    issues,
    joiners,
    offers,
    users,
)
from app.storage.proof.audit_reader import Found, stream
from app.storage.proof.history import contracts_here, found_rows

_UNMARKED = '"insiders":"allow"'
"""In a contract's terms, canonical JSON: nobody is marked."""


def all_issues(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    """Those with contracts, and those from which contracts moved on."""
    c = issues.c
    told = c.id, c.number, c.title, c.state, c.state_reason, c.closed_at, c.labels, c.closed_by
    return found_rows(tx, select(*told).where(c.repository_id == repository_id, _with_market()).order_by(c.id))


def _with_market() -> ColumnElement[bool]:
    lives = select(contracts.c.id).where(contracts.c.issue_id == issues.c.id).exists()
    return or_(lives, issues.c.moved_to.is_not(None))


class Stoppage(NamedTuple):
    """An amendment that halts trade or lets it go on, and the cause of its entry in the journal."""

    at: int
    issue: int
    contract: int
    amendment: int
    kind: str
    reason: str | None
    cause: str | None


async def stoppages(tx: Tx, repository_id: int) -> AsyncIterator[Stoppage]:
    """By instant, then contract."""
    c = amendments.c
    key = c.kind + ":" + cast(c.contract_id, String) + ":" + cast(c.number, String)
    told = c.at, contracts.c.issue_id, c.contract_id, c.number, c.kind, c.reason, entries.c.cause
    statement = (
        select(*told)
        .join(contracts, contracts.c.id == c.contract_id)
        .outerjoin(entries, entries.c.key == key)
        .where(_stops(), c.contract_id.in_(contracts_here(repository_id)))
        .order_by(c.at, c.contract_id, c.number)
    )
    async for row in stream(tx, statement):
        yield Stoppage(*row)


def _stops() -> ColumnElement[bool]:
    return amendments.c.kind.in_((AmendmentKind.HALT.value, AmendmentKind.RESUME.value))


class Act(NamedTuple):
    """A command that was done. `cause` names it in the journal."""

    cause: str
    at: int
    issue: int
    user: int
    text: str


async def market_acts(tx: Tx, repository_id: int) -> list[Act]:
    """Commands done here that may have halted a market or lifted that halt, in the order in which they ran."""
    rows = await tx.execute(_market_commands(repository_id))
    return [Act(f"command:{row.id}", row.at, row.issue_id, row.user_id, row.text) for row in rows]


def _market_commands(repository_id: int) -> Select[Any]:
    c = commands.c
    mine = issues.c.repository_id == repository_id, c.done, c.text.icontains("market ", autoescape=True)
    return select(commands).join(issues, issues.c.id == c.issue_id).where(*mine).order_by(c.id)


def all_disputes(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    c = disputes.c
    what = c.id, c.contract_id, c.at, c.user_id, c.verdict
    told = *what, c.cause, c.window_opened_at, c.bond_mills, c.reason, c.state, c.ended_at
    return found_rows(tx, select(*told).where(c.contract_id.in_(contracts_here(repository_id))).order_by(c.id))


def all_joiners(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    c = joiners.c
    told = select(c.dispute_id, c.user_id, c.at, c.bond_mills, c.reason)
    mine = disputes.c.contract_id.in_(contracts_here(repository_id))
    order = c.dispute_id, c.at, c.user_id
    return found_rows(tx, told.join(disputes, disputes.c.id == c.dispute_id).where(mine).order_by(*order))


def all_rulings(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    """The price that a ruling names stays with the contract, as long as that is in the same window."""
    c = disputes.c
    same = c.window_opened_at == contracts.c.window_opened_at, c.cause == contracts.c.halt_reason
    priced = case((same[0] & same[1] & (c.ruling == Outcome.VOID.value), contracts.c.ruling_price))
    told = select(c.id, c.contract_id, c.ended_at, c.ruled_by, c.ruling, priced, c.ruling_reason)
    mine = c.contract_id.in_(contracts_here(repository_id)), c.ruling.is_not(None)
    return found_rows(tx, told.join(contracts, contracts.c.id == c.contract_id).where(*mine).order_by(c.id))


def all_insiders(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    """Those of threads with a contract that does not let them trade unmarked."""
    c = insiders.c
    told = select(c.issue_id, c.user_id).where(*_marked(repository_id))
    return found_rows(tx, told.order_by(c.issue_id, c.user_id))


def _marked(repository_id: int) -> tuple[ColumnElement[bool], ...]:
    unmarked = contracts.c.terms_text.contains(_UNMARKED, autoescape=True)
    threads = select(contracts.c.issue_id).where(contracts.c.id.in_(contracts_here(repository_id)), ~unmarked)
    return insiders.c.insider, insiders.c.issue_id.in_(threads)


def all_users(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    """(user, login as it was last seen) of everybody whom the other files name, as far as we know their login.

    Nobody can have traded, nor disputed, without having made an offer.
    """
    here, mine = contracts_here(repository_id), issues.c.repository_id == repository_id
    named = (
        select(offers.c.user_id).where(offers.c.contract_id.in_(here)),
        select(disputes.c.ruled_by).where(disputes.c.contract_id.in_(here), disputes.c.ruled_by.is_not(None)),
        select(issues.c.closed_by).where(mine, issues.c.closed_by.is_not(None), _with_market()),
        select(insiders.c.user_id).where(*_marked(repository_id)),
        _market_commands(repository_id).with_only_columns(commands.c.user_id),
    )
    known = or_(*(users.c.id.in_(each) for each in named))
    return found_rows(tx, select(users.c.id, users.c.login).where(known).order_by(users.c.id))
