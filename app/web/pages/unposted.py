"""`GET /replies/issue/{issue}`: the answers to a thread's newest commands where its repository wants reactions only.

So every 😕 is explained, and every question answered, though nothing is posted. Only of public repositories.
"""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from app.storage.queues.told import ThreadTold
from app.web.pages.html import Html, fill, page
from app.web.pages.replies import MOST, rendered

_BODY = """<h1>What BugMark answered</h1>
<p class="soft">To the newest commands on <a href="{issue}">{owner}/{name} {number}</a>, where comments get a reaction
and no reply. The newest comes first.</p>
{answers}"""
_ANSWER = """<h3><a href="{url}">{login}</a>: <code>/bugmark {text}</code></h3>
{answer}"""


class Threads(Protocol):
    async def thread(self, issue_id: int) -> ThreadTold | None:
        """None for an issue with no such answer, and for one in a repository that is not public."""
        ...


class Unposted:
    def __init__(self, threads: Threads, github_url: str) -> None:
        self._threads = threads
        self._github_url = github_url

    async def get(self, request: web.Request) -> web.Response:
        number = int(request.match_info["issue"])
        found = await self._threads.thread(number) if number <= MOST else None
        if found is None:
            raise web.HTTPNotFound
        issue = f"{self._github_url}/{found.owner}/{found.name}/issues/{found.number}"
        answers = [
            fill(
                _ANSWER,
                url=f"{issue}#issuecomment-{one.comment_id}",
                login=one.login,
                text=one.text,
                answer=rendered(one.body),
            )
            for one in found.answers
        ]
        place = {"issue": issue, "owner": found.owner, "name": found.name, "number": found.number}
        return page("Answers", fill(_BODY, **place, answers=Html("\n".join(answers))))
