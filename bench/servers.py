"""Programs that benchmarks run beside themselves, and a client that loads them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

SECRET = "bench"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def new_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def app_environment(folder: Path, port: int, github_url: str, app_id: str, key: str, secret: str) -> dict[str, str]:
    return {
        **os.environ,
        "BUGMARK_DATABASE_URL": f"sqlite:///{folder / 'bugmark.db'}",
        "BUGMARK_GITHUB_API_URL": github_url,
        "BUGMARK_APP_ID": app_id,
        "BUGMARK_PRIVATE_KEY": key,
        "BUGMARK_WEBHOOK_SECRET": secret,
        "BUGMARK_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
    }


@contextmanager
def running(words: list[str], environment: Mapping[str, str], ready_url: str | None = None) -> Iterator[None]:
    """A program of ours, its output thrown away; waits until `ready_url` answers."""
    process = subprocess.Popen(
        [sys.executable, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        if ready_url:
            _await_ready(ready_url)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _await_ready(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"bench: {url} does not answer")


async def load(url: str, requests: list[tuple[bytes, dict[str, str]]], clients: int) -> tuple[float, list[float]]:
    """Post all requests from so many clients; requests per second, and each one's seconds. All must be 2xx."""
    left = iter(requests)
    took: list[float] = []

    async def client(session: aiohttp.ClientSession) -> None:
        for body, headers in left:
            started = time.perf_counter()
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()
                if answer.status >= 300:
                    raise SystemExit(f"bench: {url} answered {answer.status}")
            took.append(time.perf_counter() - started)

    async with aiohttp.ClientSession() as session:
        started = time.perf_counter()
        await asyncio.gather(*(client(session) for _ in range(clients)))
        return len(requests) / (time.perf_counter() - started), took


def percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
