"""GitHub failing: each way gives the one error that says what can be done about it, and no second try."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
from aiohttp import web

from app.github.api.client import GitHub, open_session
from app.github.api.errors import Forbidden, GitHubError, Gone, Invalid, RateLimited, Unavailable, error_from
from app.github.api.transport import Timeouts
from tests.clocks import START_AT, FakeClock
from tests.github.play import Handler, Play, reply, settings

COMMENT = "POST /repos/ann/tool/issues/5/comments"
ISSUE = "GET /repos/ann/tool/issues/5"


async def fail(github: GitHub, play: Play, answer: web.Response | Handler) -> GitHubError:
    """The error that one write ends with; it was sent once."""
    play.on(COMMENT, answer)
    with pytest.raises(GitHubError) as caught:
        await github.create_comment(1, 7, 5, "x")
    assert play.lines() == [COMMENT]
    return caught.value


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "30"}, 30),
        ({"retry_after": "0"}, 1),
        ({"retry_after": "999999999"}, 86_400),
        ({"retry_after": "Thu, 01 Jan 2026 00:02:00 GMT"}, 120),
        ({"retry_after": "soon"}, 60),
        ({"retry_after": "-5"}, 60),
        ({"retry_after": "30", "x_ratelimit_remaining": "0", "x_ratelimit_reset": str(START_AT + 900)}, 30),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(START_AT + 900)}, 900),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(START_AT - 900)}, 1),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "x"}, 60),
        ({"x_ratelimit_remaining": "0"}, 60),
    ],
)
async def test_headers_say_how_long_a_limit_lasts(
    github: GitHub, play: Play, status: int, headers: dict[str, str], seconds: int
) -> None:
    error = await fail(github, play, reply({"message": "no"}, status, **headers))
    assert isinstance(error, RateLimited)
    assert (error.retry_after_seconds, error.retry_at) == (seconds, START_AT + seconds)
    assert not error.permanent


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (429, "Too Many Requests"),
        (403, "You have exceeded a secondary rate limit. Please wait a few minutes"),
        (403, "You have triggered an abuse detection mechanism"),
        (422, "Validation Failed: was submitted too quickly"),
    ],
)
async def test_a_limit_without_headers_lasts_a_minute_at_least(
    github: GitHub, play: Play, status: int, message: str
) -> None:
    error = await fail(github, play, reply({"message": message}, status, x_ratelimit_remaining="4000"))
    assert isinstance(error, RateLimited)
    assert error.retry_after_seconds == 60


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Unable to create comment because issue is locked.", "locked"),
        ("This installation has been suspended", "suspended"),
        ("Resource not accessible by integration", "not_accessible"),
        ("Repository was archived so is read-only.", "archived"),
        ("Repository access blocked", "blocked"),
        ("Forbidden", "other"),
    ],
)
async def test_a_403_that_is_no_limit_says_why(github: GitHub, play: Play, message: str, reason: str) -> None:
    error = await fail(github, play, reply({"message": message}, 403, x_ratelimit_remaining="4000"))
    assert isinstance(error, Forbidden)
    assert (error.reason, error.permanent, error.retry_at) == (reason, True, None)


async def test_a_422_tells_what_was_wrong(github: GitHub, play: Play) -> None:
    detail = {
        "resource": "IssueComment",
        "code": "unprocessable",
        "field": "data",
        "message": "Body is too long",
    }
    error = await fail(github, play, reply({"message": "Validation Failed", "errors": [detail, "x"]}, 422))
    assert isinstance(error, Invalid)
    assert error.permanent
    assert error.message == "Validation Failed; IssueComment data unprocessable Body is too long; x"


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Invalid), (409, Invalid), (410, Gone), (451, Forbidden), (418, Invalid)]
)
async def test_other_refusals(github: GitHub, play: Play, status: int, kind: type[GitHubError]) -> None:
    error = await fail(github, play, reply({"message": "no"}, status))
    assert type(error) is kind
    assert error.permanent


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
async def test_trouble_on_githubs_side_may_pass(github: GitHub, play: Play, status: int) -> None:
    error = await fail(github, play, reply({"message": "Server Error"}, status))
    assert isinstance(error, Unavailable)
    assert (error.permanent, error.may_have_happened, error.retry_at) == (False, True, None)


async def test_a_503_may_say_when(github: GitHub, play: Play) -> None:
    error = await fail(github, play, reply({"message": "maintenance"}, 503, retry_after="120"))
    assert error.retry_at == START_AT + 120


async def test_an_error_page_of_a_proxy_is_no_riddle(github: GitHub, play: Play) -> None:
    page = web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")
    error = await fail(github, play, page)
    assert isinstance(error, Unavailable)
    assert error.message == "status 502 without a message"


def text(body: bytes, content_type: str = "application/json") -> web.Response:
    return web.Response(status=201, body=body, headers={"Content-Type": content_type})


@pytest.mark.parametrize(
    "answer",
    [
        text(b"<html>", "text/html"),
        text(b"{"),
        text(b"\xff"),
        text(b""),
        text(b"[]"),
        text(b"null"),
        text(b'"text"'),
        text(b"{}"),
        text(b'{"id": "9"}'),
        text(b'{"id": true}'),
        text(b"[" * 100_000),
        text(b"{}", "application/json; charset=nonsense"),
        reply({"id": 9}, 203),
    ],
)
async def test_an_answer_that_cannot_be_used_leaves_open_whether_it_happened(
    github: GitHub, play: Play, answer: web.Response
) -> None:
    error = await fail(github, play, answer)
    assert isinstance(error, Unavailable)
    assert error.may_have_happened


async def truncated(request: web.Request) -> web.StreamResponse:
    """Promises more bytes than it sends."""
    response = web.StreamResponse(status=201, headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"id": 9')
    assert request.transport is not None
    request.transport.close()
    return response


async def reset(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def silent(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


@pytest.mark.parametrize("failure", [truncated, reset])
async def test_a_connection_that_breaks_leaves_open_whether_it_happened(
    github: GitHub, play: Play, failure: Handler
) -> None:
    error = await fail(github, play, failure)
    assert isinstance(error, Unavailable)
    assert (error.status, error.may_have_happened) == (0, True)


async def test_silence_is_not_waited_for_long(play: Play, clock: FakeClock) -> None:
    play.on(COMMENT, silent)
    async with open_session() as session:
        github = GitHub(settings(play.url), clock, session, Timeouts(connect=5, total=2))
        with pytest.raises(Unavailable) as caught:
            await github.create_comment(1, 7, 5, "x")
    assert caught.value.may_have_happened


async def test_what_never_connected_never_happened(clock: FakeClock) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with open_session() as session:
            github = GitHub(settings(f"http://127.0.0.1:{port}"), clock, session)
            with pytest.raises(Unavailable) as caught:
                await github.app()
    assert not caught.value.may_have_happened


async def test_a_body_without_end_is_cut(github: GitHub, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.github.api.transport.ANSWER_BYTES", 1000)
    play.on(ISSUE, reply({"id": 1, "body": "x" * 1000}))
    with pytest.raises(Unavailable, match="too long"):
        await github.issue(1, 7, 5)


async def test_trouble_before_the_write_says_that_it_did_not_happen(github: GitHub, play: Play) -> None:
    play.on("POST /app/installations/1/access_tokens", reply({}, 502))
    with pytest.raises(Unavailable) as caught:
        await github.create_comment(1, 7, 5, "x")
    assert (caught.value.about, caught.value.may_have_happened) == ("installation", False)


async def test_no_error_shows_a_token(github: GitHub, play: Play) -> None:
    answers: list[Callable[[], web.Response | Handler]] = [
        lambda: reply({"message": "no"}, 403),
        lambda: reply({}, 500),
        lambda: text(b"{"),
        lambda: truncated,
    ]
    for answer in answers:
        play.on(ISSUE, answer())
        with pytest.raises(GitHubError) as caught:
            await github.issue(1, 7, 5)
        error: BaseException | None = caught.value
        while error is not None:
            assert "ghs_" not in f"{error!r} {error}"
            error = error.__cause__ or error.__context__


@pytest.mark.parametrize("data", [None, [], "x", {"message": 5}, {"message": "m", "errors": 5}])
def test_no_body_of_an_error_confuses(data: object) -> None:
    for status in (302, 400, 403, 404, 422, 429, 500):
        assert error_from(status, {}, data, START_AT).status == status
