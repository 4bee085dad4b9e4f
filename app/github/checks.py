"""The check run on a pull request that touches `.github/bugmark.yml`: is the file right, and if not, where?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.github.client import GitHub, JsonObject
from app.github.configs import PATH, Configs
from app.github.errors import Gone, Unavailable
from app.services.configs import Found
from app.services.schema import Problem, read_rules
from app.storage import outbox
from app.storage.db import Tx
from app.storage.outbox import Message
from app.storage.places import Issue, Place, Repository

NAME = "bugmark.yml"
MOST_ANNOTATIONS = 50
"""GitHub takes so many in one request."""


async def want(tx: Tx, repository: Repository, pull: int, head_sha: str, now: int) -> None:
    """Have a pull request looked at as it is now; a newer head takes the place of one that still waits."""
    place = Place(Issue(0, repository.id, pull, "", "open", None, None), repository)
    body = json.dumps({"head_sha": head_sha[:64]})
    await outbox.put(tx, key=f"check:{repository.id}:{pull}", kind="check", place=place, body=body, now=now)


@dataclass(frozen=True, slots=True)
class Checks:
    github: GitHub
    configs: Configs

    async def report(self, message: Message) -> int | None:
        """The new run's id; None where the pull request does not touch the file. Raises GitHubError."""
        where = message.installation_id, message.repository_id
        head_sha = str(json.loads(message.body)["head_sha"])
        change = await self._change(message)
        if change is None:
            return None
        removed = change.get("status") == "removed" or change.get("filename") != PATH
        found = None if removed else await self.configs.file(*where, f"refs/pull/{message.issue_number:d}/head")
        if not removed and (found is None or found.sha != change.get("sha")):
            raise Gone(404, "the API does not show the file of the pull request yet")
        verdict = _verdict(found, f"{message.issue_number:d}", head_sha)
        before = await self._made_before(message, head_sha) if message.attempts > 1 else None
        return before or await self.github.create_check_run(*where, verdict)

    async def _made_before(self, message: Message, head_sha: str) -> int | None:
        """After an attempt whose end is unknown, look before making another run than the last one known."""
        where = message.installation_id, message.repository_id
        params = {"check_name": NAME, "per_page": "100"}
        answer = await self.github.repository_json(*where, f"/commits/{head_sha}/check-runs", params)
        runs = answer.get("check_runs") if isinstance(answer, dict) else None
        if not isinstance(runs, list):
            raise Unavailable(200, "the answer holds no check runs")
        for run in runs:
            if run.get("external_id") == f"{message.issue_number:d}" and run.get("id") != message.remote_id:
                return int(run["id"])
        return None

    async def _change(self, message: Message) -> JsonObject | None:
        """What the pull request does to the file."""
        files = self.github.repository_pages(
            message.installation_id, message.repository_id, f"/pulls/{message.issue_number:d}/files"
        )
        async for file in files:
            if PATH in (file.get("filename"), file.get("previous_filename")):
                return file
        return None


def _verdict(found: Found | None, pull: str, head_sha: str) -> JsonObject:
    problems = [] if found is None else read_rules(found.raw)[1]
    return {
        "name": NAME,
        "head_sha": head_sha,
        "external_id": pull,
        "status": "completed",
        "conclusion": "failure" if problems else "success",
        "output": {
            "title": _title(found, problems),
            "summary": _summary(found, problems),
            "annotations": [_annotation(problem) for problem in problems[:MOST_ANNOTATIONS]],
        },
    }


def _title(found: Found | None, problems: Sequence[Problem]) -> str:
    if problems:
        return f"{len(problems)} problem{'s' if len(problems) > 1 else ''}, the first in line {problems[0].line}"
    return "The file is right" if found else "The file goes away"


def _summary(found: Found | None, problems: Sequence[Problem]) -> str:
    if problems:
        listed = "\n".join(f"- line {problem.line}: {problem.sentence}" for problem in problems[:MOST_ANNOTATIONS])
        return (
            f"{listed}\n\nIf this is merged as it is, nothing changes: the rules that are in force now stay, "
            "until the file is right."
        )
    if found is None:
        return (
            "The owner's file counts from then on, or the defaults. Contracts that were made before keep their terms."
        )
    return "It counts from the first command after the merge on. Contracts that were made before keep their terms."


def _annotation(problem: Problem) -> JsonObject:
    return {
        "path": PATH,
        "start_line": problem.line,
        "end_line": problem.line,
        "annotation_level": "failure",
        "message": problem.sentence,
    }
