"""The sandbox's one clock. Instants are whole seconds since the epoch, UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    def now(self) -> int: ...

    def exact(self) -> float:
        """The same instant with its fraction, for what happens more than once a second."""
        ...

    def elapsed(self) -> float:
        """Seconds that only measure durations; they do not follow a shifted clock."""
        ...


class SystemClock:
    def now(self) -> int:
        return int(time.time())

    def exact(self) -> float:
        return time.time()

    def elapsed(self) -> float:
        return time.monotonic()


class FileClock(SystemClock):
    """The real time plus the whole seconds written in a file; a missing or empty file means 0."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def offset(self) -> int:
        try:
            return int(self.path.read_text(encoding="ascii").strip() or "0")
        except FileNotFoundError:
            return 0

    def now(self) -> int:
        return super().now() + self.offset()

    def exact(self) -> float:
        return super().exact() + self.offset()

    def advance(self, seconds: int) -> None:
        self.path.write_text(f"{self.offset() + seconds}\n", encoding="ascii")


class FixedClock(SystemClock):
    """Stands still until told; for tests."""

    def __init__(self, now: int) -> None:
        self.instant = now

    def now(self) -> int:
        return self.instant

    def exact(self) -> float:
        return float(self.instant)

    def advance(self, seconds: int) -> None:
        self.instant += seconds


def clock_from(text: str) -> SystemClock:
    """`system` or `file:PATH`, as on the command line."""
    kind, _, path = text.partition(":")
    if text == "system":
        return SystemClock()
    if kind == "file" and path:
        return FileClock(Path(path))
    raise ValueError(f"the clock is `system` or `file:PATH`, not {text!r}")


def iso(instant: int) -> str:
    """As GitHub writes instants: `2017-12-01T23:59:59Z`."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date(instant: int) -> str:
    """As HTTP writes instants: `Fri, 01 Dec 2017 23:59:59 GMT`."""
    return formatdate(instant, usegmt=True)


def iso_millis(instant: int) -> str:
    """As GitHub writes the instants of hook deliveries."""
    return iso(instant).replace("Z", ".000Z")


def from_iso(text: str) -> int:
    """Seconds since the epoch; a text without a zone is UTC. Raises ValueError."""
    parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
