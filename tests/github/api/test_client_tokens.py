"""Tokens: made once, shared, dropped when GitHub refuses them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import jwt
import pytest
import yaml
from aiohttp import web
from jwt.types import Options

from app.github.api.client import GitHub
from app.github.api.errors import Forbidden, Gone, Unauthorized, Unavailable
from app.github.api.tokens import PERMISSIONS, AppJwt
from tests.clocks import START_AT, FakeClock
from tests.github.play import Play, private_key, reply, settings, token_reply

TOKEN = "POST /app/installations/1/access_tokens"
ISSUE = "GET /repos/ann/tool/issues/5"
BAD = reply({"message": "Bad credentials"}, 401)


async def test_a_token_serves_until_five_minutes_before_its_end(github: GitHub, play: Play, clock: FakeClock) -> None:
    play.on(ISSUE, reply({"id": 1}))
    await github.issue(1, 7, 5)
    clock.advance(3600 - 301)
    await github.issue(1, 7, 5)
    assert play.tokens_made == 1
    clock.advance(1)
    await github.issue(1, 7, 5)
    assert play.tokens_made == 2


async def test_many_who_need_a_token_ask_once(github: GitHub, play: Play) -> None:
    play.on(ISSUE, reply({"id": 1}))
    await asyncio.gather(*(github.issue(1, 7, 5) for _ in range(20)))
    assert play.tokens_made == 1


async def test_many_who_need_a_token_share_its_failure(github: GitHub, play: Play) -> None:
    play.on(TOKEN, reply({"message": "This installation has been suspended"}, 403))
    ends = await asyncio.gather(*(github.issue(1, 7, 5) for _ in range(20)), return_exceptions=True)
    assert {type(end) for end in ends} == {Forbidden}
    assert [asked.line for asked in play.asked] == [TOKEN]


async def test_one_who_gives_up_waiting_does_not_take_the_token_from_others(github: GitHub, play: Play) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(request: web.Request) -> web.Response:
        asked.set()
        await go_on.wait()
        return await play.token(request)

    play.on(TOKEN, slowly)
    play.on(ISSUE, reply({"id": 1}))
    impatient, patient = (asyncio.create_task(github.issue(1, 7, 5)) for _ in range(2))
    await asked.wait()
    impatient.cancel()
    go_on.set()
    assert await patient == {"id": 1}
    assert impatient.cancelled()
    assert play.tokens_made == 1


async def test_a_refused_token_is_dropped_and_the_call_sent_once_more(github: GitHub, play: Play) -> None:
    line = "POST /repos/ann/tool/issues/5/comments"
    play.on(line, BAD, reply({"id": 9}, 201))
    assert (await github.create_comment(1, 7, 5, "x")).id == 9
    assert [asked.headers["authorization"] for asked in play.asked if asked.line == line] == [
        "token ghs_1",
        "token ghs_2",
    ]


async def test_a_second_refusal_is_told(github: GitHub, play: Play) -> None:
    play.on(ISSUE, BAD)
    with pytest.raises(Unauthorized):
        await github.issue(1, 7, 5)
    assert play.lines() == [ISSUE, ISSUE]


async def test_many_refusals_of_one_token_make_one_new_token(github: GitHub, play: Play) -> None:
    async def judge(request: web.Request) -> web.Response:
        fresh = request.headers["Authorization"] != "token ghs_1"
        return reply({"id": 1}) if fresh else reply({"message": "Bad credentials"}, 401)

    play.on(ISSUE, reply({"id": 1}), judge)
    await github.issue(1, 7, 5)
    await asyncio.gather(*(github.issue(1, 7, 5) for _ in range(10)))
    assert play.tokens_made == 2


async def test_each_installation_has_its_own_token(github: GitHub, play: Play) -> None:
    play.on(ISSUE, reply({"id": 1}))
    for installation_id in (1, 2, 1):
        await github.issue(installation_id, 7, 5)
    used = [asked.headers["authorization"] for asked in play.asked if asked.line == ISSUE]
    assert used == ["token ghs_1", "token ghs_2", "token ghs_1"]


async def test_a_suspended_installation_is_told_apart(github: GitHub, play: Play) -> None:
    play.on(TOKEN, reply({"message": "This installation has been suspended"}, 403))
    with pytest.raises(Forbidden) as caught:
        await github.create_comment(1, 7, 5, "x")
    assert (caught.value.about, caught.value.reason) == ("installation", "suspended")


async def test_an_installation_that_is_gone_is_told_apart(github: GitHub, play: Play) -> None:
    with pytest.raises(Gone) as caught:
        await github.create_comment(3, 7, 5, "x")
    assert caught.value.about == "installation"


@pytest.mark.parametrize(
    "data",
    [
        {},
        None,
        [],
        {"token": "ghs_x"},
        {"token": "", "expires_at": "2026-01-01T01:00:00Z"},
        {"token": "ghs_x\r\nx: y", "expires_at": "2026-01-01T01:00:00Z"},
        {"token": 5, "expires_at": "2026-01-01T01:00:00Z"},
        {"token": "ghs_x", "expires_at": "soon"},
        {"token": "ghs_x", "expires_at": 5},
        {"token": "ghs_x", "expires_at": "2026-01-01T01:00:00"},
    ],
)
async def test_an_answer_without_a_token_is_an_error(github: GitHub, play: Play, data: object) -> None:
    play.on(TOKEN, reply(data, 201))
    with pytest.raises(Unavailable) as caught:
        await github.create_comment(1, 7, 5, "x")
    assert not caught.value.may_have_happened


async def test_a_token_that_is_about_to_end_is_used_once(github: GitHub, play: Play) -> None:
    play.on(TOKEN, token_reply("ghs_a", START_AT + 60), token_reply("ghs_b", START_AT + 3600))
    play.on("GET /rate_limit", reply({}))
    for _ in range(3):
        await github.get_json(1, "/rate_limit")
    used = [asked.headers["authorization"] for asked in play.asked if asked.line == "GET /rate_limit"]
    assert used == ["token ghs_a", "token ghs_b", "token ghs_b"]


def make_jwt(clock: FakeClock) -> AppJwt:
    made = settings("https://api.github.com")
    return AppJwt(made.app_id, made.private_key, clock)


def test_a_jwt_says_what_github_wants(clock: FakeClock) -> None:
    key = private_key().public_key()
    unjudged: Options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.PyJWT(unjudged).decode(make_jwt(clock).get(), key, algorithms=["RS256"])
    assert claims == {"iss": "4711", "iat": START_AT - 60, "exp": START_AT + 540}


def test_a_jwt_is_signed_again_only_near_its_end_or_when_the_clock_was_set_back(clock: FakeClock) -> None:
    made = make_jwt(clock)
    first = made.get()
    clock.advance(419)
    assert made.get() == first
    clock.advance(1)
    second = made.get()
    assert second != first
    clock.set(START_AT)
    assert made.get() == first  # RS256 gives the same signature for the same claims
    assert made.get() != second


async def test_a_refused_jwt_is_made_anew_once(github: GitHub, play: Play, clock: FakeClock) -> None:
    play.on("GET /app", reply({"id": 1}), BAD, reply({"id": 2}))
    await github.app()
    clock.advance(10)
    assert await github.app() == {"id": 2}
    used = [asked.headers["authorization"] for asked in play.asked]
    assert used[0] == used[1] != used[2]
    play.on("GET /app", BAD)
    with pytest.raises(Unauthorized):
        await github.app()


def test_a_token_is_good_for_what_the_manifest_asks_for_and_no_more() -> None:
    assert yaml.safe_load(Path("app.yml").read_text())["default_permissions"] == dict(PERMISSIONS)


async def test_a_token_is_asked_for_with_the_narrowest_permissions(github: GitHub, play: Play) -> None:
    """The App may have been granted more than this version of it needs."""
    play.on(ISSUE, reply({"id": 1}))
    await github.issue(1, 7, 5)
    assert play.last(TOKEN).body == {"permissions": dict(PERMISSIONS)}


async def test_where_less_was_granted_the_token_is_for_that(github: GitHub, play: Play) -> None:
    """The owner has not confirmed a new version of the App yet: what worked goes on working."""
    play.on(TOKEN, reply({"message": "The permissions requested are not granted"}, 422), play.token)
    granted = {"metadata": "read", "issues": "write", "contents": "write", "checks": "read", "pages": "admin"}
    play.on("GET /app/installations/1", reply({"id": 1, "permissions": granted}))
    play.on(ISSUE, reply({"id": 1}))
    await github.issue(1, 7, 5)
    assert play.last(TOKEN).body == {
        "permissions": {"metadata": "read", "issues": "write", "contents": "read", "checks": "read"}
    }


SUSPENDED = reply({"message": "This installation has been suspended"}, 403)


async def test_a_suspended_installation_is_left_alone_for_a_minute(
    github: GitHub, play: Play, clock: FakeClock
) -> None:
    play.on(TOKEN, SUSPENDED, play.token)
    play.on(ISSUE, reply({"id": 1}))
    for _ in range(3):
        with pytest.raises(Forbidden) as caught:
            await github.issue(1, 7, 5)
        assert (caught.value.about, caught.value.reason) == ("installation", "suspended")
    assert len(play.asked) == 1
    clock.advance(60)
    assert await github.issue(1, 7, 5) == {"id": 1}


async def test_an_event_about_an_installation_ends_the_wait(github: GitHub, play: Play) -> None:
    play.on(TOKEN, SUSPENDED, play.token)
    play.on(ISSUE, reply({"id": 1}))
    with pytest.raises(Forbidden):
        await github.issue(1, 7, 5)
    github.forget_installation(1)
    assert await github.issue(1, 7, 5) == {"id": 1}


async def test_a_suspension_is_noticed_from_a_call_with_a_token_that_was_good(github: GitHub, play: Play) -> None:
    play.on(ISSUE, reply({"id": 1}), SUSPENDED)
    await github.issue(1, 7, 5)
    assert github.take_refused() == set()
    with pytest.raises(Forbidden):
        await github.issue(1, 7, 5)
    asked = len(play.asked)
    with pytest.raises(Forbidden):
        await github.issue(1, 7, 5)
    assert len(play.asked) == asked
    assert github.take_refused() == {1}
    assert github.take_refused() == set()


async def test_what_is_forbidden_for_another_reason_is_no_suspension(github: GitHub, play: Play) -> None:
    play.on(ISSUE, reply({"message": "Resource not accessible by integration"}, 403), reply({"id": 1}))
    with pytest.raises(Forbidden):
        await github.issue(1, 7, 5)
    assert await github.issue(1, 7, 5) == {"id": 1}
    assert github.take_refused() == set()


async def test_an_installation_that_is_gone_is_noticed_from_its_token(github: GitHub, play: Play) -> None:
    with pytest.raises(Gone):
        await github.create_comment(3, 7, 5, "x")
    assert github.take_refused() == {3}


@pytest.mark.parametrize("skew", [-60, 0, 60])
@pytest.mark.parametrize("used_after", [0, 419])
def test_a_jwt_is_good_while_the_clocks_differ_by_a_minute(clock: FakeClock, skew: int, used_after: int) -> None:
    """As GitHub judges it: issued in the past, at an end within ten minutes from its own now."""
    key = private_key().public_key()
    made = make_jwt(clock)
    made.get()
    clock.advance(used_after)
    claims = jwt.decode(made.get(), key, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False})
    githubs_now = clock.now() + skew
    assert claims["iat"] <= githubs_now < claims["exp"] <= githubs_now + 600
