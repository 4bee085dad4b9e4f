"""The table of endpoints: method, path as GitHub's description writes it, and what a caller must be allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode

from sandbox.auth import Principal
from sandbox.errors import ApiError, invalid, not_accessible, not_found
from sandbox.state import App, Comment, InstallationToken, Issue, Json, Repository, User
from sandbox.world import Actor, World

T = TypeVar("T")
LEVELS = ("none", "read", "write", "admin")
# Served, but not in GitHub's description: the address by id, to which a renamed repository redirects. Everything
# behind it is the described endpoint under /repos/{owner}/{repo}. GraphQL is held to its own schema.
NOT_DESCRIBED = ("/repositories/{repository_id}", "/repositories/{repository_id}/…", "/graphql")


@dataclass
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent instead of a JSON body; not held to the description."""


@dataclass
class Call:
    """One request, understood: who asks, for what, and where."""

    world: World
    principal: Principal
    path: str
    params: dict[str, str]
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    limit: int = 0
    used: int = 0
    """Requests of this caller in the current hour, of those allowed."""
    resets_at: int = 0
    repository: Repository | None = None

    @property
    def repo(self) -> Repository:
        return given(self.repository)

    @property
    def app(self) -> App:
        return given(self.principal.app)

    @property
    def token(self) -> InstallationToken:
        return given(self.principal.token)

    @property
    def fields(self) -> Json:
        return self.body if isinstance(self.body, dict) else {}

    @property
    def user(self) -> User:
        if not (user := self.principal.actor):
            raise ApiError(401, "Requires authentication")
        return user

    @property
    def actor(self) -> Actor:
        return Actor(self.user, self.principal.app_id)

    def may(self, role: str) -> bool:
        """Tell if the caller has this role here. An installation was already held to its permissions."""
        return self.principal.token is not None or self.repo.allows(self.principal.actor, role)

    def require(self, role: str) -> None:
        if not self.may(role):
            raise ApiError(403, f"Must have {role} rights to Repository.")

    def issue(self) -> Issue:
        found = self.repo.issues.get(int(self.params["issue_number"]))
        if not found:
            raise not_found()
        if found.deleted:
            raise ApiError(410, "This issue was deleted")
        if found.moved_to:
            raise Transferred(*found.moved_to)
        return found

    def pull(self) -> Issue:
        found = self.repo.issues.get(int(self.params["pull_number"]))
        if not found or not found.pull:
            raise not_found()
        return found

    def comment(self) -> tuple[Issue, Comment]:
        if found := self.world.state.comment(self.repo, int(self.params["comment_id"])):
            return found
        raise not_found()

    def page(self, items: list[Any]) -> tuple[list[Any], dict[str, str]]:
        """The page asked for, and the Link header to the others. As on GitHub links go by the repository's id."""
        size = max(1, min(self.number("per_page", 30), 100))
        page = max(1, self.number("page", 1))
        last = max(1, -(-len(items) // size))
        links: dict[str, int] = {}
        if page < last:
            links |= {"next": page + 1, "last": last}
        if page > 1:
            links |= {"prev": min(page - 1, last), "first": 1}
        header = ", ".join(f'<{self.link({"page": str(n)})}>; rel="{rel}"' for rel, n in links.items())
        return items[(page - 1) * size : page * size], {"Link": header} if header else {}

    def listed(self, items: list[Any], shape: Callable[[Any], Json]) -> Answer:
        chosen, headers = self.page(items)
        return Answer(200, [shape(item) for item in chosen], headers)

    def link(self, new: dict[str, str]) -> str:
        path = self.path
        if self.repository:
            path = f"/repositories/{self.repository.id}/" + path.split("/", 4)[4]
        return f"{self.world.shapes.url}{path}?{urlencode({**self.query, **new})}"

    def number(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        return int(text) if text.isdecimal() else default


class Transferred(Exception):
    """The issue asked for is another now."""

    def __init__(self, repository_id: int, number: int) -> None:
        super().__init__(repository_id, number)
        self.repository_id, self.number = repository_id, number


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Endpoint:
    """`needs`: nobody, user, app (its JWT), installation (its token), or permission:level as in a manifest."""

    method: str
    template: str
    needs: str
    handler: Handler
    pattern: re.Pattern[str]

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def permission(self) -> tuple[str, str] | None:
        area, _, level = self.needs.partition(":")
        return (area, level) if level else None


ENDPOINTS: list[Endpoint] = []


def endpoint(method: str, template: str, needs: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        ENDPOINTS.append(Endpoint(method, template, needs, handler, compiled(template)))
        return handler

    return register


def compiled(template: str) -> re.Pattern[str]:
    """`{path}` may hold slashes; every other parameter is one segment."""
    pattern = re.sub(r"\{(\w+)\}", lambda m: f"(?P<{m[1]}>{'.+' if m[1] == 'path' else '[^/]+'})", template)
    return re.compile(pattern + r"\Z")


def find(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The endpoint of a path that is still percent-encoded, with its parameters decoded."""
    for known in ENDPOINTS:
        if known.method == method and (match := known.pattern.match(path)):
            return known, {name: unquote(value) for name, value in match.groupdict().items()}
    return None


def check_rights(known: Endpoint, call: Call) -> None:
    """Refuses whoever may not use this endpoint here, in GitHub's words."""
    who = call.principal
    if known.needs == "nobody":
        return
    if known.needs == "app":
        if not who.app:
            raise ApiError(401, "A JSON web token could not be decoded")
        return
    if who.app:
        raise not_accessible()
    if who.token:
        check_installation(known, call)
    elif known.needs == "installation":
        raise ApiError(403, "You must authenticate with an installation access token in order to list repositories")
    elif (known.needs == "user" or known.method != "GET") and not who.person:
        raise ApiError(401, "Requires authentication")


def check_installation(known: Endpoint, call: Call) -> None:
    token = call.token
    if known.needs == "installation":
        return
    if not known.permission:
        raise not_accessible()
    area, level = known.permission
    if LEVELS.index(token.permissions.get(area, "none")) < LEVELS.index(level):
        raise not_accessible()
    if level != "read" and call.repository and not token.covers(call.repository):
        raise not_accessible()


def text_field(fields: Json, name: str, resource: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise invalid(resource, name, "missing_field")
    return value


def given(value: T | None) -> T:
    """Return a value that the endpoint's `needs` or its path promised."""
    if value is None:
        raise LookupError("the endpoint asks for what its path or rights do not give")
    return value
