"""Caller of a request: an app with its JWT, an installation with its token, a person, or nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass

import jwt

from sandbox.errors import ApiError, bad_credentials, bad_jwt
from sandbox.state import App, Installation, InstallationToken, State, User

PERSON_PREFIX = "sandbox-"
LOGIN = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}\Z", re.ASCII)
JWT_LIFE_SECONDS = 600


@dataclass(frozen=True)
class Principal:
    """At most one of app (by JWT), token (an installation) and person is set; none means anonymous."""

    app: App | None = None
    token: InstallationToken | None = None
    person: User | None = None

    @property
    def actor(self) -> User | None:
        """The account in whose name things are written: the app's bot, or the person."""
        return self.token.installation.app.bot if self.token else self.person

    @property
    def installation(self) -> Installation | None:
        return self.token.installation if self.token else None

    @property
    def name(self) -> str:
        if self.app:
            return f"app:{self.app.slug}"
        return self.actor.login if self.actor else "anonymous"

    @property
    def app_id(self) -> int | None:
        return self.token.installation.app.id if self.token else None


def authenticate(state: State, header: str | None, now: int) -> Principal:
    """The bearer of an Authorization header. People are not made here: see `login_of`."""
    if not header:
        return Principal()
    scheme, _, credential = header.partition(" ")
    credential = credential.strip()
    if scheme.lower() not in ("bearer", "token") or not credential:
        raise bad_credentials()
    if credential.count(".") == 2:
        return Principal(app=app_of(state, credential, now))
    if token := state.tokens.get(credential):
        if token.expires_at <= now or token.installation.id not in state.installations:
            raise bad_credentials()
        return Principal(token=token)
    raise bad_credentials()


def login_of(header: str | None) -> str | None:
    """The login in a person's token `sandbox-<login>`."""
    scheme, _, credential = (header or "").partition(" ")
    if scheme.lower() not in ("bearer", "token") or not credential.strip().startswith(PERSON_PREFIX):
        return None
    login = credential.strip().removeprefix(PERSON_PREFIX)
    if not LOGIN.match(login):
        raise bad_credentials()
    return login


def app_of(state: State, text: str, now: int) -> App:
    """Checks what GitHub checks: RS256 by the app's key, `iat` not ahead, `exp` at most ten minutes away."""
    try:
        claims = jwt.decode(text, options={"verify_signature": False})
        app = find_app(state, claims.get("iss"))
        # Its times are compared below, with the sandbox's clock.
        claims = jwt.decode(
            text, app.public_key, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
        )
    except jwt.InvalidTokenError as error:
        raise bad_jwt("A JSON web token could not be decoded") from error
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or issued > now:
        raise bad_jwt("'Issued at' claim ('iat') must be an Integer representing the time of issue")
    if not isinstance(expires, int) or expires <= now:
        raise bad_jwt("'Expiration time' claim ('exp') must be a numeric value representing the future time")
    if expires > now + JWT_LIFE_SECONDS or expires - issued > JWT_LIFE_SECONDS + 60:
        raise bad_jwt("'Expiration time' claim ('exp') is too far in the future")
    return app


def find_app(state: State, issuer: object) -> App:
    for app in state.apps.values():
        if str(issuer) in (str(app.id), app.client_id):
            return app
    raise ApiError(404, "Integration not found")
