"""Deliveries of any shape, installations that come again, and errors that must not pass for odd payloads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.github.api.client import GitHub
from app.github.api.instants import read_instant
from app.github.inbound.events import Events
from app.github.oracle.presence import Presence
from app.github.oracle.transfers import Transfers
from app.github.reading.issue import facts_from
from app.github.rules import checks
from app.github.rules.rules_file import Configs
from app.market.life.facts import Cause, IssueFacts
from app.replies.results import OUR_FAULT
from app.services.life import issue_checks
from app.services.orders.order import NoAnswer
from app.services.rules.config import SameEverywhere
from app.storage.engine.db import Database
from app.storage.engine.tables import commands, contracts
from app.storage.people import places
from app.storage.people.places import Installation, Place
from app.storage.queues import outbox
from app.storage.queues.inbox import Delivery
from tests.clocks import START_AT, FakeClock
from tests.github.play import Play, reply
from tests.runners import runner_of
from tests.services.desk import FakeOracle

EXAMPLES = Path("node_modules/@octokit/webhooks-examples/api.github.com/index.json")
NASTY: tuple[Any, ...] = (
    None,
    [],
    {},
    "",
    "a\0b",
    "\ud800",
    10**30,
    -1,
    1.5,
    True,
    "x" * 300,
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59Z",
)
"""Values where GitHub would give another."""

READ = (
    "action",
    "changes",
    "changes.base",
    "changes.body.from",
    "changes.new_issue",
    "changes.new_issue.number",
    "changes.new_repository.id",
    "changes.old_issue",
    "changes.old_issue.id",
    "check_run",
    "check_run.external_id",
    "check_run.head_sha",
    "check_run.name",
    "comment",
    "comment.body",
    "comment.created_at",
    "comment.id",
    "comment.updated_at",
    "comment.user.id",
    "commits",
    "forced",
    "installation.account.id",
    "installation.account.login",
    "installation.id",
    "installation.suspended_at",
    "installation.updated_at",
    "issue",
    "issue.closed_at",
    "issue.closed_by",
    "issue.id",
    "issue.labels",
    "issue.number",
    "issue.pull_request",
    "issue.state",
    "issue.state_reason",
    "issue.title",
    "issue.updated_at",
    "pull_request",
    "pull_request.head",
    "pull_request.head.sha",
    "pull_request.number",
    "ref",
    "repositories",
    "repositories_added",
    "repositories_removed",
    "repository.default_branch",
    "repository.id",
    "repository.name",
    "repository.owner",
    "repository.owner.id",
    "repository.owner.login",
    "repository.private",
    "repository.updated_at",
    "sender.id",
    "sender.login",
    "sender.type",
)
SOME = 7
EVENTS = ("issue_comment", "issues", "repository", "installation", "installation_repositories")


@pytest.fixture
def events(db: Database, github: GitHub, clock: FakeClock) -> Events:
    runner = runner_of(db, FakeOracle(IssueFacts(False, False)), clock, SameEverywhere())
    parts = db, github, clock
    return Events(db, runner, github, clock, Configs(*parts), Presence(*parts), Transfers(*parts))


def example(event: str, action: str | None) -> dict[str, Any]:
    for found in json.loads(EXAMPLES.read_text()):
        if found["name"] == event:
            payload: dict[str, Any] = next(one for one in found["examples"] if one.get("action") == action)
            payload.setdefault("installation", {"id": 31})
            return payload
    raise LookupError(event)


def starting_points() -> Iterator[tuple[str, dict[str, Any]]]:
    for event, action in (
        ("issue_comment", "created"),
        ("issue_comment", "edited"),
        ("issues", "reopened"),
        ("issues", "transferred"),
        ("repository", "renamed"),
        ("installation", "created"),
        ("installation", "suspend"),
        ("installation_repositories", "added"),
        ("push", None),
        ("pull_request", "opened"),
        ("check_run", "rerequested"),
    ):
        payload = example(event, action)
        if event == "push":
            payload["ref"] = f"refs/heads/{payload['repository']['default_branch']}"
        if event == "check_run":
            payload["check_run"] |= {"name": checks.NAME, "external_id": "7"}
        if "comment" in payload:
            payload["comment"]["body"] = "/bugmark offer fixed 50 by in 2 weeks"
            payload["comment"]["created_at"] = payload["comment"]["updated_at"] = START_AT
            payload["issue"]["state_reason"] = None
        yield event, payload


def with_value(payload: dict[str, Any], path: str, value: Any) -> bytes | None:
    tree = json.loads(json.dumps(payload))
    *parents, last = path.split(".")
    node = tree
    for key in parents:
        node = node.get(key)
        if not isinstance(node, dict):
            return None
    node[last] = value
    return json.dumps(tree).encode()


def delivery(event: str, payload: bytes) -> Delivery:
    return Delivery(1, "guid", event, payload, START_AT, 1)


async def test_no_shape_of_a_payload_is_an_error(db: Database, events: Events) -> None:
    """An error would be tried twenty times, with everything else about the issue waiting behind it.

    PostgreSQL, which takes less, is shown all of them, SQLite a few.
    """
    tried, every = 0, 1 if db.engine.dialect.name == "postgresql" else SOME
    for event, payload in starting_points():
        for path in READ:
            for value in NASTY:
                tried += 1
                payload.get("comment", {})["id"] = tried
                body = with_value(payload, path, value) if tried % every == 0 else None
                if body is not None:
                    with suppress(NoAnswer):  # nobody answers here, and news that contradict each other are asked about
                        await events.deal_with(delivery(event, body))
    async with db.reading() as tx:
        answers = set((await tx.execute(select(commands.c.answer))).scalars())
    assert len(answers) > 1
    assert OUR_FAULT not in answers


@pytest.mark.parametrize("field", ["name", "owner.login"])
@pytest.mark.parametrize("odd", ["", ".", "..", "a/b", "a b", "a%2e", "é", "a?", "a\n"])
async def test_a_repository_with_a_name_that_none_can_have_is_passed_over(
    db: Database, events: Events, field: str, odd: str
) -> None:
    """GitHub would be asked for it by that name again and again."""
    for event in ("issues", "issue_comment"):
        payload = example(event, "reopened" if event == "issues" else "created")
        body = with_value(payload, f"repository.{field}", odd)
        assert body is not None
        with capture_logs() as lines:
            await events.deal_with(delivery(event, body))
        assert [line["event"] for line in lines] == ["delivery passed over"]
        async with db.reading() as tx:
            assert await places.repository(tx, payload["repository"]["id"]) is None


async def test_an_issue_under_the_number_of_another_is_taken_as_it_is_told(db: Database, events: Events) -> None:
    """It was transferred and came back, say, of which not everything has reached us."""
    payload = example("issues", "reopened")
    number = payload["issue"]["id"]
    for each in (number, number + 1, number):
        payload["issue"]["id"] = each
        await events.deal_with(delivery("issues", json.dumps(payload).encode()))
    async with db.reading() as tx:
        found = [await places.place(tx, each) for each in (number, number + 1)]
    assert [place.issue.number for place in found if place] == [payload["issue"]["number"]] * 2


async def test_an_error_of_ours_is_no_odd_payload(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    """The delivery has to be tried again, not passed over."""

    async def fail(*_: object) -> None:
        raise ValueError("an entry that does not balance")

    monkeypatch.setattr(issue_checks, "note_news", fail)
    with pytest.raises(ValueError, match="does not balance"):
        await events.deal_with(delivery("issues", json.dumps(example("issues", "reopened")).encode()))


@pytest.mark.parametrize("event", ["installation", "installation_repositories"])
async def test_installed_anew_it_is_asked_and_answered_as_the_new_installation(
    db: Database, events: Events, play: Play, event: str
) -> None:
    """Nothing happened in the repository since; at maturation GitHub must be asked with the token that works."""
    payload = example("issues", "reopened")
    payload["installation"] = {"id": 31}
    await events.deal_with(delivery("issues", json.dumps(payload).encode()))
    issue, repository = payload["issue"]["id"], payload["repository"]["id"]
    await waits(db, issue)
    again_here = {"id": 32, "account": {"id": 7, "login": "octo"}}
    play.on(f"GET /repos/{payload['repository']['full_name']}/installation", reply(again_here))
    play.on("POST /app/installations/32/access_tokens", play.token)
    play.on(f"GET /repositories/{repository}", reply(payload["repository"]))
    action, listed = ("created", "repositories") if event == "installation" else ("added", "repositories_added")
    again = {
        "action": action,
        "installation": again_here,
        listed: [{"id": repository, "name": "cat"}, {"id": 10**9}, {"name": "none"}, None],
    }
    await events.deal_with(delivery(event, json.dumps(again).encode()))
    assert (await known(db, issue)).repository.installation_id == 32
    async with db.transaction() as tx:
        message = await outbox.claim(tx, START_AT, 60)
    assert message is not None
    assert message.installation_id == 32


async def known(db: Database, issue: int) -> Place:
    async with db.reading() as tx:
        found = await places.place(tx, issue)
    assert found is not None
    return found


async def waits(db: Database, issue: int) -> None:
    place = await known(db, issue)
    async with db.transaction() as tx:
        await outbox.put(tx, key="board:1", kind="board", place=place, body="", now=START_AT)


async def test_meeting_an_installation_does_not_undo_what_is_known(db: Database) -> None:
    async with db.transaction() as tx:
        await places.save_installation(tx, Installation(31, 7, "octo", "suspended", START_AT))
        await places.meet_installation(tx, Installation(31, 7, "octo", "active", START_AT))
        found = await places.installation(tx, 31)
    assert found is not None
    assert found.state == "suspended"


async def test_a_deleted_issue_stops_trading(db: Database, events: Events, clock: FakeClock) -> None:
    name, payload = next(starting_points())
    payload["sender"] = payload["comment"]["user"]
    await events.deal_with(delivery(name, json.dumps(payload).encode()))
    gone = {key: payload[key] for key in ("issue", "repository", "installation", "sender")} | {"action": "deleted"}
    await events.deal_with(delivery("issues", json.dumps(gone).encode()))
    async with db.reading() as tx:
        rows = list(await tx.execute(select(contracts.c.status, contracts.c.halt_reason)))
    assert [tuple(row) for row in rows] == [("HALTED", Cause.GONE.value)]


@pytest.mark.parametrize("value", [-1, 10**17, True, "", "soon", "0001-01-01T00:00:00Z", None, 1.5])
def test_an_instant_that_cannot_be_told_is_none(value: object) -> None:
    assert read_instant(value) is None


@pytest.mark.parametrize("reason", [[], {}, 3, "new"])
def test_a_reason_of_any_shape_is_no_good_close(reason: object) -> None:
    assert not facts_from({"state": "closed", "state_reason": reason}).completed
