"""What the app asks of GitHub, and how it says it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from app.github.api.client import GitHub
from app.github.api.errors import Gone, Unavailable
from tests.clocks import START_AT, FakeClock
from tests.github.play import Play, reply

COMMENTS = "/repos/ann/tool/issues/5/comments"


async def test_a_comment_is_created_under_the_repositorys_name(github: GitHub, play: Play) -> None:
    play.on(f"POST {COMMENTS}", reply({"id": 99}, 201))
    assert (await github.create_comment(1, 7, 5, "Hello <b>ünï</b>")).id == 99
    assert play.last(f"POST {COMMENTS}").body == {"body": "Hello <b>ünï</b>"}


async def test_every_call_says_who_asks_and_for_which_version(github: GitHub, play: Play) -> None:
    play.on(f"POST {COMMENTS}", reply({"id": 99}, 201))
    await github.create_comment(1, 7, 5, "x")
    assert len(play.asked) == 3
    for asked in play.asked:
        assert asked.headers["user-agent"] == "bugmark (+https://bugmark.example)"
        assert asked.headers["x-github-api-version"] == "2022-11-28"
        assert asked.headers["accept"] == "application/vnd.github+json"
    assert play.asked[0].headers["authorization"].startswith("bearer eyJ")
    assert [asked.headers["authorization"] for asked in play.asked[1:]] == ["token ghs_1"] * 2


async def test_a_comment_is_edited_and_gets_a_reaction(github: GitHub, play: Play) -> None:
    play.on("PATCH /repos/ann/tool/issues/comments/99", reply({"id": 99}))
    play.on("POST /repos/ann/tool/issues/comments/99/reactions", reply({"id": 3, "content": "rocket"}, 201))
    await github.edit_comment(1, 7, 99, "new")
    assert await github.add_reaction(1, 7, 99, "rocket") == 3
    assert [asked.body for asked in play.asked[-2:]] == [{"body": "new"}, {"content": "rocket"}]


async def test_an_issue_and_any_other_path_can_be_read(github: GitHub, play: Play) -> None:
    play.on("GET /repos/ann/tool/issues/5", reply({"id": 1234, "number": 5, "state": "open"}))
    play.on("GET /repos/ann/tool/issues/5/timeline?page=2", reply([{"event": "closed"}]))
    play.on("GET /installation/repositories?per_page=1", reply({"total_count": 0}))
    assert (await github.issue(1, 7, 5))["state"] == "open"
    assert await github.repository_json(1, 7, "/issues/5/timeline", {"page": "2"}) == [{"event": "closed"}]
    assert await github.get_json(1, "/installation/repositories", {"per_page": "1"}) == {"total_count": 0}


async def test_the_app_asks_for_itself_with_its_jwt(github: GitHub, play: Play) -> None:
    play.on("GET /app", reply({"id": 4711, "slug": "bugmark"}))
    assert (await github.app())["slug"] == "bugmark"
    assert play.last("GET /app").headers["authorization"].startswith("bearer eyJ")
    assert play.tokens_made == 0


async def test_comments_come_page_after_page(github: GitHub, play: Play) -> None:
    first = f"{COMMENTS}?per_page=100&since=2026-01-01T00:00:00Z"
    second = "/repositories/7/issues/5/comments?since=2026-01-01T00%3A00%3A00Z&page=2&after=Y3Vy%3D%3D"
    play.on(f"GET {first}", reply([{"id": 1}, {"id": 2}], link=f'<{play.url}{second}>; rel="next"'))
    play.on(f"GET {second}", reply([{"id": 3}], link=f'<{play.url}{first}>; rel="prev"'))
    assert [comment["id"] async for comment in github.list_comments(1, 7, 5, START_AT)] == [1, 2, 3]


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/comments?page=2",
        "http://127.0.0.1:1/comments?page=2",
        "//evil.example/comments",
        "http://user@{host}/comments",
        "file:///etc/passwd",
        "http://[::1",
    ],
)
async def test_a_link_to_another_host_is_not_followed(github: GitHub, play: Play, link: str) -> None:
    link = link.replace("{host}", play.url.removeprefix("http://"))
    play.on(f"GET {COMMENTS}?per_page=100", reply([{"id": 1}], link=f'<{link}>; rel="next"'))
    seen = []
    with pytest.raises(Unavailable, match="another host"):
        async for comment in github.list_comments(1, 7, 5):
            seen.append(comment["id"])
    assert seen == [1]
    assert play.lines() == [f"GET {COMMENTS}?per_page=100"]


async def test_a_circle_of_links_ends(github: GitHub, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.github.api.client.MOST_PAGES", 3)
    link = f'<{play.url}{COMMENTS}?per_page=100>; rel="next"'
    play.on(f"GET {COMMENTS}?per_page=100", reply([{"id": 1}], link=link))
    with pytest.raises(Unavailable, match="does not end"):
        assert [comment async for comment in github.list_comments(1, 7, 5)] == []


@pytest.mark.parametrize("data", [{"id": 1}, [1], "text", None])
async def test_a_list_that_is_none_is_an_error(github: GitHub, play: Play, data: object) -> None:
    play.on(f"GET {COMMENTS}?per_page=100", reply(data))
    with pytest.raises(Unavailable):
        assert [comment async for comment in github.list_comments(1, 7, 5)] == []


PERMISSION = "GET /repos/ann/tool/collaborators/bob/permission"
TRIAGE = {"pull": True, "triage": True, "push": False, "maintain": False, "admin": False}


def holder(user_id: int, permissions: dict[str, Any]) -> dict[str, Any]:
    return {"permission": "read", "role_name": "x", "user": {"id": user_id, "permissions": permissions}}


async def test_rights_are_read_from_the_users_permissions(github: GitHub, play: Play) -> None:
    play.on(PERMISSION, reply(holder(42, TRIAGE)))
    assert await github.permission(1, 7, "bob", 42) == {"pull", "triage"}


async def test_rights_of_another_user_under_the_same_login_are_nobodys(github: GitHub, play: Play) -> None:
    play.on(PERMISSION, reply(holder(43, TRIAGE)))
    assert await github.permission(1, 7, "bob", 42) == frozenset()


async def test_rights_are_asked_for_once_a_minute_for_each_user_in_each_place(
    github: GitHub, play: Play, clock: FakeClock
) -> None:
    play.on(PERMISSION, reply(holder(42, TRIAGE)), reply(holder(42, {"pull": True})))
    for _ in range(2):
        assert await github.permission(1, 7, "bob", 42) == {"pull", "triage"}
    assert play.lines() == [PERMISSION]
    assert await github.permission(1, 7, "bob", 43) == frozenset()
    assert await github.permission(2, 7, "bob", 42) == {"pull"}
    assert await github.permission(1, 7, "bob", 42) == {"pull", "triage"}
    clock.advance(60)
    assert await github.permission(1, 7, "bob", 42) == {"pull"}
    assert play.lines().count(PERMISSION) == 4


async def test_whoever_has_no_rights_is_asked_about_each_time(github: GitHub, play: Play) -> None:
    """Given rights, one can use them at once."""
    play.on(PERMISSION, reply(holder(42, {"pull": True})), reply(holder(42, TRIAGE)))
    assert await github.permission(1, 7, "bob", 42) == {"pull"}
    assert await github.permission(1, 7, "bob", 42) == {"pull", "triage"}


async def test_no_answer_about_rights_is_not_remembered(github: GitHub, play: Play) -> None:
    play.on(PERMISSION, reply({"message": "down"}, 502), reply(holder(42, TRIAGE)))
    with pytest.raises(Unavailable):
        await github.permission(1, 7, "bob", 42)
    assert await github.permission(1, 7, "bob", 42) == {"pull", "triage"}


@pytest.mark.parametrize("user", [None, {"id": 42}, {"id": 42, "permissions": None}])
async def test_rights_that_are_not_told_are_none(github: GitHub, play: Play, user: object) -> None:
    play.on(PERMISSION, reply({"permission": "admin", "user": user}))
    assert await github.permission(1, 7, "bob", 42) == frozenset()


async def test_an_unknown_login_has_no_rights(github: GitHub, play: Play) -> None:
    assert await github.permission(1, 7, "nobody", 42) == frozenset()


RENAMED = "GET /repos/ann/tool/collaborators/rob/permission"
BY_ID = "GET /user/42"


@pytest.mark.parametrize("old", [reply({"message": "Not Found"}, 404), reply(holder(43, {"pull": True}))])
async def test_somebody_who_has_another_name_by_now_is_asked_about_under_it(
    github: GitHub, play: Play, old: web.Response
) -> None:
    """Under the old one is nobody, or somebody else."""
    play.on(PERMISSION, old)
    play.on(BY_ID, reply({"id": 42, "login": "rob"}))
    play.on(RENAMED, reply(holder(42, {"pull": True, "triage": True})))
    assert await github.rights(1, 7, "bob", 42) == frozenset({"pull", "triage"})
    assert play.lines() == [PERMISSION, BY_ID, RENAMED]
    assert await github.rights(1, 7, "bob", 42) == frozenset({"pull", "triage"})
    assert play.lines() == [PERMISSION, BY_ID, RENAMED]


@pytest.mark.parametrize(
    "found", [{"id": 42, "login": "bob"}, {"id": 43, "login": "rob"}, {"id": 42, "login": "../x"}, []]
)
async def test_whom_github_does_not_tell_about_is_not_one_without_rights(
    github: GitHub, play: Play, found: object
) -> None:
    """Where insiders may not trade it would let them."""
    play.on(PERMISSION, reply(holder(43, {"pull": True})))
    play.on(BY_ID, reply(found))
    assert await github.rights(1, 7, "bob", 42) is None
    assert await github.permission(1, 7, "bob", 42) == frozenset()


@pytest.mark.parametrize("by_id", [reply({"message": "Not Found"}, 404), reply({"id": 42, "login": "bob"})])
async def test_an_account_that_github_does_not_show_has_no_rights(
    github: GitHub, play: Play, by_id: web.Response
) -> None:
    """Deleted, hidden for spam or suspended: neither its login nor its id is found. That is an answer, not silence."""
    play.on(PERMISSION, reply({"message": "Not Found"}, 404))
    play.on(BY_ID, by_id)
    assert await github.rights(1, 7, "bob", 42) == frozenset()
    assert play.lines() == [PERMISSION, BY_ID]


async def test_an_account_that_github_does_not_show_under_somebody_elses_login_has_no_rights(
    github: GitHub, play: Play
) -> None:
    play.on(PERMISSION, reply(holder(43, TRIAGE)))
    play.on(BY_ID, reply({"message": "Not Found"}, 404))
    assert await github.rights(1, 7, "bob", 42) == frozenset()


async def test_silence_about_an_id_is_no_answer(github: GitHub, play: Play) -> None:
    play.on(PERMISSION, reply({"message": "Not Found"}, 404))
    play.on(BY_ID, reply({"message": "down"}, 502))
    with pytest.raises(Unavailable):
        await github.rights(1, 7, "bob", 42)


async def test_rights_in_a_repository_that_is_gone_are_not_known(github: GitHub, play: Play) -> None:
    play.on("GET /repositories/7", reply({"message": "Not Found"}, 404))
    with pytest.raises(Gone) as caught:
        await github.permission(1, 7, "bob", 42)
    assert caught.value.about == "repository"


@pytest.mark.parametrize("login", ["", "..", "../../../app", "a/b", "a?b", "a%2fb", "bob\n"])
async def test_a_login_that_cannot_be_one_is_not_asked_for(github: GitHub, play: Play, login: str) -> None:
    assert await github.permission(1, 7, login, 42) == frozenset()
    assert play.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "repos/x",
        "//evil.example/x",
        "https://evil.example/x",
        "/a/../b",
        "/a/%2e%2e/b",
        "/a b",
        "/a?b",
        "/a#b",
    ],
)
async def test_a_path_that_could_leave_the_api_is_refused(github: GitHub, play: Play, path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        await github.get_json(1, path)
    assert play.asked == []


async def test_what_has_not_changed_is_not_sent_again(github: GitHub, play: Play) -> None:
    line = "GET /repos/ann/tool/issues/5"
    play.on(line, reply({"id": 1, "labels": []}, etag='"a"'), reply(None, 304), reply({"id": 2}, etag='"b"'))
    first = await github.issue(1, 7, 5)
    first["labels"].append("changed by the caller")
    assert await github.issue(1, 7, 5) == {"id": 1, "labels": []}
    assert await github.issue(1, 7, 5) == {"id": 2}
    issues = [asked for asked in play.asked if asked.line == line]
    assert [asked.headers.get("if-none-match") for asked in issues] == [None, '"a"', '"a"']


async def test_one_installations_answers_are_not_anothers(github: GitHub, play: Play) -> None:
    line = "GET /repos/ann/tool/issues/5"
    play.on(line, reply({"id": 1}, etag='"a"'))
    await github.issue(1, 7, 5)
    await github.issue(2, 7, 5)
    assert "if-none-match" not in play.last(line).headers
    assert play.last(line).headers["authorization"] == "token ghs_2"


async def test_what_is_kept_is_bounded(github: GitHub, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.github.api.client.KEPT_BYTES", 600)
    line = "GET /repos/ann/tool/issues/5"
    play.on(line, reply({"id": 1, "body": "x" * 100}, etag='"a"'))
    await github.issue(1, 7, 5)
    await github.issue(1, 7, 5)
    assert "if-none-match" not in play.last(line).headers


async def test_a_next_page_is_kept_with_its_link(github: GitHub, play: Play, clock: FakeClock) -> None:
    first, second = f"GET {COMMENTS}?per_page=100", f"{COMMENTS}?page=2"
    link = f'<{play.url}{second}>; rel="next"'
    play.on(first, reply([{"id": 1}], etag='"a"', link=link), reply(None, 304))
    play.on(f"GET {second}", reply([{"id": 2}], etag='"b"'), reply(None, 304))
    for _ in range(2):
        assert [comment["id"] async for comment in github.list_comments(1, 7, 5)] == [1, 2]
