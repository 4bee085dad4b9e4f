"""GitHub as the app uses it: every call says for which installation, and names repositories by id.

A call that GitHub surely did not carry out is sent a second time, once: after a 401 with a fresh token, after
a 404 or a redirect under the repository's fresh name. All other trouble is raised as a GitHubError at once:
waiting and trying again is the business of whoever keeps the queue. Nothing here sleeps.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import aiohttp
from cachetools import LRUCache, TTLCache
from yarl import URL

from app.base.clock import Clock
from app.base.settings import Settings
from app.github.api.errors import (
    Endless,
    Forbidden,
    GitHubError,
    Gone,
    Invalid,
    Moved,
    RateLimited,
    Unauthorized,
    Unavailable,
    graphql_data,
)
from app.github.api.instants import read_instant
from app.github.api.repository_names import RepositoryNames, name_of
from app.github.api.tokens import PERMISSIONS, AppJwt, InstallationTokens, narrowed
from app.github.api.transport import ACCEPT, Answer, Timeouts, Transport
from app.github.api.usage_meter import THE_APP, Meter

KEPT_BYTES = 16 * 1024 * 1024
"""Answers kept for conditional requests, by the size of their bodies; the least used go first."""
RIGHTS_SECONDS = 60
MOST_RIGHTS = 10_000
"""Cache of users' permissions: lifetime and size."""
MOST_PAGES = 1_000
"""100,000 comments. A list that goes on longer is a circle of links."""

JsonObject = dict[str, Any]
Params = Mapping[str, str]

_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}(\[bot\])?", re.ASCII)


def open_session() -> aiohttp.ClientSession:
    """For one process; cookies and the proxy variables of the environment are left alone."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())


@dataclass(frozen=True, slots=True)
class Written:
    """Reference to a write: a comment has a number for REST and a node for GraphQL; other things a number or none.

    `made_at`: when GitHub says that a comment was made.
    """

    id: int | None
    node_id: str | None
    made_at: int | None = None


class _Untold(Enum):
    """Why rights were not told: GitHub knows nobody under the login, or not the user who was meant."""

    NOBODY = "nobody"
    ANOTHER = "another"


class GitHub:
    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        session: aiohttp.ClientSession,
        timeouts: Timeouts | None = None,
    ) -> None:
        agent = f"bugmark (+{settings.public_url})"
        self._transport = Transport(session, clock, settings.github_api_url, agent, timeouts or Timeouts())
        self.meter = Meter(clock)
        self._asking_time = asyncio.Lock()
        self._jwt = AppJwt(settings.app_id, settings.private_key, clock)
        self._tokens = InstallationTokens(self._ask_token, clock)
        self._names = RepositoryNames(self._ask_repository, clock)
        self._rights: TTLCache[tuple[int, int, int, str], frozenset[str]] = TTLCache(
            MOST_RIGHTS, ttl=RIGHTS_SECONDS, timer=clock.now
        )
        self._kept: LRUCache[tuple[int, str, str], Answer] = LRUCache(KEPT_BYTES, getsizeof=_size)

    # The clock

    async def clock_holds(self) -> bool:
        """Check our clock against GitHub's if an answer disagreed, or if the clock was set.

        Where it gives no answer a clock that was set is believed, one that it has disagreed with is not.
        """
        keeper = self._transport.timekeeper
        keeper.watch()
        if keeper.holds:
            return True
        async with self._asking_time:
            if keeper.may_ask():
                await self._ask_time()
                if keeper.suspected:
                    await self._ask_time()
                keeper.uncertain = False
        return keeper.holds

    async def _ask_time(self) -> None:
        """Whatever the answer is, its date is noted."""
        with contextlib.suppress(GitHubError):
            await self._transport.send("GET", self._transport.url("/app"), jwt=self._jwt.get())

    # The App itself

    async def app(self) -> JsonObject:
        """Fetch this App: `id`, `slug`, `owner`, `permissions`, `events`."""
        return _object(await self._as_app("GET", "/app"))

    async def hook_config(self) -> JsonObject:
        """Fetch the App's webhook settings: `url`, `content_type`, `insecure_ssl`; the secret is masked."""
        return _object(await self._as_app("GET", "/app/hook/config"))

    def installations(self) -> AsyncIterator[JsonObject]:
        """Everybody who has installed the App: `account`, `permissions`, `suspended_at`. Raises GitHubError."""
        return self._app_pages("/app/installations")

    def hook_deliveries(self) -> AsyncIterator[JsonObject]:
        """Every attempt to deliver a webhook to us that GitHub remembers, newest first. Raises GitHubError."""
        return self._app_pages("/app/hook/deliveries")

    async def redeliver(self, delivery_id: int) -> None:
        """Ask for one more attempt of a delivery; it keeps its GUID."""
        await self._as_app("POST", f"/app/hook/deliveries/{delivery_id:d}/attempts")

    async def installation_of(self, full_name: str) -> JsonObject | None:
        """Our installation in the repository of this name: `id`, `suspended_at`; None where there is none."""
        try:
            try:
                return _object(await self._as_app("GET", f"/repos/{full_name}/installation"))
            except Moved as moved:  # it was renamed
                return _object(await self._as_app_at("GET", self._transport.next_page(moved.location)))
        except Gone:
            return None

    async def installation(self, installation_id: int) -> JsonObject | None:
        """`suspended_at` and more; None for one that was deleted."""
        try:
            return _object(await self._as_app("GET", f"/app/installations/{installation_id:d}"))
        except Gone:
            return None

    # Anything that can be read

    async def get_json(self, installation_id: int, path: str, params: Params | None = None) -> Any:
        """GET of a path as GitHub's documentation writes it. ValueError if it is none."""
        return (await self._as_installation(installation_id, "GET", self._transport.url(path, params))).data

    async def repository_json(
        self, installation_id: int, repository_id: int, path: str, params: Params | None = None
    ) -> Any:
        """GET of a path below `/repos/{owner}/{repo}`, such as `/issues/7/timeline`."""
        return (await self._in_repository(installation_id, repository_id, "GET", path, params)).data

    async def repository_object(self, installation_id: int, repository_id: int, path: str) -> JsonObject:
        """The same, where the answer is one thing; Unavailable where it is anything else."""
        return _object(await self._in_repository(installation_id, repository_id, "GET", path))

    async def repository_pages(
        self, installation_id: int, repository_id: int, path: str, params: Params | None = None
    ) -> AsyncIterator[JsonObject]:
        """The items of a list, page after page as Link says. Raises GitHubError, in the middle too."""
        wanted = {"per_page": "100", **(params or {})}
        answer = await self._in_repository(installation_id, repository_id, "GET", path, wanted)
        async for item in self._pages_from(installation_id, answer):
            yield item

    async def repository_page(
        self, installation_id: int, repository_id: int, path: str, params: Params, next_url: str | None = None
    ) -> tuple[list[JsonObject], str | None]:
        """One page of a list, the first or the one at `next_url`; and where the next one is, None: nowhere.

        For whoever goes on another day: the url stays good. Raises GitHubError; ValueError for a url that is not the
        API's.
        """
        if next_url is None:
            wanted = {"per_page": "100", **params}
            answer = await self._in_repository(installation_id, repository_id, "GET", path, wanted)
        else:
            answer = await self._as_installation(installation_id, "GET", self._transport.next_page(next_url))
        return _list(answer), answer.next_url

    async def pages(self, installation_id: int, path: str, params: Params | None = None) -> AsyncIterator[JsonObject]:
        """The items of a list that is in no repository. Raises GitHubError, in the middle too."""
        url = self._transport.url(path, {"per_page": "100", **(params or {})})
        async for item in self._pages_from(installation_id, await self._as_installation(installation_id, "GET", url)):
            yield item

    async def _pages_from(self, installation_id: int, answer: Answer) -> AsyncIterator[JsonObject]:
        for _ in range(MOST_PAGES):
            for item in _list(answer):
                yield item
            if answer.next_url is None:
                return
            url = self._transport.next_page(answer.next_url)
            answer = await self._as_installation(installation_id, "GET", url)
        raise Endless(200, "the list does not end")

    async def repository(self, installation_id: int, repository_id: int) -> JsonObject:
        """GitHub's own fields, `id` and `full_name` sound. Gone for one that the installation cannot see."""
        found = await self.get_json(installation_id, f"/repositories/{repository_id:d}")
        name_of(found, repository_id)
        return dict(found)

    async def query(self, installation_id: int, document: str, variables: Mapping[str, str]) -> JsonObject:
        """The data that GraphQL gives. A field that may not be told is null; where nothing is told an error is raised.

        Only for what may be asked twice.
        """
        body = {"query": document.strip(), "variables": dict(variables)}
        answer = await self._as_installation(installation_id, "POST", self._transport.graphql_url, body)
        return graphql_data(_object(answer))

    # Issues and comments

    async def issue(self, installation_id: int, repository_id: int, number: int) -> JsonObject:
        """GitHub's own fields. Compare `id` with the issue meant: a name can pass to another repository.

        Raises Moved for a transferred issue, Gone (410) for a deleted one.
        """
        return _object(await self._in_repository(installation_id, repository_id, "GET", f"/issues/{number:d}"))

    def list_comments(
        self, installation_id: int, repository_id: int, number: int, since_at: int | None = None
    ) -> AsyncIterator[JsonObject]:
        """Oldest first; with `since_at` those made or edited at or after that instant."""
        params = {} if since_at is None else {"since": _iso(since_at)}
        return self.repository_pages(installation_id, repository_id, f"/issues/{number:d}/comments", params)

    async def create_comment(self, installation_id: int, repository_id: int, number: int, body: str) -> Written:
        """The new comment. After Unavailable with `may_have_happened`, list before creating again."""
        path = f"/issues/{number:d}/comments"
        answer = await self._in_repository(installation_id, repository_id, "POST", path, body={"body": body})
        return Written(_id(answer), node_id(_object(answer)), read_instant(_object(answer).get("created_at")))

    async def edit_comment(self, installation_id: int, repository_id: int, comment_id: int, body: str) -> Written:
        path = f"/issues/comments/{comment_id:d}"
        answer = await self._in_repository(installation_id, repository_id, "PATCH", path, body={"body": body})
        return Written(comment_id, node_id(_object(answer)), read_instant(_object(answer).get("created_at")))

    async def add_reaction(self, installation_id: int, repository_id: int, comment_id: int, content: str) -> int:
        """The reaction's id; adding it again changes nothing. `content`: rocket, confused, eyes, ..."""
        path = f"/issues/comments/{comment_id:d}/reactions"
        answer = await self._in_repository(installation_id, repository_id, "POST", path, body={"content": content})
        return _id(answer)

    async def add_label(self, installation_id: int, repository_id: int, number: int, name: str) -> None:
        """GitHub makes a label that the repository does not have."""
        path = f"/issues/{number:d}/labels"
        await self._in_repository(installation_id, repository_id, "POST", path, body={"labels": [name]})

    async def delete(self, installation_id: int, repository_id: int, path: str) -> None:
        """DELETE of a path below `/repos/{owner}/{repo}`."""
        await self._in_repository(installation_id, repository_id, "DELETE", path)

    async def create_check_run(self, installation_id: int, repository_id: int, run: JsonObject) -> int:
        """The new run's id. GitHub shows the newest run of a name."""
        return _id(await self._in_repository(installation_id, repository_id, "POST", "/check-runs", body=run))

    async def permission(self, installation_id: int, repository_id: int, login: str, user_id: int) -> frozenset[str]:
        """As `rights`; nothing, too, where GitHub does not tell about this user."""
        return await self.rights(installation_id, repository_id, login, user_id) or frozenset()

    async def rights(self, installation_id: int, repository_id: int, login: str, user_id: int) -> frozenset[str] | None:
        """Fetch a user's permissions, of: pull, triage, push, maintain, admin. None when GitHub does not tell.

        The endpoint knows only logins: where this one is not the user's any more, GitHub is asked for the one that is.
        Who is there under no login and no id (deleted, hidden, suspended) may do nothing: that is an answer.
        Read from `user.permissions`, since `permission` says read for triage, and `role_name` may be the
        owner's invention. More than reading is remembered for a minute: no event that we get tells of rights taken
        away. Less is not, so that whoever was refused can try again right after being given rights.
        """
        if not _LOGIN.fullmatch(login):
            return None
        key = installation_id, repository_id, user_id, login
        known = self._rights.get(key)
        if known is not None:
            return known
        told = await self._ask_rights(installation_id, repository_id, login, user_id)
        if isinstance(told, _Untold):
            found = await self._rights_by_id(installation_id, repository_id, login, user_id, told)
        else:
            found = told
        if found is not None and found - {"pull"}:
            self._rights[key] = found
        return found

    async def _rights_by_id(
        self, installation_id: int, repository_id: int, login: str, user_id: int, why: _Untold
    ) -> frozenset[str] | None:
        """Find the rights of a user whose login is unknown now, or somebody else's."""
        try:
            fresh = await self._login_of(installation_id, user_id)
        except Gone as error:
            if error.about != "resource":
                raise
            return frozenset()
        if fresh is None:
            return None
        told = why if fresh == login else await self._ask_rights(installation_id, repository_id, fresh, user_id)
        if isinstance(told, _Untold):
            return frozenset() if told is _Untold.NOBODY else None
        return told

    async def _ask_rights(
        self, installation_id: int, repository_id: int, login: str, user_id: int
    ) -> frozenset[str] | _Untold:
        path = f"/collaborators/{login}/permission"
        try:
            answer = await self._in_repository(installation_id, repository_id, "GET", path)
        except Gone as error:
            if error.about != "resource":
                raise
            return _Untold.NOBODY
        user = _object(answer).get("user") or {}
        granted = user.get("permissions")
        if user.get("id") != user_id or not isinstance(granted, dict):
            return _Untold.ANOTHER
        return frozenset(name for name, held in granted.items() if held is True)

    async def _login_of(self, installation_id: int, user_id: int) -> str | None:
        """A user's login now, None for one that cannot be asked about. Raises Gone for one that is not there."""
        found = await self.get_json(installation_id, f"/user/{user_id:d}")
        login = found.get("login") if isinstance(found, dict) and found.get("id") == user_id else None
        return login if isinstance(login, str) and _LOGIN.fullmatch(login) else None

    def forget_installation(self, installation_id: int) -> None:
        """To be called when an event says that it was suspended, granted more, or is back."""
        self._tokens.forget(installation_id)

    def take_refused(self) -> set[int]:
        """The installations that GitHub called suspended or gone since this was asked last."""
        return self._tokens.take_refused()

    def forget_repository(self, installation_id: int, repository_id: int) -> None:
        """To be called when an event says that it was renamed or transferred."""
        self._names.drop(installation_id, repository_id)

    # How a call is made

    async def _in_repository(
        self,
        installation_id: int,
        repository_id: int,
        method: str,
        path: str,
        params: Params | None = None,
        body: JsonObject | None = None,
    ) -> Answer:
        name = await self._names.get(installation_id, repository_id)
        try:
            url = self._transport.url(f"/repos/{name}{path}", params)
            return await self._as_installation(installation_id, method, url, body)
        except (Gone, Moved):
            self._names.drop(installation_id, repository_id)
            fresh = await self._names.get(installation_id, repository_id)
            if fresh == name:
                raise
        url = self._transport.url(f"/repos/{fresh}{path}", params)
        return await self._as_installation(installation_id, method, url, body)

    async def _as_installation(
        self, installation_id: int, method: str, url: URL, body: JsonObject | None = None
    ) -> Answer:
        """Raises RateLimited without asking while the installation is held."""
        self.meter.check(installation_id)
        try:
            return await self._with_token(installation_id, method, url, body)
        except RateLimited as error:
            self.meter.refused(installation_id, error)
            raise
        except (Forbidden, Gone) as error:
            self._tokens.note_refusal(installation_id, error)
            raise

    async def _with_token(self, installation_id: int, method: str, url: URL, body: JsonObject | None) -> Answer:
        token = await self._tokens.get(installation_id)
        try:
            return await self._send(installation_id, method, url, token, body)
        except Unauthorized:
            self._tokens.drop(installation_id, token)
        token = await self._tokens.get(installation_id)
        return await self._send(installation_id, method, url, token, body)

    async def _send(self, installation_id: int, method: str, url: URL, token: str, body: JsonObject | None) -> Answer:
        """A GET that was answered before asks whether that still holds: a 304 costs nothing of the hour's budget."""
        mutation = url == self._transport.graphql_url and str((body or {})["query"]).startswith("mutation")
        self.meter.count(installation_id, method, url.path, mutation)
        key = installation_id, ACCEPT, str(url)
        kept = self._kept.get(key) if method == "GET" else None
        etag = kept.etag if kept else None
        answer = await self._transport.send(method, url, token=token, json_body=body, etag=etag)
        if answer.left is not None:
            self.meter.note_left(installation_id, answer.left)
        if kept is not None and answer.status == 304:
            return replace(kept, data=json.loads(kept.body))  # decoded anew: the last asker may have changed it
        if method == "GET" and _may_be_kept(answer, url):
            self._kept[key] = replace(answer, data=None)
        return answer

    async def _app_pages(self, path: str) -> AsyncIterator[JsonObject]:
        answer = await self._as_app("GET", path, {"per_page": "100"})
        for _ in range(MOST_PAGES):
            for item in _list(answer):
                yield item
            if answer.next_url is None:
                return
            answer = await self._as_app_at("GET", self._transport.next_page(answer.next_url))
        raise Endless(200, "the list does not end")

    async def _as_app(
        self, method: str, path: str, params: Params | None = None, body: JsonObject | None = None
    ) -> Answer:
        return await self._as_app_at(method, self._transport.url(path, params), body)

    async def _as_app_at(self, method: str, url: URL, body: JsonObject | None = None) -> Answer:
        """Raises RateLimited without asking while the App is held."""
        self.meter.check(THE_APP)
        try:
            return await self._with_jwt(method, url, body)
        except RateLimited as error:
            self.meter.refused(THE_APP, error)
            raise

    async def _with_jwt(self, method: str, url: URL, body: JsonObject | None) -> Answer:
        try:
            return await self._transport.send(method, url, jwt=self._jwt.get(), json_body=body)
        except Unauthorized:
            self._jwt.drop()
        return await self._transport.send(method, url, jwt=self._jwt.get(), json_body=body)

    async def _ask_token(self, installation_id: int) -> object:
        """GitHub refuses to give a token for more than was granted; then for what was."""
        path = f"/app/installations/{installation_id:d}"
        try:
            return (await self._as_app("POST", f"{path}/access_tokens", body={"permissions": dict(PERMISSIONS)})).data
        except Invalid:
            granted = narrowed(_object(await self._as_app("GET", path)).get("permissions"))
        return (await self._as_app("POST", f"{path}/access_tokens", body={"permissions": granted})).data

    async def _ask_repository(self, installation_id: int, repository_id: int) -> object:
        return await self.get_json(installation_id, f"/repositories/{repository_id:d}")


def _may_be_kept(answer: Answer, url: URL) -> bool:
    """Not a last page that is full: when another follows it stays the same, and so does its ETag."""
    full = isinstance(answer.data, list) and str(len(answer.data)) == url.query.get("per_page", "30")
    last = full and answer.next_url is None
    return bool(answer.etag and answer.body) and _size(answer) <= KEPT_BYTES and not last


def _size(answer: Answer) -> int:
    return len(answer.body) + 500


def _iso(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _object(answer: Answer) -> JsonObject:
    if not isinstance(answer.data, dict):
        raise Unavailable(answer.status, "the answer is not an object")
    return answer.data


def _list(answer: Answer) -> list[JsonObject]:
    if not isinstance(answer.data, list) or not all(isinstance(item, dict) for item in answer.data):
        raise Unavailable(answer.status, "the answer is not a list of objects")
    return answer.data


def _id(answer: Answer) -> int:
    found = _object(answer).get("id")
    if not isinstance(found, int) or isinstance(found, bool):
        raise Unavailable(answer.status, "the answer holds no id")
    return found


def node_id(comment: Mapping[str, Any]) -> str | None:
    """GraphQL's name of it."""
    found = comment.get("node_id")
    return found if isinstance(found, str) and 0 < len(found) <= 255 else None
