"""Holds what comes in and goes out to GitHub's own description of its API, cut to what is used here.

Each operation gets an openapi-core validator of its own, made on first use from a description that holds nothing but
that operation: finding the path costs nothing, and references are resolved once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

DESCRIPTION = Path(__file__).with_name("openapi") / "github.json"
# GitHub answers any operation with these, whatever its description lists.
ERROR_STATUSES = {400, 401, 403, 404, 410, 422, 429, 451, 500, 502, 503}
HOST = "http://sandbox"
KINDS = ("request", "answer", "webhook")


@dataclass
class Request:
    """A request for openapi-core; the path is encoded, so that a parameter may hold a slash."""

    method: str
    path: str
    parameters: RequestParameters
    body: bytes | None
    content_type: str = "application/json"
    host_url: str = HOST


@dataclass(frozen=True)
class Response:
    status_code: int
    data: bytes
    headers: Headers
    content_type: str = "application/json"


@cache
def description() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return loaded


@cache
def operation(method: str, template: str) -> OpenAPI | None:
    """The validator of one operation; None when the description does not have it."""
    found = description()["paths"].get(template, {}).get(method)
    return alone(template, method, found) if found else None


@cache
def webhook(name: str) -> OpenAPI | None:
    found = description()["x-webhooks"].get(name)
    return alone("/webhook", "post", found["post"]) if found else None


def alone(template: str, method: str, of: dict[str, Any]) -> OpenAPI:
    document = {
        "openapi": description()["openapi"],
        "info": description()["info"],
        "servers": [{"url": "/"}],
        "paths": {template: {method: of}},
        "components": description()["components"],
    }
    return OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))


def fill(template: str, params: dict[str, str]) -> str:
    return template.format(**{name: quote(value, safe="") for name, value in params.items()})


def request_for(
    method: str, template: str, params: dict[str, str], query: list[tuple[str, str]], body: bytes
) -> Request:
    parameters = RequestParameters(
        query=ImmutableMultiDict(query), header=Headers(), cookie=ImmutableMultiDict(), path={}
    )
    return Request(method, fill(template, params), parameters, body or None)


def request_problems(request: Request, template: str) -> list[str]:
    """Sentences that say where the request is not as GitHub describes it."""
    described = operation(request.method, template)
    return problems(described.iter_request_errors(request)) if described else [undescribed(request, template)]


def answer_problems(request: Request, template: str, status: int, data: bytes) -> list[str]:
    described = operation(request.method, template)
    if described is None:
        return [undescribed(request, template)]
    if status == 304:
        return []
    listed = str(status) in description()["paths"][template][request.method]["responses"]
    if not listed and status in ERROR_STATUSES:
        return error_problems(status, data)
    return problems(described.iter_response_errors(request, Response(status, data, Headers())))


def webhook_problems(name: str, payload: bytes) -> list[str]:
    described = webhook(name)
    if described is None:
        return [f"webhook {name} is not in the description"]
    return problems(described.iter_request_errors(request_for("post", "/webhook", {}, [], payload)))


def error_problems(status: int, data: bytes) -> list[str]:
    """An error that the operation does not list must still look like GitHub's errors."""
    body = json.loads(data or b"{}")
    if isinstance(body, dict) and isinstance(body.get("message"), str) and "documentation_url" in body:
        return []
    return [f"{status}: an error without message and documentation_url"]


def undescribed(request: Request, template: str) -> str:
    return f"{request.method.upper()} {template} is not in the description"


def problems(errors: Iterator[Exception]) -> list[str]:
    try:
        return [text for error in errors for text in explained(error)]
    except OpenAPIError as error:
        return list(explained(error))


def explained(error: BaseException) -> Iterator[str]:
    """The innermost causes with their places; openapi-core wraps them two or three deep."""
    inner = getattr(error, "schema_errors", None) or ([error.__cause__] if error.__cause__ else [])
    if not inner:
        place = "/".join(str(step) for step in getattr(error, "absolute_path", ()))
        text = str(getattr(error, "message", "") or error)
        yield f"{place}: {text[:300]}" if place else text[:300]
    for cause in inner:
        yield from explained(cause)


@dataclass
class Violation:
    number: int
    kind: str
    """One of KINDS."""
    operation: str
    at: int
    problems: list[str]


@dataclass
class Violations:
    """The record that `GET /_sandbox/violations` shows; switched off for load tests."""

    enabled: bool = True
    found: list[Violation] = field(default_factory=list)

    def note(self, kind: str, operation: str, at: int, problems: list[str]) -> None:
        if problems:
            self.found.append(Violation(len(self.found) + 1, kind, operation, at, problems))
