"""Purchases on GitHub's Marketplace, kept per account: GitHub's own payloads, twice, late and out of order."""

from __future__ import annotations

import itertools
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from app.github.api.instants import read_instant
from app.github.reading.purchases import EVENT, read_purchase
from app.services.accounts import marketplace
from app.storage.engine.db import Database
from app.storage.people.marketplace import Account, account, counts

EXAMPLES = Path(__file__).parents[3] / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
ANN = 18404719
Json = dict[str, Any]


def examples() -> dict[str, Json]:
    """GitHub's own, by action."""
    found = next(entry["examples"] for entry in json.loads(EXAMPLES.read_text()) if entry["name"] == EVENT)
    return {example["action"]: example for example in found}


def webhook(action: str, day: str, plan: str = "Basic Plan", **more: object) -> Json:
    """Of one account; the pending ones have the shape of `changed`, as GitHub describes them."""
    payload = deepcopy(examples()["changed"])
    payload["action"], payload["effective_date"] = action, f"{day}T00:00:00+00:00"
    payload["marketplace_purchase"]["plan"]["name"] = plan
    payload["marketplace_purchase"].update(more)
    return payload


async def told(db: Database, *payloads: Json, guid: str = "") -> Account:
    numbers = itertools.count()
    for payload in payloads:
        purchase = read_purchase(EVENT, json.dumps(payload).encode())
        assert purchase is not None
        async with db.transaction() as tx:
            await marketplace.note(tx, guid or f"{payload['action']}-{id(payload)}-{next(numbers)}", purchase, 1_000)
    async with db.reading() as tx:
        found = await account(tx, payloads[-1]["marketplace_purchase"]["account"]["id"])
    assert found is not None
    return found


async def test_githubs_own_payloads_are_read(db: Database) -> None:
    bought = await told(db, examples()["purchased"])
    assert (bought.account_id, bought.login, bought.kind, bought.state) == (ANN, "username", "Organization", "active")
    assert (bought.plan_id, bought.plan_name, bought.units, bought.billing_cycle) == (435, "Basic Plan", 1, "monthly")
    assert bought.next_billing_at == read_instant("2017-11-05T00:00:00+00:00")
    assert (await told(db, examples()["changed"])).units == 10
    gone = await told(db, examples()["cancelled"])
    assert (gone.login, gone.state) == ("organizationUsername", "cancelled")
    async with db.reading() as tx:
        assert await counts(tx) == [("Basic Plan", "active", 1, 0), ("Premium Plan", "cancelled", 1, 0)]


async def test_a_webhook_counts_once(db: Database) -> None:
    first, second = webhook("changed", "2026-01-02", "Large"), webhook("changed", "2026-01-02", "Small")
    await told(db, first, guid="g-1")
    await told(db, second, guid="g-2")
    assert (await told(db, first, guid="g-1")).plan_name == "Small"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
async def test_what_took_effect_last_holds_in_whatever_order_it_is_told(db: Database, order: tuple[int, ...]) -> None:
    story = [
        webhook("purchased", "2026-01-01", "Small"),
        webhook("changed", "2026-02-01", "Large"),
        webhook("cancelled", "2026-03-01", "Large"),
    ]
    found = await told(db, *(story[at] for at in order))
    assert (found.state, found.plan_name, found.effective_at) == (
        "cancelled",
        "Large",
        read_instant("2026-03-01T00:00:00Z"),
    )


async def test_a_change_to_come_waits_for_its_day(db: Database) -> None:
    bought, to_come = webhook("purchased", "2026-01-01", "Large"), webhook("pending_change", "2026-02-01", "Small")
    found = await told(db, bought, to_come)
    assert (found.plan_name, found.pending_plan_name, found.state) == ("Large", "Small", "active")
    assert found.pending_at == read_instant("2026-02-01T00:00:00Z")
    found = await told(db, webhook("changed", "2026-01-20", "Huge"))
    assert (found.plan_name, found.pending_plan_name) == ("Huge", "Small")
    found = await told(db, webhook("changed", "2026-02-01", "Small"))
    assert (found.plan_name, found.pending_plan_name, found.pending_at) == ("Small", None, None)
    assert (await told(db, to_come)).pending_at is None, "told late, when it was carried out"


async def test_a_change_to_come_can_be_taken_back_and_goes_with_the_account(db: Database) -> None:
    bought, to_come = webhook("purchased", "2026-01-01", "Large"), webhook("pending_change", "2026-02-01", "Small")
    found = await told(db, bought, to_come, webhook("pending_change_cancelled", "2026-02-01", "Large"))
    assert (found.plan_name, found.pending_plan_name) == ("Large", None)
    found = await told(db, to_come, webhook("cancelled", "2026-01-15"))
    assert (found.state, found.pending_at) == ("cancelled", None)


async def test_a_change_to_come_that_is_heard_of_first_tells_what_was_before(db: Database) -> None:
    to_come = webhook("pending_change", "2026-02-01", "Small")
    to_come["previous_marketplace_purchase"]["plan"]["name"] = "Large"
    found = await told(db, to_come)
    assert (found.plan_name, found.pending_plan_name) == ("Large", "Small")
    assert (await told(db, webhook("purchased", "2026-01-01", "Large"))).pending_plan_name == "Small"


@pytest.mark.parametrize(
    "spoilt",
    [
        {"action": "renamed"},
        {"action": None},
        {"effective_date": "soon"},
        {"marketplace_purchase": None},
        {"marketplace_purchase": {"account": {"id": 1}}},
    ],
    ids=str,
)
def test_what_cannot_be_read_says_nothing(spoilt: Json) -> None:
    assert read_purchase(EVENT, json.dumps({**examples()["purchased"], **spoilt}).encode()) is None


def test_other_events_say_nothing() -> None:
    assert read_purchase("issue_comment", json.dumps(examples()["purchased"]).encode()) is None
    payload = examples()["changed"] | {"previous_marketplace_purchase": {"plan": {"id": True}}}
    purchase = read_purchase(EVENT, json.dumps(payload).encode())
    assert purchase is not None and purchase.before is None
