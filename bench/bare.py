"""The reference for the webhook: bare aiohttp that checks the HMAC and parses the JSON of the same body."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys

from aiohttp import web

from bench.servers import SECRET


async def take(request: web.Request) -> web.Response:
    body = await request.read()
    good = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(good, request.headers["X-Hub-Signature-256"]):
        raise web.HTTPUnauthorized
    json.loads(body)
    return web.json_response({"ok": True}, status=202)


async def ready(_request: web.Request) -> web.Response:
    return web.Response()


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/webhook", take)
    app.router.add_get("/healthz", ready)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
