"""The pages: being several people, writing, closing, and what a comment may not do to whoever reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from sandbox.clock import FileClock, FixedClock
from sandbox.markdown import rendered
from sandbox.testing import running_sandbox
from tests.sandbox.conftest import Installed

THREAD = "/ann/pump/issues/1"


class Browser:
    """Keeps cookies and follows redirects, nothing more."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self.session = url, session

    async def get(self, path: str, status: int = 200) -> str:
        async with self.session.get(self.url + path) as response:
            assert response.status == status
            return await response.text()

    async def post(self, path: str, status: int = 200, **fields: str) -> str:
        async with self.session.post(self.url + path, data=fields) as response:
            assert response.status == status
            return await response.text()

    async def be(self, login: str) -> str:
        return await self.post("/_sandbox/page/me", other=login, here="/")


@pytest.fixture
async def browser(installed: Installed) -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Browser(installed.sandbox.url, session)


async def test_a_thread_is_opened_discussed_closed_and_reopened(browser: Browser, installed: Installed) -> None:
    await browser.be("bob")
    page = await browser.post("/ann/pump/issues", title="It leaks", body="Drip & drop.")
    assert "It leaks" in page and "Drip &amp; drop." in page
    page = await browser.post(THREAD, button="comment", body="/bugmark help\r\n")
    assert "Comment as bob" in page and "/bugmark help" in page
    page = await browser.post(THREAD, button="not_planned", body="Never mind.")
    assert "as not planned" in page and "Never mind." in page and "Reopen issue" in page
    await browser.post(THREAD, button="reopen", body="")
    await installed.sandbox.idle()
    assert installed.hook.names()[1:] == [
        "issues.opened",
        "issue_comment.created",
        "issue_comment.created",
        "issues.closed",
        "issues.reopened",
    ]
    assert installed.hook.received[2].payload["comment"]["body"] == "/bugmark help\r\n"


async def test_one_edits_ones_own_comments_only(browser: Browser, installed: Installed, clock: FixedClock) -> None:
    await installed.issue()
    mine, others = await installed.comment("mine", by="bob"), await installed.comment("others", by="carol")
    page = await browser.be("bob") and await browser.get(THREAD)
    assert page.count('value="edit"') == 1
    clock.advance(60)
    await browser.post(THREAD, button="edit", comment_id=str(mine["id"]), body="mine, edited")
    page = await browser.post(THREAD, 403, button="edit", comment_id=str(others["id"]), body="stolen")
    assert "Must have admin rights" in page and "mine, edited" in page and "· edited" in page
    comments = (await installed.bot("GET", "/repos/ann/pump/issues/1/comments"))[1]
    assert [comment["body"] for comment in comments] == ["mine, edited", "others"]


async def test_a_refused_comment_is_not_lost(browser: Browser, installed: Installed) -> None:
    await installed.issue()
    await installed.sandbox.as_person("ann", "PUT", "/repos/ann/pump/issues/1/lock")
    await browser.be("bob")
    page = await browser.post(THREAD, 403, button="comment", body="a long & thoughtful answer")
    assert "issue is locked" in page and "a long &amp; thoughtful answer</textarea>" in page
    assert "Body cannot be blank" not in page


async def test_the_bot_its_reactions_and_its_markers(browser: Browser, installed: Installed) -> None:
    await installed.issue()
    comment = await installed.comment("/bugmark offer fixed 5")
    path = f"/repos/ann/pump/issues/comments/{comment['id']}/reactions"
    await installed.bot("POST", path, {"content": "rocket"})
    table = "| a | b |\n|--|--|\n| 1 | 2 |"
    reply = f"<!-- bugmark:reply:1 -->\nDone.\n\n<details><summary>Book</summary>\n\n{table}\n\n</details>"
    await installed.bot("POST", "/repos/ann/pump/issues/1/comments", {"body": reply})
    fragment = await browser.get(f"{THREAD}?fragment")
    assert "<html" not in fragment
    assert "🚀 1" in fragment and 'title="bugmark[bot]"' in fragment and '<span class="tag">bot</span>' in fragment
    assert "bugmark:reply" not in fragment
    assert "<details><summary>Book</summary>" in fragment and "<td>1</td>" in fragment


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('<details open onclick="x()">a', "&lt;details open onclick="),
        ('x <b onmouseover="y">z</b>', "&lt;b onmouseover="),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("<!-- hidden --><img src=x onerror=y>", "&lt;img src=x"),
        ("a <!-- open\n\n<script>", "<p>a &lt;!-- open</p>"),
        ("`<b>` ~~gone~~", "<code>&lt;b&gt;</code> <s>gone</s>"),
        ("<details>\n<summary>S</summary>\n\n*in*\n\n</details>", "<em>in</em>"),
    ],
)
def test_a_comment_can_do_nothing_to_its_reader(text: str, harmless: str) -> None:
    html = rendered(text)
    assert harmless in html
    assert "<script" not in html and "<img" not in html and "hidden" not in html


async def test_a_repository_is_made_with_every_app_on_it(browser: Browser, installed: Installed) -> None:
    await browser.be("ann")
    assert "ann / valve" in await browser.post("/_sandbox/page/repositories", owner="ann", name="valve")
    await browser.post("/_sandbox/page/repositories", owner="zoe", name="hose")
    await installed.sandbox.idle()
    assert installed.hook.names()[1:] == ["installation_repositories.added", "installation.created"]
    page = await browser.get("/")
    assert all(f'href="/{name}"' in page for name in ("ann/pump", "ann/valve", "zoe/hose"))
    again = await browser.post("/_sandbox/page/repositories", 422, owner="zoe", name="hose")
    assert "name already exists" in again
    await browser.post("/_sandbox/page/repositories", 422, owner="repos", name="hose")
    await browser.post("/_sandbox/page/repositories", 422, owner="zoe", name="../x")


async def test_names_are_shown_escaped_and_wrong_ones_refused(browser: Browser, installed: Installed) -> None:
    await installed.sandbox.as_person("bob", "POST", "/repos/ann/pump/issues", {"title": "<b>bold</b>"})
    assert "&lt;b&gt;bold&lt;/b&gt;" in await browser.get("/ann/pump")
    page = await browser.post("/_sandbox/page/me", 422, other="<script>")
    assert "<script>" not in page.split("</head>")[1]
    assert "is not here" in await browser.get("/ann/pump/issues/99", 404)
    async with browser.session.get(f"{browser.url}/") as response:
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_what_is_no_page_is_the_api(browser: Browser, installed: Installed) -> None:
    assert '"Not Found"' in await browser.get("/search/issues", 404)
    bot = installed.sandbox.state.user_named("bugmark[bot]")
    assert bot
    assert await browser.get(f"/_sandbox/avatars/{bot.id}.svg")
    config = {"repository": "ann/pump", "path": "a/b.txt", "content": "<b>"}
    await installed.sandbox.control("PUT", "/files", config)
    listed = (await installed.bot("GET", "/repos/ann/pump/contents/a/b.txt"))[1]
    async with browser.session.get(listed["download_url"]) as response:
        assert (response.content_type, await response.text()) == ("text/plain", "<b>")


async def test_the_clock_is_moved_by_hand(tmp_path: Path) -> None:
    clock = FileClock(tmp_path / "offset")
    async with running_sandbox(clock) as sandbox, aiohttp.ClientSession() as session:
        browser = Browser(sandbox.url, session)
        assert "+1 day" in await browser.get("/")
        await browser.post("/_sandbox/page/clock", step="1 day", here="/")
        await browser.post("/_sandbox/page/clock", step="1 hour", here="/")
        assert clock.offset() == 90_000
        await browser.post("/_sandbox/page/clock", 422, step="1 century", here="/")


async def test_a_clock_that_stands_is_not_offered(browser: Browser) -> None:
    assert "+1 day" not in await browser.get("/")
    await browser.post("/_sandbox/page/clock", 422, step="1 day", here="/")


async def test_a_pull_request_is_merged_by_who_may_and_what_it_closed_says_so(
    browser: Browser, installed: Installed
) -> None:
    await installed.issue()
    pull = {"repository": "ann/pump", "title": "Stop the leak", "body": "Closes #1", "as": "bob"}
    await installed.sandbox.control("POST", "/pulls", pull)
    await browser.be("eve")
    assert "Must have write rights" in await browser.post("/ann/pump/issues/2", 403, button="merge", body="")
    await browser.be("ann")
    page = await browser.post("/ann/pump/issues/2", button="merge", body="Thank you.")
    assert "pull request, merged" in page and "Thank you." in page and "Reopen issue" not in page
    page = await browser.get(THREAD)
    assert "closed this as completed by" in page and "pull request 2" in page


async def test_a_transferred_issue_is_found_at_its_new_place(browser: Browser, installed: Installed) -> None:
    await installed.issue()
    await installed.sandbox.control("POST", "/repositories", {"owner": "ann", "name": "valve"})
    await installed.sandbox.control("POST", "/issues/ann/pump/1/transfer", {"to": "ann/valve"})
    page = await browser.get(THREAD)
    assert "It leaks" in page and "/ann/valve/issues/1" in page
