"""One request to GitHub, one answer or one GitHubError: headers, timeouts, decoding; no second try."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from gidgethub import sansio
from yarl import URL

from app.base.clock import Clock
from app.github.api.errors import Unavailable, error_from, graphql_limit, is_number
from app.github.api.timekeeper import Timekeeper
from app.github.api.usage_meter import Left

API_VERSION = "2022-11-28"
ACCEPT = "application/vnd.github+json"
ANSWER_BYTES = 32 * 1024 * 1024
"""Above the longest page GitHub can send (100 comments of 65,536 characters), and a bound on memory."""

_PATH = re.compile(r"(/[A-Za-z0-9_.~!$&'()*+,;=:@\[\]%-]+)+")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `connect` is for the connection alone, `total` for everything until the last byte."""

    connect: float = 5
    total: float = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx, or a 304 to a conditional request. `data` is the JSON of it, None when there was no body."""

    status: int
    data: object
    next_url: str | None
    etag: str | None
    body: bytes
    left: Left | None = None


class Transport:
    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        base_url: str,
        user_agent: str,
        timeouts: Timeouts,
    ) -> None:
        self.timekeeper = Timekeeper(clock)
        self._session = session
        self._clock = clock
        self._base = URL(base_url)
        self._user_agent = user_agent
        self._timeout = aiohttp.ClientTimeout(total=timeouts.total, sock_connect=timeouts.connect)

    def url(self, path: str, params: Mapping[str, str] | None = None) -> URL:
        """A documented path under the base url. ValueError for anything that could leave it."""
        if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")) or "%2e" in path.lower():
            raise ValueError(f"not a path of the API: {path!r}")
        url = URL(f"{self._base}".rstrip("/") + path, encoded=True)
        return url.with_query(params) if params else url

    @property
    def graphql_url(self) -> URL:
        """Beside the REST API; on an Enterprise Server that lies under `/api/v3`, and GraphQL under `/api/graphql`."""
        base = f"{self._base}".rstrip("/")
        return URL(base.removesuffix("/v3") + "/graphql")

    def next_page(self, link: str) -> URL:
        """The page a Link header names. Unavailable if it is not GitHub's own: our token would go there."""
        try:
            url = self._base.join(URL(link, encoded=True))
            ours = url.origin() == self._base.origin() and url.user is None
        except ValueError:
            ours = False
        if not ours:
            raise Unavailable(200, "the next page lies on another host", may_have_happened=False)
        return url

    async def send(
        self,
        method: str,
        url: URL,
        *,
        token: str | None = None,
        jwt: str | None = None,
        json_body: Mapping[str, object] | None = None,
        etag: str | None = None,
    ) -> Answer:
        """Raises GitHubError. Redirects are never followed: aiohttp would make a GET of a POST."""
        headers = sansio.create_headers(self._user_agent, accept=ACCEPT, oauth_token=token, jwt=jwt)
        headers["x-github-api-version"] = API_VERSION
        if etag is not None:
            headers["if-none-match"] = etag
        body = b""
        if json_body is not None:
            body = json.dumps(json_body).encode()
            headers["content-type"] = "application/json; charset=utf-8"
        try:
            return await self._exchange(method, url, headers, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unavailable(0, type(error).__name__, may_have_happened=False) from error
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise Unavailable(0, type(error).__name__) from error

    async def _exchange(self, method: str, url: URL, headers: dict[str, str], body: bytes) -> Answer:
        asked_at = self._clock.now()
        async with self._session.request(
            method, url, headers=headers, data=body or None, allow_redirects=False, timeout=self._timeout
        ) as response:
            self.timekeeper.note(asked_at, self._clock.now(), response.headers)
            content = await _read(response)
            return self._answer(response.status, response.headers, content, "if-none-match" in headers)

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes, conditional: bool) -> Answer:
        """gidgethub deciphers what went well; its exceptions hide most rate limits, so errors are ours."""
        if status == 304 and conditional:
            return Answer(304, None, None, None, b"", _left(headers))
        if status not in (200, 201, 202, 204):
            raise error_from(status, headers, _decoded(body), self._clock.now())
        try:
            data, _, next_url = sansio.decipher_response(status, headers, body)
        except (ValueError, LookupError, RecursionError) as error:
            raise Unavailable(status, "the answer is not JSON") from error
        if isinstance(data, str):
            raise Unavailable(status, "the answer is not JSON")
        if (limit := graphql_limit(data)) is not None:
            raise error_from(429, headers, {"message": limit}, self._clock.now())
        return Answer(status, data, next_url, headers.get("etag"), body, _left(headers))


def _left(headers: Mapping[str, str]) -> Left | None:
    """Read the hour's remaining requests (GraphQL's points are another budget); None if GitHub's headers lack them."""
    told = [headers.get(f"x-ratelimit-{name}", "") for name in ("remaining", "limit", "reset")]
    if headers.get("x-ratelimit-resource") != "core" or not all(map(is_number, told)):
        return None
    remaining, limit, reset_at = map(int, told)
    return Left(remaining, limit, reset_at)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES:
            raise Unavailable(response.status, "the answer is too long")
    return bytes(body)


def _decoded(body: bytes) -> object:
    """The body of an error: JSON, or None, since a proxy may answer in GitHub's place."""
    try:
        data: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data
