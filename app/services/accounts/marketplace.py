"""Purchases on GitHub's Marketplace. They gate nothing: they are kept for the operator.

Webhooks come twice, late and out of order: each counts once, by its GUID, and what took effect earlier than what is
known changes nothing. Of two with the same date the one that arrives later counts: GitHub's dates are often whole days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.storage.engine.db import Tx
from app.storage.people import marketplace
from app.storage.people.marketplace import ACTIVE, CANCELLED, Account

CHANGES = ("purchased", "changed", "cancelled")
PENDING, PENDING_CANCELLED = "pending_change", "pending_change_cancelled"
ACTIONS = (*CHANGES, PENDING, PENDING_CANCELLED)


@dataclass(frozen=True, slots=True)
class Purchase:
    """A webhook of the Marketplace.

    `account` is as the webhook shows it, `before` as it was until then, if it says so; `effective_at` is when it takes
    effect, in the future for a pending change.
    """

    action: str
    effective_at: int
    account: Account
    before: Account | None


async def note(tx: Tx, guid: str, purchase: Purchase, now: int) -> bool:
    """False if it was noted before."""
    told = purchase.account
    if not await marketplace.remember(tx, guid, told.account_id, purchase.action, purchase.effective_at, now):
        return False
    known = await marketplace.opened(tx, purchase.before or told)
    await marketplace.save(tx, replace(after(known, purchase), updated_at=now))
    return True


def after(known: Account, purchase: Purchase) -> Account:
    """An account after a webhook."""
    if purchase.action in CHANGES:
        return _changed(known, purchase)
    if purchase.action == PENDING_CANCELLED:
        return _without_pending(known)
    if purchase.effective_at <= known.effective_at:  # carried out meanwhile, or overtaken
        return known
    return replace(
        known,
        pending_plan_id=purchase.account.plan_id,
        pending_plan_name=purchase.account.plan_name,
        pending_units=purchase.account.units,
        pending_at=purchase.effective_at,
    )


def _changed(known: Account, purchase: Purchase) -> Account:
    """A change to come stays, unless its time has come or there is nothing to change any more."""
    if purchase.effective_at < known.effective_at:
        return known
    state = CANCELLED if purchase.action == "cancelled" else ACTIVE
    changed = replace(purchase.account, state=state, effective_at=purchase.effective_at)
    if known.pending_at is None or known.pending_at <= purchase.effective_at or state == CANCELLED:
        return changed
    return replace(
        changed,
        pending_plan_id=known.pending_plan_id,
        pending_plan_name=known.pending_plan_name,
        pending_units=known.pending_units,
        pending_at=known.pending_at,
    )


def _without_pending(account: Account) -> Account:
    return replace(account, pending_plan_id=None, pending_plan_name=None, pending_units=None, pending_at=None)
