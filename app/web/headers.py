"""The headers that every answer of ours carries."""

from __future__ import annotations

from aiohttp import web

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Server": "bugmark",  # instead of aiohttp's and Python's versions
}


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """A page may allow itself its own style; everything else may do nothing."""
    response.headers.update(_HEADERS)
    if response.headers.get("Connection") == "close":
        response.force_close()  # the header alone only says so
    response.headers.setdefault("Content-Security-Policy", POLICY)
