"""Commits and pull requests, to be read."""

from __future__ import annotations

from sandbox import shapes_code
from sandbox.commits import resolve
from sandbox.endpoints import Answer, Call, endpoint, given
from sandbox.errors import ApiError
from sandbox.state import Commit, Issue, Json

COMMITS = "/repos/{owner}/{repo}/commits"
PULLS = "/repos/{owner}/{repo}/pulls"


def commit(call: Call, ref: str) -> Commit:
    if found := resolve(call.repo, ref):
        return found
    raise ApiError(422, f"No commit found for SHA: {ref}")


@endpoint("GET", f"{COMMITS}/{{ref}}", needs="contents:read")
def get_commit(call: Call) -> Answer:
    return Answer(200, shapes_code.commit(call.world.shapes, call.repo, commit(call, call.params["ref"])))


@endpoint("GET", f"{COMMITS}/{{commit_sha}}/pulls", needs="pull_requests:read")
def list_pulls_of_commit(call: Call) -> Answer:
    """The merged pull requests that brought a commit; of one that is on no default branch those that hold it."""
    sha = commit(call, call.params["commit_sha"]).sha
    pulls = [
        issue for issue in call.repo.issues.values() if issue.pull and sha in (issue.pull.head, issue.pull.merge_commit)
    ]
    return call.listed(pulls, lambda issue: short(call, issue))


def short(call: Call, issue: Issue) -> Json:
    return shapes_code.short_pull(call.world.shapes, call.repo, issue, given(issue.pull))


@endpoint("GET", PULLS, needs="pull_requests:read")
def list_pulls(call: Call) -> Answer:
    """Newest first, as when no order is asked for."""
    state = call.query.get("state", "open")
    pulls = [issue for issue in call.repo.issues.values() if issue.pull and state in ("all", issue.state)]
    return call.listed(pulls[::-1], lambda issue: short(call, issue))


@endpoint("GET", f"{PULLS}/{{pull_number}}", needs="pull_requests:read")
def get_pull(call: Call) -> Answer:
    issue = call.pull()
    return Answer(200, shapes_code.pull_request(call.world.shapes, call.repo, issue, given(issue.pull)))


@endpoint("GET", f"{PULLS}/{{pull_number}}/files", needs="pull_requests:read")
def list_pull_files(call: Call) -> Answer:
    pull = given(call.pull().pull)
    changes = shapes_code.file_changes(call.world.shapes, call.repo, pull.base, pull.head)
    return call.listed(changes, lambda change: change)
