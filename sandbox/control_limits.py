"""`/_sandbox/` for what an app may use up: rate limits, and tokens that end before their time."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.control import control
from sandbox.server import Sandbox
from sandbox.state import Json


@control("GET", "/limits")
async def get_limits(sandbox: Sandbox, _: web.Request, __: Json) -> Json:
    return vars(sandbox.budgets.limits)


@control("PUT", "/limits")
async def set_limits(sandbox: Sandbox, _: web.Request, fields: Json) -> Json:
    """`{enforced?, points_per_minute?, …}`: what is not named stays as it is."""
    sandbox.budgets.limits = sandbox.budgets.limits.changed(fields)
    return vars(sandbox.budgets.limits)


@control("GET", "/budgets")
async def get_budgets(sandbox: Sandbox, _: web.Request, __: Json) -> list[Any]:
    """Peak use of every caller in any window."""
    return [budget.told() for budget in sandbox.budgets.of_caller.values()]


@control("DELETE", "/budgets")
async def forget_budgets(sandbox: Sandbox, _: web.Request, __: Json) -> Json:
    sandbox.budgets.of_caller.clear()
    return {}


@control("DELETE", "/tokens")
async def expire_tokens(sandbox: Sandbox, request: web.Request, _: Json) -> Json:
    """Every installation's tokens end now, or those of `?installation=ID`: GitHub answers 401 to them."""
    wanted = request.query.get("installation")
    now, ended = sandbox.clock.now(), 0
    for token in sandbox.state.tokens.values():
        if wanted in (None, str(token.installation.id)) and token.expires_at > now:
            token.expires_at, ended = now, ended + 1
    return {"ended": ended}
