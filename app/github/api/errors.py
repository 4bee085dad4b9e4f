"""Failures of requests to GitHub, in one hierarchy, so that a queue can decide what to do next.

`permanent` says that asking again in the same way cannot help. `retry_at` is the first instant at which it
may be tried again, where GitHub named one; otherwise the asker backs off by itself. Status and headers
decide, and the words of GitHub's message only where it gives no other sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

SECONDARY_LIMIT_SECONDS = 60
"""The least to wait at a limit for which GitHub names no instant; the asker doubles it each time."""
LONGEST_WAIT_SECONDS = 24 * 3600
"""Longest wait that a header may ask for: a broken one must not silence a queue for years."""

Headers = Mapping[str, str]
"""Case-insensitive, as aiohttp gives them, or with names in lower case."""


class GitHubError(Exception):
    """Base. `status` is 0 when no whole answer came."""

    def __init__(self, status: int, message: str, retry_at: int | None = None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.retry_at = retry_at
        self.about = "resource"
        """Target of the request: "resource", "repository" (its name) or "installation" (its token)."""

    @property
    def permanent(self) -> bool:
        return False

    def while_asking_for(self, what: str) -> None:
        """Marks an error that came before the call itself was sent; the first mark stays."""
        if self.about == "resource":
            self.about = what

    def __str__(self) -> str:
        return f"{type(self).__name__} ({self.about}, status {self.status}): {self.message}"


class Unauthorized(GitHubError):
    """401, with a fresh token too: the key, the App's number or the clock is wrong."""


class Forbidden(GitHubError):
    """403 or 451 that is no rate limit. A thread may be unlocked, a suspension lifted: see `reason`."""

    SIGNS: Mapping[str, str] = {
        "is locked": "locked",
        "suspended": "suspended",
        "not accessible by integration": "not_accessible",
        "archived": "archived",
        "blocked": "blocked",
    }

    @property
    def permanent(self) -> bool:
        return True

    @property
    def reason(self) -> str:
        """One of SIGNS' values, or "other"."""
        told = self.message.lower()
        return next((reason for sign, reason in self.SIGNS.items() if sign in told), "other")


class Gone(GitHubError):
    """404 or 410. A 404 right after an event may be GitHub's own lag, worth a few tries; a 410 is not."""

    @property
    def permanent(self) -> bool:
        return self.status == 410

    @property
    def may_come_back(self) -> bool:
        """The App was taken out, of the repository or altogether, or issues were switched off: both can be undone."""
        return self.about != "resource" or "disabled" in self.message.lower()


class Moved(GitHubError):
    """A redirect that stayed under the repository's fresh name: the issue lives elsewhere now.

    Not permanent: when we hear of the transfer, what is asked for is asked for there.
    """

    def __init__(self, status: int, message: str, location: str) -> None:
        super().__init__(status, message)
        self.location = location


class Invalid(GitHubError):
    """422, and every other 4xx that blames the request: a body too long, a field that is wrong."""

    @property
    def permanent(self) -> bool:
        return True


class RateLimited(GitHubError):
    """403 or 429 at a limit. An App that goes on asking gets banned.

    `retry_at` is always set; `named` says whether by GitHub.
    """

    def __init__(self, status: int, message: str, retry_after_seconds: int, now: int, named: bool) -> None:
        super().__init__(status, message, now + retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds
        self.named = named


class Unavailable(GitHubError):
    """No usable answer: 5xx, timeout, connection lost, a body cut short or not JSON.

    After a write, `may_have_happened` is True unless it surely did not: look before writing again.
    """

    def __init__(self, status: int, message: str, retry_at: int | None = None, may_have_happened: bool = True) -> None:
        super().__init__(status, message, retry_at)
        self._may_have_happened = may_have_happened

    @property
    def may_have_happened(self) -> bool:
        return self._may_have_happened and self.about == "resource"


class Endless(Unavailable):
    """A list that goes on beyond the most pages that are read; what came until then is good."""


def error_from(status: int, headers: Headers, data: object, now: int) -> GitHubError:
    """The error that an answer outside 2xx means; `data` is its decoded body, whatever that was."""
    message = _message(status, data)
    if status in (403, 429) and _is_limit(status, headers, message):
        waited = _limit_seconds(headers, now)
        return RateLimited(status, message, waited or SECONDARY_LIMIT_SECONDS, now, waited is not None)
    if status == 422 and "submitted too quickly" in message:
        return RateLimited(status, message, SECONDARY_LIMIT_SECONDS, now, named=False)
    if 300 <= status < 400:
        return Moved(status, message, headers.get("location", ""))
    if status >= 500 or status == 408 or status < 300:
        seconds = _seconds(headers.get("retry-after"), now)
        return Unavailable(status, message, None if seconds is None else now + seconds)
    kinds: dict[int, type[GitHubError]] = {401: Unauthorized, 403: Forbidden, 451: Forbidden}
    kinds |= {404: Gone, 410: Gone}
    return kinds.get(status, Invalid)(status, message)


def graphql_limit(data: object) -> str | None:
    """GraphQL tells a rate limit with status 200: its message, or None if this is none.

    The type is RATE_LIMITED in GitHub's documentation and RATE_LIMIT in its answers.
    """
    errors = (error for error in _graphql_errors(data) if str(error.get("type")).startswith("RATE_LIMIT"))
    return next((_detail(error) for error in errors), None)


def graphql_data(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return GraphQL's data, even if partial. Raises the matching error for an answer without data."""
    data, errors = answer.get("data"), _graphql_errors(answer)
    if isinstance(data, dict) and (not errors or any(value is not None for value in data.values())):
        return data
    message = "; ".join(_detail(error) for error in errors)[:500] or "GraphQL answered nothing"
    kinds = {str(error.get("type")) for error in errors}
    if "NOT_FOUND" in kinds:
        raise Gone(404, message)
    if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES", "UNAUTHORIZED"}:
        raise Forbidden(403, message)
    if any(isinstance(error.get("extensions"), dict) and error["extensions"].get("code") for error in errors):
        raise Invalid(422, message)
    raise Unavailable(200, message)


def _graphql_errors(data: object) -> list[dict[str, Any]]:
    listed = data.get("errors") if isinstance(data, dict) else None
    return [error for error in listed if isinstance(error, dict)] if isinstance(listed, list) else []


def _is_limit(status: int, headers: Headers, message: str) -> bool:
    told = message.lower()
    words = "rate limit" in told or "abuse detection" in told
    return status == 429 or "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0" or words


def _limit_seconds(headers: Headers, now: int) -> int | None:
    """Read GitHub's requested wait; None if it names none."""
    asked = _seconds(headers.get("retry-after"), now)
    if asked is not None:
        return asked
    reset = headers.get("x-ratelimit-reset", "")
    used_up = headers.get("x-ratelimit-remaining") == "0" and is_number(reset)
    return _bounded(int(reset) - now) if used_up else None


def _seconds(value: str | None, now: int) -> int | None:
    """Retry-After: seconds or a date (RFC 9110 §10.2.3); None where it is neither."""
    if value is None:
        return None
    if is_number(value):
        return _bounded(int(value))
    try:
        return _bounded(int(parsedate_to_datetime(value).timestamp()) - now)
    except (ValueError, OverflowError):
        return None


def is_number(text: str) -> bool:
    """Tell if a header holds a whole number of sane length."""
    return text.isascii() and text.isdigit() and len(text) <= 12


def _bounded(seconds: int) -> int:
    return min(max(seconds, 1), LONGEST_WAIT_SECONDS)


def _message(status: int, data: object) -> str:
    """GitHub's message with the details that 422 carries, shortened: it goes into logs."""
    if not isinstance(data, dict) or not isinstance(data.get("message"), str):
        return f"status {status} without a message"
    errors = data.get("errors")
    details = [errors] if isinstance(errors, str) else errors if isinstance(errors, list) else []
    told = [data["message"], *(_detail(detail) for detail in details)]
    return "; ".join(told)[:500]


def _detail(detail: object) -> str:
    if not isinstance(detail, dict):
        return str(detail)
    return " ".join(str(detail[key]) for key in ("resource", "field", "code", "message") if key in detail)
