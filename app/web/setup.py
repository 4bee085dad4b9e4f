"""`/setup`: registers the GitHub App by GitHub's manifest flow and stores its credentials for the operator.

Served by `python -m app setup` alone, as long as there is no App. It stands open to the internet, as GitHub's callback
has to reach the operator's browser: nothing goes on without the one-time code from the operator's terminal, and the
callback counts only with the `state` that was made for whoever had that code. Whoever lacks them changes nothing.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import web

from app.base.clock import Clock
from app.base.credentials import CannotKeep, Credentials, Keeper
from app.github.api.errors import GitHubError, Gone
from app.github.api.manifest_code import CODE
from app.web.headers import add_headers
from app.web.pages import setup_pages

STATE_SECONDS = 3600
"""As long as GitHub's own code is good for."""
BODY_BYTES = 16 * 1024
NOT_OURS = (
    "This link belongs to no set-up that runs here, or was used, or came late. It stores nothing;"
    " if it was used, the terminal says whether the credentials were stored then."
)
EXAMPLE = "https://bugmark.example"
"""Stands for the public address in app.yml."""

_ORGANIZATION = re.compile(r"[A-Za-z0-9-]{0,39}", re.ASCII)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Setup:
    """`new_secret` gives text that nobody can guess; `done` is set when the credentials are stored."""

    manifest: Mapping[str, Any]  # as app.yml
    public_url: str
    github_url: str  # GitHub's website, not its API
    convert: Callable[[str], Awaitable[Credentials]]
    keeper: Keeper
    clock: Clock
    new_secret: Callable[[], str]
    put: str = "Hand the credentials to the app."
    code: str = field(init=False, repr=False)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    _state: str = field(default="", repr=False)
    _state_until: int = 0

    def __post_init__(self) -> None:
        self.code = self.new_secret()

    def application(self) -> web.Application:
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_get("/setup", self.ask)
        app.router.add_post("/setup", self.take)
        app.router.add_get("/setup/callback", self.callback)
        app.on_response_prepare.append(add_headers)
        return app

    async def ask(self, _request: web.Request) -> web.Response:
        return setup_pages.ask(self.manifest["name"])

    async def take(self, request: web.Request) -> web.Response:
        """Whoever has the code gets a state, and the one before is void."""
        form = {name: str(value).strip() for name, value in (await request.post()).items()}
        name, organization = form.get("name", ""), form.get("organization", "")
        if not _same(form.get("code", ""), self.code):
            log.warning("set-up code refused")
            return setup_pages.ask(name, "That is not the code that the terminal shows.")
        if not 1 <= len(name) <= setup_pages.LONGEST_NAME or not _ORGANIZATION.fullmatch(organization):
            return setup_pages.ask(
                name, "GitHub takes names of 1 to 34 characters, organisations of letters and digits."
            )
        self._state, self._state_until = self.new_secret(), self.clock.now() + STATE_SECONDS
        wanted = manifest_for(self.manifest, self.public_url, name, "public" in form)
        return setup_pages.take(self.github_url, organization, wanted, self._state)

    async def callback(self, request: web.Request) -> web.StreamResponse:
        """GitHub sends the browser here. The state counts once; a wrong one leaves the right one good."""
        code, state = request.query.get("code", ""), request.query.get("state", "")
        if not self._state or not _same(state, self._state) or self.clock.now() >= self._state_until:
            log.warning("set-up callback refused")
            return setup_pages.failed("Not from this set-up", NOT_OURS, 403)
        if not CODE.fullmatch(code):
            return setup_pages.failed("No code", "GitHub sent no code along. Nothing was stored.", 400)
        self._state = ""
        return await self._store(request, code, state)

    async def _store(self, request: web.Request, code: str, state: str) -> web.StreamResponse:
        """Keep the state valid after a passing fault, so that the page can be reloaded: the App exists on GitHub."""
        try:
            self.keeper.check()
            credentials = await self.convert(code)
        except CannotKeep as error:
            self._state = state
            text = f"{error} Put that right, then load this page again: GitHub's code was not used."
            return setup_pages.failed("There is no place for the credentials", text, 500)
        except GitHubError as error:
            self._state = "" if isinstance(error, Gone) else state
            return setup_pages.failed("GitHub gave no credentials", _why(error), 502)
        try:
            place = self.keeper.keep(credentials)
        except CannotKeep as error:
            text = f"{error} GitHub hands them out once: delete the App {credentials.name} there and start again."
            return setup_pages.failed("The credentials are lost", text, 500)
        log.info("app registered", app=credentials.app_id, url=credentials.html_url)
        response = setup_pages.done(credentials, place, self.put)
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            log.warning("the browser went away before the last page")
        finally:
            self.done.set()  # only now, so that the last page is out before the server ends
        return response


def manifest_for(manifest: Mapping[str, Any], public_url: str, name: str, public: bool) -> dict[str, Any]:
    """Fill app.yml with this installation's address."""
    return {**_addressed(manifest, public_url), "name": name, "public": public}


def _addressed(node: Any, public_url: str) -> Any:
    if isinstance(node, Mapping):
        return {key: _addressed(value, public_url) for key, value in node.items()}
    if isinstance(node, str) and node.startswith(EXAMPLE):
        return public_url + node.removeprefix(EXAMPLE)
    return node


def _same(given: str, known: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), known.encode())


def _why(error: GitHubError) -> str:
    if isinstance(error, Gone):
        told = "Its code was used already or is older than an hour. Nothing was stored."
        return f"{told} Delete the App there and start again."
    return f"{type(error).__name__}, status {error.status}. Nothing was stored. Load this page again in a while."
