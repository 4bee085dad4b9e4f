"""The public history of one repository, read for research: ordered, and in constant memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, String, case, cast, func, literal, or_, select

from app.market.ledger.journal import Kind
from app.market.terms.contract import Side
from app.storage.engine.db import Tx
from app.storage.engine.tables import amendments, contracts, entries, fills, issues, offers, postings, repositories
from app.storage.people.places import Repository
from app.storage.proof.audit_reader import Found, stream


async def repository_by_name(tx: Tx, owner: str, name: str) -> Repository | None:
    """The repository that is now under this name, or was last; GitHub's names ignore case."""
    c = repositories.c
    named = func.lower(c.owner_login) == owner.lower(), func.lower(c.name) == name.lower()
    row = (await tx.execute(select(repositories).where(*named).order_by(c.id.desc()).limit(1))).first()
    return Repository(**row._mapping) if row else None


def contracts_here(repository_id: int) -> Select[Any]:
    """Ids of the contracts that live in a repository."""
    mine = issues.c.repository_id == repository_id
    return select(contracts.c.id).join(issues, issues.c.id == contracts.c.issue_id).where(mine)


async def found_rows(tx: Tx, statement: Select[Any]) -> AsyncIterator[Found]:
    async for row in stream(tx, statement):
        yield tuple(row)


def all_contracts(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    c = contracts.c
    told = (
        c.id,
        issues.c.id,
        issues.c.number,
        c.kind,
        c.statement_text,
        c.statement_hash,
        c.round,
        c.maturation_at,
        c.currency,
        c.terms_text,
        c.terms_hash,
        c.status,
        c.outcome,
        c.open_interest,
        c.minted_mills,
        c.amendment,
        c.created_at,
        c.settled_at,
    )
    mine = issues.c.repository_id == repository_id
    return found_rows(tx, select(*told).join(issues, issues.c.id == c.issue_id).where(mine).order_by(c.id))


def all_offers(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    """Without what is nobody else's business: which part of an offer is paid with units held, and pools."""
    c = offers.c
    told = (
        c.id,
        c.contract_id,
        c.user_id,
        c.action,
        c.side,
        c.price,
        c.volume,
        c.until_at,
        c.now_or_never,
        c.all_or_none,
        c.post_only,
        c.cancel_on_halt,
        c.filled,
        c.units_left + c.cash_left,
        c.cancelled,
        c.state,
        c.created_at,
    )
    return found_rows(tx, select(*told).where(c.contract_id.in_(contracts_here(repository_id))).order_by(c.id))


def all_fills(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    c = fills.c
    told = (
        c.contract_id,
        c.amendment,
        c.at,
        c.kind,
        c.price,
        c.volume,
        c.bid,
        c.ask,
        c.newcomer,
        c.buyer,
        c.seller,
    )
    mine = c.contract_id.in_(contracts_here(repository_id))
    return found_rows(tx, select(*told).where(mine).order_by(c.contract_id, c.amendment))


def all_amendments(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    c = amendments.c
    told = c.contract_id, c.number, c.at, c.kind, c.open_interest, c.minted_mills
    mine = c.contract_id.in_(contracts_here(repository_id))
    return found_rows(tx, select(*told).where(mine).order_by(c.contract_id, c.number))


def all_payouts(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    """(contract, at, outcome, user, FIXED units, UNFIXED units, mills received): of all who held units at the end.

    Money that the same entry merely frees from a user's reserve is not received.
    """
    p = postings.c

    def units(side: Side) -> ColumnElement[int]:
        here = literal(f"{side.value}:") + cast(contracts.c.id, String)
        return _sum(case((p.currency == here, -p.amount), else_=0))

    fixed, unfixed = units(Side.FIXED), units(Side.UNFIXED)
    money = _sum(case((p.kind.in_((Kind.FREE.value, Kind.RESERVE.value)), p.amount), else_=0))
    kinds = Kind.FREE, Kind.RESERVE, Kind.UNITS_FREE, Kind.UNITS_RESERVED
    who = contracts.c.id, entries.c.at, contracts.c.outcome, p.owner
    statement = (
        select(*who, fixed, unfixed, money)
        .join(entries, entries.c.key == literal("settlement:") + cast(contracts.c.id, String))
        .join(postings, p.entry_id == entries.c.id)
        .where(contracts.c.id.in_(contracts_here(repository_id)), p.kind.in_([kind.value for kind in kinds]))
        .group_by(*who)
        .having(or_(fixed != 0, unfixed != 0))
        .order_by(contracts.c.id, p.owner)
    )
    return found_rows(tx, statement)


def _sum(value: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.sum(value), BigInteger)


class Trade(NamedTuple):
    """A fill, and the open interest after it."""

    contract: int
    at: int
    price: int
    volume: int
    interest: int


async def all_trades(tx: Tx, repository_id: int) -> AsyncIterator[Trade]:
    """Every fill, in order."""
    same = (amendments.c.contract_id == fills.c.contract_id) & (amendments.c.number == fills.c.amendment)
    c = fills.c
    told = c.contract_id, c.at, c.price, c.volume, amendments.c.open_interest
    mine = c.contract_id.in_(contracts_here(repository_id))
    statement = select(*told).join(amendments, same).where(mine).order_by(c.contract_id, c.amendment)
    async for row in stream(tx, statement):
        yield Trade(*row)


async def contracts_in(tx: Tx, repository_id: int) -> set[int]:
    return set((await tx.execute(contracts_here(repository_id))).scalars())


async def all_repositories(tx: Tx, private: bool) -> list[Repository]:
    """Every one that is known, by id; private ones only if asked for."""
    c = repositories.c
    which = select(repositories) if private else select(repositories).where(~c.private)
    return [Repository(**row._mapping) for row in await tx.execute(which.order_by(c.id))]
