"""The ways in which GitHub fails (docs/sandbox.md, "Faults"), for whoever goes through all of them."""

from __future__ import annotations

from typing import Any

from app.github.api.transport import Timeouts

TIMEOUTS = Timeouts(connect=5, total=1.5)
"""Of the app, so that nobody waits for the real ones; long enough for a busy machine."""

LATE = 2

FAULTS: dict[str, dict[str, Any]] = {
    "timeout": {"kind": "timeout", "seconds": LATE},
    "timeout, though done": {"kind": "timeout", "seconds": LATE, "after": True},
    "reset": {"kind": "reset", "times": 2},
    "reset, though done": {"kind": "reset", "times": 2, "after": True},
    "403": {"kind": "status", "status": 403},
    "404": {"kind": "status", "status": 404},
    "410": {"kind": "status", "status": 410},
    "422": {"kind": "status", "status": 422},
    "403 with Retry-After": {"kind": "status", "status": 403, "headers": {"Retry-After": "30"}},
    "429 with Retry-After": {"kind": "status", "status": 429, "headers": {"Retry-After": "30"}},
    "429": {"kind": "status", "status": 429},
    "500": {"kind": "status", "status": 500, "times": 2},
    "502": {"kind": "status", "status": 502},
    "503": {"kind": "status", "status": 503, "headers": {"Retry-After": "5"}},
    "truncated": {"kind": "truncate", "after": True},
    "HTML": {"kind": "status", "status": 200, "text": "<html>Unicorn!</html>"},
    "HTML, though done": {"kind": "status", "status": 200, "text": "<html>Unicorn!</html>", "after": True},
    "other JSON": {"kind": "status", "status": 200, "json": ["?"]},
    "other JSON, though done": {"kind": "status", "status": 200, "json": ["?"], "after": True},
}
"""A reset strikes twice: the HTTP client itself asks again where nothing can be doubled."""

LIMITS = ("403 with Retry-After", "429 with Retry-After", "429")

REFUSALS = ("403", "404", "410", "422")
"""GitHub's own word, which counts: what was to be sent is given up, and what was asked for is not there."""


def possible(method: str) -> list[str]:
    """What is only read is never done; of a DELETE only the status tells, and 200 means that it was done."""
    if method == "GET":
        return [fault for fault in FAULTS if "though" not in fault]
    return [fault for fault in FAULTS if (method, fault) != ("DELETE", "other JSON")]
