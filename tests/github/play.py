"""GitHub's part, played by a small server on loopback: a test writes answers and reads what was asked."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.base.settings import Settings
from tests.clocks import START_AT

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def settings(github_api_url: str) -> Settings:
    pem = private_key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return Settings(
        database_url="sqlite+aiosqlite:///none.db",
        github_api_url=github_api_url,
        app_id="4711",
        private_key=pem.decode(),
        webhook_secrets=("secret",),
        public_url="https://bugmark.example",
    )


@dataclass
class Asked:
    """A request as GitHub saw it."""

    line: str  # "GET /path?query"
    headers: dict[str, str]  # names in lower case
    body: object


@dataclass
class Play:
    """What GitHub answers: per request line a list, taken one by one; the last is given again and again."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    tokens_made: int = 0
    _answers: dict[str, list[web.Response | Handler]] = field(default_factory=dict)

    def on(self, line: str, *answers: web.Response | Handler) -> None:
        self._answers[line] = list(answers)

    def lines(self) -> list[str]:
        """What was asked, tokens and names aside."""
        aside = ("access_tokens", "/repositories/")
        return [asked.line for asked in self.asked if not any(part in asked.line for part in aside)]

    def last(self, line: str) -> Asked:
        return [asked for asked in self.asked if asked.line == line][-1]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        line = f"{request.method} {request.raw_path}"
        text = await request.text()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(line, headers, json.loads(text) if text else None))
        answers = self._answers.get(line) or [reply({"message": "Not Found"}, 404)]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return await answer(request) if callable(answer) else _copy(answer)

    async def token(self, _request: web.Request) -> web.Response:
        self.tokens_made += 1
        return token_reply(f"ghs_{self.tokens_made}", START_AT + 3600)


def reply(data: object, status: int = 200, **headers: str) -> web.Response:
    """`retry_after="1"` is the header `retry-after: 1`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.json_response(data, status=status, headers=named)


def token_reply(text: str, expires_at: int) -> web.Response:
    expires = datetime.fromtimestamp(expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return reply({"token": text, "expires_at": expires}, 201)


def _copy(response: web.Response) -> web.Response:
    """aiohttp sends a response object only once."""
    headers = {name: value for name, value in response.headers.items() if name != "Content-Length"}
    return web.Response(status=response.status, body=response.body, headers=headers)
