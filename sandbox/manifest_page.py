"""GitHub's pages of the manifest flow: what an app wants to be is posted here, and goes back to it with a code.

Also the page on which an app is installed. Both are GitHub's website, not its API.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode, urlsplit, urlunsplit

from aiohttp import web

from sandbox import installing
from sandbox.endpoints import LEVELS
from sandbox.errors import ApiError
from sandbox.page import person, said, show
from sandbox.server import SANDBOX, Sandbox
from sandbox.state import App, Json, NewApp

LONGEST_NAME = 34
REFUSED = "Invalid GitHub App configuration"

routes = web.RouteTableDef()


@routes.get("/settings/apps/new")
@routes.get("/organizations/{org}/settings/apps/new")
async def ask_for_manifest(request: web.Request) -> web.Response:
    return show(request, "manifest.html", owner=owner(request), manifest=None, text="")


@routes.post("/settings/apps/new")
@routes.post("/organizations/{org}/settings/apps/new")
async def show_manifest(request: web.Request) -> web.Response:
    """Show the app's wishes, with a field for its name; nothing is made yet."""
    sandbox, form = request.app[SANDBOX], await request.post()
    text = str(form.get("manifest", ""))
    try:
        manifest = checked(sandbox, read(text))
    except ApiError as error:
        return show(request, "manifest.html", 422, error=said(error), owner=owner(request), manifest=None, text=text)
    return show(request, "manifest.html", owner=owner(request), manifest=manifest, text=text)


@routes.post("/_sandbox/page/manifests")
async def register(request: web.Request) -> web.Response:
    """The button: the app is made, and the browser goes back to it with a code."""
    sandbox, form = request.app[SANDBOX], await request.post()
    text, login = str(form.get("manifest", "")), str(form.get("owner", "")) or person(request)
    try:
        manifest = checked(sandbox, {**read(text), "name": str(form.get("name", "")).strip()})
        app, pem = installing.register_app(
            sandbox.world, manifest["name"], manifest, manifest["hook_attributes"]["url"], login
        )
    except ApiError as error:
        return show(request, "manifest.html", 422, error=said(error), owner=login, manifest=None, text=text)
    code = sandbox.chance.token("", 40)
    sandbox.state.new_apps[code] = NewApp(app, pem, sandbox.clock.now())
    state = {"state": str(form["state"])} if form.get("state") else {}
    raise web.HTTPFound(with_query(manifest["redirect_url"], {"code": code, **state}))


@routes.get("/apps/{slug}/installations/new")
async def ask_for_account(request: web.Request) -> web.Response:
    return show(request, "install.html", app=named(request))


@routes.post("/apps/{slug}/installations/new")
async def install(request: web.Request) -> web.Response:
    """On everything that an account has; the browser goes on to the app's set-up page."""
    sandbox, app = request.app[SANDBOX], named(request)
    login = str((await request.post()).get("owner", ""))
    account = sandbox.state.user_named(login)
    if account is None:
        return show(request, "install.html", 422, app=app, error=f"There is no account {login!r} with a repository.")
    known = [i for i in sandbox.state.installations.values() if i.app is app and i.account is account]
    made = (
        known[0]
        if known
        else installing.install(sandbox.world, app, account, None, sandbox.world.account(person(request)))
    )
    query = {"installation_id": str(made.id), "setup_action": "update" if known else "install"}
    raise web.HTTPFound(with_query(app.setup_url, query) if app.setup_url else "/")


def owner(request: web.Request) -> str:
    return request.match_info.get("org", "") or person(request)


def named(request: web.Request) -> App:
    sandbox = request.app[SANDBOX]
    found = next((app for app in sandbox.state.apps.values() if app.slug == request.match_info["slug"]), None)
    if found is None:
        raise web.HTTPNotFound
    return found


def read(text: str) -> Json:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ApiError(422, f"{REFUSED}: the manifest is not JSON") from error
    if not isinstance(found, dict):
        raise ApiError(422, f"{REFUSED}: the manifest is not an object")
    return found


def checked(sandbox: Sandbox, manifest: Json) -> Json:
    """The manifest, if GitHub would take it. Raises ApiError in the words of its page."""
    problems = [problem for problem in (*name_problems(sandbox, manifest), *url_problems(manifest)) if problem]
    for area, level in (manifest.get("default_permissions") or {}).items():
        if level not in LEVELS[1:]:
            problems.append(f"permission {area} cannot be {level!r}")
    if problems:
        raise ApiError(422, f"{REFUSED}: {'; '.join(problems)}")
    installing.check_manifest(manifest)
    return manifest


def name_problems(sandbox: Sandbox, manifest: Json) -> list[str]:
    name = manifest.get("name")
    if not isinstance(name, str) or not name.strip():
        return ["Name can't be blank"]
    if len(name) > LONGEST_NAME:
        return [f"Name is too long (maximum is {LONGEST_NAME} characters)"]
    taken = {app.name.lower() for app in sandbox.state.apps.values()}
    return ["Name has already been taken"] if name.lower() in taken else []


def url_problems(manifest: Json) -> list[str]:
    hook = manifest.get("hook_attributes")
    urls = {
        "url": manifest.get("url"),
        "redirect_url": manifest.get("redirect_url"),
        "hook_attributes.url": hook.get("url") if isinstance(hook, dict) else None,
        **({"setup_url": manifest["setup_url"]} if "setup_url" in manifest else {}),
    }
    return [f"{name} must be a valid URL" for name, value in urls.items() if not is_web_url(value)]


def is_web_url(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("https://", "http://")) and bool(urlsplit(value).hostname)


def with_query(url: str, query: dict[str, str]) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, urlencode(query)]))))
