"""Webhooks taken in: verify, store durably, 202; beside bare aiohttp on the same bodies."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import tempfile
from pathlib import Path

from app.storage.engine.db import migrate
from bench.rows import Row
from bench.servers import SECRET, app_environment, free_port, load, new_key, percentile, running

REQUESTS = 1_500
CLIENTS = 32
BODY_BYTES = 10_000


def run() -> list[Row]:
    port = free_port()
    bare_url = f"http://127.0.0.1:{port}"
    with running(["-m", "bench.bare", str(port)], os.environ, f"{bare_url}/healthz"):
        bare, _ = asyncio.run(load(f"{bare_url}/webhook", _requests("bare"), CLIENTS))
    with tempfile.TemporaryDirectory(prefix="bugmark-bench-") as name:
        port, folder = free_port(), Path(name)
        url = f"http://127.0.0.1:{port}"
        environment = app_environment(folder, port, "http://127.0.0.1:9", "1", new_key(), SECRET)
        migrate(f"sqlite+aiosqlite:///{folder / 'bugmark.db'}")
        with running(["-m", "app", "serve"], environment, f"{url}/healthz"):
            rate, _ = asyncio.run(load(f"{url}/webhook", _requests("app"), CLIENTS))
            _, took = asyncio.run(load(f"{url}/webhook", _requests("alone")[:300], 1))
    ratio = rate / bare
    p99 = 1000 * percentile(took, 99)
    return [
        Row("webhook: taken in", rate, "/s", f"bare aiohttp ({bare:,.0f}/s)", ratio, ">= 0.3 x", ratio >= 0.3),
        Row("webhook: p99 of one client", p99, "ms", target="< 100 ms", met=p99 < 100),
    ]


def _requests(name: str) -> list[tuple[bytes, dict[str, str]]]:
    return [_request(f"{name}-{i}", i) for i in range(REQUESTS)]


def _request(guid: str, number: int) -> tuple[bytes, dict[str, str]]:
    """An issue_comment of the usual size, on one of many issues; it says nothing to the bot."""
    payload = {"action": "created", "issue": {"id": number % 100}, "comment": {"id": number, "body": "x" * BODY_BYTES}}
    body = json.dumps(payload).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return body, {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issue_comment",
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": f"sha256={signature}",
    }
