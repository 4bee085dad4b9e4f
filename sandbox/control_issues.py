"""`/_sandbox/` for issues: closed in ways that the API does not offer, deleted, transferred, made into discussions."""

from __future__ import annotations

from aiohttp import web

from sandbox import moving
from sandbox.commits import named
from sandbox.control import actor, control, issue, repository
from sandbox.server import Sandbox
from sandbox.state import Json


@control("POST", "/issues/{owner}/{repo}/{number}/close")
async def close_issue(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """Closing as the API cannot: `{as?, reason?, commit?, duplicate_of?}`; `commit` a SHA, made up if nobody pushed it.

    A bot closes with `as: "stale[bot]"`; `duplicate_of` is the number of another issue here.
    """
    where, found = issue(sandbox, request)
    by = actor(sandbox, fields, where.owner.login)
    sha, number = fields.get("commit"), fields.get("duplicate_of")
    commit = named(where, str(sha), by.user, sandbox.clock.now()) if sha else None
    canonical = where.issues[int(number)] if number else None
    reason = fields.get("reason", "duplicate" if canonical else None)
    sandbox.world.close_issue(by, where, found, reason, commit, canonical)
    return sandbox.shapes.full_issue(where, found)


@control("DELETE", "/issues/{owner}/{repo}/{number}")
async def delete_issue(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    where, found = issue(sandbox, request)
    sandbox.world.delete_issue(actor(sandbox, fields, where.owner.login), where, found)
    return {}


@control("POST", "/issues/{owner}/{repo}/{number}/transfer", 201)
async def transfer_issue(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """`{to: "owner/name", as?}`: to another repository of the same owner; answers with the issue as it is there."""
    where, found = issue(sandbox, request)
    target = repository(sandbox, str(fields["to"]))
    made = moving.transfer(sandbox.world, actor(sandbox, fields, where.owner.login), where, found, target)
    return sandbox.shapes.full_issue(target, made)


@control("POST", "/issues/{owner}/{repo}/{number}/discussion")
async def convert_issue(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    where, found = issue(sandbox, request)
    moving.convert(sandbox.world, actor(sandbox, fields, where.owner.login), where, found)
    return sandbox.shapes.full_issue(where, found)
