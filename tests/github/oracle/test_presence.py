"""Where the App is: events come late and out of order; GitHub says how things stand (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import update

from app.github.oracle import presence
from app.github.oracle.presence import know_place
from app.market.terms.contract import Status
from app.services.accounts.insiders import remembered
from app.storage.engine import tables
from app.storage.engine.db import Database
from app.storage.market import contracts
from app.storage.people import absences, insiders, places
from app.storage.people.places import Installation
from app.storage.queues import outbox, poll_schedule
from tests.clocks import START_AT
from tests.github.ground import DAY, Ground, ground_of


@pytest.fixture
async def ground(db: Database) -> AsyncIterator[Ground]:
    async with ground_of(db) as found:
        yield found


async def installation(ground: Ground, number: int = 0) -> Installation:
    async with ground.db.reading() as tx:
        found = await places.installation(tx, number or ground.installation_id)
    assert found
    return found


async def away(ground: Ground, issue: Any) -> bool:
    where = (await ground.place(issue)).repository.id
    async with ground.db.reading() as tx:
        return bool(await absences.away(tx, {where}))


async def started(ground: Ground) -> tuple[Any, int]:
    """An issue that is known, and an open contract on it."""
    issue = await ground.open_issue()
    await ground.hear()
    return issue, await ground.contract(issue)


async def test_a_suspension_halts_and_its_end_has_github_asked(ground: Ground) -> None:
    issue, contract = await started(ground)
    where = f"/installations/{ground.installation_id}/suspended"
    ground.clock.advance(60)
    await ground.control("PUT", where)
    ground.clock.advance(60)
    await ground.hear()
    found = await installation(ground)
    assert (found.state, found.changed_at) == ("suspended", START_AT + 60)
    assert (await away(ground, issue), (await ground.row(contract)).status) == (True, Status.HALTED)
    assert await ground.facts() is None
    await ground.control("DELETE", where)
    await ground.hear()
    assert (await installation(ground)).state == "active"
    assert not await away(ground, issue)
    assert (await ground.row(contract)).next_look_at == ground.clock.now()


async def test_a_late_suspension_does_not_undo_its_end(ground: Ground) -> None:
    issue, contract = await started(ground)
    where = f"/installations/{ground.installation_id}/suspended"
    await ground.control("PUT", where)
    ground.clock.advance(60)
    await ground.control("DELETE", where)
    await ground.hear(backwards=True)
    assert (await installation(ground)).state == "active"
    assert not await away(ground, issue)
    assert (await ground.row(contract)).open


async def test_an_uninstalled_app_is_away_until_it_is_installed_anew(ground: Ground) -> None:
    issue, contract = await started(ground)
    old = ground.installation_id
    await ground.control("DELETE", f"/installations/{old}")
    await ground.hear()
    assert (await installation(ground)).state == "deleted"
    assert await away(ground, issue)
    ground.clock.advance(DAY)
    new = await ground.install()
    await ground.hear()
    assert (await ground.place(issue)).repository.installation_id == new != old
    assert not await away(ground, issue)
    assert (await ground.row(contract)).next_look_at == ground.clock.now()


async def test_late_news_of_the_old_installation_changes_nothing(ground: Ground) -> None:
    issue, _ = await started(ground)
    old = ground.installation_id
    await ground.sandbox.as_person("bob", "POST", "/repos/ann/pump/issues/1/comments", {"body": "x"})
    await ground.sandbox.as_person("bob", "PATCH", "/repos/ann/pump/issues/1", {"title": "It pours"})
    await ground.control("DELETE", f"/installations/{old}")
    new = await ground.install()
    await ground.hear(backwards=True)
    place = await ground.place(issue)
    assert (place.repository.installation_id, place.issue.title) == (new, "It pours")
    assert (await installation(ground, old)).state == "deleted"
    assert not await away(ground, issue)


async def test_a_repository_taken_out_counts_as_uninstalled_and_a_late_removal_does_not(ground: Ground) -> None:
    issue, contract = await started(ground)
    where = f"/installations/{ground.installation_id}/repositories/pump"
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "other"})
    await ground.control("DELETE", where)
    await ground.hear()
    assert await away(ground, issue)
    assert not (await ground.row(contract)).open
    # It is public, so that GitHub would answer; but the App has no business there.
    assert await ground.facts() is None
    await ground.control("PUT", where)
    await ground.hear()
    assert not await away(ground, issue)
    await ground.control("DELETE", where)
    await ground.control("PUT", where)
    await ground.hear(backwards=True)
    assert not await away(ground, issue)


async def test_a_return_that_nobody_told_of_is_found_by_asking(ground: Ground) -> None:
    issue, _ = await started(ground)
    await ground.control("DELETE", f"/installations/{ground.installation_id}")
    await ground.hear()
    new = await ground.install()
    ground.handed |= {one.id for one in ground.sent()}
    facts = await ground.oracle.issue_facts(await ground.place(issue))
    assert facts and not facts.closed
    assert (await ground.place(issue)).repository.installation_id == new
    assert not await away(ground, issue)


async def test_a_removal_is_found_under_a_name_that_is_old_by_now(ground: Ground) -> None:
    issue, _ = await started(ground)
    where = f"/installations/{ground.installation_id}/repositories"
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "other"})
    await ground.control("PATCH", "/repositories/ann/pump", {"name": "valve"})
    await ground.control("DELETE", f"{where}/valve")
    removed = ground.sent()[-1]
    await ground.hand(removed)
    assert await away(ground, issue)
    await ground.control("PUT", f"{where}/valve")
    assert await ground.oracle.issue_facts(await ground.place(issue))
    assert not await away(ground, issue)


@pytest.mark.parametrize("how", ["suspended", "removed"])
async def test_without_an_answer_what_was_told_counts(ground: Ground, how: str) -> None:
    issue, contract = await started(ground)
    where = f"/installations/{ground.installation_id}"
    path = f"{where}/suspended" if how == "suspended" else f"{where}/repositories/pump"
    there, back = ("PUT", "DELETE") if how == "suspended" else ("DELETE", "PUT")
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "other"})
    fault = {"kind": "status", "match": "installation", "status": 502, "times": 100}
    await ground.control("POST", "/faults", {"endpoints": fault})
    await ground.control(there, path)
    await ground.hear()
    assert await away(ground, issue)
    assert not (await ground.row(contract)).open
    await ground.control(back, path)
    await ground.hear()
    assert not await away(ground, issue)


async def test_news_of_a_return_that_github_does_not_confirm_is_asked_about_soon(ground: Ground) -> None:
    """The news may be late, or GitHub's API behind it."""
    issue, contract = await started(ground)
    where = f"/installations/{ground.installation_id}/repositories/pump"
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "other"})
    await ground.control("DELETE", where)
    await ground.hear()
    fault = {"kind": "status", "match": "GET .*/installation$", "status": 404}
    await ground.control("POST", "/faults", {"endpoints": fault})
    await ground.control("PUT", where)
    await ground.hear()
    assert await away(ground, issue)
    assert (await ground.row(contract)).next_look_at == ground.clock.now() + 60


async def three_repositories(ground: Ground) -> list[Any]:
    """An issue and an open contract in each."""
    issues = [await ground.open_issue()]
    for name in ("tank", "valve"):
        await ground.control("POST", "/repositories", {"owner": "ann", "name": name})
        issues.append(await ground.open_issue(f"ann/{name}"))
    await ground.hear()
    for issue in issues:
        await ground.contract(issue)
    return issues


def asked(ground: Ground) -> list[str]:
    """Where GitHub was asked whether the App is in a repository, since it was asked last; the sandbox forgets it."""
    log = ground.sandbox.inside.requests
    found = [one.path for one in log if one.path.startswith("/repos/") and one.path.endswith("/installation")]
    log.clear()
    return found


async def test_of_many_repositories_a_few_are_asked_about_at_once_and_the_others_soon(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation may have thousands, and a delivery has less than a minute."""
    monkeypatch.setattr(presence, "MOST_ASKED", 1)
    issues = await three_repositories(ground)
    where = f"/installations/{ground.installation_id}/suspended"
    await ground.control("PUT", where)
    await ground.hear()
    assert [await away(ground, issue) for issue in issues] == [True] * 3
    await ground.control("DELETE", where)
    news, _ = ground.sent()[-1], asked(ground)
    for _ in issues:
        before = sum([await away(ground, issue) for issue in issues])
        await ground.hand(news)
        assert (len(asked(ground)), sum([await away(ground, issue) for issue in issues])) == (1, before - 1)
    await ground.hand(news)
    assert asked(ground) == []
    async with ground.db.transaction() as tx:
        due = await poll_schedule.take(tx, ground.clock.now(), 10, ground.clock.now() + DAY)
    ours = {(await ground.place(issue)).repository.id for issue in issues}
    assert {one.id for one in due if one.kind == poll_schedule.REPOSITORY} == ours, (
        "the late look covers what was skipped"
    )


async def test_a_suspension_that_stops_half_way_goes_on_from_there(ground: Ground) -> None:
    issues = await three_repositories(ground)
    await ground.control("PUT", f"/installations/{ground.installation_id}/suspended")
    news = ground.sent()[-1]
    last = issues[-1]["id"]
    async with ground.db.transaction() as tx:
        kept = (await contracts.of_issue(tx, last))[0].terms.text()
        await tx.execute(update(tables.contracts).where(tables.contracts.c.issue_id == last).values(terms_text="{"))
    with pytest.raises(ValueError, match="Expecting"):
        await ground.hand(news)
    assert [await away(ground, issue) for issue in issues] == [True, True, False]
    async with ground.db.transaction() as tx:
        await tx.execute(update(tables.contracts).where(tables.contracts.c.issue_id == last).values(terms_text=kept))
    await ground.hand(news)
    assert await away(ground, issues[-1])


async def test_late_events_do_not_undo_a_new_name_or_privacy(ground: Ground) -> None:
    issue = await ground.open_issue()
    ground.clock.advance(60)
    await ground.control("PATCH", "/repositories/ann/pump", {"name": "valve"})
    ground.clock.advance(60)
    await ground.control("PATCH", "/repositories/ann/valve", {"private": True})
    await ground.hear(backwards=True)
    repository = (await ground.place(issue)).repository
    assert (repository.name, repository.private) == ("valve", True)


async def test_late_events_do_not_undo_what_became_of_an_issue(ground: Ground) -> None:
    issue = await ground.open_issue()
    ground.clock.advance(60)
    await ground.sandbox.as_person("ann", "PATCH", "/repos/ann/pump/issues/1", {"state": "closed"})
    await ground.hear(backwards=True)
    kept = (await ground.place(issue)).issue
    assert (kept.state, kept.closed_at) == ("closed", START_AT + 60)


async def waiting(ground: Ground, contract: int) -> None:
    """A notice and a reaction on their way to the thread."""
    issue_id = (await ground.row(contract)).issue_id
    async with ground.db.transaction() as tx:
        place = await places.place(tx, issue_id)
        assert place
        for kind in ("notice", "reaction"):
            await outbox.put(tx, key=kind, kind=kind, place=place, body="{}", now=ground.clock.now())


async def left(ground: Ground) -> list[tuple[str, int]]:
    """What is still to be sent, as (key, repository)."""
    found = []
    async with ground.db.transaction() as tx:
        while message := await outbox.claim(tx, ground.clock.now() + DAY, 60):
            await outbox.sent(tx, message, None, ground.clock.now())
            found.append((message.key, message.repository_id))
    return found


@pytest.mark.parametrize("heard", ["both", "departure", "arrival", "backwards", "neither"])
async def test_contracts_follow_a_transferred_issue(ground: Ground, heard: str) -> None:
    issue, contract = await started(ground)
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "valve"})
    await waiting(ground, contract)
    new = await ground.control("POST", "/issues/ann/pump/1/transfer", {"to": "ann/valve"})
    departure, arrival = ground.sent()
    told = {
        "both": [departure, arrival],
        "departure": [departure],
        "arrival": [arrival],
        "backwards": [arrival, departure],
        "neither": [],
    }
    for delivery in told[heard]:
        await ground.hand(delivery)
    if heard == "neither":
        assert await ground.oracle.issue_facts(await ground.place(issue)) is None
    row = await ground.row(contract)
    assert (row.issue_id, row.open, row.terms_hash) == (new["id"], True, row.terms_hash)
    assert (await ground.place(issue)).issue.moved_to == new["id"]
    there = (await ground.place(new)).repository
    assert there.name == "valve"
    assert set(await left(ground)) == {("notice", there.id), (f"board:{new['id']}", there.id)}
    facts = await ground.oracle.issue_facts(await ground.place(new))
    assert facts and facts.gone is None


async def test_insiders_of_a_transferred_issue_stay_marked_until_they_are_asked_about_there(ground: Ground) -> None:
    """Their positions go along; their rights in the other repository are others."""
    issue, _ = await started(ground)
    people, asked_at = {login: ground.user(login) for login in ("bob", "cid", "eve")}, ground.clock.now()
    async with ground.db.transaction() as tx:
        for login, number in people.items():
            await places.open_user(tx, number, login, asked_at)
            await insiders.note(tx, issue["id"], number, login != "eve", asked_at)
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "valve"})
    new = await ground.control("POST", "/issues/ann/pump/1/transfer", {"to": "ann/valve"})
    await ground.hear()
    async with ground.db.transaction() as tx:
        assert await insiders.of_issue(tx, new["id"]) == {people["bob"], people["cid"]}
        assert await remembered(tx, new["id"], people["bob"], asked_at) is None
        await insiders.note(tx, new["id"], people["cid"], False, asked_at)
        await insiders.follow(tx, issue["id"], new["id"])
        assert await insiders.of_issue(tx, new["id"]) == {people["bob"]}


@pytest.mark.parametrize("private", [False, True])
async def test_an_issue_transferred_to_where_the_app_is_not_is_gone(ground: Ground, private: bool) -> None:
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "valve", "private": private})
    await ground.control("DELETE", f"/installations/{ground.installation_id}/repositories/valve")
    issue, contract = await started(ground)
    await ground.control("POST", "/issues/ann/pump/1/transfer", {"to": "ann/valve"})
    await ground.hear()
    row = await ground.row(contract)
    assert (row.issue_id, row.status) == (issue["id"], Status.HALTED)
    facts = await ground.oracle.issue_facts(await ground.place(issue))
    assert facts
    assert facts.gone == ("deleted" if private else "transferred")


async def test_a_transfer_without_an_answer_is_followed_when_github_answers(ground: Ground) -> None:
    issue, contract = await started(ground)
    await ground.control("POST", "/repositories", {"owner": "ann", "name": "valve"})
    new = await ground.control("POST", "/issues/ann/pump/1/transfer", {"to": "ann/valve"})
    fault = {"kind": "status", "match": "GET .*/installation$", "status": 502}
    await ground.control("POST", "/faults", {"endpoints": fault})
    await ground.hand(ground.sent()[0])
    row = await ground.row(contract)
    assert (row.open, row.next_look_at) == (False, ground.clock.now())
    assert await ground.oracle.issue_facts(await ground.place(issue)) is None
    assert (await ground.row(contract)).issue_id == new["id"]


async def moves(ground: Ground, *steps: tuple[int, int]) -> None:
    async with ground.db.transaction() as tx:
        for old, new in steps:
            await places.note_moved(tx, old, new)


async def known_as(ground: Ground, issue: Any) -> int:
    async with ground.db.transaction() as tx:
        return (await know_place(tx, await ground.place(issue), ground.clock.now())).issue.id


async def test_an_issue_transferred_again_and_again_is_found_where_it_is(ground: Ground) -> None:
    first, second, third = [await ground.open_issue() for _ in range(3)]
    await ground.hear()
    await moves(ground, (first["id"], second["id"]), (second["id"], third["id"]))
    assert [await known_as(ground, issue) for issue in (first, second, third)] == [third["id"]] * 3


async def test_a_circle_of_transfers_or_one_to_nowhere_is_left(ground: Ground) -> None:
    first, second, third = [await ground.open_issue() for _ in range(3)]
    await ground.hear()
    await moves(ground, (first["id"], second["id"]), (second["id"], first["id"]), (third["id"], 10**9))
    assert await known_as(ground, first) in (first["id"], second["id"])
    assert await known_as(ground, third) == third["id"]
