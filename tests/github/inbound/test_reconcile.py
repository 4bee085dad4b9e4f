"""Every kind of event may be lost: what it would have told is found by asking, within a few hours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.github.inbound.reconcile import CHECK_SECONDS, ENLIST_SECONDS, PACE_SECONDS, Reconcile
from app.market.life.facts import Cause
from app.market.terms.contract import Status
from app.services.views import badge
from app.storage.engine.db import Database
from app.storage.people import absences, places
from app.storage.people.places import Place
from app.storage.queues import outbox
from tests.github.ground import DAY, Ground, ground_of

WITHIN_SECONDS = CHECK_SECONDS + ENLIST_SECONDS
STEP_SECONDS = 1_800


@pytest.fixture
async def ground(sqlite_url: str) -> AsyncIterator[Ground]:
    """What depends on the database is in tests/storage/queues/test_poll_schedule.py."""
    db = Database(sqlite_url)
    async with ground_of(db) as found:
        yield found
    await db.close()


async def started(ground: Ground) -> tuple[Any, int]:
    """An issue that is known, and an open contract on it. From now on no event is heard."""
    issue = await ground.open_issue()
    await ground.hear()
    return issue, await ground.contract(issue)


async def pass_time(ground: Ground, seconds: int = WITHIN_SECONDS) -> None:
    reconcile = Reconcile(ground.db, ground.github, ground.clock, ground.presence, ground.oracle)
    for _ in range(seconds // STEP_SECONDS + 1):
        await reconcile.check_refused()
        await reconcile.run()
        ground.clock.advance(STEP_SECONDS)


async def place(ground: Ground, issue_id: int) -> Place:
    async with ground.db.reading() as tx:
        found = await places.place(tx, issue_id)
    assert found
    return found


async def away(ground: Ground, issue: Any) -> bool:
    where = (await place(ground, issue["id"])).repository.id
    async with ground.db.reading() as tx:
        return bool(await absences.away(tx, {where}))


async def patch(ground: Ground, **fields: Any) -> None:
    await ground.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", fields)


async def test_a_close_that_nobody_told_of_opens_its_window(ground: Ground) -> None:
    issue, contract = await started(ground)
    ground.clock.advance(DAY)
    await patch(ground, state="closed")
    closed_at = ground.clock.now()
    await pass_time(ground)
    row = await ground.row(contract)
    assert (row.status, row.halt_reason, row.window_opened_at) == (Status.HALTED, Cause.CLOSED.value, closed_at)
    assert (await place(ground, issue["id"])).issue.state == "closed"


async def test_a_reopening_that_nobody_told_of_ends_the_window(ground: Ground) -> None:
    issue, contract = await started(ground)
    await patch(ground, state="closed")
    await ground.hear()
    assert (await ground.row(contract)).status is Status.HALTED
    ground.clock.advance(60)
    await patch(ground, state="open")
    await pass_time(ground)
    assert (await ground.row(contract)).verdict is None
    assert (await place(ground, issue["id"])).issue.state == "open"


async def test_a_new_title_that_nobody_told_of_is_shown(ground: Ground) -> None:
    issue, contract = await started(ground)
    ground.clock.advance(60)
    await patch(ground, title="It pours")
    await pass_time(ground)
    assert (await place(ground, issue["id"])).issue.title == "It pours"
    assert (await ground.row(contract)).open


@pytest.mark.parametrize("how", ["deleted", "discussion"])
async def test_an_issue_that_went_where_nobody_can_judge_it_halts(ground: Ground, how: str) -> None:
    _, contract = await started(ground)
    where = "/issues/ann/pump/1"
    await (ground.control("DELETE", where) if how == "deleted" else ground.control("POST", f"{where}/discussion"))
    await pass_time(ground)
    row = await ground.row(contract)
    assert (row.status, row.halt_reason) == (Status.HALTED, Cause.GONE.value)


async def test_a_transfer_that_nobody_told_of_is_followed(ground: Ground) -> None:
    issue, contract = await started(ground)
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "valve"})
    new = await ground.control("POST", "/issues/ann/pump/1/transfer", {"to": "ann/valve"})
    await pass_time(ground)
    row = await ground.row(contract)
    assert (row.issue_id, row.open) == (new["id"], True)
    assert (await place(ground, issue["id"])).issue.moved_to == new["id"]


async def test_a_repository_s_new_name_owner_and_privacy_are_found(ground: Ground) -> None:
    issue, contract = await started(ground)
    ground.clock.advance(60)
    await ground.control("PATCH", "/repositories/ann/pump", {"name": "valve"})
    await pass_time(ground)
    assert (await place(ground, issue["id"])).repository.name == "valve"
    async with ground.db.reading() as tx:
        old = await badge.badge(tx, "ann", "pump", 1, ground.clock.now())
        assert old is not None and old == await badge.badge(tx, "ann", "valve", 1, ground.clock.now())
    ground.clock.advance(60)
    await ground.control("PATCH", "/repositories/ann/valve", {"private": True})
    await pass_time(ground)
    assert (await place(ground, issue["id"])).repository.private
    async with ground.db.reading() as tx:
        for name in ("valve", "pump"):
            assert await badge.badge(tx, "ann", name, 1, ground.clock.now()) is None
    assert (await ground.row(contract)).open


async def test_a_badge_follows_its_owner_s_new_name(ground: Ground) -> None:
    issue, _ = await started(ground)
    ground.clock.advance(60)
    await ground.control("PATCH", "/accounts/ann", {"login": "anne"})
    await pass_time(ground)
    assert (await place(ground, issue["id"])).repository.owner_login == "anne"
    async with ground.db.reading() as tx:
        now = ground.clock.now()
        assert await badge.badge(tx, "anne", "pump", 1, now) is not None
        assert await badge.badge(tx, "ann", "pump", 1, now) == await badge.badge(tx, "anne", "pump", 1, now)


async def test_a_repository_that_was_made_public_at_the_instant_it_is_known_from_is_believed_when_asked(
    ground: Ground,
) -> None:
    """Events of one second come in any order: none of them makes public what another called private."""
    issue, _ = await started(ground)
    await ground.control("PATCH", "/repositories/ann/pump", {"private": True})
    await ground.control("PATCH", "/repositories/ann/pump", {"private": False})
    await ground.hear()
    assert (await place(ground, issue["id"])).repository.private
    await pass_time(ground, PACE_SECONDS)
    assert not (await place(ground, issue["id"])).repository.private


async def test_a_repository_that_went_to_another_owner_with_the_app_trades_on(ground: Ground) -> None:
    issue, contract = await started(ground)
    await ground.control("POST", "/repositories", {"owner": "beth", "name": "other"})
    old, new = ground.installation_id, await ground.install("beth")
    await ground.control("POST", "/repositories/ann/pump/transfer", {"to": "beth"})
    await pass_time(ground)
    repository = (await place(ground, issue["id"])).repository
    assert (repository.owner_login, repository.installation_id) == ("beth", new)
    assert old != new
    assert (await ground.row(contract)).open


@pytest.mark.parametrize("how", ["uninstalled", "suspended", "removed", "deleted", "to another owner"])
async def test_that_the_app_is_away_is_found_and_so_is_its_return(ground: Ground, how: str) -> None:
    issue, contract = await started(ground)
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "other"})
    where = f"/installations/{ground.installation_id}"
    leave, back = {
        "uninstalled": (("DELETE", where), None),
        "suspended": (("PUT", f"{where}/suspended"), ("DELETE", f"{where}/suspended")),
        "removed": (("DELETE", f"{where}/repositories/pump"), ("PUT", f"{where}/repositories/pump")),
        "deleted": (("DELETE", "/repositories/ann/pump"), None),
        "to another owner": (("POST", "/repositories/ann/pump/transfer"), None),
    }[how]
    await ground.control(*leave, {"to": "beth"} if how == "to another owner" else None)
    await pass_time(ground)
    assert await away(ground, issue)
    assert (await ground.row(contract)).status is Status.HALTED
    if how == "uninstalled":
        await ground.install()
    elif how == "to another owner":
        await ground.install("beth")
    elif back:
        await ground.control(*back)
    else:
        return
    await pass_time(ground)
    assert not await away(ground, issue)
    assert (await ground.row(contract)).next_look_at is not None


async def test_what_could_not_be_said_is_said_when_a_return_is_found(ground: Ground) -> None:
    issue, _ = await started(ground)
    where = f"/installations/{ground.installation_id}/suspended"
    await ground.control("PUT", where)
    await pass_time(ground)
    async with ground.db.transaction() as tx:
        here = await places.place(tx, issue["id"])
        assert here
        await outbox.put(tx, key="reply:1", kind="reply", place=here, body="x", now=ground.clock.now())
        await outbox.park(tx, ground.installation_id, ground.clock.now() + 365 * DAY, "suspended")
    await ground.control("DELETE", where)
    await pass_time(ground)
    async with ground.db.transaction() as tx:
        message = await outbox.claim(tx, ground.clock.now(), 60)
    assert message
    assert message.key == "reply:1"


async def test_a_suspension_is_noticed_from_the_refused_token_without_any_event(ground: Ground) -> None:
    issue, contract = await started(ground)
    await ground.control("PUT", f"/installations/{ground.installation_id}/suspended")
    assert await ground.facts() is None
    assert (await ground.row(contract)).open
    await pass_time(ground, PACE_SECONDS)
    assert await away(ground, issue)
    async with ground.db.reading() as tx:
        found = await places.installation(tx, ground.installation_id)
    assert found
    assert found.state == "suspended"


async def test_an_account_that_has_another_name_takes_its_repositories_along(ground: Ground) -> None:
    issue, _ = await started(ground)
    ground.clock.advance(60)
    await ground.control("PATCH", "/accounts/ann", {"login": "anna"})
    await ground.hear()
    await pass_time(ground, PACE_SECONDS)
    assert (await place(ground, issue["id"])).repository.owner_login == "anna"


async def test_a_name_that_passed_to_another_repository_does_not_hide_that_ours_is_gone(ground: Ground) -> None:
    issue, _ = await started(ground)
    await ground.control("DELETE", "/repositories/ann/pump")
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "pump"})
    await pass_time(ground)
    assert await away(ground, issue)


async def test_an_archived_repository_is_still_judged(ground: Ground) -> None:
    """Nothing can be written there, and reading goes on: maturations and closes settle, in silence."""
    issue, contract = await started(ground)
    await patch(ground, state="closed")
    await ground.control("PATCH", "/repositories/ann/pump", {"archived": True})
    await pass_time(ground)
    assert not await away(ground, issue)
    assert (await ground.row(contract)).halt_reason == Cause.CLOSED.value


async def test_without_an_answer_nothing_changes_and_it_is_asked_again_soon(ground: Ground) -> None:
    issue, contract = await started(ground)
    await pass_time(ground)
    await ground.control("DELETE", f"/installations/{ground.installation_id}")
    fault = {"kind": "status", "match": "GET ", "status": 502, "times": 1_000}
    await ground.control("POST", "/faults", {"endpoints": fault})
    await pass_time(ground)
    assert not await away(ground, issue)
    await ground.control("DELETE", "/faults")
    await pass_time(ground, STEP_SECONDS)
    assert await away(ground, issue)
    assert (await ground.row(contract)).status is Status.HALTED


async def test_what_has_not_changed_is_asked_for_seldom_and_answered_with_304(ground: Ground) -> None:
    await started(ground)
    await pass_time(ground)
    log = ground.sandbox.inside.requests
    last = log[-1].number
    await pass_time(ground, 6 * CHECK_SECONDS - STEP_SECONDS)
    others = "/app"  # what time it is, since the clock leaps here
    asked = [one for one in log if one.number > last and "installation" not in one.path and one.path != others]
    assert 6 <= len(asked) <= 30
    assert {one.status for one in asked} == {304}
