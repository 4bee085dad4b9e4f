"""`GET /replies/{comment}`: the recorded answer to a comment, also where it was not posted.

Only of public repositories; anything else looks like a comment that was never answered.
"""

from __future__ import annotations

import re
from typing import Protocol

from aiohttp import web
from markdown_it import MarkdownIt

from app.storage.queues.stored_replies import Answer
from app.storage.queues.told import ThreadTold
from app.web.pages.html import Html, fill, page

MOST = 2**63 - 1

_TAGS = re.compile(r"</?(?:sub|details)>")
_SUMMARY = re.compile(r"<summary>(.*?)</summary>")
_BODY = """<h1>BugMark's answer{to}</h1>
<p class="soft">To <a href="{url}">this comment</a> on <a href="{issue}">{owner}/{name} {number}</a>.</p>
{text}"""


class Answers(Protocol):
    async def answer(self, comment_id: int) -> Answer | None:
        """None for a comment without one, and for one in a repository that is not public."""
        ...

    async def thread(self, issue_id: int) -> ThreadTold | None:
        """The same of the answers of a thread that were not posted."""
        ...


class Replies:
    def __init__(self, answers: Answers, github_url: str) -> None:
        self._answers = answers
        self._github_url = github_url

    async def get(self, request: web.Request) -> web.Response:
        number = int(request.match_info["comment"])
        found = await self._answers.answer(number) if number <= MOST else None
        if found is None:
            raise web.HTTPNotFound
        issue = f"{self._github_url}/{found.owner}/{found.name}/issues/{found.number}"
        body = fill(
            _BODY,
            to=f" to {found.login}" if found.login else "",
            url=f"{issue}#issuecomment-{found.comment_id}",
            issue=issue,
            owner=found.owner,
            name=found.name,
            number=found.number,
            text=rendered(found.body),
        )
        return page("An answer", body)


def rendered(markdown: str) -> Html:
    """The reply's Markdown. HTML is shown as it is written, but for what replies fold and make small themselves."""
    plain = _SUMMARY.sub(r"**\1**", _TAGS.sub("", markdown))
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Html(parser.render(plain))
