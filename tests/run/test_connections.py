"""A real web process beside those who connect and say nothing, little, slowly or nonsense."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.run.demo_programs import free_port
from app.web.listening import HEAD_SECONDS, LEAST_CONNECTIONS, MOST_CONNECTIONS, bounds
from tests.conditions import PATIENCE_SECONDS
from tests.github.play import private_key

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-of-the-webhook"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
STRANGER = "127.0.0.77"
"""An address of loopback that nothing else has, so that it can be looked for in the log."""


@dataclass
class Web:
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def connect(self, address: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS, (address, 0))

    def ask(self, *parts: bytes, pause_seconds: float = 0, address: str = "127.0.0.1") -> bytes:
        with self.connect(address) as found:
            for part in parts:
                found.sendall(part)
                time.sleep(pause_seconds)
            return read(found)

    def healthy(self) -> bool:
        return self.ask(HEALTH).startswith(b"HTTP/1.1 200 OK")


def read(found: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while part := found.recv(65_536):
            answer += part
    return answer


@contextlib.contextmanager
def serving(folder: Path, url: str, limit: int, value: int) -> Iterator[Web]:
    """The web process under a limit of the system's."""
    pem = private_key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    port = free_port()
    told = {
        "BUGMARK_DATABASE_URL": url,
        "BUGMARK_APP_ID": "1",
        "BUGMARK_PRIVATE_KEY": pem.decode(),
        "BUGMARK_WEBHOOK_SECRET": SECRET,
        "BUGMARK_PUBLIC_URL": "https://bugmark.example",
        "PORT": str(port),
    }
    log = folder / "web.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"],
            cwd=ROOT,
            env={**os.environ, **told},
            stderr=output,
            preexec_fn=lambda: resource.setrlimit(limit, (value, value)),
        )
    try:
        found = Web(port, process, log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"serving" not in log.read_bytes():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


@pytest.fixture
def web(tmp_path: Path, sqlite_url: str) -> Iterator[Web]:
    """With so few open files that sixty connections would be too many."""
    with serving(tmp_path, sqlite_url, resource.RLIMIT_NOFILE, 64) as found:
        yield found


def test_those_who_say_nothing_make_room_and_are_sent_away(web: Web) -> None:
    silent = [web.connect() for _ in range(70)]
    began = time.monotonic()
    for _ in range(5):
        assert web.healthy()
    assert time.monotonic() - began < HEAD_SECONDS
    partly = web.connect()
    partly.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    for found in [*silent, partly]:
        assert read(found) == b""
        found.close()
    assert b"out of system resource" not in web.log.read_bytes()
    assert web.healthy()


def test_a_head_that_drips_is_cut_off_and_one_that_comes_in_time_is_answered(web: Web) -> None:
    found = web.connect()
    found.sendall(b"GET / HTTP/1.1\r\nX: ")
    with pytest.raises(ConnectionError):  # else it drips on, and the test with it
        while True:
            found.sendall(b"y")
            time.sleep(0.25)
    assert read(found) == b""
    found.close()
    assert web.ask(HEALTH[:20], HEALTH[20:], pause_seconds=0.5).startswith(b"HTTP/1.1 200 OK")


def post(body_bytes: int, *more: str) -> bytes:
    head = [
        "POST /webhook HTTP/1.1",
        "Host: x",
        "Content-Type: application/json",
        "X-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-GitHub-Event: issues",
        f"Content-Length: {body_bytes}",
        *more,
    ]
    return "\r\n".join([*head, "", ""]).encode()


def signed(body: bytes) -> str:
    return "X-Hub-Signature-256: sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def test_slow_bodies_take_nobodys_place_and_time_out(web: Web) -> None:
    slow = [web.connect() for _ in range(40)]
    for found in slow:
        found.sendall(post(1000, signed(b"no")) + b"{")
    began = time.monotonic()
    while not web.healthy():
        assert time.monotonic() - began < HEAD_SECONDS - 2
        time.sleep(0.2)
    answers = [read(found) for found in slow]
    assert {answer[:12] for answer in answers} <= {b"", b"HTTP/1.1 408"}
    assert any(answers)
    for found in slow:
        found.close()


ENCODINGS = [("identity", "gzip"), ("gzip", "identity"), ("gzip", "gzip"), ("identity, gzip",), ("br",), ("GZIP",)]


def test_whatever_encoding_a_body_claims_it_is_415(web: Web) -> None:
    body = b"{}"
    for encodings in ENCODINGS:
        named = [f"Content-Encoding: {encoding}" for encoding in encodings]
        assert web.ask(post(len(body), signed(body), *named) + body)[:12] == b"HTTP/1.1 415", encodings


def test_no_encoding_and_the_one_that_is_none_are_taken(web: Web) -> None:
    body = b"{}"
    for named in ([], ["Content-Encoding: identity"], ["Content-Encoding: Identity"]):
        answer = web.ask(post(len(body), signed(body), "Connection: close", *named) + body)
        assert answer.startswith(b"HTTP/1.1 202")


NONSENSE = [
    b"nonsense\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
    b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: minus\r\n\r\n",
    b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET http://[x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
]


def test_malformed_requests_leave_no_address_in_the_log(web: Web) -> None:
    for nonsense in NONSENSE:
        answer = web.ask(nonsense, address=STRANGER)
        assert answer[9:10] != b"5", nonsense
    assert web.healthy()
    told = web.log.read_text()
    assert "request not understood" in told
    assert STRANGER not in told and "Traceback" not in told


def test_a_web_process_that_can_store_nothing_is_not_healthy(tmp_path: Path, sqlite_url: str) -> None:
    """No file may grow beyond a few pages: as on a disk that becomes full."""
    with serving(tmp_path, sqlite_url, resource.RLIMIT_FSIZE, 36_000) as found:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (answer := found.ask(HEALTH)).startswith(b"HTTP/1.1 503"):
            assert time.monotonic() < deadline
            time.sleep(0.5)
    assert answer.endswith(b'{"ok": false}')


@pytest.mark.parametrize("files", [10, 64, 128, 1024, 4096, 1_000_000, resource.RLIM_INFINITY])
def test_connections_leave_room_for_other_files(files: int) -> None:
    most, backlog = bounds(files)
    assert LEAST_CONNECTIONS <= most <= MOST_CONNECTIONS and 4 <= backlog <= 128
    if 64 <= files < 1_000_000:
        assert most + backlog + 44 <= files
