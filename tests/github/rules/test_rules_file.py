"""Where the rules of a repository come from: its file, its owner's, the defaults; and what a pull request is told."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web

from app.github.api.client import GitHub
from app.github.api.errors import Forbidden, GitHubError, Gone
from app.github.outbound.reward_label import step
from app.github.reading.payloads import Payload, touches
from app.github.rules.checks import MOST_ANNOTATIONS, Checks, want
from app.github.rules.rules_file import LAG_SECONDS, Configs
from app.services.rules.config import Config
from app.services.rules.in_force import REFRESH_SECONDS, RETRY_SECONDS, StoredConfigs
from app.storage.engine.db import Database
from app.storage.people import configs, places
from app.storage.people.configs import StoredConfig
from app.storage.people.places import Installation, Repository
from app.storage.queues import outbox
from app.storage.queues.outbox import Message
from tests.clocks import START_AT, FakeClock
from tests.github.play import Play, reply

HERE = Repository(7, 1, 3, "ann", "tool", False)
OWN = "GET /repos/ann/tool/contents/.github/bugmark.yml"
OWNERS = "GET /repos/ann/.github/contents/.github/bugmark.yml"
FILES = "GET /repos/ann/tool/pulls/4/files?per_page=100"
AT_HEAD = f"{OWN}?ref=refs/pull/4/head"
RUNS = "POST /repos/ann/tool/check-runs"
GOOD, BETTER, BAD = "default_price: 0.40\n", "default_price: 0.30\n", "fee_bps: 7\ndefault_price: 40\n"
REPOSITORY = {"id": 7, "full_name": "ann/tool", "owner": {"id": 3, "login": "ann"}}


def sha(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def file(text: str, **other: Any) -> web.Response:
    """As the contents API gives it, in lines."""
    content = base64.encodebytes(text.encode()).decode()
    about = {"type": "file", "encoding": "base64", "size": len(text.encode()), "content": content, "sha": sha(text)}
    return reply({**about, **other})


NONE = reply({"message": "Not Found"}, 404)
DOWN = reply({"message": "down"}, 502)


@pytest.fixture
def reader(db: Database, github: GitHub, clock: FakeClock, play: Play) -> Configs:
    play.on("GET /repos/ann/tool", reply(REPOSITORY))
    return Configs(db, github, clock)


@pytest.fixture
async def known(db: Database) -> None:
    """The repository is where GitHub will tell of it."""
    async with db.transaction() as tx:
        await places.meet_installation(tx, Installation(1, 3, "ann", "active", START_AT))
        await places.save_repository(tx, HERE)


async def in_force(db: Database) -> Config:
    async with db.reading() as tx:
        return await StoredConfigs().config(tx, HERE)


async def stored(db: Database) -> StoredConfig:
    async with db.reading() as tx:
        found = await configs.get(tx, HERE.id)
    assert found is not None
    return found


async def read_later(reader: Configs, clock: FakeClock) -> None:
    clock.advance(REFRESH_SECONDS)
    assert await reader.refresh()


# -- where the rules come from ------------------------------------------------------------------------------------


async def test_nobody_has_looked_yet_so_the_defaults_hold(db: Database) -> None:
    assert await in_force(db) == Config()


async def test_the_first_command_has_the_file_read_and_later_ones_do_not(
    db: Database, reader: Configs, play: Play
) -> None:
    play.on(OWN, file(GOOD))
    await reader.meet(HERE)
    assert (await in_force(db)).default_price == 400
    await reader.meet(HERE)
    assert play.lines() == [OWN]


async def test_a_file_may_have_any_bytes_and_lines_of_any_length(db: Database, reader: Configs, play: Play) -> None:
    play.on(OWN, file("labels: {deny: ['ünfixable']}\n" + "# ü\n" * 2_000))
    await reader.meet(HERE)
    assert (await in_force(db)).deny_labels == {"ünfixable"}


@pytest.mark.parametrize("answer", [NONE, reply({"message": "Resource not accessible by integration"}, 403)])
async def test_without_a_file_the_owners_counts(
    db: Database, reader: Configs, play: Play, answer: web.Response
) -> None:
    play.on(OWN, answer)
    play.on("GET /repos/ann/.github", reply({"id": 8, "owner": {"id": 3, "login": "ann"}}))
    play.on("GET /repositories/8", reply({"id": 8, "full_name": "ann/.github"}))
    play.on(OWNERS, file(GOOD))
    await reader.meet(HERE)
    assert (await in_force(db)).default_price == 400
    assert (await stored(db)).source == "owner"


@pytest.mark.parametrize("answer", [NONE, reply({"message": "Repository access blocked"}, 403)])
async def test_where_there_is_none_at_all_the_defaults_hold(
    db: Database, reader: Configs, play: Play, answer: web.Response
) -> None:
    play.on("GET /repos/ann/.github", answer)
    await reader.meet(HERE)
    assert await in_force(db) == Config()
    assert (await stored(db)).source == "none"


async def test_a_name_that_passed_to_somebody_else_gives_no_rules(db: Database, reader: Configs, play: Play) -> None:
    play.on("GET /repos/ann/.github", reply({"id": 8, "owner": {"id": 99, "login": "ann"}}))
    play.on("GET /repositories/8", reply({"id": 8, "full_name": "ann/.github"}))
    play.on(OWNERS, file(GOOD))
    await reader.meet(HERE)
    assert await in_force(db) == Config()


async def test_the_owners_own_repository_falls_back_to_nothing(reader: Configs, play: Play, db: Database) -> None:
    play.on("GET /repositories/7", reply({"id": 7, "full_name": "ann/.github"}))
    await reader.meet(Repository(7, 1, 3, "ann", ".github", False))
    assert (await stored(db)).source == "none"
    assert "GET /repos/ann/.github" not in play.lines()


@pytest.mark.parametrize("shape", [[], [{"type": "file"}], {"type": "dir"}, {"type": "symlink"}, {"type": "submodule"}])
async def test_what_is_no_file_counts_as_none(db: Database, reader: Configs, play: Play, shape: object) -> None:
    play.on(OWN, reply(shape))
    await reader.meet(HERE)
    assert (await stored(db)).source == "none"


# -- what is wrong changes nothing --------------------------------------------------------------------------------


@pytest.mark.usefixtures("known")
async def test_the_last_good_version_stays_in_force_until_the_file_is_right(
    db: Database, reader: Configs, play: Play, clock: FakeClock
) -> None:
    for text, price in ((GOOD, 400), (BAD, 400), ("a: [", 400), (BETTER, 300), (BAD, 300)):
        play.on(OWN, file(text))
        await reader.meet(HERE)
        await read_later(reader, clock)
        assert (await in_force(db)).default_price == price
    assert json.loads((await stored(db)).problems_text)[0][0] == 2


async def test_a_first_file_that_is_wrong_leaves_the_defaults(db: Database, reader: Configs, play: Play) -> None:
    play.on(OWN, file(BAD))
    await reader.meet(HERE)
    assert await in_force(db) == Config()
    assert (await stored(db)).text == BAD


@pytest.mark.usefixtures("known")
async def test_a_file_that_is_gone_takes_its_rules_along(
    db: Database, reader: Configs, play: Play, clock: FakeClock
) -> None:
    play.on(OWN, file(GOOD), NONE)
    await reader.meet(HERE)
    await read_later(reader, clock)
    assert await in_force(db) == Config()


async def test_what_is_wrong_is_logged_once_for_each_version(
    db: Database, reader: Configs, play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    play.on(OWN, file(BAD), file(BAD), file("x: 1\n"))
    for _ in range(3):
        await reader.meet(HERE)
        await reader.changed(HERE)
    told = capsys.readouterr().out
    assert told.count("bad config") == 2
    assert "`default_price` takes a price" in told


@pytest.mark.parametrize("size", [{"size": 64 * 1024 + 1}, {"size": 2_000_000, "content": "", "encoding": "none"}])
async def test_a_file_that_is_too_large_is_bad(db: Database, reader: Configs, play: Play, size: dict[str, Any]) -> None:
    play.on(OWN, file(GOOD, **size))
    await reader.meet(HERE)
    assert await in_force(db) == Config()
    assert "larger than 64 kB" in (await stored(db)).problems_text


async def test_text_that_a_database_cannot_hold_is_stored_all_the_same(
    db: Database, reader: Configs, play: Play
) -> None:
    play.on(OWN, reply({"type": "file", "size": 4, "sha": "1", "content": base64.b64encode(b"a\0\xff\n").decode()}))
    await reader.meet(HERE)
    assert (await stored(db)).text == "a\ufffd\ufffd\n"


# -- GitHub failing -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    "trouble",
    [
        DOWN,
        reply({"message": "slow down"}, 429, retry_after="400"),
        reply({"type": "file", "size": 3}),
        web.Response(text="<html>"),
    ],
)
async def test_without_an_answer_what_is_in_force_stays_and_is_asked_for_again(
    db: Database, reader: Configs, play: Play, clock: FakeClock, trouble: web.Response
) -> None:
    play.on(OWN, trouble)
    await reader.meet(HERE)
    assert await in_force(db) == Config()
    play.on(OWN, file(GOOD))
    assert not await reader.refresh()
    clock.advance(max(RETRY_SECONDS, 400))
    assert await reader.refresh()
    assert (await in_force(db)).default_price == 400
    play.on(OWN, trouble)
    await read_later(reader, clock)
    assert (await in_force(db)).default_price == 400


async def test_an_installation_that_is_suspended_is_no_missing_file(
    db: Database, reader: Configs, play: Play, clock: FakeClock
) -> None:
    play.on(OWN, file(GOOD))
    await reader.meet(HERE)
    clock.advance(3600)
    play.on("POST /app/installations/1/access_tokens", reply({"message": "This installation has been suspended"}, 403))
    await reader.changed(HERE)
    assert (await in_force(db)).default_price == 400


async def test_a_repository_that_is_not_there_any_more_is_no_missing_file(
    db: Database, reader: Configs, play: Play
) -> None:
    play.on(OWN, file(GOOD), NONE)
    await reader.meet(HERE)
    play.on("GET /repositories/7", NONE)
    await reader.changed(HERE)
    assert (await in_force(db)).default_price == 400


# -- read again ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("known")
async def test_it_is_read_again_every_hour_where_somebody_trades(
    db: Database, reader: Configs, play: Play, clock: FakeClock
) -> None:
    assert not await reader.refresh()
    play.on(OWN, file(GOOD), file(BETTER))
    await reader.meet(HERE)
    clock.advance(REFRESH_SECONDS - 1)
    assert not await reader.refresh()
    clock.advance(1)
    assert await reader.refresh()
    assert (await in_force(db)).default_price == 300
    assert not await reader.refresh()


@pytest.mark.usefixtures("known")
async def test_a_push_has_it_read_at_once_and_once_more_since_the_api_may_lag(
    db: Database, reader: Configs, play: Play, clock: FakeClock
) -> None:
    play.on(OWN, file(GOOD), file(GOOD), file(BETTER))
    await reader.changed(HERE)
    assert play.lines() == []
    await reader.meet(HERE)
    await reader.changed(HERE)
    assert (await in_force(db)).default_price == 400
    clock.advance(LAG_SECONDS)
    assert await reader.refresh()
    assert (await in_force(db)).default_price == 300


@pytest.mark.usefixtures("known")
async def test_a_push_to_the_owners_repository_has_all_that_fall_back_to_it_read(
    db: Database, reader: Configs, play: Play
) -> None:
    play.on("GET /repos/ann/.github", reply({"id": 8, "owner": {"id": 3, "login": "ann"}}))
    play.on("GET /repositories/8", reply({"id": 8, "full_name": "ann/.github"}))
    play.on(OWNERS, file(GOOD), file(BETTER))
    await reader.meet(HERE)
    await reader.changed(Repository(8, 1, 3, "ann", ".github", False))
    assert await reader.refresh()
    assert (await in_force(db)).default_price == 300


@pytest.mark.usefixtures("known")
async def test_nothing_is_asked_where_the_app_is_not_any_more(
    db: Database, reader: Configs, play: Play, clock: FakeClock
) -> None:
    play.on(OWN, file(GOOD))
    await reader.meet(HERE)
    async with db.transaction() as tx:
        await places.save_installation(tx, Installation(1, 3, "ann", "deleted", START_AT))
    clock.advance(REFRESH_SECONDS)
    assert not await reader.refresh()


@pytest.mark.parametrize(
    ("push", "said"),
    [
        ({"commits": [{"modified": [".github/bugmark.yml"]}]}, True),
        ({"commits": [{"added": ["a"]}, {"removed": [".github/bugmark.yml"], "added": None}]}, True),
        ({"commits": [{"added": ["a"], "modified": ["bugmark.yml"]}]}, False),
        ({"commits": []}, False),
        ({"commits": [], "forced": True}, True),
        ({"commits": [None, 3, {"added": 3}]}, False),
        ({"commits": [{}] * 2048}, True),
        ({"commits": None}, True),
        ({}, True),
    ],
)
def test_a_push_touches_the_file_if_it_says_so_or_does_not_tell_all(push: dict[str, Any], said: bool) -> None:
    assert touches(Payload(push), ".github/bugmark.yml") is said


# -- pull requests ------------------------------------------------------------------------------------------------


async def asked_for(db: Database, head_sha: str = "abc") -> Message:
    async with db.transaction() as tx:
        await want(tx, HERE, 4, head_sha, START_AT)
        message = await outbox.claim(tx, START_AT, 60)
    assert message is not None
    return message


async def reported(db: Database, reader: Configs, play: Play, files: Sequence[dict[str, Any]]) -> Any:
    """What is reported on pull request 4 that changes these files; None if nothing is."""
    play.on(FILES, reply(list(files)))
    play.on(RUNS, reply({"id": 900}, 201))
    if await Checks(reader.github, reader).report(await asked_for(db)) is None:
        return None
    return play.last(RUNS).body


def change(text: str, **other: Any) -> dict[str, Any]:
    return {"filename": ".github/bugmark.yml", "status": "modified", "sha": sha(text), **other}


async def test_a_pull_request_that_does_not_touch_the_file_gets_no_check(
    db: Database, reader: Configs, play: Play
) -> None:
    other = {"filename": "docs/bugmark.yml", "status": "added", "sha": "1"}
    assert await reported(db, reader, play, [other]) is None
    assert play.lines() == [FILES]


async def test_a_pull_request_with_a_bad_file_fails_in_the_line(db: Database, reader: Configs, play: Play) -> None:
    play.on(AT_HEAD, file(BAD))
    run = await reported(db, reader, play, [{"filename": "a"}, change(BAD)])
    assert (run["name"], run["head_sha"], run["external_id"]) == ("bugmark.yml", "abc", "4")
    assert (run["status"], run["conclusion"]) == ("completed", "failure")
    (note,) = run["output"]["annotations"]
    assert (note["path"], note["start_line"], note["end_line"]) == (".github/bugmark.yml", 2, 2)
    assert note["annotation_level"] == "failure"
    assert note["message"].startswith("`default_price` takes a price between 0 and 1")
    assert note["message"] in run["output"]["summary"]
    assert run["output"]["title"] == "1 problem, the first in line 2"


async def test_a_pull_request_with_a_good_file_succeeds(db: Database, reader: Configs, play: Play) -> None:
    play.on(AT_HEAD, file(GOOD))
    run = await reported(db, reader, play, [change(GOOD, status="added")])
    assert (run["conclusion"], run["output"]["annotations"]) == ("success", [])


@pytest.mark.parametrize(
    "away",
    [
        {"filename": ".github/bugmark.yml", "status": "removed", "sha": "1"},
        {"filename": "old.yml", "previous_filename": ".github/bugmark.yml", "status": "renamed", "sha": "1"},
    ],
)
async def test_a_pull_request_that_removes_the_file_succeeds(
    db: Database, reader: Configs, play: Play, away: dict[str, Any]
) -> None:
    run = await reported(db, reader, play, [away])
    assert (run["conclusion"], run["output"]["title"]) == ("success", "The file goes away")


async def test_a_hundred_problems_are_as_many_as_one_request_takes(db: Database, reader: Configs, play: Play) -> None:
    text = "".join(f"key_{n}: 1\n" for n in range(100))
    play.on(AT_HEAD, file(text))
    run = await reported(db, reader, play, [change(text)])
    assert len(run["output"]["annotations"]) == MOST_ANNOTATIONS
    assert run["output"]["title"] == "100 problems, the first in line 1"
    assert len(run["output"]["summary"]) < 65_535


@pytest.mark.parametrize("answer", [NONE, file("enabled: true\n")])
async def test_what_the_api_does_not_show_yet_is_asked_for_again(
    db: Database, reader: Configs, play: Play, answer: web.Response
) -> None:
    """Reporting on the file as it was before would be worse than being late."""
    play.on(AT_HEAD, answer)
    with pytest.raises(Gone) as found:
        await reported(db, reader, play, [change(BAD)])
    assert not found.value.permanent
    assert RUNS not in play.lines()


async def test_a_newer_head_takes_the_place_of_one_that_waits(db: Database, reader: Configs, play: Play) -> None:
    async with db.transaction() as tx:
        await want(tx, HERE, 4, "old", START_AT)
        await want(tx, HERE, 4, "new", START_AT)
    message = await asked_for(db, "newest")
    assert json.loads(message.body) == {"head_sha": "newest"}
    async with db.reading() as tx:
        assert await outbox.waiting(tx) == 1


async def test_without_the_permission_there_is_no_check_and_no_second_try(
    db: Database, reader: Configs, play: Play
) -> None:
    play.on(AT_HEAD, file(BAD))
    play.on(FILES, reply([change(BAD)]))
    play.on(RUNS, reply({"message": "Resource not accessible by integration"}, 403))
    message = await asked_for(db)
    with pytest.raises(Forbidden) as found:
        await Checks(reader.github, reader).report(message)
    assert found.value.permanent


async def test_an_outage_while_reporting_is_tried_again(db: Database, reader: Configs, play: Play) -> None:
    play.on(FILES, DOWN)
    message = await asked_for(db)
    with pytest.raises(GitHubError) as found:
        await Checks(reader.github, reader).report(message)
    assert not found.value.permanent


# -- the label ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mills", "tokens"),
    [
        (0, 0),
        (999, 0),
        (1_000, 1),
        (1_999, 1),
        (2_000, 2),
        (4_999, 2),
        (5_000, 5),
        (9_999, 5),
        (10_000, 10),
        (19_999, 10),
        (49_999, 20),
        (99_999, 50),
        (100_000, 100),
        (7 * 10**9, 5 * 10**6),
    ],
)
def test_the_label_steps_one_two_five(mills: int, tokens: int) -> None:
    assert step(mills) == tokens
