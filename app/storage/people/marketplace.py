"""Purchases on GitHub's Marketplace, and the webhooks read so far."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import func, select

from app.storage.engine.db import Tx
from app.storage.engine.sql import insert_for, upsert
from app.storage.engine.tables import marketplace_accounts as accounts
from app.storage.engine.tables import marketplace_events as events

ACTIVE, CANCELLED = "active", "cancelled"


@dataclass(frozen=True, slots=True)
class Account:
    """An account's plan. `effective_at` is GitHub's instant of the last change; `pending_…` describe one to come."""

    account_id: int
    kind: str
    login: str
    state: str
    plan_id: int
    plan_name: str
    units: int
    billing_cycle: str
    on_free_trial: bool
    free_trial_ends_at: int | None
    next_billing_at: int | None
    effective_at: int
    pending_plan_id: int | None = None
    pending_plan_name: str | None = None
    pending_units: int | None = None
    pending_at: int | None = None
    updated_at: int = 0


async def opened(tx: Tx, first: Account) -> Account:
    """The account as it is known, `first` if it is not; locked, so that two webhooks about it follow each other."""
    stated = insert_for(tx.dialect.name, accounts).values(asdict(first)).on_conflict_do_nothing()
    await tx.execute(stated)
    rows = await tx.execute(select(accounts).where(accounts.c.account_id == first.account_id).with_for_update())
    return Account(**rows.one()._mapping)


async def account(tx: Tx, account_id: int) -> Account | None:
    row = (await tx.execute(select(accounts).where(accounts.c.account_id == account_id))).first()
    return Account(**row._mapping) if row else None


async def save(tx: Tx, found: Account) -> None:
    await upsert(tx, accounts, asdict(found))


async def remember(tx: Tx, guid: str, account_id: int, action: str, effective_at: int, now: int) -> bool:
    """False if this webhook was read before."""
    row = {
        "guid": guid,
        "account_id": account_id,
        "action": action,
        "effective_at": effective_at,
        "received_at": now,
    }
    statement = insert_for(tx.dialect.name, events).values(row).on_conflict_do_nothing()
    return (await tx.execute(statement)).rowcount == 1


async def counts(tx: Tx) -> list[tuple[str, str, int, int]]:
    """(plan, state, accounts, of those with a change to come), by plan."""
    plan = accounts.c.plan_name, accounts.c.state
    rows = select(*plan, func.count(), func.count(accounts.c.pending_at)).group_by(*plan).order_by(*plan)
    return [(row[0], row[1], row[2], row[3]) for row in await tx.execute(rows)]
