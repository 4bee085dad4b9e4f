"""`/_sandbox/` for code: pushes, files, pull requests, advisories; who merges them, and what closes issues by it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox import advisories, shapes_code
from sandbox.coding import Coding, as_changes
from sandbox.control import actor, control, issue, repository
from sandbox.endpoints import given
from sandbox.errors import not_found
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
