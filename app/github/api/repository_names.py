"""Repositories are known by id; GitHub's paths want the name, which changes. The id is never sent in a path:
`/repositories/{id}/issues/...` works, but is documented nowhere."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from cachetools import TTLCache

from app.base.clock import Clock
from app.github.api.errors import GitHubError, Unavailable
from app.github.api.single_flight import Flights

NAME_SECONDS = 60
"""Short, because an old name can be reused by another repository; asking again costs a free 304."""
MOST_NAMES = 10_000

NAME = re.compile(r"(?!\.+/)[A-Za-z0-9_.-]+/(?!\.+$)[A-Za-z0-9_.-]+", re.ASCII)
"""Full name of a repository, `owner/name`; nothing else goes into a path."""

Key = tuple[int, int]
"""Installation and repository: what one installation may see is nothing to another."""


class RepositoryNames:
    """`ask` gives the decoded answer to `/repositories/{id}`, asked as an installation; or GitHubError."""

    def __init__(self, ask: Callable[[int, int], Awaitable[object]], clock: Clock) -> None:
        self._ask = ask
        self._held: TTLCache[Key, str] = TTLCache(MOST_NAMES, ttl=NAME_SECONDS, timer=clock.now)
        self._flights = Flights(self._fetch)

    async def get(self, installation_id: int, repository_id: int) -> str:
        """`owner/name` as of the last minute. Raises GitHubError about the repository."""
        key = installation_id, repository_id
        held = self._held.get(key)
        return held if held is not None else await self._flights.join(key)

    def drop(self, installation_id: int, repository_id: int) -> None:
        self._held.pop((installation_id, repository_id), None)

    async def _fetch(self, key: Key) -> str:
        try:
            name = name_of(await self._ask(*key), repository_id=key[1])
        except GitHubError as error:
            error.while_asking_for("repository")
            raise
        self._held[key] = name
        return name


def name_of(answer: object, repository_id: int) -> str:
    """The name in GitHub's answer about this repository. Unavailable if it is about another or names none."""
    found = answer if isinstance(answer, dict) else {}
    name = found.get("full_name")
    if found.get("id") != repository_id or not isinstance(name, str) or not NAME.fullmatch(name):
        raise Unavailable(200, "the answer does not name the repository asked for")
    return name
