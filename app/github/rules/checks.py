"""The check run on a pull request that touches `.github/bugmark.yml`: is the file right, and if not, where?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.github.api.client import GitHub, JsonObject
from app.github.api.errors import Gone, Unavailable
from app.github.rules.rules_file import PATH, Configs
from app.market.terms.statement import quoted
from app.services.rules.in_force import Found
from app.services.rules.schema import Problem, read_rules
from app.services.rules.schema_changes import changes_of, labels_of, warnings_of
from app.storage.engine.db import Tx
from app.storage.people.places import Issue, Place, Repository
from app.storage.queues import outbox
from app.storage.queues.outbox import Message

NAME = "bugmark.yml"
MOST_ANNOTATIONS = 50
"""GitHub takes so many in one request."""

MOST_LABELS_ASKED = 20


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
        if _misnamed(change):
            verdict = _not_read(message.issue_number, head_sha, str(change["filename"]))
            return await self._report_once(message, head_sha, verdict)
        removed = change.get("status") == "removed" or change.get("filename") != PATH
        found = None if removed else await self.configs.file(*where, f"refs/pull/{message.issue_number:d}/head")
        if not removed and (found is None or found.sha != change.get("sha")):
            raise Gone(404, "the API does not show the file of the pull request yet")
        verdict = _verdict(found, f"{message.issue_number:d}", head_sha, await self._unused_labels(message, found))
        return await self._report_once(message, head_sha, verdict)

    async def _report_once(self, message: Message, head_sha: str, verdict: JsonObject) -> int:
        before = await self._made_before(message, head_sha) if message.attempts > 1 else None
        return before or await self.github.create_check_run(message.installation_id, message.repository_id, verdict)

    async def _unused_labels(self, message: Message, found: Found | None) -> list[str]:
        """List labels of a right file that no issue of the repository has: most often they are misspelt."""
        if found is None or read_rules(found.raw)[1]:
            return []
        unused = []
        for label in [label for label in labels_of(found.raw) if "," not in label][:MOST_LABELS_ASKED]:
            params = {"labels": label, "state": "all", "per_page": "1"}
            listed = await self.github.repository_json(
                message.installation_id, message.repository_id, "/issues", params
            )
            if listed == []:
                unused.append(label)
        return unused

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
        """Find out what the pull request does to the file, or else to one that only looks like it."""
        files = self.github.repository_pages(
            message.installation_id, message.repository_id, f"/pulls/{message.issue_number:d}/files"
        )
        misnamed: JsonObject | None = None
        async for file in files:
            if PATH in (file.get("filename"), file.get("previous_filename")):
                return file
            misnamed = misnamed or (file if _misnamed(file) else None)
        return misnamed


def _misnamed(file: JsonObject) -> bool:
    """Tell a file that somebody may take for the settings, but that is not read."""
    name = str(file.get("filename"))
    return name != PATH and name.lower() in (PATH, f"{PATH[:-3]}yaml") and file.get("status") != "removed"


def _not_read(pull: int, head_sha: str, name: str) -> JsonObject:
    problem = Problem(1, f"BugMark does not read this file. Settings belong in `{PATH}`, spelt exactly so.")
    output = {
        "title": "This file is not read",
        "summary": problem.sentence,
        "annotations": [_annotation(problem, name)],
    }
    return _check_run(f"{pull:d}", head_sha, "failure", output)


def _verdict(found: Found | None, pull: str, head_sha: str, unused: Sequence[str]) -> JsonObject:
    problems = [] if found is None else read_rules(found.raw)[1]
    output = {
        "title": _title(found, problems),
        "summary": _summary(found, problems, unused),
        "annotations": [_annotation(problem) for problem in problems[:MOST_ANNOTATIONS]],
    }
    return _check_run(pull, head_sha, "failure" if problems else "success", output)


def _check_run(pull: str, head_sha: str, conclusion: str, output: JsonObject) -> JsonObject:
    return {
        "name": NAME,
        "head_sha": head_sha,
        "external_id": pull,
        "status": "completed",
        "conclusion": conclusion,
        "output": output,
    }


def _title(found: Found | None, problems: Sequence[Problem]) -> str:
    if problems:
        return f"{len(problems)} problem{'s' if len(problems) > 1 else ''}, the first in line {problems[0].line}"
    return "The file is right" if found else "The file goes away"


def _summary(found: Found | None, problems: Sequence[Problem], unused: Sequence[str]) -> str:
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
    changed = [f"- {line}" for line in changes_of(found.raw)]
    warned = [f"- {line}" for line in warnings_of(found.raw)]
    warned += [f"- No issue has the label {quoted(label)}." for label in unused]
    parts = [
        "\n".join(["This file changes:", *changed]) if changed else "All settings are the defaults.",
        "\n".join(["Please check:", *warned]) if warned else "",
        "It counts from the first command after the merge. Contracts made before keep their terms.",
    ]
    return "\n\n".join(part for part in parts if part)


def _annotation(problem: Problem, path: str = PATH) -> JsonObject:
    return {
        "path": path,
        "start_line": problem.line,
        "end_line": problem.line,
        "annotation_level": "failure",
        "message": problem.sentence,
    }
