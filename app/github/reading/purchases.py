"""The Marketplace's webhook, read leniently: what lacks an account or a plan says nothing."""

from __future__ import annotations

import structlog

from app.github.api.clean import clean
from app.github.api.instants import read_instant
from app.github.reading.payloads import Payload, Unreadable
from app.services.accounts.marketplace import ACTIONS, Purchase
from app.storage.people.marketplace import ACTIVE, Account

EVENT = "marketplace_purchase"
MOST_LETTERS = 255
NEW, OLD = "marketplace_purchase", "previous_marketplace_purchase"

log = structlog.get_logger(__name__)


def read_purchase(event: str, raw: bytes) -> Purchase | None:
    """None for a ping, for actions that are new to us, and for what cannot be read."""
    if event != EVENT:
        return None
    try:
        payload = Payload.from_bytes(raw)
        action = payload.text("action")
        if action not in ACTIONS:
            log.info("marketplace action unknown", action=action[:40])
            return None
        return Purchase(action, payload.instant("effective_date"), _account(payload, NEW), _before(payload))
    except Unreadable as error:
        log.warning("marketplace webhook unreadable", missing=str(error))
        return None


def _before(payload: Payload) -> Account | None:
    try:
        return _account(payload, OLD)
    except Unreadable:
        return None


def _account(payload: Payload, where: str) -> Account:
    return Account(
        account_id=payload.number(where, "account", "id"),
        kind=payload.text(where, "account", "type")[:16],
        login=payload.text(where, "account", "login")[:MOST_LETTERS],
        state=ACTIVE,
        plan_id=payload.number(where, "plan", "id"),
        plan_name=payload.text(where, "plan", "name")[:MOST_LETTERS],
        units=payload.number_or_none(where, "unit_count") or 0,
        billing_cycle=clean(str(payload.get(where, "billing_cycle") or ""))[:16],
        on_free_trial=payload.get(where, "on_free_trial") is True,
        free_trial_ends_at=read_instant(payload.get(where, "free_trial_ends_on")),
        next_billing_at=read_instant(payload.get(where, "next_billing_date")),
        effective_at=0,
    )
