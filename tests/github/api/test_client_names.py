"""Repositories are known by id; their names change under us."""

from __future__ import annotations

import asyncio

import pytest

from app.github.api.client import GitHub
from app.github.api.errors import Gone, Moved, Unavailable
from tests.clocks import FakeClock
from tests.github.play import Play, reply

LOOK_UP = "GET /repositories/7"
OLD, NEW = "/repos/ann/tool/issues/5/comments", "/repos/ann/hammer/issues/5/comments"


def looked_up(play: Play) -> int:
    return sum(asked.line == LOOK_UP for asked in play.asked)


def rename(play: Play) -> None:
    play.on(LOOK_UP, reply({"id": 7, "full_name": "ann/hammer"}))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_write_is_sent_again_under_the_new_name_and_no_redirect_followed(
    github: GitHub, play: Play, status: int
) -> None:
    play.on(f"POST {OLD}", reply({"id": 1}, 201), reply({}, status, location=f"{play.url}/elsewhere"))
    play.on(f"POST {NEW}", reply({"id": 2}, 201))
    assert (await github.create_comment(1, 7, 5, "x")).id == 1
    rename(play)
    assert (await github.create_comment(1, 7, 5, "y")).id == 2
    assert play.lines() == [f"POST {OLD}", f"POST {OLD}", f"POST {NEW}"]
    assert play.last(f"POST {NEW}").body == {"body": "y"}


async def test_a_404_under_a_stale_name_is_tried_under_the_new_one(github: GitHub, play: Play) -> None:
    play.on(f"POST {OLD}", reply({"id": 1}, 201), reply({"message": "Not Found"}, 404))
    play.on(f"POST {NEW}", reply({"id": 2}, 201))
    await github.create_comment(1, 7, 5, "x")
    rename(play)
    assert (await github.create_comment(1, 7, 5, "y")).id == 2


async def test_a_404_under_the_right_name_is_gone_and_sent_once(github: GitHub, play: Play) -> None:
    with pytest.raises(Gone) as caught:
        await github.create_comment(1, 7, 5, "x")
    assert not caught.value.permanent  # GitHub's API may lag behind its events
    assert caught.value.about == "resource"
    assert play.lines() == [f"POST {OLD}"]


async def test_a_deleted_issue_is_gone_for_good(github: GitHub, play: Play) -> None:
    play.on("GET /repos/ann/tool/issues/5", reply({"message": "This issue was deleted"}, 410))
    with pytest.raises(Gone) as caught:
        await github.issue(1, 7, 5)
    assert caught.value.permanent


async def test_a_transferred_issue_has_moved(github: GitHub, play: Play) -> None:
    location = f"{play.url}/repositories/8/issues/1"
    play.on("GET /repos/ann/tool/issues/5", reply({"message": "Moved Permanently"}, 301, location=location))
    with pytest.raises(Moved) as caught:
        await github.issue(1, 7, 5)
    assert (caught.value.permanent, caught.value.location) == (False, location)


async def test_a_name_is_asked_for_once_a_minute(github: GitHub, play: Play, clock: FakeClock) -> None:
    play.on(f"POST {OLD}", reply({"id": 1}, 201))
    play.on(f"POST {NEW}", reply({"id": 2}, 201))
    await github.create_comment(1, 7, 5, "x")
    rename(play)
    clock.advance(59)
    assert (await github.create_comment(1, 7, 5, "x")).id == 1
    clock.advance(1)
    assert (await github.create_comment(1, 7, 5, "x")).id == 2
    assert looked_up(play) == 2


async def test_a_name_is_forgotten_when_an_event_says_so(github: GitHub, play: Play) -> None:
    play.on(f"POST {OLD}", reply({"id": 1}, 201))
    play.on(f"POST {NEW}", reply({"id": 2}, 201))
    await github.create_comment(1, 7, 5, "x")
    rename(play)
    github.forget_repository(1, 7)
    assert (await github.create_comment(1, 7, 5, "x")).id == 2


async def test_many_who_need_a_name_ask_once(github: GitHub, play: Play) -> None:
    play.on(f"POST {OLD}", reply({"id": 1}, 201))
    await asyncio.gather(*(github.create_comment(1, 7, 5, "x") for _ in range(10)))
    assert looked_up(play) == 1


async def test_what_one_installation_may_see_is_nothing_to_another(github: GitHub, play: Play) -> None:
    play.on(f"POST {OLD}", reply({"id": 1}, 201))
    await github.create_comment(1, 7, 5, "x")
    play.on(LOOK_UP, reply({"message": "Not Found"}, 404))
    with pytest.raises(Gone) as caught:
        await github.create_comment(2, 7, 5, "x")
    assert caught.value.about == "repository"


@pytest.mark.parametrize(
    "data",
    [
        {"id": 8, "full_name": "ann/tool"},
        {"id": 7},
        {"id": 7, "full_name": None},
        {"id": 7, "full_name": "ann"},
        {"id": 7, "full_name": "../app"},
        {"id": 7, "full_name": "ann/.."},
        {"id": 7, "full_name": "ann/tool/x"},
        {"id": 7, "full_name": "ann/tool?x"},
        [],
        None,
    ],
)
async def test_an_answer_that_names_no_or_another_repository_is_not_used(
    github: GitHub, play: Play, data: object
) -> None:
    play.on(LOOK_UP, reply(data))
    with pytest.raises(Unavailable) as caught:
        await github.create_comment(1, 7, 5, "x")
    assert not caught.value.may_have_happened
    assert play.lines() == []
    with pytest.raises(Unavailable):
        await github.repository(1, 7)


async def test_a_repository_may_be_called_dot_github(github: GitHub, play: Play) -> None:
    play.on(LOOK_UP, reply({"id": 7, "full_name": "ann/.github"}))
    play.on("GET /repos/ann/.github/issues/5", reply({"id": 1}))
    assert await github.issue(1, 7, 5) == {"id": 1}
