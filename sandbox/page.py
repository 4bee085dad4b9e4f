"""The pages: repositories, issues and threads, on which one can be several people and watch an app answer."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from sandbox import installing
from sandbox.auth import LOGIN
from sandbox.clock import FileClock
from sandbox.coding import Coding
from sandbox.errors import ApiError
from sandbox.markdown import rendered
from sandbox.server import SANDBOX, Sandbox
from sandbox.state import Comment, Issue, Json, Repository
from sandbox.world import RESERVED_LOGINS, Actor

HERE = Path(__file__).parent
COOKIE = "sandbox_person"
SOMEBODY = "octocat"
PEOPLE = ("alice", "bob", "carol")
EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "confused": "😕",
    "heart": "❤️",
    "hooray": "🎉",
    "eyes": "👀",
    "rocket": "🚀",
}
STEPS = {"1 hour": 3600, "1 day": 86_400, "1 week": 7 * 86_400, "30 days": 30 * 86_400}
# Pictures may come from this machine (an app's badges), and forms may lead to an app on it.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self' http://127.0.0.1:* http://localhost:*; "
    "img-src 'self' http://127.0.0.1:* http://localhost:*; base-uri 'none'; frame-ancestors 'none'"
)
OWNER = f"{{owner:(?!(?:{'|'.join(sorted(RESERVED_LOGINS))})/)[A-Za-z0-9-]+}}"
REPOSITORY = f"/{OWNER}/{{repo:[A-Za-z0-9_.-]+}}"
THREAD = f"{REPOSITORY}/issues/{{number:[0-9]+}}"

routes = web.RouteTableDef()
templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(), undefined=StrictUndefined
)


def when(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%-d %b %Y %H:%M:%S UTC")


templates.filters["when"] = when
templates.filters["markdown"] = lambda text: Markup(rendered(text or ""))  # noqa: S704  its HTML is made harmless
templates.globals["EMOJI"] = EMOJI
templates.globals["STEPS"] = STEPS


def person(request: web.Request) -> str:
    chosen = request.cookies.get(COOKIE, "")
    return chosen if LOGIN.match(chosen) else SOMEBODY


def show(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
    sandbox = request.app[SANDBOX]
    known = {user.login for user in sandbox.state.users.values() if user.type == "User"}
    text = templates.get_template(template).render(
        me=person(request),
        people=sorted({*PEOPLE, *known}, key=str.lower),
        now=sandbox.clock.now(),
        movable=isinstance(sandbox.clock, FileClock),
        here=request.path,
        query=request.query,
        state=sandbox.state,
        **{"error": None, **values},
    )
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def back(to: str) -> web.HTTPSeeOther:
    """Only to a path of this server."""
    return web.HTTPSeeOther(to if to.startswith("/") and not to.startswith("//") else "/")


# -- repositories -------------------------------------------------------------------------------------------------


@routes.get("/")
async def index(request: web.Request) -> web.Response:
    return show(request, "index.html")


@routes.post("/_sandbox/page/repositories")
async def make_repository(request: web.Request) -> web.Response:
    """Made and put under every registered app."""
    sandbox, form = request.app[SANDBOX], await request.post()
    try:
        made = sandbox.world.add_repository(str(form.get("owner", "")).strip(), str(form.get("name", "")).strip())
    except ApiError as error:
        return show(request, "index.html", 422, error=said(error))
    for app in sandbox.state.apps.values():
        existing = [i for i in sandbox.state.installations.values() if i.app is app and i.account is made.owner]
        if not existing:
            installing.install(sandbox.world, app, made.owner, [made], made.owner)
        elif not existing[0].covers(made):
            installing.add_to_installation(sandbox.world, existing[0], made, made.owner)
    raise back(f"/{made.full_name}")


def said(error: ApiError) -> str:
    details = [str(one.get("message") or f"{one.get('field')}: {one.get('code')}") for one in error.errors or []]
    return f"{error.message} ({'; '.join(details)})" if details else error.message


@dataclass(frozen=True)
class Place:
    sandbox: Sandbox
    repository: Repository

    @property
    def api(self) -> str:
        return f"/repos/{self.repository.full_name}"


Page = Callable[[web.Request, Place], Awaitable[web.StreamResponse]]


def in_repository(page: Page) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Try a path of the API if it is no repository."""

    async def handle(request: web.Request) -> web.StreamResponse:
        sandbox = request.app[SANDBOX]
        name = f"{request.match_info['owner']}/{request.match_info['repo']}"
        repository = sandbox.state.repository_named(name)
        return await page(request, Place(sandbox, repository)) if repository else await sandbox.handle(request)

    return handle


@routes.get(REPOSITORY)
@routes.get(f"{REPOSITORY}/issues")
@in_repository
async def list_issues(request: web.Request, place: Place) -> web.StreamResponse:
    return show(request, "repository.html", repository=place.repository, draft={"title": "", "body": ""})


@routes.post(f"{REPOSITORY}/issues")
@in_repository
async def open_issue(request: web.Request, place: Place) -> web.StreamResponse:
    form = await request.post()
    draft = {"title": str(form.get("title", "")), "body": str(form.get("body", ""))}
    try:
        answer = place.sandbox.act(person(request), "POST", f"{place.api}/issues", draft)
    except ApiError as error:
        values: Json = {"repository": place.repository, "draft": draft, "error": said(error)}
        return show(request, "repository.html", error.status, **values)
    raise back(f"/{place.repository.full_name}/issues/{answer.body['number']}")


# -- threads ------------------------------------------------------------------------------------------------------


@routes.get(THREAD)
@in_repository
async def thread(request: web.Request, place: Place) -> web.StreamResponse:
    """With `?fragment` only what changes by itself, for the refresh."""
    issue = place.repository.issues.get(int(request.match_info["number"]))
    if issue and issue.moved_to:
        where, number = issue.moved_to
        raise back(f"/{place.sandbox.state.repositories[where].full_name}/issues/{number}")
    if not issue or issue.deleted:
        return show(request, "gone.html", 404)
    template = "entries.html" if "fragment" in request.query else "thread.html"
    return show_thread(request, place, issue, template)


def show_thread(
    request: web.Request, place: Place, issue: Issue, template: str = "thread.html", status: int = 200, **values: Any
) -> web.Response:
    shown: Json = {"repository": place.repository, "issue": issue, "entries": entries(issue), "draft": "", **values}
    return show(request, template, status, **shown)


def entries(issue: Issue) -> list[Json]:
    """Comments and events in the order in which they happened."""
    found: list[tuple[int, Json]] = [
        (c.created_at, {"comment": c, "reactions": counted(c)}) for c in issue.comments.values()
    ]
    found += [(e.created_at, {"event": e}) for e in issue.events]
    return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]


def counted(comment: Comment) -> dict[str, list[str]]:
    """Logins by reaction."""
    who: dict[str, list[str]] = {}
    for reaction in comment.reactions.values():
        who.setdefault(reaction.content, []).append(reaction.user.login)
    return who


@routes.post(THREAD)
@in_repository
async def act(request: web.Request, place: Place) -> web.StreamResponse:
    form = await request.post()
    issue = place.repository.issues.get(int(request.match_info["number"]))
    if not issue:
        return show(request, "gone.html", 404)
    fields = {name: str(value) for name, value in form.items()}
    try:
        if fields.get("button") == "merge":
            merge(place, issue, person(request))
        for method, path, body in calls(place, issue, fields):
            place.sandbox.act(person(request), method, path, body)
    except ApiError as error:
        draft = fields.get("body", "")
        return show_thread(request, place, issue, status=error.status, error=said(error), draft=draft)
    raise back(f"/{place.repository.full_name}/issues/{issue.number}")


def merge(place: Place, issue: Issue, login: str) -> None:
    """Requests for which the API has no endpoint."""
    world = place.sandbox.world
    user = world.account(login)
    if not issue.pull or not place.repository.allows(user, "write"):
        raise ApiError(403, "Must have write rights to Repository.")
    Coding(world, place.repository).merge(Actor(user), issue, issue.pull)


def calls(place: Place, issue: Issue, fields: dict[str, str]) -> list[tuple[str, str, Json]]:
    """Act on a button; a state button takes a typed comment along, as on GitHub."""
    here, body = f"{place.api}/issues/{issue.number}", {"body": fields.get("body", "")}
    button = fields.get("button", "comment")
    if button == "edit":
        return [("PATCH", f"{place.api}/issues/comments/{fields.get('comment_id', '0')}", body)]
    if button == "edit-issue":
        return [("PATCH", here, body)]
    first = [("POST", f"{here}/comments", body)] if button == "comment" or body["body"].strip() else []
    change = {
        "completed": {"state": "closed", "state_reason": "completed"},
        "not_planned": {"state": "closed", "state_reason": "not_planned"},
        "reopen": {"state": "open"},
    }.get(button)
    return [*first, ("PATCH", here, change)] if change else first


# -- who and when -------------------------------------------------------------------------------------------------


@routes.post("/_sandbox/page/me")
async def be_somebody(request: web.Request) -> web.Response:
    form = await request.post()
    login = str(form.get("other") or form.get("person") or "").strip()
    if not LOGIN.match(login):
        return show(request, "index.html", 422, error=f"{login!r} is no name for an account")
    response = web.Response(status=303, headers={"Location": str(back(str(form.get("here", "/"))).location)})
    response.set_cookie(COOKIE, login, samesite="Strict", httponly=True)
    return response


@routes.post("/_sandbox/page/clock")
async def advance_clock(request: web.Request) -> web.Response:
    form, clock = await request.post(), request.app[SANDBOX].clock
    seconds = STEPS.get(str(form.get("step")))
    if not isinstance(clock, FileClock) or seconds is None:
        return show(request, "index.html", 422, error="This sandbox's clock cannot be moved from here.")
    clock.advance(seconds)
    raise back(str(form.get("here", "/")))


# -- what the API's answers point to ------------------------------------------------------------------------------


@routes.get("/_sandbox/avatars/{id:[0-9]+}.svg")
async def avatar(request: web.Request) -> web.Response:
    user = request.app[SANDBOX].state.users.get(int(request.match_info["id"]))
    if not user:
        raise web.HTTPNotFound
    hue = int(hashlib.sha256(user.login.encode()).hexdigest()[:4], 16) % 360
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" rx="20" '
        f'fill="hsl({hue} 45% 45%)"/><text x="20" y="27" font-family="sans-serif" font-size="20" fill="#fff" '
        f'text-anchor="middle">{html.escape(user.login[0].upper())}</text></svg>'
    )
    return web.Response(text=picture, content_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})


@routes.get("/_sandbox/raw/{id:[0-9]+}/{path:.+}")
async def raw_file(request: web.Request) -> web.Response:
    repository = request.app[SANDBOX].state.repositories.get(int(request.match_info["id"]))
    content = repository.files.get(request.match_info["path"]) if repository else None
    if content is None:
        raise web.HTTPNotFound
    headers = {"X-Content-Type-Options": "nosniff"}
    return web.Response(body=content, content_type="text/plain", charset="utf-8", headers=headers)
