"""Credentials for GitHub: the App's JWT and a token per installation, each kept while it is good."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import jwt
from cachetools import TLRUCache, TTLCache
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.base.clock import Clock
from app.github.api.errors import Forbidden, GitHubError, Gone, Unavailable
from app.github.api.single_flight import Flights

JWT_BACKDATED_SECONDS = 60
"""GitHub's advice against clocks that run apart."""
JWT_SECONDS = 540
"""From now to `exp`; with the backdating exactly GitHub's limit of ten minutes."""
JWT_MARGIN_SECONDS = 120
"""A JWT is not used in its last two minutes: GitHub's clock may be ahead of ours."""
TOKEN_MARGIN_SECONDS = 300
"""Nor a token in the last five of its sixty: a request may wait in a queue before it is judged."""
MOST_TOKENS = 10_000
"""Installations whose tokens are held at once; the least used is asked for again."""
SUSPENDED_SECONDS = 60
"""An installation that was found suspended is left alone this long, unless an event says that it is back."""

PERMISSIONS: Mapping[str, str] = {
    "metadata": "read",
    "issues": "write",
    "pull_requests": "read",
    "contents": "read",
    "checks": "write",
}
"""All that a token may be good for, whatever else the App was granted: app.yml says why each is needed."""

LEVELS = ("read", "write", "admin")


class AppJwt:
    """Reading the key costs forty times what signing costs, so it is read once (ValueError if it is none)."""

    def __init__(self, app_id: str, private_key: str, clock: Clock) -> None:
        key = load_pem_private_key(private_key.encode(), password=None)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("the App's key is not an RSA key")
        self._key = key
        self._app_id = app_id
        self._clock = clock
        self._made: tuple[int, str] | None = None

    def get(self) -> str:
        now = self._clock.now()
        if self._made is None or not 0 <= now - self._made[0] < JWT_SECONDS - JWT_MARGIN_SECONDS:
            claims = {"iat": now - JWT_BACKDATED_SECONDS, "exp": now + JWT_SECONDS, "iss": self._app_id}
            self._made = now, jwt.encode(claims, self._key, algorithm="RS256")
        return self._made[1]

    def drop(self) -> None:
        self._made = None


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    usable_until: int


def _usable_until(_installation_id: int, token: _Token, _now: float) -> float:
    return token.usable_until


class InstallationTokens:
    """`ask` posts to the token endpoint and gives the decoded answer, or raises GitHubError."""

    def __init__(self, ask: Callable[[int], Awaitable[object]], clock: Clock) -> None:
        self._ask = ask
        self._held: TLRUCache[int, _Token] = TLRUCache(MOST_TOKENS, ttu=_usable_until, timer=clock.now)
        self._suspended: TTLCache[int, str] = TTLCache(MOST_TOKENS, ttl=SUSPENDED_SECONDS, timer=clock.now)
        self._refused: set[int] = set()
        self._flights = Flights(self._fetch)

    async def get(self, installation_id: int) -> str:
        """However many wait for it, one request goes out. Raises GitHubError about the installation."""
        message = self._suspended.get(installation_id)
        if message is not None:
            error = Forbidden(403, message)
            error.while_asking_for("installation")
            raise error
        held = self._held.get(installation_id)
        return held.text if held is not None else await self._flights.join(installation_id)

    def note_refusal(self, installation_id: int, error: Forbidden | Gone) -> None:
        """GitHub told, with or without a token, that the installation is suspended or gone; no event may have."""
        suspended = isinstance(error, Forbidden) and error.reason == "suspended"
        if suspended and installation_id not in self._suspended:
            self._suspended[installation_id] = error.message
            self._held.pop(installation_id, None)
        if suspended or (isinstance(error, Gone) and error.about == "installation"):
            self._refused.add(installation_id)

    def take_refused(self) -> set[int]:
        """The installations found suspended or gone since this was asked last."""
        found, self._refused = self._refused, set()
        return found

    def forget(self, installation_id: int) -> None:
        """An event says that something about the installation changed."""
        self._held.pop(installation_id, None)
        self._suspended.pop(installation_id, None)

    def drop(self, installation_id: int, text: str) -> None:
        """GitHub refused this token; one that has replaced it meanwhile is kept."""
        held = self._held.get(installation_id)
        if held is not None and held.text == text:
            del self._held[installation_id]

    async def _fetch(self, installation_id: int) -> str:
        try:
            token = _token_of(await self._ask(installation_id))
        except GitHubError as error:
            error.while_asking_for("installation")
            raise
        self._held[installation_id] = token
        return token.text


def _token_of(answer: object) -> _Token:
    try:
        found = answer if isinstance(answer, dict) else {}
        expires_at = datetime.fromisoformat(found["expires_at"])
        if not re.fullmatch(r"[!-~]+", found["token"]) or expires_at.tzinfo is None:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise Unavailable(201, "the answer holds no token") from None
    return _Token(found["token"], int(expires_at.timestamp()) - TOKEN_MARGIN_SECONDS)


def narrowed(granted: object) -> dict[str, str]:
    """Select the granted ones of PERMISSIONS: an owner may have left a new version of the App unconfirmed."""
    known = granted if isinstance(granted, Mapping) else {}
    ours = {area: level for area, level in PERMISSIONS.items() if known.get(area) in LEVELS}
    return {area: min(level, known[area], key=LEVELS.index) for area, level in ours.items()}
