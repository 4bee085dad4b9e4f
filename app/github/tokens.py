"""Who we are to GitHub: the App's JWT and a token per installation, each kept while it is good."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import jwt
from cachetools import TLRUCache
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.clock import Clock
from app.github.errors import GitHubError, Unavailable
from app.github.flight import Flights

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
        self._flights = Flights(self._fetch)

    async def get(self, installation_id: int) -> str:
        """However many wait for it, one request goes out. Raises GitHubError about the installation."""
        held = self._held.get(installation_id)
        return held.text if held is not None else await self._flights.join(installation_id)

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
