"""A repository's history is read from GitHub into a file: within its limits, and on from where it was stopped."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.run.history import HistoryRefused, Reader
from app.simulate.histories import History, read_history
from app.storage.engine.db import Database
from app.storage.queues import budgets
from app.storage.queues.budgets import GITHUB, Limits
from sandbox.world import Actor
from tests.clocks import START_AT
from tests.github.ground import Ground, ground_of

DAY = 86_400


@dataclass
class Bench:
    """A reader whose waits move the sandbox's clock."""

    ground: Ground
    folder: Path
    limits: Limits | None = GITHUB
    said: list[str] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.folder / "pump.json"

    @property
    def part(self) -> Path:
        return self.folder / "pump.json.part"

    def reader(self) -> Reader:
        ground = self.ground
        return Reader(ground.db, ground.github, ground.clock, self.limits, self.wait, self.said.append)

    async def wait(self, seconds: int) -> None:
        self.waits.append(seconds)
        self.ground.clock.instant += seconds

    async def write(self, name: str = "ann/pump", *, private: bool = False, key: str | None = None) -> History:
        return await self.reader().write(name, self.out, private=private, key=key)

    async def issues(self, count: int) -> None:
        """Open some directly in the sandbox's world: a hundred requests would take long."""
        world = self.ground.sandbox.inside.world
        repository = self.ground.sandbox.state.repository_named("ann/pump")
        assert repository
        for _ in range(count):
            world.open_issue(Actor(world.account("bob")), repository, "It leaks", None, [])

    def pages(self, path: str) -> list[str]:
        return [one.path for one in self.ground.sandbox.inside.requests if one.path.partition("?")[0].endswith(path)]


@pytest.fixture
async def bench(db: Database, tmp_path: Path) -> AsyncIterator[Bench]:
    async with ground_of(db) as ground:
        yield Bench(ground, tmp_path)


async def person(bench: Bench, login: str, method: str, path: str, body: Any) -> Any:
    return await bench.ground.sandbox.as_person(login, method, f"/repos/ann/pump/issues{path}", body)


async def test_issues_and_what_became_of_them_are_written(bench: Bench) -> None:
    await person(bench, "bob", "POST", "", {"title": "It leaks"})
    await person(bench, "bob", "POST", "", {"title": "It squeaks"})
    bench.ground.clock.instant += DAY
    await person(bench, "ann", "POST", "/1/labels", {"labels": ["bug"]})
    await person(bench, "ann", "PATCH", "/1", {"state": "closed", "state_reason": "completed"})
    written = await bench.write()
    assert written == read_history(bench.out)
    first, second = written.issues
    assert (first.number, first.opened_at, first.closed_at, first.reason) == (1, START_AT, START_AT + DAY, "completed")
    assert (first.labels, first.author, first.past.good) == (("bug",), "bob", True)
    assert (second.number, second.closed_at, second.reason, second.past.good) == (2, None, None, False)
    assert [(event.issue, event.event, event.actor, event.detail) for event in written.events] == [
        (1, "labeled", "ann", "bug"),
        (1, "closed", "ann", None),
    ]
    assert not bench.part.exists()


async def test_logins_are_hashed_on_request_and_by_another_number_in_each_file(bench: Bench) -> None:
    await person(bench, "bob", "POST", "", {"title": "It leaks"})
    await person(bench, "bob", "PATCH", "/1", {"state": "closed"})
    first, again = await bench.write(key="01" * 32), await bench.write(key="02" * 32)
    assert first.issues[0].author == first.events[0].actor != "bob"
    assert first.issues[0].author != again.issues[0].author
    assert "bob" not in bench.out.read_text()


async def test_pull_requests_are_no_issues(bench: Bench) -> None:
    await bench.ground.control("POST", "/pulls", {"repository": "ann/pump", "title": "Mend it"})
    await person(bench, "bob", "POST", "", {"title": "It leaks"})
    assert [issue.number for issue in (await bench.write()).issues] == [2]


async def test_a_run_that_was_stopped_goes_on_where_it_was(bench: Bench) -> None:
    """Stopped at the events; and, as if it had been killed before, the first page and half of the second are left."""
    await bench.issues(250)
    await fault(bench, "GET .*/issues/events", status=502, times=4)
    with pytest.raises(HistoryRefused, match=r"gave no answer .* say the same again to go on"):
        await bench.write()
    await bench.ground.control("DELETE", "/faults")
    head, first, second, *_ = bench.part.read_bytes().splitlines(keepends=True)
    bench.part.write_bytes(head + first + second[:-100])
    before = len(bench.pages("/issues"))
    written = await bench.write()
    assert [issue.number for issue in written.issues] == [*range(1, 251)]
    assert len(bench.pages("/issues")) == before + 2
    assert bench.said == ["history: going on after 1 pages."]


async def test_every_page_is_charged_and_a_hold_is_waited_for(bench: Bench) -> None:
    now = bench.ground.clock.now()
    async with bench.ground.db.transaction() as tx:
        await budgets.hold(tx, bench.ground.installation_id, now + 90)
    await bench.write()
    assert bench.waits == [90]
    assert bench.said == ["history: waiting 90 seconds for GitHub's limits."]
    async with bench.ground.db.transaction() as tx:
        sums = await budgets._sums(tx, bench.ground.installation_id, bench.ground.clock.now())
    assert sums.points >= 3  # the repository, its issues, its events


async def test_a_limit_is_waited_for_as_long_as_github_says(bench: Bench) -> None:
    headers = {"Retry-After": "120"}
    await fault(bench, "GET .*/issues/events", status=403, times=1, headers=headers, json={"message": "rate limit"})
    await bench.write()
    assert bench.waits == [120]
    async with bench.ground.db.reading() as tx:
        held = await budgets.hold_of(tx, bench.ground.installation_id)
    assert held.until_at == START_AT + 120


@pytest.mark.parametrize("times", [1, 3])
async def test_a_short_failure_is_tried_again(bench: Bench, times: int) -> None:
    await fault(bench, "GET .*/issues/events", status=502, times=times)
    await bench.write()
    assert bench.waits == [5, 20, 80][:times]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("pump", "pump is no repository: name it as OWNER/REPO."),
        ("ann/../x", "ann/../x is no repository: name it as OWNER/REPO."),
        ("ann/nothing", "The App is not installed in ann/nothing, or there is no such repository."),
    ],
)
async def test_what_is_no_repository_is_refused_in_a_sentence(bench: Bench, name: str, sentence: str) -> None:
    with pytest.raises(HistoryRefused) as refused:
        await bench.write(name)
    assert str(refused.value) == sentence
    assert list(bench.folder.glob("pump*")) == []


async def test_a_private_repository_is_refused_unless_it_is_asked_for(bench: Bench) -> None:
    await bench.ground.control("POST", "/repositories", {"owner": "ann", "name": "secret", "private": True})
    with pytest.raises(HistoryRefused, match="ann/secret is private"):
        await bench.write("ann/secret")
    assert (await bench.write("ann/secret", private=True)).repository == "ann/secret"


async def test_the_part_of_another_repository_is_not_gone_on_with(bench: Bench) -> None:
    bench.part.write_text(json.dumps({"repository": 1, "key": None}) + "\n")
    with pytest.raises(HistoryRefused, match="begun for another repository or with other options"):
        await bench.write()
    bench.part.write_text("rubbish\n")
    with pytest.raises(HistoryRefused, match="is not what this program left behind"):
        await bench.write()


async def test_a_folder_that_is_not_there_is_said(bench: Bench) -> None:
    with pytest.raises(HistoryRefused, match="cannot be written: No such file or directory"):
        await bench.reader().write("ann/pump", bench.folder / "no" / "pump.json", private=False, key=None)


async def fault(bench: Bench, match: str, **what: Any) -> None:
    body = {"endpoints": {"kind": "status", "match": match, **what}}
    await bench.ground.control("POST", "/faults", body)
