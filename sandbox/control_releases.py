"""`/_sandbox/` for releases."""

from __future__ import annotations

from aiohttp import web

from sandbox import releases
from sandbox.control import actor, control, repository
from sandbox.errors import not_found
from sandbox.server import Sandbox
from sandbox.state import Json, Release, Repository


@control("POST", "/releases", 201)
async def create_release(sandbox: Sandbox, _: web.Request, fields: Json) -> Json:
    """`{repository, tag, name?, body?, draft?, prerelease?, as?}`: published at once, unless it is a draft."""
    where = repository(sandbox, fields["repository"])
    new = {"tag_name": fields["tag"], **fields}
    made = releases.create(sandbox.world, actor(sandbox, fields, where.owner.login), where, new)
    return releases.shape(sandbox.shapes, where, made)


@control("PATCH", "/releases/{owner}/{repo}/{release_id}")
async def edit_release(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """`{tag?, name?, body?, draft?, prerelease?, as?}`: `draft` false publishes it, true makes it a draft again."""
    where, found = release(sandbox, request)
    new = {**fields, **({"tag_name": fields["tag"]} if "tag" in fields else {})}
    releases.edit(sandbox.world, actor(sandbox, fields, where.owner.login), where, found, new)
    return releases.shape(sandbox.shapes, where, found)


@control("DELETE", "/releases/{owner}/{repo}/{release_id}")
async def delete_release(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    where, found = release(sandbox, request)
    releases.delete(sandbox.world, actor(sandbox, fields, where.owner.login), where, found)
    return {}


def release(sandbox: Sandbox, request: web.Request) -> tuple[Repository, Release]:
    info = request.match_info
    where = repository(sandbox, f"{info['owner']}/{info['repo']}")
    found = where.releases.get(int(info["release_id"])) if info["release_id"].isdecimal() else None
    if found is None:
        raise not_found()
    return where, found
