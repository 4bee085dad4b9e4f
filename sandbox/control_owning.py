"""`/_sandbox/` for repositories that are deleted or change hands, and accounts that take another name."""

from __future__ import annotations

from aiohttp import web

from sandbox import owning
from sandbox.auth import LOGIN
from sandbox.control import actor, control, repository
from sandbox.errors import invalid, not_found
from sandbox.server import Sandbox
from sandbox.state import Json, Repository


def named(sandbox: Sandbox, request: web.Request) -> Repository:
    return repository(sandbox, f"{request.match_info['owner']}/{request.match_info['repo']}")


@control("DELETE", "/repositories/{owner}/{repo}")
async def delete_repository(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    where = named(sandbox, request)
    owning.delete(sandbox.world, actor(sandbox, fields, where.owner.login), where)
    return {}


@control("POST", "/repositories/{owner}/{repo}/transfer")
async def transfer_repository(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """`{to: login, as?}`: to another account."""
    where = named(sandbox, request)
    to = sandbox.world.account(str(fields["to"]))
    owning.give(sandbox.world, actor(sandbox, fields, where.owner.login), where, to)
    return sandbox.shapes.repository(where)


@control("PATCH", "/accounts/{login}")
async def rename_account(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """`{login}`: its new name."""
    account, login = sandbox.state.user_named(request.match_info["login"]), str(fields["login"])
    if account is None:
        raise not_found()
    if not LOGIN.match(login):
        raise invalid("User", "login", "invalid")
    owning.rename_account(sandbox.world, account, login)
    return sandbox.shapes.user(account)
