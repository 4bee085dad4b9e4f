"""`/_sandbox/`: what GitHub's API does not offer — making apps, repositories and faults, and looking behind the scenes.

No authentication: the sandbox listens on loopback and holds nothing worth stealing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from sandbox import installing
from sandbox.errors import ApiError, invalid, not_found
from sandbox.faults import DELIVERY_KINDS, ENDPOINT_KINDS, FAULT_BODY, DeliveryFault, EndpointFault
from sandbox.server import SANDBOX, Sandbox
from sandbox.state import ROLES, Installation, Issue, Json, Repository
from sandbox.world import Actor

routes = web.RouteTableDef()
Handler = Callable[[Sandbox, web.Request, Json], Awaitable[Json | list[Any]]]


def control(method: str, path: str, status: int = 200) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        @routes.route(method, f"/_sandbox{path}")
        async def handle(request: web.Request) -> web.Response:
            try:
                fields = await request.json() if request.can_read_body else {}
                if not isinstance(fields, dict):
                    raise ApiError(400, "Body should be a JSON object")
                answer = await handler(request.app[SANDBOX], request, fields)
            except ApiError as error:
                return web.json_response(error.body(), status=error.status)
            except KeyError as error:
                return web.json_response({"message": f"missing: {error.args[0]}"}, status=422)
            except ValueError as error:
                return web.json_response({"message": str(error)}, status=422)
            return web.json_response(answer, status=status)

        return handler

    return register


def repository(sandbox: Sandbox, full_name: str) -> Repository:
    if found := sandbox.state.repository_named(full_name):
        return found
    raise ApiError(404, f"no repository {full_name}")


def issue(sandbox: Sandbox, request: web.Request) -> tuple[Repository, Issue]:
    where = repository(sandbox, f"{request.match_info['owner']}/{request.match_info['repo']}")
    found = where.issues.get(int(request.match_info["number"]))
    if not found:
        raise not_found()
    return where, found


def installation(sandbox: Sandbox, request: web.Request) -> Installation:
    found = sandbox.state.installations.get(int(request.match_info["id"]))
    if not found:
        raise not_found()
    return found


def actor(sandbox: Sandbox, fields: Json, default: str) -> Actor:
    """Whoever `as` names."""
    return Actor(sandbox.world.account(str(fields.get("as", default))))


# -- apps and installations ---------------------------------------------------------------------------------------


@control("POST", "/apps", 201)
async def create_app(sandbox: Sandbox, _: web.Request, fields: Json) -> Json:
    manifest = fields.get("manifest") or {}
    name = fields.get("name") or manifest.get("name") or "Sandbox App"
    url = fields.get("webhook_url") or manifest.get("hook_attributes", {}).get("url")
    if not url:
        raise invalid("App", "webhook_url", "missing_field")
    app, pem = installing.register_app(sandbox.world, name, manifest, url, fields.get("owner", "octocat"))
    secret = fields.get("webhook_secret") or app.webhook_secret
    app.webhook_secret = secret
    about = {"pem": pem, "webhook_secret": secret, "bot": sandbox.shapes.user(app.bot)}
    return {**sandbox.shapes.app(app), **about}


@control("GET", "/apps")
async def list_apps(sandbox: Sandbox, _: web.Request, __: Json) -> list[Any]:
    return [{**sandbox.shapes.app(a), "webhook_url": a.webhook_url} for a in sandbox.state.apps.values()]


@control("PATCH", "/apps/{id}")
async def edit_app(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    app = sandbox.state.apps.get(int(request.match_info["id"]))
    if not app:
        raise not_found()
    app.webhook_url = fields.get("webhook_url", app.webhook_url)
    app.webhook_secret = fields.get("webhook_secret", app.webhook_secret)
    return {**sandbox.shapes.app(app), "webhook_url": app.webhook_url}


@control("POST", "/installations", 201)
async def create_installation(sandbox: Sandbox, _: web.Request, fields: Json) -> Json:
    app = sandbox.state.apps.get(int(fields["app_id"]))
    account = sandbox.state.user_named(fields["owner"])
    if not app or not account:
        raise not_found()
    if any(i.app is app and i.account is account for i in sandbox.state.installations.values()):
        raise invalid("Installation", "owner", "already_exists", "the app is already installed on this account")
    names = fields.get("repositories", "all")
    chosen = None if names == "all" else [repository(sandbox, f"{account.login}/{name}") for name in names]
    made = installing.install(sandbox.world, app, account, chosen, actor(sandbox, fields, account.login).user)
    return sandbox.shapes.installation(made)


@control("GET", "/installations")
async def list_installations(sandbox: Sandbox, _: web.Request, __: Json) -> list[Any]:
    return [sandbox.shapes.installation(i) for i in sandbox.state.installations.values()]


@control("PUT", "/installations/{id}/suspended")
async def suspend(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    found = installation(sandbox, request)
    installing.suspend(sandbox.world, found, actor(sandbox, fields, found.account.login).user)
    return sandbox.shapes.installation(found)


@control("DELETE", "/installations/{id}/suspended")
async def unsuspend(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    found = installation(sandbox, request)
    installing.unsuspend(sandbox.world, found, actor(sandbox, fields, found.account.login).user)
    return sandbox.shapes.installation(found)


@control("DELETE", "/installations/{id}")
async def uninstall(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    found = installation(sandbox, request)
    installing.uninstall(sandbox.world, found, actor(sandbox, fields, found.account.login).user)
    return {}


@control("PUT", "/installations/{id}/repositories/{name}")
async def add_repository(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    found = installation(sandbox, request)
    where = repository(sandbox, f"{found.account.login}/{request.match_info['name']}")
    installing.add_to_installation(sandbox.world, found, where, actor(sandbox, fields, found.account.login).user)
    return sandbox.shapes.installation(found)


@control("DELETE", "/installations/{id}/repositories/{name}")
async def remove_repository(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    found = installation(sandbox, request)
    where = repository(sandbox, f"{found.account.login}/{request.match_info['name']}")
    installing.remove_from_installation(sandbox.world, found, where, actor(sandbox, fields, found.account.login).user)
    return sandbox.shapes.installation(found)


@control("PUT", "/installations/{id}/permissions")
async def set_installation_permissions(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    """Permissions that the account granted, perhaps fewer than the manifest asks for now."""
    found = installation(sandbox, request)
    by = actor(sandbox, fields, found.account.login).user
    installing.set_permissions(sandbox.world, found, fields["permissions"], by)
    return sandbox.shapes.installation(found)


# -- repositories, people, threads --------------------------------------------------------------------------------


@control("POST", "/repositories", 201)
async def create_repository(sandbox: Sandbox, _: web.Request, fields: Json) -> Json:
    kind = fields.get("owner_type", "User")
    if kind not in ("User", "Organization"):
        raise invalid("Repository", "owner_type", "invalid", "User or Organization")
    made = sandbox.world.add_repository(fields["owner"], fields["name"], bool(fields.get("private", False)), kind)
    return sandbox.shapes.repository(made)


@control("PATCH", "/repositories/{owner}/{repo}")
async def edit_repository(sandbox: Sandbox, request: web.Request, fields: Json) -> Json:
    where = repository(sandbox, f"{request.match_info['owner']}/{request.match_info['repo']}")
    by = actor(sandbox, fields, where.owner.login)
    if "name" in fields:
        sandbox.world.rename_repository(by, where, fields["name"])
    if "archived" in fields:
        sandbox.world.set_archived(by, where, bool(fields["archived"]))
    if "private" in fields:
        sandbox.world.set_private(by, where, bool(fields["private"]))
    return sandbox.shapes.repository(where)


@control("PUT", "/permissions")
async def set_permission(sandbox: Sandbox, _: web.Request, fields: Json) -> Json:
    """`{repository: "owner/name", login, role}`; role `none` takes the right away."""
    where, user = repository(sandbox, fields["repository"]), sandbox.world.account(fields["login"])
    if fields["role"] not in ROLES:
        raise invalid("Permission", "role", "invalid", f"one of {', '.join(ROLES)}")
    where.roles[user.id] = fields["role"]
    if fields["role"] == "none":
        del where.roles[user.id]
    return {"repository": where.full_name, "login": user.login, "role": where.role_of(user)}


# -- looking behind the scenes ------------------------------------------------------------------------------------


@control("GET", "/idle")
async def idle(sandbox: Sandbox, request: web.Request, _: Json) -> Json:
    """`timeout` in seconds (10), `quiet` in milliseconds without a request (0)."""
    timeout, quiet = float(request.query.get("timeout", 10)), float(request.query.get("quiet", 0)) / 1000
    is_idle = await sandbox.idle(timeout, quiet)
    about = {"idle": is_idle, "outstanding": sandbox.hooks.outstanding, "requests": sandbox.count}
    if not is_idle:
        raise ApiError(503, f"not idle within {timeout:g} s: {about['outstanding']} deliveries outstanding")
    return about


@control("GET", "/requests")
async def list_requests(sandbox: Sandbox, request: web.Request, _: Json) -> list[Any]:
    since = int(request.query.get("since", 0))
    return [asdict(logged) for logged in sandbox.requests if logged.number > since]


@control("GET", "/refused")
async def list_refused(sandbox: Sandbox, _: web.Request, __: Json) -> list[Any]:
    """Requests answered with 4xx; 404 and 410 are answers, not refusals."""
    return [asdict(r) for r in sandbox.requests if 400 <= r.status < 500 and r.status not in (404, 410)]


@control("GET", "/violations")
async def list_violations(sandbox: Sandbox, _: web.Request, __: Json) -> list[Any]:
    return [asdict(violation) for violation in sandbox.violations.found]


@control("GET", "/deliveries")
async def list_deliveries(sandbox: Sandbox, _: web.Request, __: Json) -> list[Any]:
    """All of them, newest last, with what was sent and answered."""
    return [sandbox.shapes.full_delivery(d) for d in sandbox.state.deliveries.values()]


@control("GET", "/clock")
async def get_clock(sandbox: Sandbox, _: web.Request, __: Json) -> Json:
    return {"now": sandbox.clock.now()}


# -- faults -------------------------------------------------------------------------------------------------------


@control("POST", "/faults", 201)
async def plan_fault(sandbox: Sandbox, _: web.Request, fields: Json) -> Json:
    """`{seed?, deliveries: {kind, next | probability, seconds?}}` or `{endpoints: {kind, match, times?, …}}`."""
    if "seed" in fields:
        sandbox.chance.seed_faults(int(fields["seed"]))
    if plan := fields.get("deliveries"):
        sandbox.delivery_faults.planned.append(delivery_fault(plan))
    if plan := fields.get("endpoints"):
        sandbox.endpoint_faults.planned.append(endpoint_fault(plan))
    return planned(sandbox)


def delivery_fault(plan: Json) -> DeliveryFault:
    if plan["kind"] not in DELIVERY_KINDS:
        raise ValueError(f"deliveries: kind is one of {', '.join(DELIVERY_KINDS)}")
    if "probability" in plan:
        return DeliveryFault(plan["kind"], None, float(plan["probability"]), float(plan.get("seconds", 1)))
    return DeliveryFault(plan["kind"], int(plan.get("next", 1)), 0.0, float(plan.get("seconds", 1)))


def endpoint_fault(plan: Json) -> EndpointFault:
    if plan["kind"] not in ENDPOINT_KINDS:
        raise ValueError(f"endpoints: kind is one of {', '.join(ENDPOINT_KINDS)}")
    headers = {"Content-Type": f"{'text/html' if 'text' in plan else 'application/json'}; charset=utf-8"}
    return EndpointFault(
        kind=plan["kind"],
        pattern=re.compile(plan["match"]),
        times=None if "probability" in plan else int(plan.get("times", 1)),
        probability=float(plan.get("probability", 0)),
        status=int(plan.get("status", 500)),
        headers=headers | {str(k): str(v) for k, v in plan.get("headers", {}).items()},
        body=fault_body(plan),
        seconds=float(plan.get("seconds", 30)),
        after=bool(plan.get("after", False)),
        caller=plan.get("caller"),
    )


def fault_body(plan: Json) -> bytes:
    """`text` as it is, `json` encoded, or what GitHub's own errors look like."""
    if "text" in plan:
        return str(plan["text"]).encode()
    return json.dumps(plan["json"]).encode() if "json" in plan else FAULT_BODY


def planned(sandbox: Sandbox) -> Json:
    endpoints = [
        {**vars(fault), "pattern": fault.pattern.pattern, "body": fault.body.decode()}
        for fault in sandbox.endpoint_faults.planned
    ]
    return {"deliveries": [asdict(fault) for fault in sandbox.delivery_faults.planned], "endpoints": endpoints}


@control("GET", "/faults")
async def list_faults(sandbox: Sandbox, _: web.Request, __: Json) -> Json:
    return planned(sandbox)


@control("DELETE", "/faults")
async def forget_faults(sandbox: Sandbox, _: web.Request, __: Json) -> Json:
    sandbox.delivery_faults.planned.clear()
    sandbox.endpoint_faults.planned.clear()
    return planned(sandbox)
