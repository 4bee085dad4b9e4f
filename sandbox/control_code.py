"""`/_sandbox/` for code: pushes, files, pull requests, advisories; who merges them, and what closes issues by it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox import advisories, shapes_code
from sandbox.coding import Coding, as_changes
from sandbox.control import actor, control, issue, repository
from sandbox.endpoints import given
from sandbox.errors import not_found
from sandbox.merging import Merging
from sandbox.server import Sandbox
from sandbox.state import Issue, Json, Pull, Repository


@control("PUT", "/files")
async def put_file(sandbox: Sandbox, _: web.Request, fields: Json) -> Json:
    """`{repository, path, content, as?, message?}`: one commit to the default branch; content null removes the file."""
    where = repository(sandbox, fields["repository"])
    path = str(fields["path"]).strip("/")
    new = as_changes({path: fields["content"]})
    by = actor(sandbox, fields, where.owner.login)
    made = Coding(sandbox.world, where).push(by, new, str(fields.get("message", f"Change {path}")))
    return {"repository": where.full_name, "path": path, "sha": made.sha}


@control("POST", "/pushes", 201)
async def push(sandbox: Sandbox, _: web.Request, fields: Json) -> Json:
    """`{repository, message, files?, as?, author?}`: one commit to the default branch. "Fixes #3" closes issue 3."""
    where = repository(sandbox, fields["repository"])
    author = sandbox.world.account(str(fields["author"])) if "author" in fields else None
    by = actor(sandbox, fields, where.owner.login)
    made = Coding(sandbox.world, where).push(by, as_changes(fields.get("files", {})), str(fields["message"]), author)
    return shapes_code.commit(sandbox.shapes, where, made)


# -- pull requests ------------------------------------------------------------------------------------------------


@control("POST", "/pulls", 201)
async def open_pull(sandbox: Sandbox, _: web.Request, fields: Json) -> Json:
    """`{repository, title, body?, files?, branch?, as?}`."""
    where = repository(sandbox, fields["repository"])
    by, new = actor(sandbox, fields, where.owner.login), as_changes(fields.get("files", {}))
    coding = Coding(sandbox.world, where)
    made = coding.open_pull(by, str(fields["title"]), fields.get("body"), new, str(fields.get("branch", "")))
    return shape(sandbox, where, made)


def shape(sandbox: Sandbox, where: Repository, found: Issue) -> Json:
    return shapes_code.pull_request(sandbox.shapes, where, found, given(found.pull))


def pull(sandbox: Sandbox, request: web.Request) -> tuple[Repository, Issue, Pull]:
    where, found = issue(sandbox, request)
    if not found.pull:
        raise not_found()
    return where, found, found.pull


@control("PUT", "/pulls/{owner}/{repo}/{number}/files")
async def change_pull(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """`{files, as?}`: one more commit on its branch."""
    where, found, its = pull(sandbox, request)
    by = actor(sandbox, fields, found.user.login)
    Coding(sandbox.world, where).change_pull(by, found, its, as_changes(fields["files"]))
    return shape(sandbox, where, found)


@control("PUT", "/pulls/{owner}/{repo}/{number}/merge")
async def merge(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """`{as?, method?: "merge" or "squash"}`. "Closes #3" in its text closes issue 3, merged as it is."""
    where, found, its = pull(sandbox, request)
    by = actor(sandbox, fields, where.owner.login)
    Coding(sandbox.world, where).merge(by, found, its, fields.get("method") == "squash")
    return shape(sandbox, where, found)


@control("POST", "/pulls/{owner}/{repo}/{number}/reviews", 201)
async def review(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """`{as, state?: "APPROVED" or "CHANGES_REQUESTED", commit?}`: of its last commit, unless another is named."""
    where, _, its = pull(sandbox, request)
    state = str(fields.get("state", "APPROVED"))
    if state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise ValueError("state: APPROVED or CHANGES_REQUESTED")
    by = actor(sandbox, fields, where.owner.login)
    made = Merging(Coding(sandbox.world, where)).review(by, its, state, fields.get("commit"))
    return {"id": made.id, "state": made.state, "commit_id": made.commit.sha, "user": made.user.login}


@control("PUT", "/pulls/{owner}/{repo}/{number}/queue")
async def enqueue(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """`{as?}`: into the merge queue. A push takes it out again."""
    where, found, its = pull(sandbox, request)
    Merging(Coding(sandbox.world, where)).enqueue(actor(sandbox, fields, where.owner.login), its)
    return shape(sandbox, where, found)


@control("DELETE", "/pulls/{owner}/{repo}/{number}/queue")
async def dequeue(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    where, found, its = pull(sandbox, request)
    Merging(Coding(sandbox.world, where)).dequeue(actor(sandbox, fields, where.owner.login), its, "by hand")
    return shape(sandbox, where, found)


@control("PUT", "/pulls/{owner}/{repo}/{number}/queue/merge")
async def merge_queued(sandbox: Sandbox, request: web.Request, _: Json) -> Json:
    """Merge the queue's pull requests as `github-merge-queue[bot]`."""
    where, found, its = pull(sandbox, request)
    Merging(Coding(sandbox.world, where)).merge_queued(found, its)
    return shape(sandbox, where, found)


@control("PUT", "/pulls/{owner}/{repo}/{number}/auto-merge")
async def enable_auto_merge(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """`{as?, off?: true}`. It outlives a push."""
    where, found, its = pull(sandbox, request)
    merging, by = Merging(Coding(sandbox.world, where)), actor(sandbox, fields, where.owner.login)
    merging.disable(by, its) if fields.get("off") else merging.enable(by, its)
    return shape(sandbox, where, found)


@control("PUT", "/pulls/{owner}/{repo}/{number}/auto-merge/merge")
async def auto_merge(sandbox: Sandbox, request: web.Request, _: Json) -> Json:
    """All that auto-merge waited for is there: merged in the name of whoever switched it on."""
    where, found, its = pull(sandbox, request)
    Merging(Coding(sandbox.world, where)).merge_by_itself(found, its)
    return shape(sandbox, where, found)


# -- advisories ---------------------------------------------------------------------------------------------------


@control("PUT", "/advisories/{ghsa_id}")
async def save_advisory(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """`{summary, severity?, cve_id?, description?, vulnerabilities?, published_at?, withdrawn?, silent?}`.

    A vulnerability is `{ecosystem, package, vulnerable_version_range?, first_patched_version?}`. The first time it is
    published, later updated or withdrawn.
    """
    found = advisories.save(sandbox.world, request.match_info["ghsa_id"], fields)
    return advisories.full(sandbox.shapes, found)


@control("GET", "/advisories")
async def list_advisories(sandbox: Sandbox, _: web.Request, __: Json) -> list[Any]:
    return [advisories.full(sandbox.shapes, found) for found in sandbox.state.advisories.values()]
